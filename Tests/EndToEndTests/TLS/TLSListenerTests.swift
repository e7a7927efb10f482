// Callers on TLS are served as others are: one after the other, in a row, large, slow, many.

import TestSupport
import Testing

@Suite struct TLSListenerTests {
    /// An upstream that gives back what it got.
    private func echo() throws -> FakeUpstream {
        try FakeUpstream { conversation in
            while let request = conversation.request() { conversation.answer(request.text) }
        }
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func oneConnectionServesManyRequests(version: PeerVersion) throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(TLSListening().setup(upstream))
        let settings = TLSPeerSettings(connectingAs: nil, newest: version, offering: ["h2", "http/1.1"])
        let caller = try gateway.tlsCaller(settings)
        #expect(caller.stream.peer.peerName == "first" && caller.stream.peer.applicationProtocol == "http/1.1")
        for _ in 0..<5 { #expect(try caller.ask(post("/x", "{}")).text == "{\"ok\":true}") }
        #expect(upstream.requests.count == 5 && upstream.connections == 1)
        #expect(!caller.stream.peer.hasTicket)
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func requestsInARowAreAnsweredInTheirOrder() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try echo()))
        let caller = try gateway.tlsCaller()
        let requests = (0..<8).map { post("/x", "{\"n\":\($0)}") }
        // All in one record; then cut where it suits nobody.
        try caller.send(requests.joined())
        for number in 0..<8 { #expect(try caller.answer().text == "{\"n\":\(number)}") }
        let bytes = Array(requests.joined().utf8)
        for start in stride(from: 0, to: bytes.count, by: 37) {
            try caller.stream.send(Array(bytes[start..<min(start + 37, bytes.count)]))
        }
        for number in 0..<8 { #expect(try caller.answer().text == "{\"n\":\(number)}") }
    }

    @Test func aRequestByteByByteIsOne() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try echo()))
        let caller = try gateway.tlsCaller()
        for byte in post("/x", "{\"n\":1}").utf8 { try caller.stream.send([byte]) }
        #expect(try caller.answer().text == "{\"n\":1}")
    }

    @Test func largeBodiesPassBothWays() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try echo(), limits: "  max_body: 2MiB\n"))
        let caller = try gateway.tlsCaller()
        for size in [16_384, 1_048_576, 1_048_577] {
            let body = object(of: size)
            #expect(try caller.ask(post("/x", body)).text == body)
        }
    }

    @Test func aSlowCallerGetsAll() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try echo(), limits: "  max_body: 2MiB\n"))
        let caller = try gateway.tlsCaller(receiveBuffer: 4_096)
        caller.reader.portion = 1_000
        let body = object(of: 1_048_576)
        for _ in 0..<2 { #expect(try caller.ask(post("/x", body)).text == body) }
    }

    @Test func newKeysInTheMidstChangeNothing() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try echo()))
        let caller = try gateway.tlsCaller()
        for _ in 0..<3 {
            caller.stream.peer.updateKeys()
            #expect(try caller.ask(post("/x", "{}")).text == "{}")
        }
    }

    @Test func threeHundredAreServedAtOnce() throws {
        let upstream = try FakeUpstream()
        var setup = try TLSListening().setup(upstream)
        setup.workers = 2
        let gateway = try GatewayUnderTest(setup)
        let settings = TLSPeerSettings(connectingAs: nil)
        let callers = try (0..<300).map { _ in try gateway.tlsCaller(settings) }
        for _ in 0..<2 {
            for caller in callers { try caller.send(post("/x", "{}")) }
            for caller in callers { #expect(try caller.answer().status == 200) }
        }
        #expect(upstream.requests.count == 600)
        #expect(gateway.program.stop() == .code(0))
        for caller in callers { try caller.reader.expectEnd() }
    }

    @Test func aPlainListenerStandsBesideIt() throws {
        let listening = try TLSListening()
        var setup = listening.setup(try FakeUpstream())
        setup.listeners += "  - {name: plain, bind: \"127.0.0.1:0\"}\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.tlsCaller().ask(post("/x", "{}")).status == 200)
        #expect(try Caller(gateway.addresses[1]).ask(post("/x", "{}")).status == 200)
    }
}
