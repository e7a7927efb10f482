// TLS to an upstream: whom it trusts, what it refuses, how it ends, what it resumes.

import Net
import TestSupport
import Testing

/// An authority with its file, and a peer that presents `identity`.
private struct Authority {
    let identity = Identity("Test Authority")
    let file = TemporaryFile("ca.pem")

    init() { identity.write(to: file.path) }

    func issue(_ alternative: String, lifetime: Int = 3600) -> Identity {
        Identity("leaf", alternative: alternative, lifetime: lifetime, issuer: identity)
    }

    func context(_ name: String = "upstream.test") throws -> TLSClientContext {
        try TLSClientContext(caFile: file.path, serverName: name)
    }
}

/// A TLS stream over one end of a pair and the scripted peer at the other.
private struct Conversation: ~Copyable {
    var pair: Pair
    var stream: TLSStream
    let peer: TLSPeer
    /// How many bytes the peer sends per write; 0 for all at once.
    var dribble = 0

    init(_ context: TLSClientContext, _ settings: TLSPeerSettings) throws {
        var pair = try Pair()
        stream = try TLSStream(context: context, socket: pair.near.take()!)
        self.pair = consume pair
        peer = TLSPeer(settings)
    }

    /// Takes what we wrote to the peer.
    mutating func feedPeer() throws {
        let (result, some) = pair.far!.readSome(1 << 20)
        if result == .wouldBlock { try pair.loop.wait(2, for: .readable) }
        peer.feed(some)
    }

    /// Sends what the peer wants to say.
    mutating func deliver() throws {
        let output = peer.takeOutput()
        if dribble == 0 {
            if !output.isEmpty { _ = pair.far!.send(output) }
        } else {
            for byte in output {
                _ = pair.far!.send([byte])
                try pair.loop.wait(1, for: .readable)
                early.append(stream.readSome(64).0)
            }
        }
    }
    /// Results of reads between dribbled bytes.
    var early: [IOResult] = []

    mutating func handshake() throws -> HandshakeResult {
        for _ in 0..<100 {
            let result = stream.handshake()
            if result == .done && !peer.isReady {
                try feedPeer()
                continue
            }
            guard result == .wantRead else { return result }
            try feedPeer()
            let output = peer.takeOutput()
            if output.isEmpty { continue }
            if dribble > 0 {
                for byte in output.dropLast() {
                    _ = pair.far!.send([byte])
                    try pair.loop.wait(1, for: .readable)
                    #expect(stream.handshake() == .wantRead)
                }
                _ = pair.far!.send([output.last!])
            } else {
                _ = pair.far!.send(output)
            }
            try pair.loop.wait(1, for: .readable)
        }
        return .wantRead
    }

    /// Reads until `count` bytes came, or the stream ended.
    mutating func read(_ count: Int) throws -> ([UInt8], IOResult) {
        var all: [UInt8] = []
        while all.count < count {
            let (result, some) = stream.readSome(65536)
            switch result {
            case .bytes: all += some
            case .wouldBlock: try pair.loop.wait(1, for: .readable)
            case .end, .truncated, .failed, .tlsFailed: return (all, result)
            }
        }
        return (all, .bytes(all.count))
    }

    /// Feeds the peer until it received `count` bytes.
    mutating func peerReceives(_ count: Int) throws {
        while peer.received.count < count { try feedPeer() }
    }
}

extension TLSStream {
    fileprivate func readSome(_ size: Int) -> (IOResult, [UInt8]) {
        var room = bytes(size, 0)
        var span = room.mutableSpan
        let result = read(into: &span)
        if case .bytes(let count) = result { return (result, Array(room[..<count])) }
        return (result, [])
    }

    fileprivate func send(_ first: [UInt8], _ second: [UInt8] = []) -> IOResult {
        second.isEmpty ? write(first.span) : write(first.span, second.span)
    }
}

@Suite struct TLSTests {
    private let authority = Authority()

    private func outcome(
        of identity: Identity, named name: String = "upstream.test", newest: PeerVersion? = nil
    ) throws -> HandshakeResult {
        var talk = try Conversation(
            authority.context(name), TLSPeerSettings(identity, newest: newest))
        return try talk.handshake()
    }

    @Test func aGoodCertificateIsAccepted() throws {
        let identity = authority.issue("DNS:upstream.test")
        #expect(try outcome(of: identity) == .done)
        #expect(try outcome(of: identity, newest: .tls12) == .done)
        let wildcard = authority.issue("DNS:*.upstream.test")
        #expect(try outcome(of: wildcard, named: "api.upstream.test") == .done)
        #expect(try outcome(of: wildcard, named: "a.b.upstream.test") == .failed(.wrongHost))
        #expect(try outcome(of: authority.issue("IP:127.0.0.1"), named: "127.0.0.1") == .done)
        #expect(try outcome(of: authority.issue("IP:0:0:0:0:0:0:0:1"), named: "::1") == .done)
    }

    @Test func badCertificatesAreRefusedByTheirNames() throws {
        let wrong = authority.issue("DNS:other.test")
        #expect(try outcome(of: wrong) == .failed(.wrongHost))
        #expect(try outcome(of: authority.issue("IP:127.0.0.2"), named: "127.0.0.1") == .failed(.wrongHost))
        #expect(try outcome(of: authority.issue("DNS:127.0.0.1"), named: "127.0.0.1") == .failed(.wrongHost))
        #expect(try outcome(of: authority.issue("DNS:up*.test")) == .failed(.wrongHost))
        let expired = authority.issue("DNS:upstream.test", lifetime: -60)
        #expect(try outcome(of: expired) == .failed(.certificateExpired))
        let stranger = Identity("Test Authority")
        let unknown = Identity("leaf", alternative: "DNS:upstream.test", issuer: stranger)
        #expect(try outcome(of: unknown) == .failed(.unknownAuthority))
        let alone = Identity("leaf", alternative: "DNS:upstream.test")
        #expect(try outcome(of: alone) == .failed(.unknownAuthority))
    }

    @Test func theOldestVersionIsTLS12() throws {
        let identity = authority.issue("DNS:upstream.test")
        #expect(try outcome(of: identity, newest: .tls11) == .failed(.protocolVersion))
    }

    @Test func settingsThatCannotVerifyAreRefused() {
        #expect(throws: TLSProblem.authorityFile) {
            try TLSClientContext(caFile: "/nonexistent/ca.pem", serverName: "a.test")
        }
        #expect(throws: TLSProblem.serverName) { try TLSClientContext(caFile: nil, serverName: "") }
        #expect(throws: TLSProblem.serverName) { try TLSClientContext(caFile: nil, serverName: "a\u{0}b") }
    }

    @Test func whatIsNotTLSIsRefused() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(talk.stream.handshake() == .wantRead)
        _ = talk.pair.far!.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        try talk.pair.loop.wait(1, for: .readable)
        guard case .failed(.handshakeFailed) = talk.stream.handshake() else {
            Issue.record("the handshake went on")
            return
        }
    }

    @Test func aProtocolThatWasNotOfferedIsRefused() throws {
        let settings = TLSPeerSettings(authority.issue("DNS:upstream.test"), alpn: "h2")
        var talk = try Conversation(authority.context(), settings)
        guard case .failed = try talk.handshake() else {
            Issue.record("h2 was taken")
            return
        }
    }

    @Test func aPeerThatLeavesDuringTheHandshakeIsNamed() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(talk.stream.handshake() == .wantRead)
        talk.pair.far!.shutdownWriting()
        try talk.pair.loop.wait(1, for: [.readable, .closedForReading])
        #expect(talk.stream.handshake() == .failed(.closedDuringHandshake))
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func theSecondConnectionResumes(version: PeerVersion) throws {
        let context = try authority.context()
        let settings = TLSPeerSettings(authority.issue("DNS:upstream.test"), newest: version)
        for round in 0..<3 {
            var talk = try Conversation(context, settings)
            #expect(try talk.handshake() == .done)
            #expect(talk.stream.version == (version == .tls13 ? .tls13 : .tls12))
            #expect(talk.stream.isResumed == (round > 0))
            #expect(talk.stream.send([1, 2, 3]) == .bytes(3))
            try talk.peerReceives(3)
            talk.peer.send([4])
            try talk.deliver()
            #expect(try talk.read(1).0 == [4])
            #expect(context.hasSession)
        }
        context.forgetSession()
        var talk = try Conversation(context, settings)
        #expect(try talk.handshake() == .done)
        #expect(talk.stream.isResumed == false)
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func closeNotifyIsAnEndAndFINAloneIsTruncation(version: PeerVersion) throws {
        let context = try authority.context()
        let settings = TLSPeerSettings(authority.issue("DNS:upstream.test"), newest: version)
        for orderly in [true, false] {
            var talk = try Conversation(context, settings)
            #expect(try talk.handshake() == .done)
            talk.peer.send([7])
            if orderly { talk.peer.close() }
            try talk.deliver()
            talk.pair.far!.shutdownWriting()
            let (read, result) = try talk.read(2)
            #expect(read == [7])
            #expect(result == (orderly ? .end : .truncated))
        }
    }

    @Test func aResetUnderTLSIsNamed() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(try talk.handshake() == .done)
        talk.pair.far!.resetOnClose()
        talk.pair.far = nil
        try talk.pair.loop.wait(1, for: .closed)
        guard case .failed(let error) = try talk.read(1).1 else {
            Issue.record("no error")
            return
        }
        #expect(error.name.description == "ECONNRESET")
        guard case .failed = talk.stream.send([1]) else {
            Issue.record("no error")
            return
        }
    }

    @Test func ourCloseNotifyArrives() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(try talk.handshake() == .done)
        #expect(talk.stream.send([1]) == .bytes(1))
        talk.stream.shutdown()
        try talk.peerReceives(1)
        #expect(talk.peer.sawClose)
    }

    @Test func bytesThatComeOneByOneAreRead() throws {
        var talk = try Conversation(
            authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test"), alpn: "http/1.1"))
        talk.dribble = 1
        #expect(try talk.handshake() == .done)
        talk.peer.send([5, 6])
        try talk.deliver()
        #expect(talk.early.last == .bytes(2))
        #expect(talk.early.dropLast().allSatisfy { $0 == .wouldBlock })
    }

    @Test func headAndBodyLeaveAsOneRecord() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(try talk.handshake() == .done)
        for (head, body) in [(400, 500), (400, 16384 - 400), (0, 100)] {
            let before = talk.stream.rawBytesWritten
            #expect(talk.stream.send(bytes(head, 1), bytes(body, 2)) == .bytes(head + body))
            // RFC 8446 5.2: 5 bytes of header, 1 of type, 16 of tag, once.
            #expect(talk.stream.rawBytesWritten - before == UInt64(head + body + 22))
        }
        // One byte more is cut at the record's edge.
        #expect(talk.stream.send(bytes(400, 1), bytes(16385 - 400, 2)) == .bytes(16384))
        #expect(talk.stream.send(bytes(20000, 1), bytes(5, 2)) == .bytes(16384))
        let count = 900 + 16384 + 100 + 2 * 16384
        try talk.peerReceives(count)
        #expect(talk.peer.received.count == count)
        #expect(talk.peer.received[..<900].elementsEqual(bytes(400, 1) + bytes(500, 2)))
        #expect(talk.stream.socket.bytesTakenByPeer() == talk.stream.rawBytesWritten)
    }

    @Test func mayHaveMoreTellsWhenToReadOn() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(try talk.handshake() == .done)
        talk.peer.send(bytes(100))
        try talk.deliver()
        #expect(try talk.read(1).0.count == 100)
        #expect(talk.stream.mayHaveMore == false)
        talk.peer.send(bytes(100))
        talk.peer.send(bytes(50))
        try talk.deliver()
        try talk.pair.loop.wait(1, for: .readable)
        #expect(talk.stream.readSome(60).0 == .bytes(60))
        #expect(talk.stream.mayHaveMore == true)
        #expect(talk.stream.readSome(60).0 == .bytes(40))
        #expect(talk.stream.mayHaveMore == true)
        #expect(talk.stream.readSome(60).0 == .bytes(50))
        #expect(talk.stream.mayHaveMore == false)
        #expect(talk.stream.readSome(60).0 == .wouldBlock)
    }

    @Test func aFullSocketMakesWritesWaitAndLosesNothing() throws {
        var talk = try Conversation(authority.context(), TLSPeerSettings(authority.issue("DNS:upstream.test")))
        #expect(try talk.handshake() == .done)
        let all = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0) }
        var sent = 0
        var blocked = 0
        while sent < all.count {
            switch talk.stream.write(all.span.extracting(droppingFirst: sent)) {
            case .bytes(let count): sent += count
            case .wouldBlock:
                blocked += 1
                try talk.peerReceives(talk.peer.received.count + 1)
            case let other: throw TestProblem.unexpected(other)
            }
        }
        try talk.peerReceives(all.count)
        #expect(blocked > 0)
        #expect(talk.peer.received == all)
    }
}
