// Upstreams that refuse, stall, drip, reset, and close in the middle, and names that are not known: what the caller is
// told, what was sent, and that the gateway is well afterwards. What is cut over TLS is in Hostile/CutTLSTests.

import TestSupport
import Testing

@Suite struct UpstreamFaultTests {
    private func setup(_ upstream: FakeUpstream, timeouts: String) -> Setup {
        var setup = Setup(upstream)
        setup.upstream = "    timeouts: {\(timeouts)}\n"
        return setup
    }

    /// Sends the bytes one by one, so far apart, while the other side stays.
    private static func drip(_ text: String, every milliseconds: Int, _ conversation: Conversation) {
        for byte in Array(text.utf8) {
            conversation.send([byte])
            if conversation.wire.isReadable(within: milliseconds) { return }
        }
    }

    @Test func anUpstreamThatComesBackIsUsed() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        let listener = try WireListener(.ipv4(0))
        setup.url = "http://127.0.0.1:\(listener.port)"
        let gateway = try GatewayUnderTest(setup)
        listener.stop()
        for _ in 0..<3 {
            let answer = try gateway.ask(post("/x", "{}"))
            #expect(answer.status == 502)
            #expect(answer["Proxy-Status"] == "countersign; error=connection_refused; sent=?0")
        }
        let back = try FakeUpstream(.ipv4(listener.port))
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(back.requests.count == 1)
    }

    /// Slow, but each part in time: the answer is whole.
    @Test func anAnswerThatDripsIsGivenAsItComes() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
                Self.drip("\"0123456789\"", every: 60, conversation)
            }
        }
        let caller = try GatewayUnderTest(setup(upstream, timeouts: "idle: 500ms")).caller()
        #expect(try caller.ask(post("/x", "{}")).text == "\"0123456789\"")
    }

    @Test func anAnswerThatDripsForTooLongIsBrokenOff() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
            Self.drip(object(of: 5_000), every: 20, conversation)
        }
        let caller = try GatewayUnderTest(setup(upstream, timeouts: "idle: 300ms, total: 600ms")).caller()
        try caller.send(post("/x", "{}"))
        var head = try caller.reader.head()
        #expect(throws: MessageReader.Problem.self) { try caller.reader.body(of: &head, untilClose: true) }
        #expect(upstream.waitForFinished(1), "the upstream's connection is given up")
    }

    /// The first byte's limit holds for the whole head.
    @Test func aHeadThatDripsIsNoAnswer() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            Self.drip("HTTP/1.1 200 OK\r\nX-Long: " + object(of: 2_000), every: 20, conversation)
        }
        let gateway = try GatewayUnderTest(setup(upstream, timeouts: "idle: 200ms, first_byte: 400ms"))
        let answer = try gateway.ask(post("/x", "{}"))
        #expect(answer.status == 504)
        #expect(answer["Proxy-Status"] == "countersign; error=http_response_timeout; sent=?1; outcome=unknown")
        #expect(upstream.waitForFinished(1))
    }

    private static let heads = ["", "HTTP", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 103 Early Hints\r\n\r\n"]

    @Test(arguments: heads, [true, false])
    func anAnswerThatEndsInItsHeadIsLost(_ part: String, _ byReset: Bool) throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send(part)
            if byReset { conversation.wire.reset() }
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for _ in 0..<3 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 502)
            #expect(answer["Proxy-Status"] == "countersign; error=connection_terminated; sent=?1; outcome=unknown")
        }
        #expect(upstream.requests.count == 3 && upstream.connections == 3, "never sent twice")
    }

    private static let bodies = [
        "Content-Length: 100\r\n\r\n{\"half\":", "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"half\":\r\n",
        "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"ha", "\r\n{\"half\":",
    ]

    @Test(arguments: bodies)
    func aResetInTheBodyIsSeen(_ part: String) throws {
        let taken = Gate()
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\n" + part)
            taken.pass()
            conversation.wire.reset()
        }
        let gateway = try GatewayUnderTest(Setup(upstream))
        for _ in 0..<3 {
            let caller = try gateway.caller()
            try caller.send(post("/x", "{}"))
            var head = try caller.reader.head()
            taken.open()
            #expect(throws: MessageReader.Problem.self) { try caller.reader.body(of: &head, untilClose: true) }
        }
        #expect(upstream.requests.count == 3)
    }

    private static let whollyUnsent = [
        "Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"half\":\r\n",
        "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"half\":\r\nno chunk\r\n",
    ]

    /// Where the caller has no byte of a broken answer, it is told in place of it what is known.
    @Test(arguments: whollyUnsent)
    func anAnswerThatBreaksBeforeItsFirstByteIsReplaced(_ part: String) throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\n" + part)
        }
        let gateway = try GatewayUnderTest(Setup(upstream))
        var replaced = 0
        for _ in 0..<40 {
            let caller = try gateway.caller()
            try caller.send(post("/x", "{}"))
            // The head may come first, in a packet of its own, and is passed on; then the answer is visibly broken.
            guard let answer = try? caller.answer() else { continue }
            let error = part.hasSuffix("no chunk\r\n") ? "http_protocol_error" : "http_response_incomplete"
            #expect(answer["Proxy-Status"] == "countersign; error=\(error); sent=?1; outcome=unknown")
            replaced += 1
        }
        #expect(replaced > 0)
    }

    private static let handshakes: [(name: String, bytes: [UInt8], resets: Bool)] = [
        ("alert", [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28], false),
        ("warning", [0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00], false),
        ("half a record", [0x16, 0x03, 0x03, 0x00, 0x7A, 0x02, 0x00], false),
        ("a record that is too long", [0x16, 0x03, 0x03, 0xFF, 0xFF, 0x02, 0x00], false),
        ("end", [], false),
        ("reset", [], true),
    ]

    @Test(arguments: handshakes.indices)
    func aHandshakeThatBreaksSendsNothing(_ row: Int) throws {
        let (name, bytes, resets) = Self.handshakes[row]
        let broken = try FakeUpstream { conversation in
            _ = conversation.wire.receive()
            conversation.send(bytes)
            if resets { conversation.wire.reset() }
        }
        let sandbox = try Sandbox()
        var setup = sandbox.setup()
        setup.url = "https://127.0.0.1:\(broken.port)"
        let caller = try GatewayUnderTest(setup).caller()
        for _ in 0..<2 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 502, "\(name)")
            #expect(answer["Proxy-Status"] == "countersign; error=tls_protocol_error; sent=?0", "\(name)")
        }
    }

    @Test func aNameThatIsNotKnownSendsNothing() throws {
        var setup = Setup(url: "http://no-such-host.invalid:1")
        setup.upstream = "    plain: true\n    timeouts: {connect: 10s}\n"
        let caller = try GatewayUnderTest(setup).caller()
        for _ in 0..<2 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 502)
            #expect(answer["Proxy-Status"] == "countersign; error=dns_error; sent=?0")
        }
    }

    /// A name with two addresses of which one is dead is as good as one that is alive, whichever is first.
    @Test func aNameWithADeadAddressIsServedByTheOther() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.url = "http://localhost:\(upstream.port)"
        setup.upstream = "    connections: {keep_alive: 0}\n"
        let gateway = try GatewayUnderTest(setup)
        for _ in 0..<6 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
        #expect(upstream.requests.count == 6)
    }
}
