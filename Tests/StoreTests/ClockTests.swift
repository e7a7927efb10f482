// The store's clock over steps of the wall clock and restarts.

import Store
import Testing

@Suite struct ClockTests {
    private func instants(boot: Int64, wall: Int64) -> Instants {
        Instants(bootMilliseconds: boot, wallMilliseconds: wall)
    }

    private let mark = ClockMark(
        storeMilliseconds: 1_000_000, instants: Instants(bootMilliseconds: 5_000, wallMilliseconds: 900_000),
        bootID: "a")

    @Test func beginsAtTheWallClockAndCountsBootTime() {
        var clock = StoreClock(after: nil, at: instants(boot: 10, wall: 7_000), bootID: "a")
        #expect(clock.time(at: instants(boot: 10, wall: 7_000)) == 7_000)
        #expect(clock.time(at: instants(boot: 25, wall: 999_999_999)) == 7_015)
        #expect(clock.time(at: instants(boot: 30, wall: 0)) == 7_020)
    }

    @Test func neverRunsBackwards() {
        var clock = StoreClock(after: nil, at: instants(boot: 10, wall: 7_000), bootID: "a")
        #expect(clock.time(at: instants(boot: 25, wall: 0)) == 7_015)
        #expect(clock.time(at: instants(boot: 12, wall: 0)) == 7_015)
    }

    @Test func goesOnByBootTimeWithinOneStartOfTheMachine() {
        var clock = StoreClock(after: mark, at: instants(boot: 6_000, wall: 0), bootID: "a")
        #expect(clock.time(at: instants(boot: 6_000, wall: 0)) == 1_001_000)
    }

    @Test func goesOnByTheWallClockOverARestartOfTheMachine() {
        var clock = StoreClock(after: mark, at: instants(boot: 9_000, wall: 960_000), bootID: "b")
        #expect(clock.time(at: instants(boot: 9_001, wall: 0)) == 1_060_001)
    }

    @Test func standsWhereTheWallClockWentBackOverARestart() {
        var clock = StoreClock(after: mark, at: instants(boot: 9_000, wall: 800_000), bootID: "b")
        #expect(clock.time(at: instants(boot: 9_000, wall: 800_000)) == 1_000_000)
    }

    @Test func aBootTimeThatWentBackUnderTheSameNameCountsAsARestart() {
        var clock = StoreClock(after: mark, at: instants(boot: 10, wall: 900_500), bootID: "a")
        #expect(clock.time(at: instants(boot: 10, wall: 900_500)) == 1_000_500)
    }

    @Test func theMarkIsWhereTheNextOneGoesOn() {
        var clock = StoreClock(after: mark, at: instants(boot: 6_000, wall: 1), bootID: "b")
        let later = clock.mark(at: instants(boot: 6_500, wall: 501))
        #expect(
            later
                == ClockMark(
                    storeMilliseconds: 1_000_500, instants: instants(boot: 6_500, wall: 501), bootID: "b"))
    }
}
