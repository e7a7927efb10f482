// The key `pace` of an upstream, and what it has in common with quotas: a rate with its burst.
// Relies on the ranges of PaceSettings and RateLimitSettings. Refuses a burst that would take years to come back.

internal import Policy

extension Field {
    /// The pace, with the default for each key that is absent or wrong; nil for the word `none`.
    func pace() -> PaceSettings? {
        if isWord("none") { return nil }
        var settings = PaceSettings()
        if case .scalar = node.value {
            error("is neither none nor a mapping", "Write none or {rate: 5/s, burst: 5, ...}")
            return settings
        }
        guard let keys = mapping(Vocabulary.pace) else { return settings }
        let standard = Rate(count: settings.rate.count, perNanoseconds: settings.rate.perNanoseconds)
        let rate = keys["rate"].map { $0.rate() } ?? standard
        if let limit = keys.rateLimit(rate, burst: settings.rate.burst) { settings.rate = limit }
        if let count = keys["concurrency"]?.integer(PaceSettings.concurrencies) { settings.concurrency = count }
        if let count = keys["queue"]?.integer(PaceSettings.queues) { settings.queue = count }
        let waits = PaceSettings.maxWaits.lowerBound / 1_000_000...PaceSettings.maxWaits.upperBound / 1_000_000
        if let time = keys["max_wait"]?.milliseconds(waits) { settings.maxWait = time * 1_000_000 }
        return settings
    }
}

extension Mapping {
    /// `rate`, which was read, with the key `burst`; nil where one of them is wrong, which is reported.
    func rateLimit(_ rate: Rate?, burst standard: Int) -> RateLimitSettings? {
        let field = self["burst"]
        let burst = field.map { $0.integer(RateLimitSettings.bursts) } ?? standard
        guard let rate, let burst else { return nil }
        let settings = RateLimitSettings(count: rate.count, perNanoseconds: rate.perNanoseconds, burst: burst)
        if settings.isPossible { return settings }
        // A default burst comes back within hours at any rate, so this one was written.
        let most = RateLimitSettings.maxRefill / rate.perNanoseconds * rate.count
        return field?.refuse("takes more than 366 days to come back at this rate", "Write a burst of at most \(most)")
    }
}
