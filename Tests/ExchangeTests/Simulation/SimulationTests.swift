// Many small worlds of requests, connections and accidents, from one seed. `COUNTERSIGN_SIM_REQUESTS` says how many
// requests, `COUNTERSIGN_SEED` which ones; a failure prints the command that repeats its world alone.
// Relies on World and Ledger, which are tested here as well: a referee who sees nothing proves nothing.

import Exchange
import Foundation
import HTTP
import Policy
import Testing

@Suite struct SimulationTests {
    private static let requestsPerWorld = 100
    private static let command = "swift test --filter ExchangeTests.SimulationTests"

    @Test func everyPromiseIsKeptInRandomWorlds() {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["COUNTERSIGN_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max / 2)
        let requests = environment["COUNTERSIGN_SIM_REQUESTS"].flatMap { Int($0) } ?? 20_000
        print("simulation: COUNTERSIGN_SEED=\(seed) COUNTERSIGN_SIM_REQUESTS=\(requests) \(Self.command)")
        let worlds = max(1, (requests + Self.requestsPerWorld - 1) / Self.requestsPerWorld)
        var tally = Tally()
        for index in 0..<UInt64(worlds) {
            let world = World(seed: seed &+ index, requests: Self.requestsPerWorld)
            if let complaint = world.run() {
                Issue.record(
                    "COUNTERSIGN_SEED=\(seed &+ index) COUNTERSIGN_SIM_REQUESTS=1 \(Self.command)\n\(complaint)")
                return
            }
            tally.add(world.tally)
        }
        for (outcome, count) in tally.outcomes.sorted(by: { $0.key < $1.key }) { print("  \(outcome): \(count)") }
        print("  retried \(tally.retried), waited \(tally.waited), for a fresh one \(tally.waitedForFresh)")
        guard requests >= 20_000 else { return }
        // The simulation meets every way to end, or it proves less than it says.
        for cause in Cause.allCases { #expect(tally.causes[cause, default: 0] > 0, "never ended as \(cause)") }
        #expect(tally.finished >= requests / 2 && tally.outcomes.count >= 20)
        #expect(tally.retried > 0 && tally.waited > 0)
    }

    @Test func theSameSeedIsTheSameWorld() {
        let first = World(seed: 7, requests: 50)
        let second = World(seed: 7, requests: 50)
        #expect(first.run() == nil && second.run() == nil)
        #expect(first.tally.outcomes == second.tally.outcomes)
    }

    // MARK: - The referee

    /// The complaint about the last of `orders`, given `facts` first; nil where it has none.
    private func complaint(
        _ facts: [Event], _ orders: [Command], _ refusal: Refusal? = .noRoute, taken: Bool = false
    ) -> String? {
        var ledger = Ledger()
        ledger.taken = taken
        for fact in facts { _ = ledger.note(fact) }
        var said: String?
        for order in orders { said = ledger.judge(order, refusal) }
        return said
    }

    private static let drafted: [Event] = [
        .routeFound(RouteFacts(expectsContinue: false, lostAnswer: .unknown)), .draftMade,
    ]

    @Test func theRefereeSeesWhatIsNotAllowed() {
        let drafted = Self.drafted
        let lent = drafted + [.connectionLent(reused: false)]
        let sealed = lent + [.requestSealed]
        let left = drafted + [.callerLeft]
        #expect(complaint(sealed, [.seal, .setDeadline(.write), .send]) == nil)
        #expect(complaint(lent, [.setDeadline(.write), .send]) == "sent without a seal of its own")
        #expect(complaint(sealed, [.seal, .send]) == "sent without a limit")
        #expect(complaint(sealed, [.seal, .setDeadline(.write), .send, .send]) == "sent already")
        #expect(complaint(sealed, [.seal, .seal]) == "sealed twice")
        #expect(complaint(sealed, [.seal, .setDeadline(.write), .send], taken: true) == "sent twice")
        #expect(complaint(drafted, [.seal]) == "no connection is lent")
        #expect(complaint(drafted, [.connect(fresh: false)]) == nil)
        #expect(complaint(drafted, [.connect(fresh: true)]) != nil)
        #expect(complaint(drafted, [.connect(fresh: false), .connect(fresh: true)]) == "a second connection")
        #expect(complaint(drafted, [.connect(fresh: false)], taken: true) != nil)
        #expect(complaint(left, [.connect(fresh: false)]) == "tried for a caller who is gone")
        #expect(complaint(drafted, [.returnConnection]) == "no connection is lent")
        #expect(complaint(lent, [.closeConnection]) == nil)
        #expect(complaint(lent, [.closeConnection, .closeConnection]) == "no connection is lent")
        #expect(complaint(lent, [.returnConnection]) == "a connection that cannot be used is returned")
        #expect(complaint(drafted, [.cancelConnect]) == "nothing was asked")
        #expect(complaint(drafted, [.admit, .admit]) == "admit is not due")
        #expect(complaint(drafted, [.sendContinue]) == "sayContinue is not due")
    }

    @Test func theRefereeSeesWrongAnswersAndEnds() {
        let drafted = Self.drafted
        let end = Command.finish(Outcome(.refused, .received))
        let limit = Command.setDeadline(.callerWrite)
        #expect(complaint(drafted, [limit, .respond]) == nil)
        #expect(complaint(drafted, [.respond]) == "answered without a limit")
        #expect(complaint(drafted, [limit, .respond, .respond]) == "a second answer")
        #expect(complaint(drafted, [limit, .respond], .noRoute.afterSending(.unknown)) == "says maybe unknown")
        #expect(complaint(drafted + [.callerLeft], [limit]) == "a limit for a caller who is gone")
        #expect(complaint(drafted, [limit, .respond, .relayAnswer]) == "a second answer")
        #expect(complaint(drafted, [end]) == "nothing happened that is refused")
        let refused = drafted + [.requestRefused(.noRoute)]
        #expect(complaint(refused, [end]) == "the caller is left without an end of its answer")
        #expect(complaint(refused + [.answerDelivered], [end]) == nil)
        #expect(complaint(refused + [.answerDelivered], [limit, end]) == "a limit survives the end")
        #expect(complaint(refused + [.answerDelivered], [end, end]) == "a command after the end")
        #expect(complaint(refused + [.answerDelivered, .connectionLent(reused: true)], [end]) != nil)
        let whole = drafted + [.connectionLent(reused: false), .requestWritten, .answerCompleted(reusable: true)]
        #expect(complaint(whole, [.closeConnection]) == "a connection that can be used is closed")
        #expect(complaint(whole, [.returnConnection]) == nil)
        #expect(complaint(whole, [.breakAnswer]) == "nothing to break")
        #expect(complaint(drafted, [.flushAnswer]) == "nothing to flush")
    }
}
