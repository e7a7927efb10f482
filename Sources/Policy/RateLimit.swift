// How often something may happen: the generic cell rate algorithm (GCRA) in whole nanoseconds and an exact remainder,
// so that nothing drifts. Relies on monotonic time, which comes in as an argument. Refuses, by precondition, settings
// outside their ranges; it never divides on the way to a verdict.

/// A rate with a burst: `count` times per `perNanoseconds`, and so many at once after a rest.
package struct RateLimitSettings: Equatable, Sendable {
    /// The range of `count`.
    package static let counts: ClosedRange<Int> = 1...1_000_000
    /// The range of `perNanoseconds`: 1 ms to a day.
    package static let periods: ClosedRange<Int> = 1_000_000...86_400_000_000_000
    /// The range of `burst`.
    package static let bursts: ClosedRange<Int> = 1...1_000_000
    /// The longest time in which `burst` may come back, in nanoseconds: 366 days.
    package static let maxRefill = 366 * 86_400_000_000_000

    /// So many in each period, in `counts`.
    package var count: Int
    /// The period in nanoseconds, in `periods`.
    package var perNanoseconds: Int
    /// So many at once after a rest, in `bursts`.
    package var burst: Int

    package init(count: Int, perNanoseconds: Int, burst: Int) {
        self.count = count
        self.perNanoseconds = perNanoseconds
        self.burst = burst
    }

    /// Whether every number is in its range, and the burst comes back within `maxRefill`.
    package var isPossible: Bool {
        guard Self.counts.contains(count), Self.periods.contains(perNanoseconds), Self.bursts.contains(burst) else {
            return false
        }
        let refill = burst.multipliedFullWidth(by: perNanoseconds)
        let most = Self.maxRefill.multipliedFullWidth(by: count)
        return (refill.high, refill.low) <= (most.high, most.low)
    }
}

/// What is kept per key: the theoretical arrival time of the next request, in monotonic nanoseconds and a remainder in
/// parts of `RateLimitSettings.count`.
package struct RateState: Comparable, Sendable, BitwiseCopyable {
    package var nanoseconds: UInt64
    package var parts: UInt32

    /// Of a key that was never used. A state whose time is over is as good as this one.
    package static let unused = RateState(nanoseconds: 0, parts: 0)

    package init(nanoseconds: UInt64, parts: UInt32) {
        self.nanoseconds = nanoseconds
        self.parts = parts
    }

    package static func < (one: RateState, other: RateState) -> Bool {
        one.nanoseconds == other.nanoseconds ? one.parts < other.parts : one.nanoseconds < other.nanoseconds
    }
}

/// What a key has left.
package struct QuotaStanding: Equatable, Sendable, BitwiseCopyable {
    /// Requests that would be admitted at once, 0 ... burst.
    package var remaining: Int
    /// Nanoseconds until `remaining` grows by one; 0 where it is the whole burst.
    package var untilNext: UInt64

    package init(remaining: Int, untilNext: UInt64) {
        self.remaining = remaining
        self.untilNext = untilNext
    }
}

/// One rate, ready for questions. Holds no state of a key: that comes in and goes out.
///
/// In any window of `w` nanoseconds, its ends included, it admits at most `burst + w * count / perNanoseconds`.
package struct RateLimit: Equatable, Sendable {
    package let settings: RateLimitSettings
    /// Of a request: `perNanoseconds / count`, as a whole number and parts of `count`.
    private let interval: RateState
    /// Of `burst - 1` requests: so far may the state lie ahead of time.
    private let tolerance: RateState

    /// `settings.isPossible` holds.
    package init(_ settings: RateLimitSettings) {
        precondition(settings.isPossible, "a rate is checked where it is read")
        self.settings = settings
        interval = Self.length(of: 1, settings)
        tolerance = Self.length(of: settings.burst - 1, settings)
    }

    private static func length(of requests: Int, _ settings: RateLimitSettings) -> RateState {
        let whole = requests.multipliedFullWidth(by: settings.perNanoseconds)
        let (quotient, remainder) = settings.count.dividingFullWidth((whole.high, whole.low))
        return RateState(nanoseconds: UInt64(quotient), parts: UInt32(remainder))
    }

    /// The time that `burst - 1` requests take, in nanoseconds, rounded down.
    package var toleranceNanoseconds: UInt64 { tolerance.nanoseconds }

    /// The time between two requests, in nanoseconds, rounded up.
    package var intervalNanoseconds: UInt64 { interval.nanoseconds + (interval.parts > 0 ? 1 : 0) }

    /// How long until a request is admitted, in nanoseconds: 0 is now, and otherwise this is the first nanosecond at
    /// which it would be.
    package func wait(_ state: RateState, at now: UInt64) -> UInt64 {
        let ready = admittedFrom(state)
        return ready > now ? ready - now : 0
    }

    /// The first nanosecond at which a request is admitted: the state less the tolerance, rounded up.
    package func admittedFrom(_ state: RateState) -> UInt64 {
        guard state > tolerance else { return 0 }
        return state.nanoseconds - tolerance.nanoseconds + (state.parts > tolerance.parts ? 1 : 0)
    }

    /// The state after a request that was admitted at `now`.
    package func charged(_ state: RateState, at now: UInt64) -> RateState {
        var next = max(state, RateState(nanoseconds: now, parts: 0))
        next.nanoseconds += interval.nanoseconds
        next.parts += interval.parts
        let count = UInt32(settings.count)
        if next.parts >= count {
            // A state that a reload left behind may have parts of another count.
            next.parts = min(next.parts - count, count - 1)
            next.nanoseconds += 1
        }
        return next
    }

    /// What is left at `now`. Divides: for the fields of an answer, not for verdicts.
    package func standing(_ state: RateState, at now: UInt64) -> QuotaStanding {
        let count = UInt64(settings.count)
        let period = UInt64(settings.perNanoseconds)
        guard state > RateState(nanoseconds: now, parts: 0) else {
            return QuotaStanding(remaining: settings.burst, untilNext: 0)
        }
        // The requests that the state is ahead of now, rounded up, are used; each is `period` parts of a nanosecond.
        let ahead = (state.nanoseconds - now).multipliedFullWidth(by: count)
        let (low, carry) = ahead.low.addingReportingOverflow(UInt64(state.parts))
        let parts = (high: ahead.high + (carry ? 1 : 0), low: low)
        // A clock that went back, or a state of other settings, may be ahead by more than the burst takes.
        guard parts.high < period else { return QuotaStanding(remaining: 0, untilNext: wait(state, at: now)) }
        let (quotient, remainder) = period.dividingFullWidth(parts)
        let used = quotient + (remainder > 0 ? 1 : 0)
        guard used <= UInt64(settings.burst) else {
            return QuotaStanding(remaining: 0, untilNext: wait(state, at: now))
        }
        let rest = remainder > 0 ? remainder : period
        return QuotaStanding(
            remaining: settings.burst - Int(used), untilNext: rest / count + (rest % count > 0 ? 1 : 0))
    }
}
