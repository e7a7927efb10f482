// The desk over stores that fail: what is told to claims, what is kept of outcomes, and that nothing stays behind.

import Policy
import Store
import TestSupport
import Testing

@Suite struct FailureTests {
    static let places = [FailingStore.Place.begin, .operation, .commit, .afterCommit]

    @Test(arguments: places, Kind.allCases) func aBatchThatFailsGivesNoKeyAndLeavesNoneTaken(
        _ place: FailingStore.Place, _ kind: Kind
    ) {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [1]), claim(2, [1]))
        bench.store.place = place
        #expect(
            bench.ask(claim(3, [2]), claim(4, [2]), claim(5, [3])) == [
                .claim(ticket(3), .failed(.inputOutput)), .claim(ticket(4), .failed(.inputOutput)),
                .claim(ticket(5), .failed(.inputOutput)),
            ])
        #expect(bench.desk.health == .inputOutput && bench.desk.counts.failures == 1)
        bench.store.place = .nowhere
        // Another request may have the key: the first one was refused.
        #expect(bench.verdict(claim(6, [2], content: 8)) == .claimed)
        #expect(bench.verdict(claim(7, [2], content: 8)) == .waiting)
        #expect(bench.ask(settle(1, 1, .done(status: 200))) == [.claim(ticket(2), .done(status: 200))])
        #expect(bench.desk.health == nil)
    }

    @Test(arguments: places, Kind.allCases) func anUnknownOutcomeIsStillThereWhenAnotherAttemptWasRefused(
        _ place: FailingStore.Place, _ kind: Kind
    ) throws {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [5]), settle(1, 5, .unknown))
        for names in [[5], [1_005, 5]] {
            bench.store.place = place
            #expect(bench.verdict(claim(2, names, .resend)) == .failed(.inputOutput))
            bench.store.place = .nowhere
            #expect(bench.verdict(claim(3, names)) == .unknown(againAfterMilliseconds: nil))
            #expect(bench.verdict(claim(4, names, content: 8)) == .reused)
            #expect(try bench.store.behind.read(key(1_005)) == nil)
        }
    }

    @Test(arguments: places, Kind.allCases) func anOutcomeThatCannotBeWrittenIsSaidAndKept(
        _ place: FailingStore.Place, _ kind: Kind
    ) throws {
        let bench = Bench(kind)
        _ = bench.ask((1...4).map { claim($0, [$0]) })
        _ = bench.ask(claim(11, [1]), claim(12, [2]), claim(13, [3]), claim(14, [4]))
        bench.store.place = place
        let ends: [ClaimEnd] = [.answered(answer(1)), .done(status: 202), .unknown, .free]
        let replies = bench.ask((1...4).map { settle($0, $0, ends[$0 - 1], wantsReply: true) })
        #expect(
            replies == [
                .claim(ticket(11), .replay(answer(1))), .settled(ticket(1)),
                .claim(ticket(12), .done(status: 202)), .settled(ticket(2)),
                .claim(ticket(13), .unknown(againAfterMilliseconds: nil)), .settled(ticket(3)),
                .claim(ticket(14), .failed(.inputOutput)), .settled(ticket(4)),
            ])
        #expect(bench.desk.counts.pending == 4)
        let verdicts: [ClaimVerdict] = [
            .replay(answer(1)), .done(status: 202), .unknown(againAfterMilliseconds: nil), .failed(.inputOutput),
        ]
        for number in 1...4 { #expect(bench.verdict(claim(20 + number, [number])) == verdicts[number - 1]) }
        #expect(bench.verdict(claim(25, [1], content: 8)) == .reused)
        bench.store.place = .nowhere
        bench.now += 1_000
        #expect(bench.maintain() > 0)
        #expect(bench.desk.counts.pending == 0 && bench.desk.health == nil)
        #expect(try bench.store.behind.read(key(1))?.state == .answered(answer(1)))
        #expect(try bench.store.behind.read(key(4)) == nil)
        #expect(bench.verdict(claim(30, [4], content: 8)) == .claimed)
    }

    @Test(arguments: Kind.allCases) func pendingOutcomesAreWrittenWithTheNextBatch(_ kind: Kind) throws {
        let bench = Bench(kind)
        _ = bench.ask(claim(1, [1]))
        bench.store.place = .commit
        _ = bench.ask(settle(1, 1, .answered(answer(1))))
        bench.store.place = .nowhere
        let commits = bench.store.commits
        #expect(bench.verdict(claim(2, [1])) == .replay(answer(1)))
        #expect(bench.store.commits == commits + 1 && bench.desk.counts.pending == 0)
    }

    @Test func beyondTheBoundOfPendingAnswersTheOldestBecomesUnknown() throws {
        let bench = Bench(.memory)
        let most = 1_024
        _ = bench.ask((0...most).map { claim($0, [$0]) })
        bench.store.place = .begin
        _ = bench.ask((0..<most).map { settle($0, $0, .answered(answer($0))) })
        #expect(bench.verdict(claim(5_000, [0])) == .replay(answer(0)))
        _ = bench.ask(settle(most, most, .answered(answer(most))))
        #expect(bench.verdict(claim(5_001, [0])) == .unknown(againAfterMilliseconds: nil))
        #expect(bench.verdict(claim(5_002, [1])) == .replay(answer(1)))
        #expect(bench.verdict(claim(5_003, [most])) == .replay(answer(most)))
        #expect(bench.desk.counts.pending == most + 1 && bench.desk.counts.unknownOutcomes == 1)
        bench.store.place = .nowhere
        _ = bench.maintain()
        #expect(try bench.store.behind.read(key(0))?.state == .unknown)
    }

    @Test func pendingAnswersAreBoundedInBytes() {
        let bench = Bench(.memory)
        let large = answer(bytes: 16 << 20)
        _ = bench.ask((0..<5).map { claim($0, [$0]) })
        bench.store.place = .begin
        _ = bench.ask((0..<4).map { settle($0, $0, .answered(large)) })
        #expect(bench.verdict(claim(10, [0])) == .replay(large))
        _ = bench.ask(settle(4, 4, .answered(answer(bytes: 1))))
        #expect(bench.verdict(claim(11, [0])) == .unknown(againAfterMilliseconds: nil))
        #expect(bench.verdict(claim(12, [1])) == .replay(large))
    }

    @Test func beyondTheBoundOfDisownedClaimsAWrittenOneIsUnknown() {
        let bench = Bench(.memory)
        _ = bench.maintain()
        let most = 65_536
        bench.store.place = .afterCommit
        _ = bench.ask((0...most).map { claim($0, [$0]) })
        bench.store.place = .nowhere
        #expect(bench.verdict(claim(100_000, [most])) == .unknown(againAfterMilliseconds: nil))
        #expect(bench.verdict(claim(100_001, [most - 1])) == .claimed)
    }

    @Test func aStoreThatDoesNotOpenIsTriedOncePerSecond() {
        let bench = Bench(.memory)
        bench.store.place = .open
        bench.store.failure = .locked
        #expect(bench.verdict(claim(1, [1])) == .failed(.locked))
        bench.now += 999
        #expect(bench.verdict(claim(2, [1])) == .failed(.locked))
        #expect(bench.maintain() == 1 && bench.store.opens == 1)
        bench.now += 1
        #expect(bench.maintain() == 1_000 && bench.store.opens == 2)
        bench.store.place = .nowhere
        bench.now += 1_000
        #expect(bench.verdict(claim(3, [1])) == .claimed)
        #expect(bench.desk.health == nil && bench.store.opens == 3)
    }

    /// Random requests over a store that fails at random, against the rule: while one request has a key, no other
    /// gets it; and an outcome that was said stays.
    @Test(arguments: Kind.allCases) func noKeyIsGivenTwiceHoweverTheStoreFails(_ kind: Kind) {
        var seed = Seed.chosen(for: "noKeyIsGivenTwiceHoweverTheStoreFails")
        let bench = Bench(kind)
        var owner: [Int: Int] = [:]
        var waiting: [Int: Int] = [:]
        var said: [Int: StoredAnswer] = [:]
        var next = 0
        var rounds = 0
        // Chance decides how many outcomes are said: it goes on until there are enough to ask for.
        while rounds < 2_500 || (said.count <= 10 || bench.desk.counts.failures <= 100) && rounds < 50_000 {
            rounds += 1
            bench.store.place = Bool.random(using: &seed) ? .nowhere : Self.places.randomElement(using: &seed) ?? .begin
            bench.now += Int64.random(in: 0...3, using: &seed)
            var questions: [StoreQuestion] = []
            for (key, ticket) in owner.sorted(by: { $0.key < $1.key })
            where Int.random(in: 0..<4, using: &seed) == 0 {
                owner[key] = nil
                switch Int.random(in: 0..<4, using: &seed) {
                case 0:
                    said[key] = answer(ticket)
                    questions.append(settle(ticket, key, .answered(answer(ticket))))
                case 1: questions.append(settle(ticket, key, .unknown))
                default: questions.append(settle(ticket, key, .free))
                }
            }
            for _ in 0..<Int.random(in: 0...4, using: &seed) {
                next += 1
                let key = Int.random(in: next / 40..<next / 40 + 8, using: &seed)
                waiting[next] = key
                questions.append(claim(next, [key], .resend))
            }
            for reply in bench.ask(questions) {
                guard case .claim(let ticket, let verdict) = reply else { continue }
                let number = Int(ticket.serial)
                guard let key = waiting[number] else {
                    Issue.record("a second verdict for \(number)")
                    continue
                }
                if verdict != .waiting { waiting[number] = nil }
                if verdict == .claimed {
                    #expect(owner[key] == nil && said[key] == nil)
                    owner[key] = number
                }
                if case .replay(let answer) = verdict { #expect(said[key] == answer) }
            }
        }
        bench.store.place = .nowhere
        for (key, answer) in said {
            #expect(bench.verdict(claim(100_000 + key, [key])) == .replay(answer))
        }
        #expect(said.count > 10 && bench.desk.counts.failures > 100, "within \(rounds) rounds")
    }
}
