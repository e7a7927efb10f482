// What is noted of a request for its log line while it is under way: times, counts, ids. Nothing that a caller chose,
// but for a key of the safe form and the ids of its trace, which are numbers.

internal import Exchange
internal import HTTP
internal import Net
internal import Policy

/// The notes of one request. Times are monotonic nanoseconds; 0 is never.
struct RequestTrail {
    /// The request's first byte was seen.
    var startedAt: UInt64 = 0
    /// It is among the requests that were counted as begun.
    var isCounted = false
    /// Names the request; 0 before its first byte.
    var number: UInt64 = 0
    /// The trace, with our own span as the parent of what is sent.
    var trace = TraceParent(traceHigh: 0, traceLow: 0, parent: 0, isSampled: false)
    /// The caller named the trace.
    var hasTrace = false
    /// The head was read to its end, and the method is one that is known.
    var hasMethod = false
    /// When each phase was reached, by its number.
    private var times: [12 of UInt64] = InlineArray(repeating: 0)
    /// The held answer was whole, and the store was told.
    var recordedAt: UInt64 = 0
    /// What the caller got, or would have had; 0 where nothing was written for it.
    var status = 0
    /// What the upstream answered last; 0 for nothing.
    var upstreamStatus = 0
    /// The code in the answer's body, where it was looked for and is a number of at most 6 digits.
    var productCode: Int?
    /// Bytes of the answer's body.
    var answerBytes = 0
    /// The answer is the gateway's own: its error type, and what it says of the request.
    var error: StaticString?
    var sent = Sent.nothing
    /// The connection had carried requests before; nil where none was had.
    var isReused: Bool?
    /// The beginning of the key's hash; nil where the request has no key.
    var keyID: UInt64?
    var key: SafeKey?

    /// The request went from one phase to another. Those between were passed in the same moment, unless it was ended.
    mutating func went(from before: Phase, to after: Phase, at time: UInt64) {
        let isStep = before < after && (after < .settled || before == .answered)
        let first = isStep ? before.rawValue + 1 : after.rawValue
        for phase in first...after.rawValue { times[Int(phase)] = time }
    }

    func time(_ phase: Phase) -> UInt64 { times[Int(phase.rawValue)] }

    /// An answer of the gateway's own is given.
    mutating func answered(_ refusal: Refusal, bytes: Int) {
        status = refusal.status
        error = refusal.error
        sent = refusal.sent
        answerBytes = bytes
    }
}

/// How a request ended, as far as its line says it by words and small numbers.
struct LoggedEnd: Equatable {
    let outcome: Outcome
    let status: Int
    let upstreamStatus: Int
    let attempts: Int
    let isReused: Bool?

    init(_ outcome: Outcome, _ trail: borrowing RequestTrail, attempts: Int) {
        self.outcome = outcome
        self.attempts = attempts
        status = trail.status
        upstreamStatus = trail.upstreamStatus
        isReused = trail.isReused
    }
}

extension ExchangeState {
    /// Gives the exchange a fact, and notes how far it has come. `turn` is when this turn of the worker began: what
    /// came in by it is no younger. What the gateway itself did a moment ago is noted by the clock.
    mutating func advance(_ event: Event, turn: UInt64, into commands: inout Commands) {
        let before = exchange.phase
        exchange.advance(event, into: &commands)
        let after = exchange.phase
        if after == before { return }
        trail.went(from: before, to: after, at: after == .sent ? Clock.monotonicNanoseconds() : turn)
        if case .connectionLent(let reused) = event { trail.isReused = reused }
        if case .answerHeadArrived = event { trail.upstreamStatus = answer.head.status }
    }
}
