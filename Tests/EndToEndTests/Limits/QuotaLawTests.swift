// The laws of rate limiting, measured from outside at 10/s with a burst of 5: burst, sustained overload, every window,
// within the rate, refill after a rest, Retry-After, refused means not sent, and a wall clock that jumps.
// Relies on QuotaLoad, whose bounds hold on a machine of any speed.

import Foundation
import TestSupport
import Testing

@Suite struct QuotaLawTests {
    private static let rate = 10.0
    private static let burst = 5

    private func start(_ quota: String = "rate: 10/s, burst: 5") throws -> (GatewayUnderTest, FakeUpstream) {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.quotas = "  - {name: all, per: [], \(quota)}\n"
        return (try GatewayUnderTest(setup), upstream)
    }

    @Test func aBurstPassesAndNoMoreAndWhatIsRefusedIsNotSent() throws {
        let (gateway, upstream) = try start()
        let load = try QuotaLoad(try gateway.caller(), count: 107)
        #expect(load.expected(Self.rate, burst: Self.burst).contains(load.passed.count))
        #expect(load.isWithin(Self.rate, burst: Self.burst))
        #expect(load.trials.prefix(Self.burst).allSatisfy { $0.passed })
        load.checkRefusals()
        #expect(upstream.requests.count == load.passed.count)
    }

    @Test func underThreeTimesTheRateExactlyTheRatePasses() throws {
        let (gateway, upstream) = try start()
        let load = try QuotaLoad(try gateway.caller(), count: 75, every: 1 / (3 * Self.rate))
        #expect(load.expected(Self.rate, burst: Self.burst).contains(load.passed.count), "\(load.duration) s")
        #expect(load.isWithin(Self.rate, burst: Self.burst))
        load.checkRefusals()
        #expect(upstream.requests.count == load.passed.count)
    }

    @Test func withinTheRateNobodyIsRefused() throws {
        let (gateway, _) = try start()
        let load = try QuotaLoad(try gateway.caller(), count: 19, every: 1 / (0.95 * Self.rate))
        #expect(load.refused.isEmpty)
    }

    @Test func afterARestTheWholeBurstIsThereAndNoMore() throws {
        let (gateway, _) = try start()
        let caller = try gateway.caller()
        #expect(try QuotaLoad(caller, count: 20).refused.count > 0)
        for rest in [Double(Self.burst) / Self.rate, 1.0] {
            letPass(rest)
            let load = try QuotaLoad(caller, count: 20)
            #expect(load.expected(Self.rate, burst: Self.burst).contains(load.passed.count))
            #expect(load.trials.prefix(Self.burst).allSatisfy { $0.passed })
        }
    }

    /// At a rate that makes the wait longer than a second: no sooner, and at most a second later than need be.
    @Test func whoWaitsAsLongAsRetryAfterSaysIsAdmitted() throws {
        let (gateway, _) = try start("rate: 40/m, burst: 1")
        let caller = try gateway.caller()
        let begin = ContinuousClock.now
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        let refused = try caller.ask(post("/x", "{}"))
        let wait = try #require(refused["Retry-After"].flatMap { Int($0) })
        // 1.5 s less what has passed, rounded up.
        #expect(wait <= 2 && Double(wait) >= 1.5 - seconds(since: begin))
        letPass(Double(wait))
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        // Refusals are not counted: asking again and again makes nobody wait longer.
        for _ in 0..<20 { #expect(try caller.ask(post("/x", "{}")).status == 429) }
        letPass(1.5)
        #expect(try caller.ask(post("/x", "{}")).status == 200)
    }

    /// Relies on libfaketime (Debian: faketime), which leaves the monotonic clock alone.
    @Test func aWallClockThatJumpsChangesNothing() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib")
        let candidates = folders.map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        let library = try #require(candidates.first { FileManager.default.fileExists(atPath: $0) }, "install faketime")
        let folder = try TemporaryFolder()
        let clock = try folder.write("clock", "+0\n")
        let environment = [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        ]
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.quotas = "  - {name: all, per: [], rate: 10/s, burst: 5}\n"
        let gateway = try GatewayUnderTest(setup, environment: environment)
        let caller = try gateway.caller()
        #expect(try QuotaLoad(caller, count: 20).refused.count > 0)
        for jump in [3_600, -3_600, 0] {
            try folder.write("clock", "\(jump < 0 ? "" : "+")\(jump)\n")
            letPass(1)
            let load = try QuotaLoad(caller, count: 20, every: 0.025)
            #expect(load.expected(Self.rate, burst: Self.burst).contains(load.passed.count), "after \(jump) s")
            load.checkRefusals()
            #expect(load.refused.allSatisfy { $0.answer["Retry-After"] == "1" })
        }
    }
}
