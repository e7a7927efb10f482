// When requests are due at a fixed rate, and those that are due and find no free connection.
// Relies on integers, so that an hour at any rate drifts by less than a nanosecond. Refuses a queue beyond its bound.

/// The times at which requests are due, evenly spaced; in nanoseconds of the caller's clock.
package struct Schedule: Sendable {
    private let begin: UInt64
    private let rate: UInt64
    private var number: UInt64 = 0

    /// From `begin` on, `rate` (1...10000000) per second.
    package init(begin: UInt64, rate: UInt64) {
        precondition((1...10_000_000).contains(rate), "requests per second")
        self.begin = begin
        self.rate = rate
    }

    /// When the next request is due.
    package var next: UInt64 {
        let (seconds, rest) = number.quotientAndRemainder(dividingBy: rate)
        return begin + seconds * 1_000_000_000 + rest * 1_000_000_000 / rate
    }

    /// The next request has been taken.
    package mutating func advance() { number += 1 }
}

/// Due times of requests that wait for a free connection, oldest first, in a ring of fixed size.
package struct DueQueue: Sendable {
    private var ring: [UInt64]
    private var first = 0
    package private(set) var count = 0
    /// The largest count so far.
    package private(set) var deepest = 0

    /// Room for `capacity` (1 or more) due times.
    package init(capacity: Int) {
        precondition(capacity > 0, "a queue needs room")
        ring = Array(repeating: 0, count: capacity)
    }

    /// Adds a due time; false where the queue is full.
    package mutating func push(_ due: UInt64) -> Bool {
        guard count < ring.count else { return false }
        ring[(first + count) % ring.count] = due
        count += 1
        deepest = max(deepest, count)
        return true
    }

    /// Takes the oldest due time; nil where there is none.
    package mutating func pop() -> UInt64? {
        guard count > 0 else { return nil }
        let due = ring[first]
        first = (first + 1) % ring.count
        count -= 1
        return due
    }
}
