// `countersign health`: by configuration, by address, with and without a gateway behind it.
// Relies on AdminUnderTest for a gateway whose port is known.

import Foundation
import TestSupport
import Testing

@Suite struct HealthCommandTests {
    private func health(_ arguments: String...) throws -> (end: ProgramEnd?, out: String, errors: String) {
        let program = try Program("countersign", ["health"] + arguments)
        let end = program.end()
        return (end, program.output, program.errors)
    }

    @Test func aGatewayThatLivesIsHealthy() throws {
        let admin = try AdminUnderTest(Setup(try FakeUpstream()))
        guard case .ipv4(let port) = admin.address else { throw SupportFailure("a TCP address") }
        for url in ["http://127.0.0.1:\(port)", "http://127.0.0.1:\(port)/", "http://localhost:\(port)"] {
            let told = try health("--url", url)
            #expect(told.end == .code(0) && told.out == "healthy\n" && told.errors.isEmpty, "\(url)")
        }
        #expect(try health("--url", "http://127.0.0.1:\(port)", "--ready").out == "ready\n")
        #expect(admin.gateway.program.stop() == .code(0))
        let gone = try health("--url", "http://127.0.0.1:\(port)")
        #expect(gone.end == .code(1) && gone.errors.contains("cannot be reached"))
    }

    @Test func theConfigurationSaysWhereItIs() throws {
        let folder = try TemporaryFolder()
        let text = try Setup(try FakeUpstream()).text(folder)
        let path = folder.path + "/admin.sock"
        let file = try folder.write("c.yaml", text + "admin: {bind: \"unix:\(path)\"}\n")
        #expect(try health("--config", file).end == .code(1))
        let gateway = try Program("countersign", ["run", "--config", file])
        _ = try gateway.line(of: .errors) { $0.contains("\"ready\"") }
        #expect(try health("--config", file).end == .code(0))
        #expect(try health("--config", file, "--ready").end == .code(0))
        #expect(try health("--url", "unix:" + path).end == .code(0))
        #expect(gateway.stop() == .code(0))
        let without = try folder.write("without.yaml", text)
        let told = try health("--config", without)
        #expect(told.end == .code(1) && told.errors.contains("has no admin listener"))
        let bad = try folder.write("bad.yaml", "listeners: 1\n")
        #expect(try health("--config", bad).end == .code(1))
    }

    @Test func notReadyIsNotHealthyEnough() throws {
        let folder = try TemporaryFolder()
        var setup = Setup(try FakeUpstream(), .sqlite)
        setup.store?.path = folder.path + "/keys.db"
        let owner = try AdminUnderTest(setup)
        _ = try owner.readiness(200)
        let second = try AdminUnderTest(setup)
        _ = try second.readiness(503, reason: "store: locked")
        guard case .ipv4(let port) = second.address else { throw SupportFailure("a TCP address") }
        let told = try health("--url", "http://127.0.0.1:\(port)", "--ready")
        #expect(told.end == .code(1) && told.errors.contains("store: locked"))
        #expect(try health("--url", "http://127.0.0.1:\(port)").end == .code(0))
    }

    @Test(arguments: [
        "127.0.0.1:9901", "https://127.0.0.1:9901", "http://127.0.0.1", "http://example.com:9901", "http://:9901",
        "http://127.0.0.1:0", "http://127.0.0.1:9901/metrics", "unix:admin.sock",
    ])
    func anAddressThatIsNoneIsWrongUsage(_ url: String) throws { #expect(try health("--url", url).end == .code(2)) }

    @Test func whoeverAnswersSomethingElseIsNotHealthy() throws {
        let upstream = try FakeUpstream { conversation in
            if conversation.number == 0 { conversation.send("SSH-2.0-none\r\n\r\n") }
            if conversation.request() != nil { conversation.answer(status: "404 Not Found") }
        }
        #expect(try health("--url", "http://127.0.0.1:\(upstream.port)").end == .code(1))
        let told = try health("--url", "http://127.0.0.1:\(upstream.port)")
        #expect(told.end == .code(1) && told.errors.contains("404"))
    }

    /// It gives up by itself.
    @Test func whoeverDoesNotAnswerIsNotHealthy() throws {
        let mute = try FakeUpstream { conversation in while conversation.request() != nil {} }
        let told = try health("--url", "http://127.0.0.1:\(mute.port)")
        #expect(told.end == .code(1) && told.errors.contains("did not answer within 5 s"))
    }
}
