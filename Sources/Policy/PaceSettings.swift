// The pace of an upstream: what the operator says of it, and the words in which the pacer is asked and answers.
// Times are monotonic nanoseconds.

/// The key `pace` of an upstream; one pace per credential and upstream. The default is what Ingo asks for.
package struct PaceSettings: Equatable, Sendable {
    /// The range of `concurrency`.
    package static let concurrencies: ClosedRange<Int> = 1...10_000
    /// The range of `queue`.
    package static let queues: ClosedRange<Int> = 0...10_000
    /// The range of `maxWait`: nothing to 10 min.
    package static let maxWaits: ClosedRange<Int> = 0...600_000_000_000

    /// Default 5 per second, burst 5.
    package var rate = RateLimitSettings(count: 5, perNanoseconds: 1_000_000_000, burst: 5)
    /// Requests on their way at once, in `concurrencies`, over all workers. Default 5.
    package var concurrency = 5
    /// Requests that wait, in `queues`. Beyond: a caller with fewer takes the last place of the one with most; else it
    /// is refused. Default 100.
    package var queue = 100
    /// The longest wait in nanoseconds, in `maxWaits`. Who would wait longer is refused at once. Default 10 s.
    package var maxWait = 10_000_000_000

    package init() {}

    /// Whether every number is in its range.
    package var isPossible: Bool {
        rate.isPossible && Self.concurrencies.contains(concurrency) && Self.queues.contains(queue)
            && Self.maxWaits.contains(maxWait)
    }
}

/// A request at the pacer. Never used again: a late notice must not be taken for a newer request's.
package struct PaceTicket: Hashable, Sendable, BitwiseCopyable {
    /// Bits of a number.
    package static let numberBits: UInt64 = 48

    package let value: UInt64

    /// The ticket of a worker, 0 ... 65535, by a number of the worker's own below 2^48.
    package init(worker: Int, number: UInt64) {
        precondition((0...0xFFFF).contains(worker) && number >> Self.numberBits == 0, "a ticket's parts fit")
        value = UInt64(worker) << Self.numberBits | number
    }

    package var worker: Int { Int(value >> Self.numberBits) }
    package var number: UInt64 { value & (1 << Self.numberBits - 1) }
}

/// What a request is told.
package enum PaceAnswer: Equatable, Sendable {
    /// It may be sent now. Ends with `finished`, or with `cancel` where nothing was sent.
    case go
    /// A notice follows, unless it is cancelled.
    case wait
    /// It is refused: it would not have its turn in time. Whoever comes back after so many nanoseconds (at least 1) is
    /// let in, if nobody else is first and the requests on their way take no longer than those before.
    case refuse(retryAfter: UInt64)
}

/// How the wait of a request ended: `go` or `refuse`.
package struct PaceNotice: Equatable, Sendable {
    package let ticket: PaceTicket
    package let answer: PaceAnswer

    package init(ticket: PaceTicket, answer: PaceAnswer) {
        self.ticket = ticket
        self.answer = answer
    }
}
