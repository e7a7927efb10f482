// Stops asking an upstream that fails again and again, and finds out with one request at a time whether it is back.
// Time comes in as an argument. One breaker per worker and upstream: nothing is shared.

/// When a breaker opens and for how long.
package struct BreakerSettings: Equatable, Sendable {
    /// Failures in a row that open it. Default 5, range 1 ... 10000.
    package var failures = 5
    /// How long it stays open before one request may try, in milliseconds. Default 5 s, range 100 ms ... 10 min.
    package var openMilliseconds = 5_000

    package init() {}
}

/// A circuit breaker: closed, open, or half-open with one probe on its way.
package struct CircuitBreaker: Equatable, Sendable {
    private enum State: Equatable {
        /// Requests pass; so many failed in a row.
        case closed(failures: Int)
        /// None passes until then (monotonic milliseconds).
        case open(until: UInt64)
        /// One passes to find out; the others are refused.
        case halfOpen
    }

    /// What becomes of a request.
    package enum Verdict: Equatable, Sendable {
        case pass
        /// It passes, and its outcome decides.
        case probe
        case refuse
    }

    private let settings: BreakerSettings
    private var state = State.closed(failures: 0)

    package init(_ settings: BreakerSettings) { self.settings = settings }

    /// Whether requests are refused at this time, a probe aside.
    package var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Asks for one request.
    package mutating func admit(at now: UInt64) -> Verdict {
        switch state {
        case .closed: return .pass
        case .open(let until):
            guard now >= until else { return .refuse }
            state = .halfOpen
            return .probe
        case .halfOpen: return .refuse
        }
    }

    /// The upstream answered something that can be used.
    package mutating func succeeded(asProbe: Bool) {
        // A late success of a request from before does not close a breaker that has opened since.
        if asProbe || isClosed { state = .closed(failures: 0) }
    }

    /// The upstream could not be reached, did not answer in time, or answered what cannot be used.
    package mutating func failed(at now: UInt64, asProbe: Bool) {
        switch state {
        case .closed(let failures):
            state =
                failures + 1 >= settings.failures
                ? .open(until: now &+ UInt64(settings.openMilliseconds)) : .closed(failures: failures + 1)
        case .halfOpen: if asProbe { state = .open(until: now &+ UInt64(settings.openMilliseconds)) }
        case .open: break
        }
    }

    /// A probe ended without a verdict (its caller left): the next request may try.
    package mutating func probeWasLost(at now: UInt64) {
        if case .halfOpen = state { state = .open(until: now) }
    }
}
