// Sums over the workers: what the pages show.
// Relies on each counter's single writer. Refuses to be a snapshot: a sum is read cell by cell while workers go on.

internal import Config
internal import Exchange
internal import Net
internal import Policy

extension ObservedParts {
    func sum(_ count: WorkerCounters.Count) -> UInt64 { metrics.reduce(0) { $0 &+ $1.worker.value(count) } }

    /// Requests that were begun and have not ended. What has ended is read first, so that it is never less than none.
    var inFlight: UInt64 {
        let ended = sum(.ended)
        return sum(.begun) &- ended
    }

    /// By the indexes of the settings' routes, and behind them those of requests without a route.
    var routeNames: [String] { settings.routes.map(\.name) + [Self.noRoute] }

    /// No route can be called so: names have no brackets.
    static let noRoute = "(none)"

    /// The counters of a route, by each worker; the index behind the last is that of none.
    func counters(ofRoute index: Int) -> [RouteCounters] {
        metrics.map { index < $0.routes.count ? $0.routes[index] : $0.noRoute }
    }

    func latency(ofRoute index: Int) -> LatencyHistogram {
        counters(ofRoute: index).reduce(into: LatencyHistogram()) { $1.addLatency(to: &$0) }
    }

    /// Of all requests.
    var latency: LatencyHistogram {
        var all = LatencyHistogram()
        for index in 0...settings.routes.count { all.add(latency(ofRoute: index)) }
        return all
    }

    func requests(ofRoute index: Int, _ cause: Cause, _ phase: Phase) -> UInt64 {
        counters(ofRoute: index).reduce(0) { $0 &+ $1.requests(cause, phase) }
    }

    func requests(ofRoute index: Int) -> UInt64 { latency(ofRoute: index).total }

    func requests(_ cause: Cause, _ phase: Phase) -> UInt64 {
        (0...settings.routes.count).reduce(0) { $0 &+ requests(ofRoute: $1, cause, phase) }
    }

    /// Requests that were answered from the store.
    var replays: UInt64 { Phase.allCases.reduce(0) { $0 &+ requests(.replayed, $1) } }

    func responses(ofRoute index: Int, _ code: StatusClass) -> UInt64 {
        counters(ofRoute: index).reduce(0) { $0 &+ $1.responses(code) }
    }

    func sum(ofUpstream index: Int, _ value: (UpstreamCounters) -> UInt64) -> UInt64 {
        metrics.reduce(0) { $0 &+ value($1.upstreams[index]) }
    }

    func latency(ofUpstream index: Int) -> LatencyHistogram {
        metrics.reduce(into: LatencyHistogram()) { $1.upstreams[index].addLatency(to: &$0) }
    }

    /// The end of the last certificate that any worker has seen there, in seconds since 1970; nil for none.
    func certificateEnd(ofUpstream index: Int) -> UInt64? {
        let end = metrics.map { $0.upstreams[index].certificateEnd }.filter { $0 > 0 }.min()
        return end
    }

    /// How long a difference of clocks is remembered that no answer has spoken of since.
    private static var skewNanoseconds: UInt64 { 300_000_000_000 }

    /// Our clock less the upstream's in seconds, where it was furthest from zero; nil where nothing is known of late.
    func skew(ofUpstream index: Int, at now: UInt64) -> Int64? {
        let since = now > Self.skewNanoseconds ? now - Self.skewNanoseconds : 0
        return metrics.compactMap { $0.upstreams[index].skew(since: since) }.max { $0.magnitude < $1.magnitude }
    }

    func refused(byQuota index: Int) -> UInt64 { metrics.reduce(0) { $0 &+ $1.quotas[index].refused } }
    func reported(byQuota index: Int) -> UInt64 { metrics.reduce(0) { $0 &+ $1.quotas[index].reported } }
}
