// What is counted, and in which cells: of a route, of an upstream, of a quota, of a worker. One block each per worker.
// Relies on CounterBlock, and on its rule that only the owning worker writes. Refuses nothing: labels are indexes of
// the rooms' own enums and of what is configured, so that nothing a caller chose can become one.

package import Exchange

/// The classes of status codes that callers get.
package enum StatusClass: Int, CaseIterable, Sendable {
    case success = 2
    case redirection, clientError, serverError

    /// nil for what is no final status.
    package init?(status: Int) { self.init(rawValue: status / 100) }

    /// Place among the classes, from 0.
    package var index: Int { rawValue - 2 }
    /// As in metrics.
    package var word: StaticString {
        switch self {
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        }
    }
}

/// One route's counts by one worker; also those of requests that got no route.
package struct RouteCounters: Sendable {
    // Numbers, which the compiler puts where they are used; `init` checks them.
    private static let phases = 12
    private static let classes = 120
    private static let latency = 124

    private let block = CounterBlock(count: RouteCounters.latency + LatencyBounds.count + 1)

    package init() {
        precondition(Self.phases == Phase.allCases.count, "a cell for each phase")
        precondition(Self.classes == Self.phases * Cause.allCases.count, "and each cause")
        precondition(Self.latency == Self.classes + StatusClass.allCases.count, "a cell for each class of status codes")
    }

    /// A request has ended. `status` is what its caller got; 0 for nothing.
    package func ended(_ outcome: Outcome, status: Int, nanoseconds: UInt64) {
        block.add(Self.cell(outcome.cause, outcome.phase))
        if let code = StatusClass(status: status) { block.add(Self.classes + code.index) }
        block.add(Self.latency + LatencyBounds.index(of: nanoseconds))
        block.add(Self.latency + LatencyBounds.count, nanoseconds)
    }

    private static func cell(_ cause: Cause, _ phase: Phase) -> Int {
        Int(cause.rawValue) * phases + Int(phase.rawValue)
    }

    package func requests(_ cause: Cause, _ phase: Phase) -> UInt64 { block.load(Self.cell(cause, phase)) }
    package func responses(_ code: StatusClass) -> UInt64 { block.load(Self.classes + code.index) }
    package func addLatency(to histogram: inout LatencyHistogram) { histogram.add(block, from: Self.latency) }
}

/// What became of an attempt to connect to one address of an upstream.
package enum ConnectResult: Int, CaseIterable, Sendable {
    case connected, refused, timeout, nameUnknown, certificateRefused, tlsFailed

    /// As in metrics.
    package var word: StaticString {
        switch self {
        case .connected: "ok"
        case .refused: "refused"
        case .timeout: "timeout"
        case .nameUnknown: "name-unknown"
        case .certificateRefused: "certificate-refused"
        case .tlsFailed: "tls-failed"
        }
    }

    /// nil where no address was asked.
    package init?(_ failure: ConnectFailure) {
        switch failure {
        case .poolFull, .circuitOpen: return nil
        case .timeout: self = .timeout
        case .refused: self = .refused
        case .nameUnknown: self = .nameUnknown
        case .certificateRefused: self = .certificateRefused
        case .tlsFailed: self = .tlsFailed
        }
    }
}

/// What a connection to an upstream is doing.
package enum ConnectionUse: Int, CaseIterable, Sendable {
    case opening, lent, idle

    /// As in metrics.
    package var word: StaticString {
        switch self {
        case .opening: "opening"
        case .lent: "lent"
        case .idle: "idle"
        }
    }
}

/// One upstream's counts and levels by one worker.
package struct UpstreamCounters: Sendable {
    private enum Cell {
        static let uses = 0
        static let connects = uses + ConnectionUse.allCases.count
        static let waiting = connects + ConnectResult.allCases.count
        static let breaker = waiting + 1
        static let notAfter = breaker + 1
        static let skew = notAfter + 1
        static let skewAt = skew + 1
        static let refusedSignatures = skewAt + 1
        static let secretChanges = refusedSignatures + 1
        static let latency = secretChanges + 1
    }

    private let block = CounterBlock(count: Cell.latency + LatencyBounds.count + 1)

    package init() {}

    /// A connection has begun or ended to be used so.
    package func began(_ use: ConnectionUse) { block.add(Cell.uses + use.rawValue) }
    package func ended(_ use: ConnectionUse) { block.add(Cell.uses + use.rawValue, .max) }
    package func connections(_ use: ConnectionUse) -> UInt64 { block.load(Cell.uses + use.rawValue) }

    package func connect(_ result: ConnectResult) { block.add(Cell.connects + result.rawValue) }
    package func connects(_ result: ConnectResult) -> UInt64 { block.load(Cell.connects + result.rawValue) }

    /// A request waits for a connection, or no longer.
    package func waits() { block.add(Cell.waiting) }
    package func waitsNoMore() { block.add(Cell.waiting, .max) }
    package var waiting: UInt64 { block.load(Cell.waiting) }

    package func setBreaker(isOpen: Bool) { block.set(Cell.breaker, isOpen ? 1 : 0) }
    package var isBreakerOpen: Bool { block.load(Cell.breaker) == 1 }

    /// When the certificate of the last handshake ends, in seconds since 1970; 0 where there was none.
    package func setCertificateEnd(_ seconds: UInt64) { block.set(Cell.notAfter, seconds) }
    package var certificateEnd: UInt64 { block.load(Cell.notAfter) }

    /// Our clock less the upstream's in seconds, at its furthest in the minute before `time` (monotonic nanoseconds).
    package func setSkew(_ seconds: Int64, at time: UInt64) {
        block.set(Cell.skew, UInt64(bitPattern: seconds))
        block.set(Cell.skewAt, time)
    }
    /// nil where no answer has said anything of its clock since `time`.
    package func skew(since time: UInt64) -> Int64? {
        let noted = block.load(Cell.skewAt)
        return noted > 0 && noted >= time ? Int64(bitPattern: block.load(Cell.skew)) : nil
    }

    /// The upstream answered 401.
    package func refusedSignature() { block.add(Cell.refusedSignatures) }
    package var refusedSignatures: UInt64 { block.load(Cell.refusedSignatures) }

    /// A credential's other secret was taken, and is used from now on.
    package func changedSecret() { block.add(Cell.secretChanges) }
    package var secretChanges: UInt64 { block.load(Cell.secretChanges) }

    /// The upstream's answer began so long after its request was sent.
    package func answered(afterNanoseconds time: UInt64) {
        block.add(Cell.latency + LatencyBounds.index(of: time))
        block.add(Cell.latency + LatencyBounds.count, time)
    }
    package func addLatency(to histogram: inout LatencyHistogram) { histogram.add(block, from: Cell.latency) }
}

/// One quota's counts by one worker.
package struct QuotaCounters: Sendable {
    private let block = CounterBlock(count: 2)

    package init() {}

    /// It refused a request.
    package func refuses() { block.add(0) }
    /// It only reports, and would have refused a request.
    package func reports() { block.add(1) }

    package var refused: UInt64 { block.load(0) }
    package var reported: UInt64 { block.load(1) }
}

/// One worker's counts that belong to no route.
package struct WorkerCounters: Sendable {
    /// What is counted.
    package enum Count: Int, CaseIterable, Sendable {
        case begun, ended, accepted, requestBytes, responseBytes, retries, linesDropped
    }

    private let block = CounterBlock(count: Count.allCases.count + 1)

    package init() {}

    package func add(_ count: Count, _ amount: UInt64 = 1) { block.add(count.rawValue, amount) }
    package func value(_ count: Count) -> UInt64 { block.load(count.rawValue) }

    /// Since when the worker is at the present turn, in monotonic nanoseconds; 0 while it waits for events.
    package func setTurn(_ nanoseconds: UInt64) { block.set(Count.allCases.count, nanoseconds) }
    package var turn: UInt64 { block.load(Count.allCases.count) }
}
