// How connections on TLS end: in halves, cut off, refused, late, and with the gateway. An end that is meant has its
// close_notify; one that is not has none.

import TestSupport
import Testing

@Suite struct TLSEndTests {
    /// Whatever comes until the connection's end, and that end.
    private func rest(_ wire: Wire) -> (bytes: [UInt8], end: Wire.Got) {
        var all: [UInt8] = []
        while true {
            let got = wire.receive(within: 10_000)
            guard case .bytes(let bytes) = got else { return (all, got) }
            all += bytes
        }
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func aCallerThatEndsItsHalfGetsItsAnswer(version: PeerVersion) throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try FakeUpstream()))
        let settings = TLSPeerSettings(connectingAs: nil, newest: version)
        for isWhole in [true, false] {
            let caller = try gateway.tlsCaller(settings)
            try caller.send(post("/x", "{}"))
            // With FIN behind it, or close_notify alone.
            if isWhole { try caller.stream.finishSending() } else { caller.stream.peer.close() }
            try caller.stream.flush()
            #expect(try caller.answer().status == 200)
            try caller.reader.expectEnd()
        }
    }

    @Test func aRequestThatIsCutOffIsDropped() throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(TLSListening().setup(upstream))
        for orderly in [true, false] {
            let caller = try gateway.tlsCaller()
            try caller.send("POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{")
            if orderly { try caller.stream.finishSending() } else { caller.stream.wire.finishSending() }
            _ = rest(caller.stream.wire)
        }
        #expect(upstream.connections == 0)
        #expect(try gateway.tlsCaller().ask(post("/x", "{}")).status == 200)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: gateway\r\n\r\n", "\u{16}\u{3}\u{1}\u{0}\u{4}\u{9}\u{0}\u{0}\u{0}",
        "SSH-2.0-OpenSSH_9.9\r\n",
        String(repeating: "\u{0}", count: 100_000),
    ])
    func whatIsNotTLSIsRefused(garbage: String) throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(TLSListening().setup(upstream))
        let wire = try Wire.connect(to: gateway.addresses[0])
        try wire.send(Array(garbage.utf8))
        let (bytes, end) = rest(wire)
        // Nothing, or one alert: fifteen is its type.
        #expect(end == .end && (bytes.isEmpty || bytes.count == 7 && bytes[0] == 0x15), "\(bytes), \(end)")
        #expect(try gateway.tlsCaller().ask(post("/x", "{}")).status == 200)
        #expect(upstream.connections == 1)
    }

    @Test func aHandshakeThatStallsIsLetGo() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try FakeUpstream(), limits: "  head_timeout: 150ms\n"))
        let silent = try Wire.connect(to: gateway.addresses[0])
        let half = TLSWire(try Wire.connect(to: gateway.addresses[0]), TLSPeerSettings(connectingAs: nil))
        try half.wire.send(Array(half.peer.takeOutput().dropLast()))
        #expect(rest(silent) == ([], .end))
        #expect(rest(half.wire).bytes.isEmpty)
        // The handshake is done, and no request comes; or half of one.
        try gateway.tlsCaller().reader.expectEnd()
        let begun = try gateway.tlsCaller()
        try begun.send("POST /x HT")
        #expect(try begun.answer().status == 408)
        try begun.reader.expectEnd()
    }

    @Test func aConnectionWithoutRequestsIsLetGoWithAWord() throws {
        let listening = try TLSListening()
        for limit in ["150ms", "0"] {
            let gateway = try GatewayUnderTest(
                listening.setup(try FakeUpstream(), limits: "  keep_alive: \(limit)\n"))
            let caller = try gateway.tlsCaller()
            #expect(try caller.ask(post("/x", "{}")).status == 200)
            try caller.reader.expectEnd()
        }
    }

    @Test func anAnswerThatBreaksOffHasNoCloseNotify() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{\"half\":")
            conversation.send([UInt8](repeating: 0x61, count: 50_000))
        }
        let caller = try GatewayUnderTest(TLSListening().setup(upstream)).tlsCaller()
        try caller.send(post("/x", "{}"))
        var head = try caller.reader.head()
        #expect(head.status == 200)
        #expect(throws: MessageReader.Problem.self) { try caller.reader.body(of: &head, untilClose: true) }
        #expect(caller.stream.receive() == .reset && !caller.stream.peer.sawClose)
    }

    @Test func aCallerThatTakesNothingIsLetGo() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n")
            conversation.send([UInt8](repeating: 0x61, count: 33_554_432))
        }
        let gateway = try GatewayUnderTest(TLSListening().setup(upstream, limits: "  write_timeout: 200ms\n"))
        let caller = try gateway.tlsCaller(receiveBuffer: 4_096)
        try caller.send(post("/x", "{}"))
        #expect(upstream.waitForFinished(1), "the upstream's connection is given up")
        #expect(throws: MessageReader.Problem.self) { try caller.answer() }
    }

    @Test func aRefusalReachesACallerThatGoesOnSending() throws {
        let gateway = try GatewayUnderTest(TLSListening().setup(try FakeUpstream(), limits: "  max_body: 64KiB\n"))
        let caller = try gateway.tlsCaller()
        try caller.send("POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 1000000\r\n\r\n")
        try caller.stream.send([UInt8](repeating: 0x20, count: 200_000))
        #expect(try caller.answer().status == 413)
        try caller.reader.expectEnd()
    }

    @Test func drainingFinishesWhatIsInFlight() throws {
        let asked = Gate()
        let answer = Gate()
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                asked.open()
                if answer.pass() { conversation.answer() }
            }
        }
        let gateway = try GatewayUnderTest(TLSListening().setup(upstream))
        let stalled = try Wire.connect(to: gateway.addresses[0])
        let idle = try gateway.tlsCaller()
        let caller = try gateway.tlsCaller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        gateway.program.signal(.terminate)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"draining\"") }
        try idle.reader.expectEnd()
        #expect(rest(stalled) == ([], .end))
        answer.open()
        let finished = try caller.answer()
        #expect(finished.status == 200 && finished["Connection"] == "close")
        try caller.reader.expectEnd()
        caller.stream.wire.close()
        #expect(gateway.program.end() == .code(0))
    }
}
