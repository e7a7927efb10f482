// The timer wheel against a plain list that cannot be wrong, at its edges, and with a hundred thousand timers.

import Net
import TestSupport
import Testing

@Suite struct TimerWheelTests {
    private func fired(_ wheel: inout TimerWheel, to now: UInt64) -> [UInt32] {
        var expired: [TimerID] = []
        wheel.advance(to: now, expired: &expired)
        return expired.map(\.slot)
    }

    @Test func aTimerFiresAtItsDeadlineAndOnce() {
        var wheel = TimerWheel(now: 1000)
        wheel.arm(TimerID(slot: 3), at: 1500)
        #expect(fired(&wheel, to: 1499) == [])
        #expect(wheel.deadline(of: TimerID(slot: 3)) == 1500)
        #expect(fired(&wheel, to: 1500) == [3])
        #expect(wheel.deadline(of: TimerID(slot: 3)) == nil)
        #expect(fired(&wheel, to: 100_000) == [])
        #expect(wheel.millisecondsToWait(now: 100_000) == -1)
    }

    @Test func whatIsDueFiresAtTheNextAdvance() {
        var wheel = TimerWheel(now: 1000)
        wheel.arm(TimerID(slot: 0), at: 0)
        wheel.arm(TimerID(slot: 1), at: 1000)
        wheel.arm(TimerID(slot: 2), at: 1001)
        #expect(wheel.millisecondsToWait(now: 1000) == 0)
        #expect(Set(fired(&wheel, to: 1000)) == [0, 1])
        #expect(wheel.millisecondsToWait(now: 1000) == 1)
        #expect(fired(&wheel, to: 1001) == [2])
    }

    @Test func cancelAndRearm() {
        var wheel = TimerWheel(now: 0)
        wheel.cancel(TimerID(slot: 9))
        wheel.arm(TimerID(slot: 1), at: 50)
        wheel.cancel(TimerID(slot: 1))
        #expect(fired(&wheel, to: 60) == [])
        wheel.arm(TimerID(slot: 1), at: 100)
        wheel.arm(TimerID(slot: 1), at: 200)  // later: no list work
        #expect(fired(&wheel, to: 199) == [])
        wheel.arm(TimerID(slot: 1), at: 300)
        wheel.arm(TimerID(slot: 1), at: 210)  // earlier again
        #expect(fired(&wheel, to: 210) == [1])
        wheel.arm(TimerID(slot: 1), at: 5000)
        wheel.cancel(TimerID(slot: 1))
        wheel.arm(TimerID(slot: 1), at: 400)
        #expect(fired(&wheel, to: 399) == [])
        #expect(fired(&wheel, to: 400) == [1])
    }

    @Test func kindsOfASlotAreApart() {
        var wheel = TimerWheel(now: 0, kinds: 3)
        for kind in 0..<3 { wheel.arm(TimerID(slot: 5, kind: UInt8(kind)), at: UInt64(10 * (3 - kind))) }
        var expired: [TimerID] = []
        wheel.advance(to: 30, expired: &expired)
        #expect(expired.map(\.kind) == [2, 1, 0])
        for kind in 0..<3 { wheel.arm(TimerID(slot: 5, kind: UInt8(kind)), at: 40) }
        for kind in 0..<3 { wheel.cancel(TimerID(slot: 5, kind: UInt8(kind))) }
        #expect(fired(&wheel, to: 50) == [])
    }

    @Test func aJumpOfAnHourFiresAllInOrder() {
        var wheel = TimerWheel(now: 12_345)
        var generator = Seed(4711)
        for slot in 0..<5000 {
            wheel.arm(TimerID(slot: UInt32(slot)), at: 12_345 + UInt64.random(in: 0...3_600_000, using: &generator))
        }
        let deadlines = (0..<5000).map { wheel.deadline(of: TimerID(slot: UInt32($0)))! }
        let order = fired(&wheel, to: 12_345 + 3_600_000)
        #expect(order.count == 5000)
        #expect(zip(order, order.dropFirst()).allSatisfy { deadlines[Int($0)] <= deadlines[Int($1)] })
    }

    /// Edges of levels, the horizon, and the place where the top level goes round.
    @Test(arguments: [0, 63, 64, 4095, 1 << 24, (1 << 36) - 5, (1 << 36) + 70, 3 << 36] as [UInt64])
    func distancesAtTheEdgesOfLevels(start: UInt64) {
        for power in [0, 1, 6, 12, 18, 24, 30, 35, 36, 37, 40] {
            for offset in [-1, 0, 1] {
                var wheel = TimerWheel(now: start)
                let deadline = start + UInt64((1 << power) + offset)
                wheel.arm(TimerID(slot: 0), at: deadline)
                #expect(fired(&wheel, to: max(start, deadline &- 1)) == (deadline == start ? [0] : []))
                if deadline > start { #expect(fired(&wheel, to: deadline) == [0], "2^\(power) \(offset)") }
            }
        }
    }

    @Test func theWheelAgreesWithAList() {
        let value = UInt64.random(in: 0 ... .max)
        print("timer wheel seed: \(value)")
        var generator = Seed(value)
        var now = UInt64.random(in: 0...1 << 37, using: &generator)
        var wheel = TimerWheel(now: now)
        var list: [UInt32: UInt64] = [:]
        for _ in 0..<20_000 {
            let slot = UInt32.random(in: 0..<50, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<6:
                let ahead = UInt64(1) << UInt64.random(in: 0...20, using: &generator)
                let deadline = now + UInt64.random(in: 0...ahead, using: &generator)
                wheel.arm(TimerID(slot: slot), at: deadline)
                list[slot] = deadline
            case 6..<8:
                wheel.cancel(TimerID(slot: slot))
                list[slot] = nil
            default:
                let earliest = list.values.min()
                let wait = wheel.millisecondsToWait(now: now)
                if let earliest { #expect(wait >= 0 && now + UInt64(wait) <= max(earliest, now)) }
                now += UInt64.random(in: 0...5000, using: &generator)
                let due = list.filter { $0.value <= now }
                let order = fired(&wheel, to: now)
                #expect(Set(order) == Set(due.keys) && order.count == due.count)
                for slot in order { list[slot] = nil }
            }
        }
    }

    /// Advancing with 100,000 idle timers costs what it costs with ten: the wheel looks at bits, not at timers.
    @Test func idleTimersCostNothing() {
        func cost(timers: Int) -> UInt64 {
            var wheel = TimerWheel(now: 0)
            for slot in 0..<timers { wheel.arm(TimerID(slot: UInt32(slot)), at: 1_000_000_000 + UInt64(slot)) }
            var expired: [TimerID] = []
            var best = UInt64.max
            var now: UInt64 = 0
            for _ in 0..<5 {
                let start = Clock.monotonicNanoseconds()
                for _ in 0..<5_000 {
                    now += 1
                    wheel.arm(TimerID(slot: 0), at: 2_000_000_000 + now)
                    wheel.advance(to: now, expired: &expired)
                    _ = wheel.millisecondsToWait(now: now)
                }
                best = min(best, Clock.monotonicNanoseconds() - start)
            }
            #expect(expired.isEmpty)
            return best
        }
        let few = cost(timers: 10)
        let many = cost(timers: 100_000)
        #expect(many < few * 5, "\(few) ns with 10 timers, \(many) ns with 100,000")
    }
}
