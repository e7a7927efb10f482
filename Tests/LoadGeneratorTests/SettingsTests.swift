// The command line, the request that comes of it, and the line of JSON. Relies on Foundation's reader of JSON.

import Foundation
import LoadGeneration
import Testing

@Suite struct SettingsTests {
    private static let target = ["--target", "http://127.0.0.1:8080/a/b"]

    @Test func everyOptionIsRead() throws {
        let settings = try GeneratorSettings(
            Self.target + [
                "--rate", "2000", "--connections", "16", "--seconds", "4", "--warm-up", "0", "--body-bytes", "65536",
                "--keys", "k-",
            ])
        #expect(settings.place == .tcp(host: "127.0.0.1", port: 8080) && settings.path == "/a/b")
        #expect(settings.pace == .open(rate: 2_000) && settings.connections == 16 && settings.seconds == 4)
        #expect(settings.warmUp == 0 && settings.bodyBytes == 65_536 && settings.keys == "k-")
        let unix = try GeneratorSettings(["--closed", "--target", "unix:/run/x.sock", "--path", "/p"])
        #expect(unix.place == .unix("/run/x.sock") && unix.path == "/p" && unix.pace == .closed)
        #expect(try GeneratorSettings(["--closed", "--target", "http://127.0.0.1:1"]).path == "/")
    }

    /// Words behind a good target, and a part of what is said of them.
    private static let wrong: [String: String] = [
        "": "--rate N or --closed", "--closed --rate 5": "one of them", "--rate 5 --closed": "one of them",
        "--rate 0": "--rate: a whole number", "--rate 1e3": "--rate: a whole number", "--rate": "a value is missing",
        "--closed --connections 0": "1 to 10000", "--closed --body-bytes 10": "--body-bytes",
        "--closed -x 1": "-x is not",
        "--closed --keys \u{1}": "--keys", "--closed --path a": "--path",
        "--closed --target http://10.0.0.1:80/": "127.0.0.1", "--closed --target https://127.0.0.1:80/": "127.0.0.1",
        "--closed --target http://127.0.0.1/": "PORT", "--closed --target http://127.0.0.1:0/": "PORT",
    ]

    @Test(arguments: wrong.keys.sorted())
    func aWrongLineNamesTheOption(_ line: String) throws {
        let words = Self.target + line.split(separator: " ").map(String.init)
        let problem = #expect(throws: ArgumentProblem.self) { try GeneratorSettings(words) }
        let part = try #require(Self.wrong[line])
        #expect(problem?.message.contains(part) == true, "\(problem?.message ?? "")")
    }

    @Test func aTargetIsNeeded() {
        let problem = #expect(throws: ArgumentProblem.self) { try GeneratorSettings(["--closed"]) }
        #expect(problem?.message.contains("--target is missing") == true)
    }

    @Test(arguments: [RequestTemplate.smallestBody, 215, 65_536])
    func aBodyHasItsSizeAndIsJSON(_ size: Int) throws {
        var template = RequestTemplate(host: "h", path: "/p", bodyBytes: size, keys: "run-")
        template.setNumber(1_234_567_890_123)
        let parts = String(decoding: template.bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        #expect(parts[1].utf8.count == size && parts[0].contains("Content-Length: \(size)"))
        #expect(parts[0].hasPrefix("POST /p HTTP/1.1\r\nHost: h\r\n"))
        #expect(parts[0].contains("Idempotency-Key: run-4567890123\r\n"))
        let body = try #require(try JSONSerialization.jsonObject(with: Data(parts[1].utf8)) as? [String: String])
        #expect(body["idempotent_key"] == "idp-4567890123")
    }

    @Test func withoutKeysAllRequestsAreTheSame() {
        let template = RequestTemplate(host: "h", path: "/", bodyBytes: 215, keys: "")
        var other = template
        other.setNumber(7)
        #expect(template.bytes == other.bytes)
        #expect(!String(decoding: template.bytes, as: UTF8.self).contains("Idempotency-Key"))
    }

    @Test func theReportIsOneLineOfJSON() throws {
        var report = GeneratorReport()
        for value in [1_500, 2_000, 1_000_000] as [UInt64] { report.latency.record(value) }
        report.measured = 2_000_000_000
        report.errors.status = 2
        report.errors.unanswered = 1
        var settings = GeneratorSettings()
        settings.pace = .open(rate: 9)
        let text = report.json(settings)
        #expect(!text.contains("\n"))
        let said = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(said["mode"] as? String == "open" && said["rate"] as? Int == 9 && said["errors"] as? Int == 3)
        #expect(said["requests"] as? Int == 3 && said["microseconds"] as? Int == 2_000_000)
        let latency = try #require(said["latency_us"] as? [String: Double])
        #expect(latency["p50"] == 2.0 && latency["max"] == 1_000)
        let buckets = try #require(said["histogram_us"] as? [[Double]])
        #expect(buckets.map(\.[1]) == [1, 1, 1])
    }
}
