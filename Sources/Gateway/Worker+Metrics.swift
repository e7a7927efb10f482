// What the worker counts, and what it notes of a request until it can be counted. A few plain stores per request.
// Relies on the counters being this worker's alone. Refuses nothing.

internal import Exchange
internal import Net
internal import Policy

/// The notes of one request. Times are monotonic nanoseconds; 0 is never.
struct RequestTally {
    /// Its first byte was seen.
    var startedAt: UInt64 = 0
    /// It was sent, last.
    var sentAt: UInt64 = 0
    /// What the caller got; 0 for nothing.
    var status = 0
    /// It is among those that were begun.
    var isCounted = false
}

extension Worker {
    /// A request's first fact: from now on it is in flight.
    func countBeginning(_ context: inout ExchangeState) {
        guard !context.tally.isCounted else { return }
        context.tally.isCounted = true
        metrics.worker.add(.begun)
    }

    /// The upstream's answer has begun.
    func countAnswer(_ connection: UpstreamConnection, _ context: inout ExchangeState) {
        let sentAt = context.tally.sentAt
        connection.upstream.counters.answered(afterNanoseconds: turn > sentAt ? turn - sentAt : 0)
    }

    /// A request has ended.
    func count(_ context: inout ExchangeState, _ outcome: Outcome) {
        let startedAt = context.tally.startedAt
        let now = Clock.monotonicNanoseconds()
        let counters = context.route?.counters ?? metrics.noRoute
        counters.ended(
            outcome, status: context.tally.status, nanoseconds: startedAt > 0 && now > startedAt ? now - startedAt : 0)
        metrics.worker.add(.ended)
        let attempts = context.exchange.attempts
        if attempts > 1 { metrics.worker.add(.retries, UInt64(attempts - 1)) }
    }

    /// What quotas have said of a request; most of the time nothing.
    func count(_ checks: LimitChecks, _ verdict: LimitVerdict) {
        guard verdict.refusing | verdict.reporting != 0 else { return }
        for position in 0..<checks.count {
            let bit: UInt8 = 1 << UInt8(position)
            let counters = metrics.quotas[checks.quota(position)]
            if verdict.refusing & bit != 0 { counters.refuses() }
            if verdict.reporting & bit != 0 { counters.reports() }
        }
    }

    /// A breaker may have opened or closed. One that a reload has replaced is nobody's any more.
    func noteBreaker(_ upstream: UpstreamState) {
        guard !upstream.isRetired else { return }
        upstream.counters.setBreaker(isOpen: upstream.breaker.map { !$0.isClosed } ?? false)
    }
}

extension UpstreamConnection {
    /// The handshake is done: until when the upstream's certificate holds.
    func noteCertificate() {
        switch transport {
        case .none: break
        case .some(let transport):
            if let end = transport.peerCertificateEnd(), end > 0 { upstream.counters.setCertificateEnd(UInt64(end)) }
        }
    }
}
