// The command over real sockets: what it counts, how it ends, and that its latency is free of coordinated omission.
// Relies on the upstream of the other tests, which does what a script says.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct GeneratorTests {
    private func run(_ port: UInt16, _ options: [String]) throws -> [String: Any] {
        let target = ["--target", "http://127.0.0.1:\(port)/x"]
        let said = Data(try Program.run("load-generator", target + options).utf8)
        return try #require(try JSONSerialization.jsonObject(with: said) as? [String: Any])
    }

    private func latency(_ said: [String: Any], _ point: String) throws -> Double {
        let points = try #require(said["latency_us"] as? [String: Double])
        return try #require(points[point])
    }

    /// Milliseconds for which the upstream stalls once.
    private static let stall = 600.0

    @Test func aStallIsInTheLatencyOfAllThatWereDueMeanwhile() throws {
        let upstream = try FakeUpstream { conversation in
            var count = 0
            while conversation.request() != nil {
                count += 1
                // Nobody opens the gate: the thread waits the whole time.
                if count == 100 { Gate().pass(within: Self.stall / 1_000) }
                conversation.answer()
            }
        }
        let options = ["--connections", "1", "--seconds", "2", "--warm-up", "0"]
        // 200 per second: 120 requests are due in the stall. A generator that waits with its next request until it has
        // the last answer would find one slow answer of 400.
        let open = try run(upstream.port, options + ["--rate", "200"])
        #expect(open["requests"] as? Int == 400 && open["errors"] as? Int == 0)
        #expect((open["deepest_queue"] as? Int ?? 0) >= 100)
        #expect(try latency(open, "max") >= Self.stall * 1_000)
        #expect(try latency(open, "p90") >= Self.stall * 1_000 / 3)
        let buckets = try #require(open["histogram_us"] as? [[Double]])
        let slow = buckets.filter { $0[0] >= Self.stall * 500 }.reduce(0) { $0 + $1[1] }
        #expect(slow >= 55, "\(slow) of those due in the first half of the stall")
        let closed = try run(upstream.port, options + ["--closed"])
        #expect(try latency(closed, "max") >= Self.stall * 1_000)
        #expect(try latency(closed, "p90") < Self.stall * 1_000 / 3)
    }

    @Test func everyKeyIsSentOnce() throws {
        let upstream = try FakeUpstream()
        let said = try run(
            upstream.port, ["--rate", "500", "--connections", "4", "--seconds", "1", "--warm-up", "0", "--keys", "k-"])
        let keys = upstream.requests.map { $0["idempotency-key"] }
        #expect(said["answered"] as? Int == 500 && said["sent"] as? Int == 500)
        #expect(keys.count == 500 && Set(keys).count == 500)
        #expect(upstream.requests.allSatisfy { $0.body.count == 215 })
    }

    @Test func aUnixSocketIsATarget() throws {
        let folder = try TemporaryFolder()
        let upstream = try FakeUpstream(.unix(folder.path + "/s"))
        let said = Data(
            try Program.run(
                "load-generator",
                ["--target", "unix:\(folder.path)/s", "--path", "/y", "--closed", "--seconds", "1", "--warm-up", "0"]
            ).utf8)
        let report = try #require(try JSONSerialization.jsonObject(with: said) as? [String: Any])
        #expect((report["answered"] as? Int ?? 0) > 0 && report["errors"] as? Int == 0)
        #expect(upstream.requests.first?.startLine.contains("/y") == true)
    }

    @Test func largeBodiesGoThroughWhole() throws {
        let upstream = try FakeUpstream()
        let said = try run(
            upstream.port,
            ["--rate", "20", "--connections", "3", "--seconds", "1", "--warm-up", "0", "--body-bytes", "1048576"])
        #expect(said["answered"] as? Int == 20 && said["errors"] as? Int == 0)
        #expect(upstream.requests.allSatisfy { $0.body.count == 1_048_576 })
    }

    @Test func answersOtherThan2xxAndBrokenOnesAreErrors() throws {
        let upstream = try FakeUpstream { conversation in
            var count = 0
            while conversation.request() != nil {
                count += 1
                if count == 3 { conversation.answer(status: "503 Service Unavailable") } else { conversation.answer() }
                if count == 6 { return }
            }
        }
        let said = try run(
            upstream.port, ["--rate", "50", "--connections", "1", "--seconds", "1", "--warm-up", "0"])
        let kinds = try #require(said["error_kinds"] as? [String: Int])
        #expect((5...8).contains(kinds["status"] ?? 0), "one of each connection's six")
        #expect((said["reconnects"] as? Int ?? 0) + (kinds["socket"] ?? 0) >= 7)
    }

    @Test func nobodyThereAndAWrongLineHaveStatusesOfTheirOwn() throws {
        let wrong = try Program("load-generator", ["--closed"])
        #expect(wrong.end() == .code(2) && wrong.errors.contains("--target is missing"))
        let folder = try TemporaryFolder()
        let alone = try Program("load-generator", ["--closed", "--target", "unix:\(folder.path)/none"])
        #expect(alone.end() == .code(1) && alone.errors.contains("see that the target listens"))
    }
}
