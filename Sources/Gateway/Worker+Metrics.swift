// What the worker counts: a few plain stores per request.
// Relies on the counters being this worker's alone, and on RequestTrail for what was noted on the way. Refuses nothing.

internal import Exchange
internal import Net
internal import Policy

extension Worker {
    /// A request's first fact: from now on it is in flight.
    mutating func countBeginning(_ context: inout ExchangeState) {
        guard !context.trail.isCounted else { return }
        context.trail.isCounted = true
        metrics.worker.add(.begun)
    }

    /// The upstream's answer has begun.
    mutating func countAnswer(_ connection: UpstreamConnection, _ context: inout ExchangeState) {
        // The answer may come before the whole request is written, and the time of an earlier attempt still stand.
        let sentAt = max(context.trail.time(.sealed), context.trail.time(.sent))
        connection.upstream.counters.answered(afterNanoseconds: turn > sentAt ? turn - sentAt : 0)
    }

    /// A request has ended at `end`, by the clock.
    mutating func count(_ context: inout ExchangeState, _ outcome: Outcome, at end: UInt64) {
        let startedAt = context.trail.startedAt
        let counters = context.route?.counters ?? metrics.noRoute
        counters.ended(
            outcome, status: context.trail.status, nanoseconds: startedAt > 0 && end > startedAt ? end - startedAt : 0)
        metrics.worker.add(.ended)
        let attempts = context.exchange.attempts
        if attempts > 1 { metrics.worker.add(.retries, UInt64(attempts - 1)) }
    }

    /// What quotas have said of a request; most of the time nothing.
    mutating func count(_ checks: LimitChecks, _ verdict: LimitVerdict) {
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
        upstream.counters.setBreaker(isOpen: upstream.book.state.breaker.map { !$0.isClosed } ?? false)
    }
}

extension UpstreamConnection {
    /// The handshake is done: until when the upstream's certificate holds.
    func noteCertificate() {
        switch wire.state {
        case .none: break
        case .some(let transport):
            if let end = transport.peerCertificateEnd(), end > 0 { upstream.counters.setCertificateEnd(UInt64(end)) }
        }
    }
}
