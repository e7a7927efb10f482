// `doctor`: what it finds, what it says to mend, and its status.
// Relies on the sandbox for an upstream over TLS. Nothing outside of this machine is asked.

import Foundation
import TestSupport
import Testing

@Suite struct DoctorTests {
    private struct Report: Decodable {
        struct Finding: Decodable {
            let level: String
            let check: String
            let subject: String
            let text: String
            let remedy: String
        }
        let ok: Bool
        let findings: [Finding]

        /// The level of the first finding of a kind, and its text.
        func find(_ check: String, _ subject: String = "") -> (level: String, text: String)? {
            findings.first { $0.check == check && (subject.isEmpty || $0.subject == subject) }
                .map { ($0.level, $0.text) }
        }
    }

    /// Runs doctor; its report and its status.
    private func run(_ setup: Setup, _ folder: TemporaryFolder) throws -> (Report, ProgramEnd?) {
        let file = try folder.write("c.yaml", try setup.text(folder))
        let program = try Program("countersign", ["doctor", "--json", "--config", file])
        let end = program.end()
        #expect(!(program.output + program.errors).contains(setup.secret))
        let report = try JSONDecoder().decode(Report.self, from: Data(program.output.utf8))
        for finding in report.findings { #expect((finding.level == "ok") == finding.remedy.isEmpty) }
        #expect(report.ok == (end == .code(0)))
        return (report, end)
    }

    /// An upstream whose clock differs by so many seconds.
    private func upstream(_ skew: TimeInterval) throws -> FakeUpstream {
        try FakeUpstream { conversation in
            while let request = conversation.request() {
                guard request.startLine == "HEAD / HTTP/1.1", request["Authorization"] == nil else { return }
                let format = DateFormatter()
                format.locale = Locale(identifier: "en_US_POSIX")
                format.timeZone = TimeZone(secondsFromGMT: 0)
                format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
                let date = format.string(from: Date(timeIntervalSinceNow: skew))
                conversation.send("HTTP/1.1 404 Not Found\r\nDate: \(date)\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    @Test func aMachineInOrderHasNothingToMend() throws {
        let sandbox = try Sandbox()
        let folder = try TemporaryFolder()
        var setup = sandbox.setup()
        setup.store = StoreSetup(.sqlite)
        let (report, end) = try run(setup, folder)
        #expect(end == .code(0))
        #expect(report.find("tls", "up")?.text.hasPrefix("verified for 127.0.0.1") == true)
        #expect(report.find("connect", "up")?.level == "ok" && report.find("store", folder.path)?.level == "ok")
        #expect(report.find("file", folder.path + "/hmac")?.level == "ok")
        #expect(report.find("kernel", "seccomp") != nil && report.find("kernel", "landlock") != nil)
        #expect(report.find("limit", "nofile") != nil && report.find("limit", "memlock") != nil)
        #expect(report.find("user") != nil)
    }

    @Test(arguments: [(0.0, "ok"), (100, "warn"), (-100, "warn"), (400, "fail"), (-400, "fail")])
    func theClockIsComparedWithTheUpstreams(_ skew: TimeInterval, _ level: String) throws {
        let (report, end) = try run(Setup(try upstream(skew)), try TemporaryFolder())
        #expect(report.find("clock", "up")?.level == level)
        #expect(end == .code(level == "fail" ? 1 : 0))
    }

    @Test func anUpstreamThatIsNotThereIsAFailure() throws {
        let free = try FakeUpstream()
        free.stop()
        let (report, end) = try run(Setup(free), try TemporaryFolder())
        #expect(end == .code(1) && report.find("connect", "up")?.level == "fail")
        let (second, _) = try run(Setup(url: "https://no-such-host.invalid"), try TemporaryFolder())
        #expect(second.find("name", "up")?.level == "fail")
    }

    @Test func aCertificateThatIsNotTrustedIsAFailure() throws {
        let sandbox = try Sandbox()
        let other = try Sandbox()
        var setup = sandbox.setup()
        setup.upstream = other.trust
        let (report, end) = try run(setup, try TemporaryFolder())
        #expect(end == .code(1) && report.find("tls", "up")?.level == "fail")
    }

    @Test func rightsOfFilesAreLookedAt() throws {
        let folder = try TemporaryFolder()
        var setup = Setup(try upstream(0), .sqlite)
        setup.store?.path = folder.path + "/open/keys.db"
        try FileManager.default.createDirectory(
            atPath: folder.path + "/open", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o777])
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path + "/open")
        try folder.write("c.yaml", "")
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: folder.path + "/c.yaml")
        let text = try setup.text(folder)
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/c.yaml"))
        let program = try Program("countersign", ["doctor", "--config", folder.path + "/c.yaml"])
        #expect(program.end() == .code(1))
        #expect(program.output.contains("c.yaml: may be written by others. Run chmod go-w on it."))
        #expect(program.output.contains("/open: others may replace what is in it. Run chmod o-w on it."))
    }

    @Test func unknownOutcomesAreCounted() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        #expect(try gateway.ask(post("/x", "{\"key\":\"lost-1\"}")).status == 502)
        #expect(gateway.program.stop() == .code(0))
        let program = try Program("countersign", ["doctor", "--config", fixture.config])
        #expect(program.end() == .code(0), "\(program.output)")
        #expect(program.output.contains("1 keys have an unknown outcome. Settle them: countersign keys list"))
    }

    @Test func aBadConfigurationIsSaid() throws {
        let file = try TemporaryFolder().write("c.yaml", "listeners: []\n")
        #expect(try Program("countersign", ["doctor", "--config", file]).end() == .code(78))
    }
}
