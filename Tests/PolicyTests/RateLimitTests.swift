// The rate against an exact token bucket, in every window, at its edges and over a year. The clock is the test's own.

import Policy
import TestSupport
import Testing

/// One key under one rate.
final class Bucket {
    let limit: RateLimit
    private(set) var state = RateState.unused

    init(_ settings: RateLimitSettings) { limit = RateLimit(settings) }

    /// Admits, and says so, or changes nothing.
    func admits(at now: UInt64) -> Bool {
        guard limit.wait(state, at: now) == 0 else { return false }
        state = limit.charged(state, at: now)
        return true
    }
}

/// Whether every window, its ends included, holds at most `burst + w * count / perNanoseconds` of ascending times.
func everyWindowHolds(_ times: [UInt64], _ rate: RateLimitSettings) -> Bool {
    times.indices.allSatisfy { first in
        (first..<times.count).allSatisfy { end in
            let parts = Int(times[end] - times[first]).multipliedFullWidth(by: rate.count)
            return end - first + 1 <= rate.burst + rate.perNanoseconds.dividingFullWidth(parts).quotient
        }
    }
}

/// Any rate, mostly one whose interval is no whole number of nanoseconds.
func anyRate(_ seed: inout Seed) -> RateLimitSettings {
    let periods = [1_000_000, 1_000_000_000, 60_000_000_000, 86_400_000_000_000]
    return RateLimitSettings(
        count: Int.random(in: 1...(Bool.random(using: &seed) ? 20 : 1_000_000), using: &seed),
        perNanoseconds: periods.randomElement(using: &seed) ?? 1_000_000_000,
        burst: Int.random(in: 1...30, using: &seed))
}

@Suite struct RateLimitTests {
    private func rate(_ count: Int, per period: Int, burst: Int) -> RateLimitSettings {
        RateLimitSettings(count: count, perNanoseconds: period, burst: burst)
    }

    @Test func admitsTheBurstAtOnceAndNotOneMore() {
        let bucket = Bucket(rate(10, per: 1_000_000_000, burst: 5))
        for _ in 0..<5 { #expect(bucket.admits(at: 7)) }
        #expect(!bucket.admits(at: 7))
        #expect(bucket.limit.wait(bucket.state, at: 7) == 100_000_000)
        #expect(!bucket.admits(at: 100_000_006))
        #expect(bucket.admits(at: 100_000_007))
        #expect(!bucket.admits(at: 100_000_007))
    }

    @Test func isATokenBucketToTheNanosecondInEveryWindow() {
        var seed = Seed.chosen(for: "a rate is a token bucket")
        for _ in 0..<40 {
            let rate = anyRate(&seed)
            let bucket = Bucket(rate)
            // Tokens in parts: a token has `perNanoseconds` of them, a nanosecond brings `count`.
            let whole = Int128(rate.burst) * Int128(rate.perNanoseconds)
            var parts = whole
            var now = UInt64.random(in: 0...1 << 40, using: &seed)
            var admitted: [UInt64] = []
            var differences = 0
            for _ in 0..<300 {
                let most = UInt64(2 * rate.perNanoseconds / rate.count + 1)
                let pause = Bool.random(using: &seed) ? 0 : UInt64.random(in: 0...most, using: &seed)
                now += pause
                parts = min(whole, parts + Int128(pause) * Int128(rate.count))
                let expected = parts >= Int128(rate.perNanoseconds)
                if expected { parts -= Int128(rate.perNanoseconds) }
                if bucket.admits(at: now) != expected { differences += 1 }
                if expected { admitted.append(now) }
            }
            #expect(differences == 0, "\(rate)")
            #expect(everyWindowHolds(admitted, rate), "\(rate)")
        }
    }

    @Test func theWaitIsExactAndTheStandingTrue() {
        var seed = Seed.chosen(for: "waits and standings")
        for _ in 0..<300 {
            let rate = anyRate(&seed)
            let bucket = Bucket(rate)
            var now = UInt64.random(in: 0...1 << 40, using: &seed)
            for _ in 0..<Int.random(in: 0...40, using: &seed) {
                _ = bucket.admits(at: now)
                now += UInt64.random(in: 0...UInt64(rate.perNanoseconds / rate.count), using: &seed)
            }
            let standing = bucket.limit.standing(bucket.state, at: now)
            #expect((standing.untilNext == 0) == (standing.remaining == rate.burst))
            if standing.untilNext > 0 {
                let later = bucket.limit.standing(bucket.state, at: now + standing.untilNext)
                let before = bucket.limit.standing(bucket.state, at: now + standing.untilNext - 1)
                #expect(later.remaining == standing.remaining + 1 && before.remaining == standing.remaining, "\(rate)")
            }
            for _ in 0..<standing.remaining { #expect(bucket.admits(at: now)) }
            let wait = bucket.limit.wait(bucket.state, at: now)
            #expect(wait > 0 && !bucket.admits(at: now + wait - 1) && bucket.admits(at: now + wait), "\(rate)")
        }
    }

    @Test func doesNotDriftInAYear() {
        let year: UInt64 = 365 * 86_400_000_000_000
        for rate in [
            rate(7, per: 3_600_000_000_000, burst: 3), rate(11, per: 86_400_000_000_000, burst: 1),
            rate(7, per: 300_000_000_000, burst: 1),
        ] {
            let bucket = Bucket(rate)
            var now: UInt64 = 0
            var admitted = 0
            while now < year {
                if bucket.admits(at: now) { admitted += 1 } else { now += bucket.limit.wait(bucket.state, at: now) }
            }
            // Those that came with the clock at the year's end are not counted: the burst, and one each interval after.
            let exact = Int128(year) * Int128(rate.count)
            let expected = Int128(rate.burst) + (exact - 1) / Int128(rate.perNanoseconds)
            #expect(Int128(admitted) == expected)
        }
    }

    @Test func aRestGivesTheBurstBackAndNoMore() {
        let bucket = Bucket(rate(10, per: 1_000_000_000, burst: 5))
        for _ in 0..<5 { _ = bucket.admits(at: 0) }
        let hour: UInt64 = 3_600_000_000_000
        #expect((0..<6).map { _ in bucket.admits(at: hour) } == [true, true, true, true, true, false])
    }

    @Test func whatWasRefusedIsNotCounted() {
        let bucket = Bucket(rate(10, per: 1_000_000_000, burst: 1))
        #expect(bucket.admits(at: 0))
        for _ in 0..<1_000 { #expect(!bucket.admits(at: 99_999_999)) }
        #expect(bucket.admits(at: 100_000_000))
    }

    @Test func rangesEndWhereTheySay() {
        #expect(rate(1, per: 1_000_000, burst: 1).isPossible)
        #expect(!rate(0, per: 1_000_000, burst: 1).isPossible)
        #expect(!rate(1, per: 999_999, burst: 1).isPossible)
        #expect(!rate(1, per: 1_000_000, burst: 0).isPossible)
        #expect(rate(1_000_000, per: 86_400_000_000_000, burst: 1_000_000).isPossible)
        #expect(!rate(1_000_001, per: 86_400_000_000_000, burst: 1).isPossible)
        #expect(!rate(1_000_000, per: 86_400_000_000_001, burst: 1).isPossible)
        #expect(!rate(1_000_000, per: 1_000_000, burst: 1_000_001).isPossible)
        #expect(rate(1, per: 86_400_000_000_000, burst: 366).isPossible)
        #expect(!rate(1, per: 86_400_000_000_000, burst: 367).isPossible)
    }

    @Test func theLargestRateHoldsInTheLargestWindow() {
        let bucket = Bucket(rate(1, per: 86_400_000_000_000, burst: 366))
        let now: UInt64 = 1 << 62
        for _ in 0..<366 { #expect(bucket.admits(at: now)) }
        #expect(bucket.limit.wait(bucket.state, at: now) == 86_400_000_000_000)
        #expect(
            bucket.limit.standing(bucket.state, at: now) == QuotaStanding(remaining: 0, untilNext: 86_400_000_000_000))
    }

    @Test func aStateFromTheFutureIsRefusedAndSaidSo() {
        let limit = RateLimit(rate(10, per: 1_000_000_000, burst: 5))
        let state = RateState(nanoseconds: 1 << 62, parts: 0)
        #expect(limit.wait(state, at: 0) == 1 << 62 - 400_000_000)
        #expect(limit.standing(state, at: 0).remaining == 0)
    }
}
