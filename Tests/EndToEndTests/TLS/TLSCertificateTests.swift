// Certificates on TLS listeners: what callers must show, and what a reload puts in place of ours.

import TestSupport
import Testing

@Suite struct TLSCertificateTests {
    /// Asks at once, as callers do in TLS 1.3, where a refusal comes behind the handshake; gives OpenSSL's reason.
    private func refusal(_ gateway: GatewayUnderTest, _ identity: Identity?, _ version: PeerVersion) throws -> Int32 {
        let wire = try Wire.connect(to: gateway.addresses[0])
        let stream = TLSWire(wire, TLSPeerSettings(connectingAs: identity, newest: version))
        do {
            try stream.handshake()
            try stream.send(Array(post("/x", object(of: 4_096)).utf8))
        } catch {
            // TLS 1.2 refuses within the handshake; the alert is read by then, or below.
        }
        if !stream.peer.failed { #expect(stream.receive() == .reset) }
        return stream.peer.reason
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func onlyCallersWithARightCertificateAreServed(version: PeerVersion) throws {
        let upstream = try FakeUpstream()
        let listening = try TLSListening()
        let gateway = try GatewayUnderTest(listening.setup(upstream, asks: "required"))
        // RFC 8446 6.2: certificate_required 116 (before 1.3 handshake_failure 40), certificate_expired 45,
        // unknown_ca 48.
        #expect(try refusal(gateway, nil, version) == (version == .tls13 ? 1116 : 1040))
        #expect(try refusal(gateway, listening.client(lifetime: -60), version) == 1045)
        let stranger = Identity("payouts", use: .client, issuer: Identity("Strangers"))
        #expect(try refusal(gateway, stranger, version) == 1048)
        #expect(upstream.connections == 0)
        let settings = TLSPeerSettings(connectingAs: listening.client(), newest: version)
        let caller = try gateway.tlsCaller(settings)
        for _ in 0..<2 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
    }

    @Test func anOptionalCertificateMayBeMissingButNotWrong() throws {
        let listening = try TLSListening()
        let gateway = try GatewayUnderTest(listening.setup(try FakeUpstream(), asks: "optional"))
        #expect(try gateway.tlsCaller().ask(post("/x", "{}")).status == 200)
        let right = TLSPeerSettings(connectingAs: listening.client())
        #expect(try gateway.tlsCaller(right).ask(post("/x", "{}")).status == 200)
        #expect(try refusal(gateway, listening.client(lifetime: -60), .tls13) == 1045)
    }

    @Test func aReloadTakesUpARenewedCertificate() throws {
        let listening = try TLSListening()
        var setup = listening.setup(try FakeUpstream())
        setup.workers = 2
        let reloadable = try Reloadable(setup)
        let old = try reloadable.gateway.tlsCaller()
        #expect(old.stream.peer.peerName == "first")
        listening.present("second")
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        // Several, since each worker has its own.
        for _ in 0..<8 {
            let caller = try reloadable.gateway.tlsCaller()
            #expect(caller.stream.peer.peerName == "second")
            #expect(try caller.ask(post("/x", "{}")).status == 200)
        }
        #expect(try old.ask(post("/x", "{}")).status == 200, "who was connected stays so")
    }

    @Test func aReloadWithABadCertificateChangesNothing() throws {
        let listening = try TLSListening()
        let setup = listening.setup(try FakeUpstream())
        let reloadable = try Reloadable(setup)
        Identity("other").writeKey(to: listening.folder.path + "/key.pem")
        var line = try reloadable.reload(setup)
        #expect(line.contains("reload refused; nothing changed"))
        #expect(line.contains("TLS of the listener \\\"apps\\\" cannot be set up: the private key does not belong"))
        try listening.folder.write("chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        line = try reloadable.reload(setup)
        #expect(line.contains("the certificate file cannot be read or holds no certificate"))
        let caller = try reloadable.gateway.tlsCaller()
        #expect(caller.stream.peer.peerName == "first")
        #expect(try caller.ask(post("/x", "{}")).status == 200)
    }

    @Test func aReloadAsksForCertificatesAndStops() throws {
        let listening = try TLSListening()
        var setup = listening.setup(try FakeUpstream())
        let reloadable = try Reloadable(setup)
        setup.listeners = listening.listeners(asks: "required")
        try reloadable.reload(setup)
        #expect(try refusal(reloadable.gateway, nil, .tls13) == 1116)
        // And from TLS to none.
        setup.listeners = "  - {name: apps, bind: \"127.0.0.1:0\"}\n"
        try reloadable.reload(setup)
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
    }

    @Test func aStartWithABadKeyIsTold() throws {
        let listening = try TLSListening()
        Identity("other").writeKey(to: listening.folder.path + "/key.pem")
        let folder = try TemporaryFolder()
        let file = try folder.write("bad.yaml", try listening.setup(try FakeUpstream()).text(folder))
        let program = try Program("countersign", ["run", "--config", file])
        #expect(program.end() == .code(1))
        #expect((program.output + program.errors).contains("the private key does not belong to the certificate"))
    }
}
