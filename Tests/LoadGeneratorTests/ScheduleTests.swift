// When requests are due, and the bound of those that wait. Relies on nothing but integers.

import LoadGeneration
import Testing

@Suite struct ScheduleTests {
    @Test func requestsAreDueEvenly() {
        var schedule = Schedule(begin: 500, rate: 2_000)
        for number in 0..<UInt64(5) {
            #expect(schedule.next == 500 + number * 500_000)
            schedule.advance()
        }
    }

    @Test(arguments: [1, 3, 7, 1_999, 10_000_000] as [UInt64])
    func noRateDrifts(_ rate: UInt64) {
        var schedule = Schedule(begin: 7, rate: rate)
        var before: UInt64 = 0
        for _ in 0..<rate * 2 {
            #expect(schedule.next >= before)
            before = schedule.next
            schedule.advance()
        }
        #expect(schedule.next == 7 + 2_000_000_000)
    }

    @Test func theQueueKeepsItsOrderAndItsBound() {
        var queue = DueQueue(capacity: 3)
        #expect(queue.pop() == nil)
        for round in 0..<UInt64(5) {
            #expect(queue.push(round) && queue.push(round + 10) && queue.push(round + 20))
            #expect(!queue.push(99) && queue.count == 3)
            #expect(queue.pop() == round && queue.pop() == round + 10 && queue.pop() == round + 20)
        }
        #expect(queue.count == 0 && queue.deepest == 3)
    }
}
