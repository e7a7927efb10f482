// The pacer's laws in random worlds: never above the limits, never below what they allow, fair, and true to its word.

import Policy
import TestSupport
import Testing

@Suite struct PacerPropertyTests {
    private static let second: UInt64 = 1_000_000_000

    private func anySettings(_ seed: inout Seed) -> PaceSettings {
        var settings = PaceSettings()
        settings.rate = RateLimitSettings(
            count: Int.random(in: 1...60, using: &seed), perNanoseconds: 1_000_000_000,
            burst: Int.random(in: 1...8, using: &seed))
        settings.concurrency = Int.random(in: 1...8, using: &seed)
        settings.queue = Int.random(in: 0...30, using: &seed)
        settings.maxWait = Int.random(in: 0...3_000_000_000, using: &seed)
        return settings
    }

    private func anyWorld(cancels: Int, _ seed: inout Seed) -> PaceWorld {
        let habits = (0..<Int.random(in: 1...6, using: &seed)).map { _ in
            let patience = UInt64.random(in: 0...2 * Self.second, using: &seed)
            return PaceWorld.Habit(
                pause: UInt64.random(in: 5_000_000...400_000_000, using: &seed),
                patience: Bool.random(using: &seed) ? patience : nil)
        }
        return PaceWorld(
            anySettings(&seed), habits, service: 1_000_000...UInt64.random(in: 2_000_000...600_000_000, using: &seed),
            cancels: cancels, seed: Seed(seed.next()))
    }

    @Test func neverAboveTheLimitsAndNeverIdleWhileSomebodyWaits() {
        var seed = Seed.chosen(for: "the pacer keeps its limits")
        for _ in 0..<30 {
            var world = anyWorld(cancels: 0, &seed)
            world.run(for: 10 * Self.second)
            #expect(world.faults == [] && world.isAccounted)
            #expect(everyWindowHolds(world.starts.map(\.time), world.pacer.settings.rate))
        }
    }

    @Test func whatIsSentKeepsTheLimitsWhoeverLeaves() {
        var seed = Seed.chosen(for: "callers leave the pacer")
        for _ in 0..<30 {
            var world = anyWorld(cancels: Int.random(in: 1...5, using: &seed), &seed)
            world.run(for: 5 * Self.second)
            #expect(world.faults == [] && world.isAccounted)
            #expect(everyWindowHolds(world.starts.map(\.time), world.pacer.settings.rate))
        }
    }

    @Test func allThatIsAllowedIsUsedWhileThereIsDemand() {
        var seed = Seed.chosen(for: "the pacer's rate is used")
        for (count, period, burst) in [(5, 1_000_000_000, 5), (7, 3_000_000_000, 1), (50, 1_000_000_000, 3)] {
            var settings = PaceSettings()
            settings.rate = RateLimitSettings(count: count, perNanoseconds: period, burst: burst)
            settings.concurrency = 50
            var world = PaceWorld(
                settings, [PaceWorld.Habit(pause: 2_000_000, patience: nil)], service: 1_000_000...20_000_000,
                seed: Seed(seed.next()))
            world.run(for: 3 * Self.second)
            let begun = world.starts.count
            world.run(for: 30 * Self.second)
            let exact = 30 * 1_000_000_000 * count / period
            #expect((exact...exact + 1).contains(world.starts.count - begun))
        }
    }

    private func jain(_ shares: [Int]) -> Double {
        let sum = Double(shares.reduce(0, +))
        return sum * sum / (Double(shares.count) * shares.reduce(0) { $0 + Double($1) * Double($1) })
    }

    @Test(arguments: [(100, 10_000), (1_000, 1_000), (20, 60_000), (100, 60_000)])
    func oneWhoAsksTenTimesAsMuchGetsNoMore(queue: Int, maxWait: Int) {
        let seed = Seed.chosen(for: "fairness")
        var settings = PaceSettings()
        settings.rate = RateLimitSettings(count: 50, perNanoseconds: 1_000_000_000, burst: 5)
        settings.concurrency = 10
        settings.queue = queue
        settings.maxWait = maxWait * 1_000_000
        // Ten callers have 5/s each; nine ask for 6/s, and one for 60/s.
        let habits = (0..<10).map {
            PaceWorld.Habit(pause: $0 == 0 ? 16_666_667 : 166_666_667, patience: nil)
        }
        var world = PaceWorld(settings, habits, service: 50_000_000...150_000_000, seed: seed)
        world.run(for: 60 * Self.second)
        let index = jain(world.served)
        print("fairness, queue \(queue), wait \(maxWait) ms: Jain \(index), served \(world.served)")
        #expect(index > 0.95 && world.faults == [])
        // 95 % of the 3000 that the rate allows in a minute.
        #expect(world.starts.count >= 2_850)
    }

    @Test func callersWithinTheirShareAreNeverRefused() {
        let seed = Seed.chosen(for: "within the share")
        var settings = PaceSettings()
        settings.rate = RateLimitSettings(count: 50, perNanoseconds: 1_000_000_000, burst: 5)
        settings.concurrency = 50
        let habits = (0..<10).map {
            PaceWorld.Habit(pause: $0 == 0 ? 5_000_000 : 300_000_000, patience: nil)
        }
        var world = PaceWorld(settings, habits, service: 1_000_000...50_000_000, seed: seed)
        world.run(for: 30 * Self.second)
        let refused = world.requests.values.filter { $0.end == .refused }
        #expect(!refused.isEmpty && refused.allSatisfy { $0.caller == 0 })
    }

    @Test func whoComesBackWhenToldIsLetIn() {
        var seed = Seed.chosen(for: "Retry-After is true")
        var told = 0
        for _ in 0..<400 {
            var settings = anySettings(&seed)
            let isRateBound = Bool.random(using: &seed)
            if isRateBound { settings.concurrency = 200 } else { settings.rate.count = 1_000_000 }
            if !isRateBound { settings.rate.burst = 1_000_000 }
            let service = UInt64.random(in: 1_000_000...500_000_000, using: &seed)
            var world = PaceWorld(
                settings, [PaceWorld.Habit(pause: 4_000_000, patience: nil)], service: service...service,
                seed: Seed(seed.next()))
            world.run(for: UInt64.random(in: 0...2 * Self.second, using: &seed))
            let patience = UInt64.random(in: 0...2 * Self.second, using: &seed)
            // Before the first has ended, nobody can say how long the others take.
            let hasEnded = world.requests.values.contains { $0.end == .done }
            guard isRateBound || hasEnded, let retryAfter = world.refusal(patience: patience) else { continue }
            told += 1
            world.stopAsking()
            world.run(for: retryAfter)
            #expect(world.refusal(patience: patience) == nil, "\(settings), after \(retryAfter)")
        }
        #expect(told > 50)
    }

    @Test func theRateHoldsWhileTheUpstreamSlowsIt() {
        var seed = Seed.chosen(for: "a slowed pace")
        for _ in 0..<20 {
            var world = anyWorld(cancels: 0, &seed)
            for _ in 0..<6 {
                world.run(for: UInt64.random(in: 0...3 * Self.second, using: &seed))
                world.upstreamAsked(wait: UInt64.random(in: 0...2 * Self.second, using: &seed))
            }
            #expect(world.faults.allSatisfy { $0 == "somebody waits for nothing" } && world.isAccounted)
            #expect(everyWindowHolds(world.starts.map(\.time), world.pacer.settings.rate))
        }
    }

    @Test func aYearOfTheDefaultPaceDoesNotDrift() {
        var settings = PaceSettings()
        // A rate for which a year is short, with an interval that is no whole number of nanoseconds.
        settings.rate = RateLimitSettings(count: 7, perNanoseconds: 3_600_000_000_000, burst: 1)
        settings.maxWait = 600_000_000_000
        var pacer = Pacer(settings)
        var notices: [PaceNotice] = []
        var now: UInt64 = 0
        var number: UInt64 = 0
        var started = 0
        let year: UInt64 = 365 * 86_400 * Self.second
        while now < year {
            number += 1
            let ticket = PaceTicket(worker: 0, number: number)
            if pacer.ask(ticket, caller: 1, now: now, deadline: .max) == .wait {
                guard let wake = pacer.nextWake(now: now) else { break }
                now = wake
                pacer.tick(now: now, into: &notices)
            }
            started += 1
            pacer.finished(ticket, now: now)
        }
        #expect(started == 365 * 24 * 7 + 1 && notices.count == started - 1)
    }
}
