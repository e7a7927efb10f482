// Upstream certificates: the right one is accepted; every other is refused with a clear 502, and no request is sent.

import TestSupport
import Testing

@Suite struct CertificateTests {
    /// A sandbox with one of the test pairs, and a setup that trusts their authority.
    private func sandbox(_ pair: String, _ folder: TemporaryFolder) throws -> (Sandbox, Setup) {
        _ = try Program.run("ingo-sandbox", ["--make-test-certificates", folder.path])
        let sandbox = try Sandbox(
            "--certificate", "\(folder.path)/\(pair).pem", "--key", "\(folder.path)/\(pair).key")
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        setup.upstreams.append(folder)
        setup.upstream = "    tls: {ca_file: \"\(folder.path)/ca.pem\"}\n"
        return (sandbox, setup)
    }

    @Test func theRightOneIsAccepted() throws {
        let (sandbox, setup) = try sandbox("good", try TemporaryFolder())
        let answer = try GatewayUnderTest(setup).ask(post("/balance/user", "{\"user_id\":\"nobody\"}"))
        #expect(answer.json["status"] as? String == "error" && answer["Proxy-Status"] == nil)
        #expect(try sandbox.counts().verified == 1)
    }

    @Test(arguments: ["expired", "wrong-host", "unknown-ca"])
    func othersAreRefused(_ pair: String) throws {
        let (sandbox, setup) = try sandbox(pair, try TemporaryFolder())
        let caller = try GatewayUnderTest(setup).caller()
        for _ in 0..<2 {
            let answer = try caller.ask(post("/balance/user", "{}"))
            #expect(answer.status == 502)
            #expect(answer["Proxy-Status"] == "countersign; error=tls_certificate_error; sent=?0")
            #expect(answer.json["sent"] as? Bool == false)
        }
        #expect(try sandbox.counts().requests == 0)
    }

    @Test func aCertificateForAnotherNameIsRefused() throws {
        var (sandbox, setup) = try sandbox("good", try TemporaryFolder())
        setup.upstream = setup.upstream.replacing("}", with: ", server_name: bank.example}")
        let answer = try GatewayUnderTest(setup).ask(post("/balance/user", "{}"))
        #expect(answer["Proxy-Status"] == "countersign; error=tls_certificate_error; sent=?0")
        #expect(try sandbox.counts().requests == 0)
    }

    @Test func anUpstreamWithoutTLSIsTold() throws {
        let folder = try TemporaryFolder()
        let (_, trusting) = try sandbox("good", folder)
        let plain = try FakeUpstream { conversation in
            _ = conversation.wire.receive()
            conversation.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        var setup = trusting
        setup.url = "https://127.0.0.1:\(plain.port)"
        setup.upstreams = [plain]
        let answer = try GatewayUnderTest(setup).ask(post("/x", "{}"))
        #expect(answer.status == 502)
        #expect(answer["Proxy-Status"] == "countersign; error=tls_protocol_error; sent=?0")
    }
}
