// The pacer at its edges, one rule each. The clock is the test's own.

import Policy
import Testing

/// A pacer and its clock, for tests that speak in milliseconds.
final class PacerUnderTest {
    private(set) var pacer: Pacer
    private var number: UInt64 = 0

    init(
        _ count: Int = 5, burst: Int = 5, concurrency: Int = 5, queue: Int = 100, maxWait: Int = 10_000
    ) {
        var settings = PaceSettings()
        settings.rate = RateLimitSettings(count: count, perNanoseconds: 1_000_000_000, burst: burst)
        settings.concurrency = concurrency
        settings.queue = queue
        settings.maxWait = maxWait * 1_000_000
        pacer = Pacer(settings)
    }

    func ask(
        caller: UInt64 = 1, at milliseconds: UInt64, deadline: UInt64? = nil
    ) -> (ticket: PaceTicket, answer: PaceAnswer) {
        number += 1
        let ticket = PaceTicket(worker: 0, number: number)
        let now = milliseconds * 1_000_000
        return (ticket, pacer.ask(ticket, caller: caller, now: now, deadline: deadline.map { $0 * 1_000_000 } ?? .max))
    }

    func tick(at milliseconds: UInt64) -> [PaceNotice] {
        var notices: [PaceNotice] = []
        pacer.tick(now: milliseconds * 1_000_000, into: &notices)
        return notices
    }

    /// Who may go at this time.
    func going(at milliseconds: UInt64) -> [PaceTicket] {
        tick(at: milliseconds).filter { $0.answer == .go }.map(\.ticket)
    }

    func finished(_ ticket: PaceTicket, at milliseconds: UInt64) {
        pacer.finished(ticket, now: milliseconds * 1_000_000)
    }

    func cancel(_ ticket: PaceTicket) { pacer.cancel(ticket) }

    func adopt(_ settings: PaceSettings) { pacer.adopt(settings) }

    func upstreamAsked(wait: UInt64, at milliseconds: UInt64) {
        pacer.upstreamAsked(wait: wait * 1_000_000, now: milliseconds * 1_000_000)
    }

    func wake(at milliseconds: UInt64) -> UInt64? {
        pacer.nextWake(now: milliseconds * 1_000_000).map { $0 / 1_000_000 }
    }
}

@Suite struct PacerTests {
    private func refusal(after milliseconds: UInt64) -> PaceAnswer { .refuse(retryAfter: milliseconds * 1_000_000) }

    @Test func theBurstGoesAtOnceAndTheNextWaitsForItsTurn() {
        let pacer = PacerUnderTest(concurrency: 10)
        for _ in 0..<5 { #expect(pacer.ask(at: 0).answer == .go) }
        let sixth = pacer.ask(at: 0)
        #expect(sixth.answer == .wait && pacer.wake(at: 0) == 200)
        #expect(pacer.going(at: 199) == [])
        #expect(pacer.going(at: 200) == [sixth.ticket])
        #expect(pacer.wake(at: 200) == nil)
    }

    @Test func noMoreThanTheConcurrencyIsOnItsWay() {
        let pacer = PacerUnderTest(1_000, burst: 100, concurrency: 3)
        let running = (0..<3).map { _ in pacer.ask(at: 0) }
        let fourth = pacer.ask(at: 0)
        #expect(running.allSatisfy { $0.answer == .go } && fourth.answer == .wait)
        #expect(pacer.going(at: 5_000) == [])
        pacer.finished(running[1].ticket, at: 5_000)
        #expect(pacer.going(at: 5_000) == [fourth.ticket])
        #expect(pacer.pacer.runningCount == 3)
    }

    @Test func nobodyWaitsLongerThanAllowed() {
        let pacer = PacerUnderTest(1_000, burst: 10, concurrency: 1, maxWait: 300)
        _ = pacer.ask(at: 0)
        let second = pacer.ask(at: 0)
        #expect(second.answer == .wait && pacer.wake(at: 0) == 300)
        #expect(pacer.tick(at: 300) == [])
        #expect(pacer.tick(at: 301) == [PaceNotice(ticket: second.ticket, answer: .refuse(retryAfter: 1))])
        #expect(pacer.pacer.waitingCount == 0)
    }

    @Test func whoWouldWaitTooLongIsRefusedAtOnce() {
        let pacer = PacerUnderTest(burst: 1, concurrency: 10, maxWait: 400)
        let answers = (0..<4).map { _ in pacer.ask(at: 0).answer }
        #expect(answers == [.go, .wait, .wait, refusal(after: 200)])
        // The caller's own patience counts too.
        let other = PacerUnderTest(burst: 1, concurrency: 10)
        _ = other.ask(at: 1_000)
        #expect(other.ask(at: 1_000, deadline: 1_199).answer == refusal(after: 1))
        #expect(other.ask(at: 1_000, deadline: 1_200).answer == .wait)
        #expect(other.ask(at: 1_000, deadline: 900).answer == refusal(after: 400))
    }

    @Test func aDeadlineThatIsOverDoesNotStopWhoCanGo() {
        #expect(PacerUnderTest().ask(at: 1_000, deadline: 900).answer == .go)
    }

    @Test func theQueueEndsAtItsBound() {
        let pacer = PacerUnderTest(1, burst: 1, concurrency: 10, queue: 2, maxWait: 600_000)
        let answers = (0..<4).map { _ in pacer.ask(at: 0).answer }
        #expect(answers == [.go, .wait, .wait, refusal(after: 1_000)])
        #expect(pacer.pacer.waitingCount == 2)
    }

    @Test func withoutAQueueNobodyWaits() {
        let pacer = PacerUnderTest(burst: 1, concurrency: 10, queue: 0)
        #expect(pacer.ask(at: 0).answer == .go)
        #expect(pacer.ask(at: 0).answer == refusal(after: 200))
        #expect(pacer.ask(at: 199).answer == refusal(after: 1))
        #expect(pacer.ask(at: 200).answer == .go)
    }

    @Test func aFullQueueTakesFromWhoHasMost() {
        let pacer = PacerUnderTest(1, burst: 1, concurrency: 10, queue: 4, maxWait: 600_000)
        let greedy = (0..<5).map { _ in pacer.ask(caller: 1, at: 0) }
        #expect(greedy.map(\.answer) == [.go, .wait, .wait, .wait, .wait])
        let first = pacer.ask(caller: 2, at: 0)
        let second = pacer.ask(caller: 2, at: 0)
        #expect(first.answer == .wait && second.answer == .wait)
        // Two and two: nobody has more than the other would have.
        #expect(pacer.ask(caller: 2, at: 0).answer == refusal(after: 1_000))
        #expect(pacer.wake(at: 0) == 0)
        let refused = pacer.tick(at: 0)
        #expect(refused.map(\.ticket) == [greedy[4].ticket, greedy[3].ticket])
        #expect(refused.allSatisfy { $0.answer == refusal(after: 1_000) })
    }

    @Test func callersTakeTurns() {
        let pacer = PacerUnderTest(10, burst: 1, concurrency: 100, maxWait: 60_000)
        _ = pacer.ask(at: 0)
        let one = (0..<4).map { _ in pacer.ask(caller: 1, at: 0).ticket }
        let two = (0..<2).map { _ in pacer.ask(caller: 2, at: 0).ticket }
        let three = pacer.ask(caller: 3, at: 0).ticket
        let order = (1...7).flatMap { pacer.going(at: UInt64($0) * 100) }
        #expect(order == [one[0], two[0], three, one[1], two[1], one[2], one[3]])
    }

    @Test func whoLeavesIsNotServed() {
        let pacer = PacerUnderTest(10, burst: 1, concurrency: 100)
        _ = pacer.ask(at: 0)
        let waiting = (0..<3).map { _ in pacer.ask(at: 0).ticket }
        pacer.cancel(waiting[1])
        pacer.cancel(waiting[1])
        #expect(pacer.going(at: 100) == [waiting[0]] && pacer.going(at: 200) == [waiting[2]])
        #expect(pacer.wake(at: 200) == nil)
    }

    @Test func aPlaceThatIsNotUsedIsGivenBack() {
        let pacer = PacerUnderTest(burst: 1, concurrency: 1)
        let first = pacer.ask(at: 0)
        let second = pacer.ask(at: 0)
        #expect(first.answer == .go && second.answer == .wait)
        pacer.cancel(first.ticket)
        #expect(pacer.going(at: 0) == [second.ticket])
    }

    @Test func onlyTheLastGivesItsPartOfTheRateBack() {
        let pacer = PacerUnderTest(burst: 1, concurrency: 10)
        let first = pacer.ask(at: 0)
        #expect(pacer.ask(at: 200).answer == .go)
        pacer.cancel(first.ticket)
        // Its rest had been used up by time: both now and at 200 would be two within no time.
        #expect(pacer.ask(at: 200).answer == .wait && pacer.going(at: 200) == [])
        #expect(pacer.going(at: 400).count == 1)
    }

    @Test func otherSettingsForgetNobody() {
        let pacer = PacerUnderTest(burst: 5, concurrency: 5)
        let running = (0..<5).map { _ in pacer.ask(at: 0).ticket }
        let waiting = (0..<3).map { _ in pacer.ask(at: 0).ticket }
        var settings = pacer.pacer.settings
        settings.concurrency = 4
        settings.queue = 1
        pacer.adopt(settings)
        pacer.finished(running[0], at: 1_000)
        #expect(pacer.going(at: 1_000) == [] && pacer.pacer.waitingCount == 3)
        pacer.finished(running[1], at: 1_000)
        #expect(pacer.going(at: 1_000) == [waiting[0]] && pacer.pacer.runningCount == 4)
        settings.concurrency = 100
        settings.rate.burst = 1
        pacer.adopt(settings)
        #expect(pacer.wake(at: 1_000) == 1_200 && pacer.going(at: 1_200) == [waiting[1]])
    }

    @Test func aFasterPaceIsNotKeptWaitingByTheOldOne() {
        let pacer = PacerUnderTest(1, burst: 1)
        #expect(pacer.ask(at: 0).answer == .go)
        let next = [pacer.ask(at: 10), pacer.ask(at: 10)].map(\.ticket)
        var settings = pacer.pacer.settings
        settings.rate.count = 10
        pacer.adopt(settings)
        #expect(pacer.wake(at: 10) == 110)
        #expect(pacer.going(at: 109) == [] && pacer.going(at: 110) == [next[0]])
        #expect(pacer.going(at: 209) == [] && pacer.going(at: 210) == [next[1]])
        // An hour's rate leaves no hour behind, and a larger burst is not there at once.
        settings.rate = RateLimitSettings(count: 1, perNanoseconds: 3_600_000_000_000, burst: 1)
        pacer.adopt(settings)
        #expect(pacer.ask(at: 310).answer == .go)
        settings.rate = RateLimitSettings(count: 10, perNanoseconds: 1_000_000_000, burst: 3)
        pacer.adopt(settings)
        #expect(pacer.ask(at: 400).answer == .wait && pacer.wake(at: 400) == 410)
    }

    @Test func aReloadDoesNotShortenTheRestOfAnUpstream() {
        let pacer = PacerUnderTest(10, burst: 1)
        pacer.upstreamAsked(wait: 2_000, at: 0)
        var settings = pacer.pacer.settings
        settings.rate.burst = 50
        pacer.adopt(settings)
        let next = pacer.ask(at: 100).ticket
        #expect(pacer.wake(at: 100) == 2_000)
        settings.rate.burst = 5
        pacer.adopt(settings)
        #expect(pacer.wake(at: 100) == 2_000)
        #expect(pacer.going(at: 1_999) == [] && pacer.going(at: 2_000) == [next])
    }

    @Test func timeThatGoesBackIsTakenAsStandingStill() {
        let pacer = PacerUnderTest(burst: 1, concurrency: 10)
        #expect(pacer.ask(at: 1_000).answer == .go)
        #expect(pacer.ask(at: 999).answer == .wait)
        #expect(pacer.wake(at: 999) == 1_200)
    }

    @Test func rangesEndWhereTheySay() {
        var settings = PaceSettings()
        #expect(settings.isPossible)
        settings.queue = 0
        settings.maxWait = 0
        settings.concurrency = 10_000
        #expect(settings.isPossible)
        settings.concurrency = 10_001
        #expect(!settings.isPossible)
        settings.concurrency = 0
        #expect(!settings.isPossible)
        settings.concurrency = 1
        settings.queue = 10_001
        #expect(!settings.isPossible)
        settings.queue = 10_000
        settings.maxWait = 600_000_000_001
        #expect(!settings.isPossible)
        settings.maxWait = 600_000_000_000
        #expect(settings.isPossible)
        settings.rate.burst = 0
        #expect(!settings.isPossible)
    }

    @Test func aTicketKeepsItsParts() {
        let ticket = PaceTicket(worker: 0xFFFF, number: 1 << 48 - 1)
        #expect(ticket.worker == 0xFFFF && ticket.number == 1 << 48 - 1)
        #expect(PaceTicket(worker: 3, number: 9) == PaceTicket(worker: 3, number: 9))
    }
}

@Suite struct PacerSlowdownTests {
    @Test func nobodyGoesBeforeTheUpstreamsTime() {
        let pacer = PacerUnderTest(maxWait: 20_000)
        pacer.upstreamAsked(wait: 3_000, at: 0)
        let waiting = pacer.ask(at: 0)
        #expect(waiting.answer == .wait && pacer.wake(at: 0) == 3_000)
        #expect(pacer.going(at: 2_999) == [] && pacer.going(at: 3_000) == [waiting.ticket])
    }

    @Test func whoCannotWaitSoLongIsToldAtOnce() {
        let pacer = PacerUnderTest(burst: 1, concurrency: 10)
        _ = pacer.ask(at: 0)
        let waiting = (0..<2).map { _ in pacer.ask(at: 0).ticket }
        pacer.upstreamAsked(wait: 60_000, at: 100)
        #expect(pacer.wake(at: 100) == 0 || pacer.wake(at: 100) == 100)
        let told = pacer.tick(at: 100)
        #expect(told.map(\.ticket) == waiting)
        #expect(told.allSatisfy { $0.answer == .refuse(retryAfter: 50_000_000_000) })
        #expect(pacer.ask(at: 100).answer == .refuse(retryAfter: 50_000_000_000))
        #expect(pacer.ask(at: 50_100).answer == .wait)
    }

    @Test func thePaceIsHalvedAndComesBackInEightSteps() {
        let pacer = PacerUnderTest(concurrency: 1_000, maxWait: 600_000)
        pacer.upstreamAsked(wait: 0, at: 0)
        for _ in 0..<200 { _ = pacer.ask(at: 0) }
        var perSecond = Array(repeating: 0, count: 12)
        while let wake = pacer.pacer.nextWake(now: 0), wake < 12_000_000_000 {
            perSecond[Int(wake / 1_000_000_000)] += pacer.going(at: (wake + 999_999) / 1_000_000).count
        }
        // 5/s by share: 32/64 at first, beside the one that went at once; 4/64 more each second.
        #expect(perSecond == [2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5])
        #expect(
            (0...9).map { pacer.pacer.sharePercent(at: $0 * 1_000_000_000) }
                == [50, 56, 62, 68, 75, 81, 87, 93, 100, 100])
    }

    @Test func whatIsSaidTogetherCountsOnce() {
        let pacer = PacerUnderTest()
        for _ in 0..<5 { pacer.upstreamAsked(wait: 1_000, at: 0) }
        #expect(pacer.pacer.sharePercent(at: 1_000_000_000) == 50)
        pacer.upstreamAsked(wait: 0, at: 1_999)
        #expect(pacer.pacer.sharePercent(at: 1_999_000_000) == 50)
        pacer.upstreamAsked(wait: 0, at: 3_000)
        #expect(pacer.pacer.sharePercent(at: 3_000_000_000) == 28)
    }

    @Test func thePaceNeverSinksBelowASixteenth() {
        let pacer = PacerUnderTest()
        for second in 0..<20 { pacer.upstreamAsked(wait: 0, at: UInt64(second) * 1_000) }
        #expect(pacer.pacer.sharePercent(at: 19_000_000_000) == 6)
    }

    @Test func noUpstreamStopsACredentialForMoreThanAnHour() {
        let pacer = PacerUnderTest()
        pacer.upstreamAsked(wait: 1 << 40, at: 0)
        #expect(pacer.ask(at: 3_599_999).answer == .wait && pacer.wake(at: 3_599_999) == 3_600_000)
    }
}
