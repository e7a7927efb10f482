// The words of a request's life. The same twelve words stand in the access log, the metrics, the documents, the tests.

/// How far a request came. A phase is a state that was reached; it only moves forward, except that a request of which
/// the upstream took no byte goes back from `sealed` or `sent` to `drafted`, to be sealed anew.
package enum Phase: UInt8, CaseIterable, Comparable, Sendable {
    /// Head parsed, framing decided.
    case received
    /// Route, method and media type allowed.
    case admitted
    /// Body complete within its limit, a valid JSON object.
    case collected
    /// Idempotency key claimed.
    case remembered
    /// The upstream's rate and concurrency allow it.
    case paced
    /// API key and product fields are in the body.
    case drafted
    /// The pool lent a connection.
    case connected
    /// Dated, digested, signed: nothing may change from here on.
    case sealed
    /// Written, while the answer is already being read.
    case sent
    /// The answer's head is parsed; its body is being relayed.
    case answered
    /// The connection was returned or closed.
    case settled
    /// The outcome was reported: the end.
    case logged

    package static func < (a: Phase, b: Phase) -> Bool { a.rawValue < b.rawValue }
    // Without it `==` is the one of all types with a raw value, which is called through their witnesses.
    package static func == (a: Phase, b: Phase) -> Bool { a.rawValue == b.rawValue }
}

/// Who or what ended a request. With the phase in which it ended it makes the outcome.
package enum Cause: UInt8, CaseIterable, Sendable {
    /// The upstream's answer was delivered whole.
    case completed
    /// The store had the answer.
    case replayed
    /// The gateway refused the request: malformed, not allowed, too large.
    case refused
    /// The caller closed the connection or stopped reading.
    case callerLeft
    /// The caller did not finish in time.
    case callerTimeout
    /// No connection to the upstream could be had.
    case upstreamUnreachable
    /// The connection to the upstream broke.
    case upstreamLost
    /// The upstream's answer could not be used.
    case upstreamUnusable
    /// The upstream did not answer in time.
    case upstreamTimeout
    /// The gateway was told to stop before the request was done.
    case stopped
}

/// How a request ended: exactly one for each.
package struct Outcome: Equatable, Sendable {
    package let cause: Cause
    /// The phase that had been reached when it ended.
    package let phase: Phase

    package init(_ cause: Cause, _ phase: Phase) {
        self.cause = cause
        self.phase = phase
    }
}
