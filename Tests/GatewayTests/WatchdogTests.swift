// When signs of life are asked for and passed on, at each edge of time.

import Gateway
import Testing

/// Workers that answer, or do not.
private struct FakePulse: Pulse {
    var asked = 0
    var isFelt = true
    mutating func ask() { asked += 1 }
}

@Suite struct WatchdogTests {
    @Test func signsAreAskedForAndPassedOnAtHalfTheTime() {
        var pulse = FakePulse()
        var watchdog = Watchdog(milliseconds: 3_200, now: 1_000)
        #expect(watchdog.rest(now: 1_000) == 0)
        for round in 0..<3 {
            let now = 1_000 + UInt64(round) * 1_600
            #expect(!watchdog.turn(now: now, &pulse) && pulse.asked == round + 1)
            #expect(watchdog.rest(now: now) == 100)
            #expect(!watchdog.turn(now: now + 99, &pulse))
            #expect(watchdog.turn(now: now + 100, &pulse))
            #expect(watchdog.rest(now: now + 100) == 1_500)
            #expect(!watchdog.turn(now: now + 1_599, &pulse) && pulse.asked == round + 1)
        }
    }

    @Test func aWorkerThatGivesNoSignIsLookedAtAgainAndNotAskedAnew() {
        var pulse = FakePulse(isFelt: false)
        var watchdog = Watchdog(milliseconds: 3_200, now: 0)
        #expect(!watchdog.turn(now: 0, &pulse))
        for now in stride(from: UInt64(100), to: 10_000, by: 100) {
            #expect(!watchdog.turn(now: now, &pulse) && watchdog.rest(now: now) == 100)
        }
        #expect(pulse.asked == 1)
        pulse.isFelt = true
        #expect(watchdog.turn(now: 10_000, &pulse))
        #expect(!watchdog.turn(now: 10_000, &pulse) && pulse.asked == 2, "the next is due at once")
    }

    @Test func theShortestTimeDoesNotSpin() {
        var pulse = FakePulse()
        var watchdog = Watchdog(milliseconds: 1, now: 0)
        #expect(!watchdog.turn(now: 0, &pulse) && watchdog.rest(now: 0) == 1)
        #expect(watchdog.turn(now: 1, &pulse))
    }
}
