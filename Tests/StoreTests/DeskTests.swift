// The desk over both stores: the table of the design, waiting, handing over, earlier names, bounds.

import Policy
import Store
import Testing

@Suite struct DeskTests {
    /// A stored state, and what a repeat with the same and with another content is told.
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var end: ClaimEnd
        var onUnknown = OnUnknown.refuse
        var repeatAfter = 0
        var later: Int64 = 0
        var same: ClaimVerdict
        var other: ClaimVerdict

        var testDescription: String { name }
    }

    static let rows = [
        Row(name: "free", end: .free, same: .claimed, other: .claimed),
        Row(name: "answered", end: .answered(answer(3)), same: .replay(answer(3)), other: .reused),
        Row(
            name: "answered with nothing", end: .answered(answer(bytes: 0)), same: .replay(answer(bytes: 0)),
            other: .reused),
        Row(name: "done", end: .done(status: 202), same: .done(status: 202), other: .reused),
        Row(name: "unknown, refused", end: .unknown, same: .unknown(againAfterMilliseconds: nil), other: .reused),
        Row(name: "unknown, resent at once", end: .unknown, onUnknown: .resend, same: .claimed, other: .reused),
        Row(
            name: "unknown, resent too soon", end: .unknown, onUnknown: .resend, repeatAfter: 500, later: 499,
            same: .unknown(againAfterMilliseconds: 1), other: .reused),
        Row(
            name: "unknown, resent in time", end: .unknown, onUnknown: .resend, repeatAfter: 500, later: 500,
            same: .claimed, other: .reused),
    ]

    @Test(arguments: rows, Kind.allCases) func aRepeatIsToldWhatItsKeyHasBecome(_ row: Row, _ kind: Kind) {
        let bench = Bench(kind)
        for (asker, content, expected) in [(10, 7, row.same), (20, 8, row.other)] {
            #expect(bench.verdict(claim(asker, [asker])) == .claimed)
            #expect(bench.ask(settle(asker, asker, row.end, wantsReply: true)) == [.settled(ticket(asker))])
            bench.now += row.later
            let again = claim(asker + 1, [asker], content: content, row.onUnknown, repeatAfter: row.repeatAfter)
            #expect(bench.verdict(again) == expected)
        }
    }

    @Test(arguments: Kind.allCases) func anEqualRequestWaitsAndAnotherIsRefusedWhileOneIsOnItsWay(_ kind: Kind) {
        let bench = Bench(kind)
        #expect(bench.verdict(claim(1, [5])) == .claimed)
        #expect(bench.verdict(claim(2, [5])) == .waiting)
        #expect(bench.verdict(claim(3, [5], content: 8)) == .reused)
        #expect(
            bench.ask(settle(1, 5, .answered(answer(9)), wantsReply: true)) == [
                .claim(ticket(2), .replay(answer(9))), .settled(ticket(1)),
            ])
        #expect(bench.desk.counts.waited == 1 && bench.desk.counts.replayed == 1 && bench.desk.counts.reused == 1)
    }

    @Test(arguments: Kind.allCases) func thoseWhoWaitAreToldDoneAndEachItsOwnUnknown(_ kind: Kind) {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]), claim(2, [5]), claim(3, [5]))
        #expect(
            bench.ask(settle(1, 5, .done(status: 204))) == [
                .claim(ticket(2), .done(status: 204)), .claim(ticket(3), .done(status: 204)),
            ])
        _ = bench.ask(claim(4, [6]), claim(5, [6]), claim(6, [6], .resend, repeatAfter: 700))
        #expect(
            bench.ask(settle(4, 6, .unknown)) == [
                .claim(ticket(5), .unknown(againAfterMilliseconds: nil)),
                .claim(ticket(6), .unknown(againAfterMilliseconds: 700)),
            ])
        #expect(bench.desk.counts.unknownOutcomes == 1)
    }

    @Test(arguments: Kind.allCases) func keysOfUnknownOutcomeAreCountedNowAndThen(_ kind: Kind) {
        let bench = Bench(kind)
        for number in 1...4 { _ = bench.ask(claim(number, [number]), settle(number, number, .unknown)) }
        #expect(bench.desk.counts.unknownKeys == 0, "not looked at yet")
        _ = bench.maintain()
        #expect(bench.desk.counts.unknownKeys == 4)
        _ = bench.ask(claim(5, [1], .resend), settle(5, 1, .answered(answer())))
        bench.now += KeyDesk.purgeInterval
        _ = bench.maintain()
        #expect(bench.desk.counts.unknownKeys == 3)
        for limit in 1...4 { #expect((try? bench.store.countUnknown(limit: limit)) == min(limit, 3)) }
    }

    @Test(arguments: Kind.allCases) func aFreeKeyGoesToTheFirstWhoWaits(_ kind: Kind) throws {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]), claim(2, [5]), claim(3, [5]))
        let first = try bench.store.behind.read(key(5))
        bench.now += 10
        #expect(bench.ask(settle(1, 5, .free)) == [.claim(ticket(2), .claimed)])
        let second = try bench.store.behind.read(key(5))
        #expect(second?.attempts == 2 && second?.claimedAt == first?.claimedAt)
        #expect(second?.changedAt == 1_000_010 && second?.state == .inFlight)
        #expect(bench.ask(settle(2, 5, .answered(answer()))) == [.claim(ticket(3), .replay(answer()))])
    }

    @Test(arguments: Kind.allCases) func whoGivesUpWaitingIsPassedOver(_ kind: Kind) {
        let bench = Bench(kind) { $0.maxWaiting = 2 }
        _ = bench.ask(claim(1, [5]), claim(2, [5]), claim(3, [5]))
        #expect(bench.verdict(claim(4, [5])) == .busy)
        #expect(bench.ask(settle(2, 5, .free)).isEmpty)
        #expect(bench.verdict(claim(5, [5])) == .waiting)
        #expect(bench.ask(settle(1, 5, .free)) == [.claim(ticket(3), .claimed)])
    }

    @Test(arguments: Kind.allCases) func theBoundOfThoseWhoWaitHoldsForAllKeysTogether(_ kind: Kind) {
        let bench = Bench(kind) { $0.maxWaiting = 2 }
        _ = bench.ask(claim(1, [5]), claim(2, [6]))
        #expect(bench.verdict(claim(3, [5])) == .waiting)
        #expect(bench.verdict(claim(4, [6])) == .waiting)
        #expect(bench.verdict(claim(5, [6])) == .busy)
        _ = bench.ask(settle(1, 5, .done(status: 200)))
        #expect(bench.verdict(claim(6, [6])) == .waiting)
    }

    @Test(arguments: Kind.allCases) func aSettlementByAnotherTicketChangesNothing(_ kind: Kind) {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]))
        #expect(bench.ask(settle(9, 5, .answered(answer()), wantsReply: true)) == [.settled(ticket(9))])
        #expect(bench.verdict(claim(2, [5])) == .waiting)
        _ = bench.ask(settle(1, 5, .done(status: 200)))
        #expect(bench.ask(settle(1, 5, .free, wantsReply: true)) == [.settled(ticket(1))])
        #expect(bench.verdict(claim(3, [5])) == .done(status: 200))
    }

    @Test(arguments: Kind.allCases) func anotherAttemptThatSentNothingLeavesTheOutcomeUnknown(_ kind: Kind) {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]), settle(1, 5, .unknown))
        #expect(bench.verdict(claim(2, [5], .resend)) == .claimed)
        #expect(bench.verdict(claim(3, [5], .refuse)) == .waiting)
        #expect(bench.verdict(claim(4, [5], .resend)) == .waiting)
        // The first who waits may not send again what may have been carried out; the second may.
        #expect(
            bench.ask(settle(2, 5, .free)) == [
                .claim(ticket(3), .unknown(againAfterMilliseconds: nil)), .claim(ticket(4), .claimed),
            ])
        #expect(bench.ask(settle(4, 5, .free)).isEmpty)
        #expect(bench.verdict(claim(5, [5], content: 8)) == .reused)
        #expect(bench.verdict(claim(6, [5])) == .unknown(againAfterMilliseconds: nil))
    }

    @Test(arguments: Kind.allCases) func aRecordUnderAnEarlierNameAnswersAndMovesWhenItIsClaimedAgain(_ kind: Kind)
        throws
    {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]), settle(1, 5, .answered(answer(1))))
        #expect(bench.verdict(claim(2, [2_005, 1_005, 5])) == .replay(answer(1)))
        #expect(bench.verdict(claim(3, [2_005, 1_005, 5], content: 8)) == .reused)
        #expect(try bench.store.behind.read(key(2_005)) == nil)

        _ = bench.ask(claim(4, [6]), settle(4, 6, .unknown))
        #expect(bench.verdict(claim(5, [1_006, 6], .resend)) == .claimed)
        #expect(try bench.store.behind.read(key(6)) == nil)
        #expect(try bench.store.behind.read(key(1_006))?.attempts == 2)
        // Nothing was sent: what stays is the unknown outcome, under the current name.
        _ = bench.ask(settle(5, 1_006, .free))
        #expect(bench.verdict(claim(6, [1_006, 6])) == .unknown(againAfterMilliseconds: nil))
        #expect(bench.verdict(claim(7, [1_006, 6], content: 8)) == .reused)
        #expect(bench.desk.counts.keys == 2)
    }

    @Test(arguments: Kind.allCases) func aRequestOnItsWayIsFoundUnderAnEarlierName(_ kind: Kind) {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]))
        #expect(bench.verdict(claim(2, [1_005, 5])) == .waiting)
        #expect(bench.verdict(claim(3, [1_005, 5], content: 8)) == .reused)
        #expect(bench.ask(settle(1, 5, .free)) == [.claim(ticket(2), .claimed)])
        // Its settlement names the key as it knows it.
        #expect(bench.ask(settle(2, 1_005, .answered(answer(4)), wantsReply: true)) == [.settled(ticket(2))])
        #expect(bench.verdict(claim(4, [1_005, 5])) == .replay(answer(4)))
    }

    @Test(arguments: Kind.allCases) func aKeyPastItsTimeIsNewWhetherItWasPurgedOrNot(_ kind: Kind) throws {
        let bench = Bench(kind) {
            $0.retentionMilliseconds = 60_000
            $0.unknownRetentionMilliseconds = 90_000
        }
        _ = bench.ask(claim(1, [5]), claim(2, [6]), settle(1, 5, .answered(answer())), settle(2, 6, .unknown))
        bench.now += 59_999
        #expect(bench.verdict(claim(3, [5])) == .replay(answer()))
        bench.now += 1
        #expect(bench.verdict(claim(4, [5], content: 8)) == .claimed)
        #expect(try bench.store.behind.read(key(5))?.attempts == 1)
        bench.now += 29_999
        #expect(bench.verdict(claim(5, [6])) == .unknown(againAfterMilliseconds: nil))
        bench.now += 1
        #expect(bench.verdict(claim(6, [6], content: 9)) == .claimed)
        // What is on its way has no time to be forgotten at.
        bench.now += 10_000_000
        #expect(bench.verdict(claim(7, [6], content: 9)) == .waiting)
    }

    @Test(arguments: Kind.allCases) func purgingForgetsInPiecesAndOnlyWhatIsPastItsTime(_ kind: Kind) {
        let bench = Bench(kind) { $0.retentionMilliseconds = 60_000 }
        let old = KeyDesk.purgePiece + 20
        _ = bench.ask((0..<old).map { claim($0, [$0]) })
        _ = bench.ask((0..<old).map { settle($0, $0, $0 % 2 == 0 ? .answered(answer()) : .done(status: 200)) })
        bench.now += 30_000
        _ = bench.ask(claim(5_000, [5_000]), claim(5_001, [5_001]), settle(5_000, 5_000, .answered(answer())))
        #expect(bench.maintain() == Int(KeyDesk.purgeInterval))
        #expect(bench.desk.counts.keys == old + 2)
        bench.now += 30_000
        #expect(bench.maintain() == KeyDesk.piecePause)
        #expect(bench.desk.counts.purged == KeyDesk.purgePiece)
        #expect(bench.maintain() > KeyDesk.piecePause)
        #expect(bench.desk.counts.purged == old && bench.desk.counts.keys == 2)
        #expect(bench.verdict(claim(6_000, [5_000])) == .replay(answer()))
    }

    @Test(arguments: Kind.allCases) func atTheBoundOfKeysOnlyNewOnesAreRefused(_ kind: Kind) {
        let bench = Bench(kind) {
            $0.maxKeys = 2
            $0.retentionMilliseconds = 60_000
        }
        _ = bench.ask(claim(1, [1]), claim(2, [2]), settle(1, 1, .answered(answer())))
        #expect(bench.verdict(claim(3, [3])) == .failed(.tooManyKeys))
        #expect(bench.verdict(claim(4, [1])) == .replay(answer()))
        #expect(bench.verdict(claim(5, [2])) == .waiting)
        #expect(bench.desk.health == nil)
        bench.now += 60_000
        #expect(bench.verdict(claim(6, [3])) == .claimed)
        #expect(bench.desk.counts.purged == 1)
        #expect(bench.verdict(claim(7, [4])) == .failed(.tooManyKeys))
    }

    /// An outcome that waits for room does not keep repeats from what is there.
    @Test(arguments: Kind.allCases) func aFullStoreIsStillRead(_ kind: Kind) {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [1]), settle(1, 1, .answered(answer())))
        _ = bench.ask(claim(2, [2]), settle(2, 2, .unknown))
        _ = bench.ask(claim(3, [3]), claim(4, [4]))
        bench.store.place = .write
        bench.store.failure = .full
        #expect(bench.ask(settle(3, 3, .answered(answer(3)), wantsReply: true)) == [.settled(ticket(3))])
        #expect(bench.ask(settle(4, 4, .free, wantsReply: true)) == [.settled(ticket(4))])
        #expect(bench.verdict(claim(5, [1])) == .replay(answer()))
        #expect(bench.verdict(claim(6, [1], content: 8)) == .reused)
        #expect(bench.verdict(claim(7, [2])) == .unknown(againAfterMilliseconds: nil))
        #expect(bench.verdict(claim(8, [2], .resend)) == .failed(.full))
        #expect(bench.verdict(claim(9, [3])) == .replay(answer(3)))
        // Written as on its way, and free: it is neither given nor said to be unknown.
        #expect(bench.verdict(claim(10, [4])) == .failed(.full))
        #expect(bench.verdict(claim(11, [5])) == .failed(.full))
        // What fails in another way is not relied on.
        bench.store.failure = .inputOutput
        #expect(bench.verdict(claim(12, [1])) == .failed(.inputOutput))
        bench.store.place = .nowhere
        #expect(bench.verdict(claim(13, [4])) == .claimed)
        #expect(bench.verdict(claim(14, [1])) == .replay(answer()))
    }

    /// What a process before has left in flight cannot be marked for want of room: it is unknown all the same, the rest
    /// is read, and forgetting makes room.
    @Test(arguments: Kind.allCases) func aStoreThatIsFullAtItsStartIsRead(_ kind: Kind) {
        let first = Bench(kind)
        _ = first.ask(claim(1, [1]), claim(2, [2]), settle(1, 1, .answered(answer())))
        let second = Bench(first)
        second.store.place = .write
        second.store.failure = .full
        #expect(second.verdict(claim(3, [1])) == .replay(answer()))
        #expect(second.verdict(claim(4, [2])) == .unknown(againAfterMilliseconds: nil))
        #expect(second.verdict(claim(5, [2], .resend)) == .failed(.full))
        #expect(second.verdict(claim(6, [3])) == .failed(.full))
        _ = second.maintain()
        #expect(second.desk.health == .full && second.desk.counts.unknownOutcomes == 0)
        second.store.place = .nowhere
        _ = second.maintain()
        #expect(second.desk.health == nil && second.desk.counts.unknownOutcomes == 1)
        #expect(second.verdict(claim(7, [2], .resend)) == .claimed)
        #expect(second.verdict(claim(8, [1])) == .replay(answer()))
    }

    @Test(arguments: Kind.allCases) func oneBatchIsOneCommit(_ kind: Kind) {
        let bench = Bench(kind)
        _ = bench.ask(claim(0, [0]))
        let commits = bench.store.commits
        let replies = bench.ask((1...100).map { claim($0, [$0]) } + [settle(0, 0, .answered(answer()))])
        #expect(replies.count == 100 && bench.store.commits == commits + 1 && bench.desk.counts.commits == 2)
        #expect(bench.desk.counts.claims == 101 && bench.desk.counts.claimed == 101)
        #expect(bench.ask().isEmpty && bench.store.commits == commits + 1)
    }

    @Test(arguments: Kind.allCases) func repliesComeBehindThoseThatAreThere(_ kind: Kind) {
        let bench = Bench(kind)
        var replies = [StoreReply.settled(ticket(9))]
        bench.desk.process([claim(1, [1])], at: bench.instants, into: &replies)
        #expect(replies == [.settled(ticket(9)), .claim(ticket(1), .claimed)])
        bench.store.place = .commit
        bench.desk.process([claim(2, [2])], at: bench.instants, into: &replies)
        #expect(replies.count == 3 && replies.last == .claim(ticket(2), .failed(.inputOutput)))
    }
}
