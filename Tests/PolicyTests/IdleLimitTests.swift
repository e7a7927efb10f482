// What is learnt from an upstream's closings, and how long it is believed.

import Policy
import Testing

@Suite struct IdleLimitTests {
    @Test func nothingIsLearntFromOneClosingHoweverManyConnectionsItTakes() {
        var limit = IdleLimit()
        #expect(limit.bound(30_000, now: 0) == 30_000)
        for idle in [UInt64(0), 5, 900] { limit.closed(afterIdle: idle, openedAt: 100, now: 1_000) }
        #expect(limit.bound(30_000, now: 1_000) == 30_000)
        #expect(limit.bound(30_000, now: 61_000) == 30_000)
    }

    @Test func aSecondOneOnANewerConnectionIsBelieved() {
        var limit = IdleLimit()
        limit.closed(afterIdle: 1_000, openedAt: 0, now: 1_000)
        limit.closed(afterIdle: 800, openedAt: 999, now: 2_000)
        #expect(limit.bound(30_000, now: 2_000) == 30_000, "opened before the first")
        limit.closed(afterIdle: 900, openedAt: 1_000, now: 2_100)
        #expect(limit.bound(30_000, now: 2_100) == 600)
        #expect(limit.bound(500, now: 2_100) == 500, "never more than the configuration says")
        limit.closed(afterIdle: 400, openedAt: 2_000, now: 2_200)
        #expect(limit.bound(30_000, now: 2_200) == 300)
    }

    @Test(arguments: [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (5, 3)] as [(UInt64, Int)])
    func shortTimesAreRoundedDown(_ idle: UInt64, _ bound: Int) {
        var limit = IdleLimit()
        limit.closed(afterIdle: idle, openedAt: 0, now: 1_000)
        limit.closed(afterIdle: idle, openedAt: 1_000, now: 1_001)
        #expect(limit.bound(30_000, now: 1_001) == bound)
    }

    @Test func whatWasLearntIsForgottenAfterAMinute() {
        var limit = IdleLimit()
        limit.closed(afterIdle: 1_000, openedAt: 0, now: 1_000)
        limit.closed(afterIdle: 1_000, openedAt: 1_000, now: 2_000)
        #expect(limit.bound(30_000, now: 61_999) == 750)
        #expect(limit.bound(30_000, now: 62_000) == 30_000)
        // And it takes two again, within a minute of each other.
        limit.closed(afterIdle: 2_000, openedAt: 61_000, now: 70_000)
        limit.closed(afterIdle: 2_000, openedAt: 70_000, now: 130_000)
        #expect(limit.bound(30_000, now: 130_000) == 30_000)
        limit.closed(afterIdle: 2_000, openedAt: 130_000, now: 189_999)
        #expect(limit.bound(30_000, now: 189_999) == 1_500)
    }
}
