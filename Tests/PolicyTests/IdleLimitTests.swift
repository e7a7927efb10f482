// What is learnt from requests that were lost on kept connections, and how long it is believed.

import Policy
import Testing

@Suite struct IdleLimitTests {
    private let losses = IdleLimit.believedAt / IdleLimit.lossWeight

    /// As many losses as are believed, each on a connection newer than the loss before, the last at `now`.
    private func taught(_ idle: UInt64, now: UInt64 = 1_000) -> IdleLimit {
        var limit = IdleLimit()
        for number in 1...losses {
            let at = now - UInt64(losses - number)
            limit.lost(afterIdle: idle, openedAt: at - 1, now: at)
        }
        return limit
    }

    @Test func fewerLossesAreNotBelieved() {
        var limit = IdleLimit()
        for number in 1..<losses {
            limit.lost(afterIdle: 800, openedAt: UInt64(number), now: UInt64(number))
            #expect(limit.bound(30_000, now: 10) == 30_000 && limit.isSuspicious)
        }
        limit.lost(afterIdle: 900, openedAt: 10, now: 11)
        #expect(limit.bound(30_000, now: 11) == 600 && !limit.isSuspicious)
        #expect(limit.bound(500, now: 11) == 500, "never more than the configuration says")
        limit.lost(afterIdle: 400, openedAt: 0, now: 12)
        #expect(limit.bound(30_000, now: 12) == 300, "shorter still")
    }

    @Test func aRestartIsOneLossHoweverManyConnectionsItTakes() {
        var limit = IdleLimit()
        for idle in 0..<64 { limit.lost(afterIdle: UInt64(idle), openedAt: 99, now: 100) }
        #expect(limit.bound(30_000, now: 100) == 30_000)
    }

    @Test func anUpstreamThatFailsNowAndThenTeachesNothing() {
        var limit = IdleLimit()
        for round in 1...1_000 {
            limit.lost(afterIdle: 5, openedAt: UInt64(round), now: UInt64(round))
            for _ in 0..<IdleLimit.lossWeight { limit.answered(afterIdle: 5) }
            #expect(limit.bound(30_000, now: UInt64(round)) == 30_000)
        }
        #expect(!limit.isSuspicious)
    }

    /// Younger connections say nothing about the older ones.
    @Test func answersOnYoungerConnectionsTakeNothingOff() {
        var limit = IdleLimit()
        for number in 1...losses {
            limit.lost(afterIdle: 1_000, openedAt: UInt64(number), now: UInt64(number))
            for _ in 0..<1_000 { limit.answered(afterIdle: 999) }
        }
        #expect(limit.bound(30_000, now: 10) == 750)
    }

    @Test(arguments: [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (5, 3)] as [(UInt64, Int)])
    func shortTimesAreRoundedDown(_ idle: UInt64, _ bound: Int) {
        #expect(taught(idle).bound(30_000, now: 1_000) == bound)
    }

    @Test func whatWasLearntIsForgottenAfterAMinute() {
        var limit = taught(1_000, now: 2_000)
        #expect(limit.bound(30_000, now: 61_999) == 750)
        #expect(limit.bound(30_000, now: 62_000) == 30_000)
        // And it takes as many again, none of them a minute after the one before.
        for number in 1..<losses { limit.lost(afterIdle: 2_000, openedAt: 70_000, now: 69_999 + UInt64(number)) }
        limit.lost(afterIdle: 2_000, openedAt: 200_000, now: 200_000)
        #expect(limit.bound(30_000, now: 200_000) == 30_000)
    }
}
