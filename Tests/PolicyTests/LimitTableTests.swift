// The shared counts: all or nothing, report-only, bounds, and exactness among threads.

import Policy
import TestSupport
import Testing

@Suite struct LimitTableTests {
    private static let second = 1_000_000_000

    private func quota(_ name: String, _ count: Int, burst: Int, isReportOnly: Bool = false) -> QuotaSettings {
        let rate = RateLimitSettings(count: count, perNanoseconds: Self.second, burst: burst)
        return QuotaSettings(name: name, per: .caller, rate: rate, isReportOnly: isReportOnly)
    }

    private func checks(_ keys: [(quota: Int, key: UInt64)]) -> LimitChecks {
        var checks = LimitChecks()
        for (quota, key) in keys {
            // As well mixed as a keyed hash.
            var mix = Seed(key &* 8 &+ UInt64(quota))
            checks.add(quota, LimitKey(high: mix.next(), low: mix.next()))
        }
        return checks
    }

    @Test func aRefusedRequestIsChargedToNone() {
        let rules = QuotaRules([quota("wide", 1, burst: 10), quota("narrow", 1, burst: 2)])
        let table = LimitTable(capacity: 100_000)
        let both = checks([(0, 1), (1, 1)])
        #expect(table.charge(both, by: rules, at: 0).isAdmitted && table.charge(both, by: rules, at: 0).isAdmitted)
        for _ in 0..<5 {
            let verdict = table.charge(both, by: rules, at: 0)
            #expect(!verdict.isAdmitted && verdict.refusing == 0b10 && verdict.wait == UInt64(Self.second))
            #expect(rules.limits[0].standing(verdict.state(0), at: 0).remaining == 8)
            #expect(rules.limits[1].standing(verdict.state(1), at: 0).remaining == 0)
        }
        let wide = checks([(0, 1)])
        let admitted = (0..<20).count { _ in table.charge(wide, by: rules, at: 0).isAdmitted }
        #expect(admitted == 8)
    }

    @Test func theLongestWaitCounts() {
        let rules = QuotaRules([quota("a", 10, burst: 1), quota("b", 2, burst: 1), quota("c", 5, burst: 1)])
        let table = LimitTable(capacity: 100)
        let all = checks([(0, 1), (1, 1), (2, 1)])
        #expect(table.charge(all, by: rules, at: 0).wait == 0)
        let verdict = table.charge(all, by: rules, at: 0)
        #expect(verdict.refusing == 0b111 && verdict.wait == 500_000_000)
        #expect(!table.charge(all, by: rules, at: 499_999_999).isAdmitted)
        #expect(table.charge(all, by: rules, at: 500_000_000).isAdmitted)
    }

    @Test func aQuotaThatReportsNeverRefuses() {
        let rules = QuotaRules([quota("real", 1, burst: 5), quota("tried", 1, burst: 2, isReportOnly: true)])
        let table = LimitTable(capacity: 100)
        let verdicts = (0..<7).map { _ in table.charge(checks([(0, 1), (1, 1)]), by: rules, at: 0) }
        #expect(verdicts.map(\.isAdmitted) == [true, true, true, true, true, false, false])
        #expect(verdicts.map { $0.reporting != 0 } == [false, false, true, true, true, true, true])
        // As if it were obeyed: what it would have refused does not count against it.
        let next = table.charge(checks([(1, 1)]), by: rules, at: UInt64(Self.second))
        #expect(next.isAdmitted && next.reporting == 0)
    }

    @Test func whoSharesATableSharesItsCounts() {
        let rules = QuotaRules([quota("a", 1, burst: 3)])
        for capacity in [10, 100_000] {
            let table = LimitTable(capacity: capacity)
            let other = LimitTable(sharing: table)
            let third = LimitTable(sharing: other)
            let admitted = [table, other, third, table, other, third].map {
                $0.charge(checks([(0, 1)]), by: rules, at: 0).isAdmitted
            }
            #expect(admitted == [true, true, true, false, false, false])
            #expect(third.figures() == table.figures() && table.figures().keys == 1)
        }
    }

    @Test func noQuotaAdmits() {
        let verdict = LimitTable(capacity: 1).charge(LimitChecks(), by: QuotaRules([]), at: 0)
        #expect(verdict.isAdmitted && verdict.wait == 0)
    }

    @Test func aTurnThatBeganEarlierHasAllThatIsLeft() {
        let rules = QuotaRules([quota("own", 1, burst: 6), quota("all", 1, burst: 9)])
        let table = LimitTable(capacity: 100_000)
        // Workers hand in the time at which their turn began: not in the order in which they come to the table.
        let one = checks([(0, 1), (1, 1)])
        let times: [UInt64] = [5_000, 4_000, 6_000, 4_500, 4_999, 1]
        for time in times { #expect(table.charge(one, by: rules, at: time).isAdmitted, "at \(time)") }
        // Of "own" nobody asked yet: its time is that of the other, which is in another shard.
        let two = checks([(0, 2), (1, 1)])
        for left in [2, 1, 0] {
            let verdict = table.charge(two, by: rules, at: 2_000)
            #expect(verdict.isAdmitted && verdict.time == 6_000)
            #expect(rules.limits[0].standing(verdict.state(0), at: verdict.time).remaining == left + 3)
            #expect(rules.limits[1].standing(verdict.state(1), at: verdict.time).remaining == left)
        }
        let refused = table.charge(two, by: rules, at: 3_000)
        #expect(refused.refusing == 0b10 && refused.wait == UInt64(Self.second) - 1_000 && refused.time == 6_000)
        #expect(rules.limits[0].standing(refused.state(0), at: refused.time).remaining == 3)
    }

    @Test func countsAreKeptApart() {
        var seed = Seed.chosen(for: "counts are kept apart")
        let rules = QuotaRules([quota("a", 3, burst: 4), quota("b", 1, burst: 7)])
        let table = LimitTable(capacity: 20_000)
        var model: [UInt64: Bucket] = [:]
        var now: UInt64 = 0
        for _ in 0..<20_000 {
            now += UInt64.random(in: 0...1_000_000, using: &seed)
            let key = UInt64.random(in: 0..<4_000, using: &seed)
            let quota = Int(key % 2)
            let bucket = model[key] ?? Bucket(rules.quotas[quota].rate)
            model[key] = bucket
            #expect(table.charge(checks([(quota, key)]), by: rules, at: now).isAdmitted == bucket.admits(at: now))
        }
        #expect(table.figures().forgotten == 0 && table.figures().keys <= model.count)
    }

    @Test func holdsItsCapacityAndForgetsTheLeastRecentlyUsed() {
        let rules = QuotaRules([quota("a", 1, burst: 1)])
        let table = LimitTable(capacity: 20)
        for key in 0..<20 { _ = table.charge(checks([(0, UInt64(key))]), by: rules, at: UInt64(key) << 22) }
        #expect(table.figures().keys == 20 && table.figures().forgotten == 0)
        let now: UInt64 = 20 << 22
        for key in 0..<20 where key != 7 {
            #expect(!table.charge(checks([(0, UInt64(key))]), by: rules, at: now).isAdmitted)
        }
        #expect(table.charge(checks([(0, 20)]), by: rules, at: now).isAdmitted)
        #expect(table.figures().keys == 20 && table.figures().forgotten == 1)
        #expect(!table.charge(checks([(0, 8)]), by: rules, at: now).isAdmitted)
        #expect(table.charge(checks([(0, 7)]), by: rules, at: now).isAdmitted)
    }

    @Test func forgetsWhatIsOverBeforeAnythingElse() {
        let rules = QuotaRules([quota("short", 1_000, burst: 1), quota("long", 1, burst: 1)])
        let table = LimitTable(capacity: 20)
        for key in 0..<19 { _ = table.charge(checks([(1, UInt64(key))]), by: rules, at: 0) }
        _ = table.charge(checks([(0, 100)]), by: rules, at: 500_000_000)
        let now: UInt64 = 600_000_000
        #expect(table.charge(checks([(1, 50)]), by: rules, at: now).isAdmitted)
        #expect(table.figures().forgotten == 0)
        for key in 0..<19 { #expect(!table.charge(checks([(1, UInt64(key))]), by: rules, at: now).isAdmitted) }
    }

    @Test func aTableOfOneKeyWorks() {
        let rules = QuotaRules([quota("a", 1, burst: 1)])
        let table = LimitTable(capacity: 1)
        for key in 0..<100 {
            #expect(table.charge(checks([(0, UInt64(key))]), by: rules, at: 0).isAdmitted)
            #expect(!table.charge(checks([(0, UInt64(key))]), by: rules, at: 0).isAdmitted)
        }
        #expect(table.figures().keys == 1 && table.figures().forgotten == 99)
    }

    @Test func whatItForgetsMakesItMilderAndNeverHarder() {
        var seed = Seed.chosen(for: "a table that is too small")
        let rules = QuotaRules([quota("a", 2, burst: 3)])
        let table = LimitTable(capacity: 50)
        var model: [UInt64: Bucket] = [:]
        var now: UInt64 = 0
        var tooHard = 0
        for _ in 0..<20_000 {
            now += UInt64.random(in: 0...20_000_000, using: &seed)
            let key = UInt64.random(in: 0..<200, using: &seed)
            let bucket = model[key] ?? Bucket(rules.quotas[0].rate)
            model[key] = bucket
            if bucket.admits(at: now) && !table.charge(checks([(0, key)]), by: rules, at: now).isAdmitted {
                tooHard += 1
            }
        }
        #expect(tooHard == 0 && table.figures().keys <= 50 && table.figures().forgotten > 0)
    }

    @Test func forgettingOneLosesNoOther() {
        let day = RateLimitSettings(count: 1, perNanoseconds: 86_400_000_000_000, burst: 1)
        let rules = QuotaRules(["a", "never"].map { QuotaSettings(name: $0, per: .caller, rate: day) })
        let table = LimitTable(capacity: 301)
        var known = Set<UInt64>(0..<300)
        for key in known.sorted() { _ = table.charge(checks([(0, key)]), by: rules, at: 0) }
        // A quota that refuses: with it, a question is never a charge.
        let never = checks([(1, 9)])
        _ = table.charge(never, by: rules, at: 0)
        for round in 1...700 {
            let now = UInt64(round) << 22
            _ = table.charge(never, by: rules, at: now)
            let key = 1_000 + UInt64(round)
            #expect(table.charge(checks([(0, key)]), by: rules, at: now).isAdmitted)
            let lost = known.filter { table.charge(checks([(0, $0), (1, 9)]), by: rules, at: now).refusing == 0b10 }
            #expect(lost.count == 1 && table.figures().forgotten == UInt64(round))
            known.subtract(lost)
            known.insert(key)
        }
    }

    @Test func fullShardsOfALargeTableForgetNothingTooEarly() {
        let rules = QuotaRules([quota("a", 1, burst: 1)])
        let table = LimitTable(capacity: 20_000)
        for key in 0..<20_000 { _ = table.charge(checks([(0, UInt64(key))]), by: rules, at: 0) }
        #expect(table.figures().keys == 20_000 && table.figures().forgotten == 0)
    }

    @Test func keysThatAreOverTakeNoRoom() {
        let rules = QuotaRules([quota("a", 1_000, burst: 1)])
        let table = LimitTable(capacity: 1_000_000)
        for key in 0..<100_000 {
            _ = table.charge(checks([(0, UInt64(key))]), by: rules, at: UInt64(key) * 1_000_000)
        }
        #expect(table.figures().bytes <= 64 * 64 * 32)
    }

    @Test func severalThreadsAdmitExactlyTheBurst() async {
        let rules = QuotaRules([quota("a", 1, burst: 1_000), quota("b", 1, burst: 700), quota("c", 1, burst: 900)])
        let table = LimitTable(capacity: 100_000)
        // Threads meet on shared keys in several shards, and each has keys of its own between them.
        let admitted = await withTaskGroup(of: Int.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    (0..<1_000).count { turn in
                        let pair = turn % 2 == 0 ? checks([(0, 1), (1, 1)]) : checks([(1, 1), (2, 1)])
                        _ = table.charge(checks([(0, UInt64(100 + thread * 1_000 + turn))]), by: rules, at: 0)
                        return table.charge(pair, by: rules, at: 0).isAdmitted
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(admitted == 700)
        // All or nothing: what the wide ones admitted is what the narrow one did.
        let left = (0..<2_000).count { _ in table.charge(checks([(0, 1)]), by: rules, at: 0).isAdmitted }
        let others = (0..<2_000).count { _ in table.charge(checks([(2, 1)]), by: rules, at: 0).isAdmitted }
        #expect(left + others == 1_000 + 900 - 700)
    }
}
