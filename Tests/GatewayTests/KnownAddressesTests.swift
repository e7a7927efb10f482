// A name that changes, is lost, and comes back: what is in use, and when it is asked for.

import Gateway
import Testing

@Suite struct KnownAddressesTests {
    @Test func aLiteralIsNeverAskedFor() {
        let known = KnownAddresses(literal: "127.0.0.1")
        #expect(known.need(at: 0) == .nothing && known.need(at: .max) == .nothing && known.all == ["127.0.0.1"])
    }

    @Test func aNameIsAskedForOnceAndAgainWhenItsAnswerIsOld() {
        var known = KnownAddresses<String>(literal: nil)
        #expect(known.need(at: 5) == .ask && known.all.isEmpty)
        known.asked(at: 5)
        #expect(known.need(at: 5) == .wait && known.need(at: 60_004) == .wait)
        #expect(known.need(at: 60_005) == .ask, "the answer was lost")
        known.answered(["a", "b"], at: 100, holdsFor: 1_000)
        #expect(known.need(at: 1_099) == .nothing && known.need(at: 1_100) == .ask)
        known.asked(at: 1_100)
        #expect(known.need(at: 1_100) == .wait && known.all == ["a", "b"], "the old ones are used meanwhile")
        known.answered(["c"], at: 1_101, holdsFor: 1_000)
        #expect(known.all == ["c"] && known.need(at: 2_100) == .nothing)
    }

    @Test func aBadAnswerLeavesTheGoodOneInUse() {
        var known = KnownAddresses<String>(literal: nil)
        known.answered(["a"], at: 0, holdsFor: 1_000)
        known.answered([], at: 1_000, holdsFor: 30_000)
        #expect(known.all == ["a"] && known.need(at: 1_999) == .nothing && known.need(at: 2_000) == .ask)
    }

    /// Without any address each request asks: its caller is told at once that the name is not known.
    @Test func aBadFirstAnswerIsNoAnswer() {
        var known = KnownAddresses<String>(literal: nil)
        known.asked(at: 0)
        known.answered([], at: 10, holdsFor: 30_000)
        #expect(known.all.isEmpty && known.need(at: 10) == .ask)
    }

    @Test func connectionsBeginAtEachInTurnAlsoWhenTheyBecomeFewer() {
        var known = KnownAddresses<String>(literal: nil)
        known.answered(["a", "b", "c"], at: 0, holdsFor: 1_000)
        #expect((0..<5).map { _ in known.nextFirst() } == [0, 1, 2, 0, 1])
        known.answered(["d"], at: 0, holdsFor: 1_000)
        #expect((0..<3).map { _ in known.nextFirst() } == [0, 0, 0])
    }
}
