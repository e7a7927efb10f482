// TLS of callers: what we show, whom we let in, what is known of them, and what is refused.

import Net
import TestSupport
import Testing

/// An authority for both sides, our certificate, and the files that a listener is given.
private struct Listening {
    let authority = Identity("Test Authority")
    let ours: Identity
    let certificateFile = TemporaryFile("chain.pem")
    let keyFile = TemporaryFile("key.pem")
    let authorityFile = TemporaryFile("ca.pem")

    init() {
        ours = Identity("gateway", alternative: "DNS:gateway.test", use: .server, issuer: authority)
        ours.write(to: certificateFile.path)
        ours.writeKey(to: keyFile.path)
        authority.write(to: authorityFile.path)
    }

    /// `asks`: nil for no certificates, else whether they are required.
    func context(asks: Bool? = nil) throws -> TLSServerContext {
        try TLSServerContext(
            certificateFile: certificateFile.path, keyFile: keyFile.path,
            clientCAFile: asks == nil ? nil : authorityFile.path, requiresClientCertificate: asks ?? false)
    }

    func client(_ names: String..., lifetime: Int = 3600) -> Identity {
        names.count == 2
            ? Identity(names[0], names[1], use: .client, lifetime: lifetime, issuer: authority)
            : Identity(names.first ?? "client", use: .client, lifetime: lifetime, issuer: authority)
    }
}

/// Our accepting stream over one end of a pair, and a scripted caller at the other.
private struct Meeting: ~Copyable {
    var pair: Pair
    var stream: TLSStream
    let peer: TLSPeer

    init(_ context: TLSServerContext, _ settings: TLSPeerSettings) throws {
        var pair = try Pair()
        stream = try TLSStream(accepting: context, socket: pair.far.take()!)
        self.pair = consume pair
        peer = TLSPeer(settings)
        peer.feed([])
    }

    /// Sends what the caller wants to say.
    mutating func deliver() throws {
        let output = peer.takeOutput()
        guard !output.isEmpty else { return }
        #expect(pair.near!.send(output) == .bytes(output.count))
        try pair.loop.wait(2, for: .readable)
    }

    /// Takes what we wrote to the caller; false at the end.
    @discardableResult
    mutating func feedPeer() throws -> Bool {
        let (result, some) = pair.near!.readSome(1 << 20)
        if result == .end { return false }
        if result == .wouldBlock { try pair.loop.wait(1, for: .readable) }
        peer.feed(some)
        return true
    }

    mutating func handshake() throws -> HandshakeResult {
        for _ in 0..<100 {
            try deliver()
            let result = stream.handshake()
            if case .failed = result { return result }
            if result == .done && peer.isReady { return .done }
            if !peer.isReady { try feedPeer() }
        }
        return .wantRead
    }

    /// Feeds the caller until it has failed, and gives OpenSSL's reason; 1000 and more are our alerts.
    mutating func alert() throws -> Int32 {
        stream.socket.shutdownWriting()
        while !peer.failed { guard try feedPeer() else { break } }
        return peer.reason
    }

    mutating func read() throws -> (IOResult, [UInt8]) {
        var room = bytes(65536, 0)
        while true {
            var span = room.mutableSpan
            let result = stream.read(into: &span)
            if case .bytes(let count) = result { return (result, Array(room[..<count])) }
            guard result == .wouldBlock else { return (result, []) }
            try pair.loop.wait(2, for: .readable)
        }
    }

    /// Bytes in both directions.
    mutating func talk() throws {
        peer.send([1, 2, 3])
        try deliver()
        #expect(try read().1 == [1, 2, 3])
        let before = peer.received.count
        #expect(stream.write([4, 5].span) == .bytes(2))
        while peer.received.count < before + 2 { try feedPeer() }
        #expect(peer.received.suffix(2) == [4, 5])
    }
}

@Suite struct TLSServerTests {
    private let listening = Listening()

    private func outcome(_ settings: TLSPeerSettings, asks: Bool? = nil) throws -> HandshakeResult {
        var meeting = try Meeting(listening.context(asks: asks), settings)
        return try meeting.handshake()
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func aCallerIsServedAndGetsNoSession(version: PeerVersion) throws {
        let context = try listening.context()
        let settings = TLSPeerSettings(connectingAs: nil, newest: version)
        for _ in 0..<2 {
            var meeting = try Meeting(context, settings)
            #expect(try meeting.handshake() == .done)
            try meeting.talk()
            #expect(meeting.stream.version == (version == .tls13 ? .tls13 : .tls12))
            #expect(meeting.peer.peerName == "gateway")
            #expect(meeting.peer.applicationProtocol == nil)
            #expect(!meeting.peer.hasTicket && !meeting.stream.isResumed)
            #expect(meeting.stream.peerIdentity() == nil)
        }
    }

    @Test func ciphersOfTLS12HaveForwardSecrecyAndAEAD() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil, newest: .tls12))
        #expect(try meeting.handshake() == .done)
        #expect(meeting.peer.cipher.hasPrefix("ECDHE-"))
        #expect(meeting.peer.cipher.contains("GCM") || meeting.peer.cipher.contains("POLY1305"))
    }

    @Test func theOldestVersionIsTLS12() throws {
        #expect(try outcome(TLSPeerSettings(connectingAs: nil, newest: .tls11)) == .failed(.protocolVersion))
    }

    @Test func onlyHTTP11IsChosen() throws {
        for offered in [["http/1.1"], ["h2", "http/1.1"], ["http/1.1", "h2"]] {
            var meeting = try Meeting(
                listening.context(), TLSPeerSettings(connectingAs: nil, offering: offered))
            #expect(try meeting.handshake() == .done)
            #expect(meeting.peer.applicationProtocol == "http/1.1")
        }
        for offered in [["h2"], ["http/1.0"], ["http/1.1x", "HTTP/1.1"]] {
            var meeting = try Meeting(
                listening.context(), TLSPeerSettings(connectingAs: nil, offering: offered))
            #expect(try meeting.handshake() == .failed(.noApplicationProtocol))
            // RFC 7301 3.2: no_application_protocol is 120.
            #expect(try meeting.alert() == 1120)
        }
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func certificatesOfCallersAreVerified(version: PeerVersion) throws {
        func result(_ identity: Identity?, required: Bool) throws -> HandshakeResult {
            try outcome(TLSPeerSettings(connectingAs: identity, newest: version), asks: required)
        }
        let stranger = Identity("Test Authority")
        for required in [true, false] {
            #expect(try result(listening.client(), required: required) == .done)
            let expired = listening.client("client", lifetime: -60)
            #expect(try result(expired, required: required) == .failed(.certificateExpired))
            let foreign = Identity("client", use: .client, issuer: stranger)
            #expect(try result(foreign, required: required) == .failed(.unknownAuthority))
            let alone = Identity("client", use: .client)
            #expect(try result(alone, required: required) == .failed(.unknownAuthority))
            // X509_V_ERR_INVALID_PURPOSE: a server's certificate is no caller's.
            let server = Identity("client", use: .server, issuer: listening.authority)
            #expect(try result(server, required: required) == .failed(.certificateRejected(26)))
        }
        #expect(try result(nil, required: true) == .failed(.certificateMissing))
        #expect(try result(nil, required: false) == .done)
    }

    @Test func aCertificateThatIsNotAskedForIsNotLookedAt() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: listening.client()))
        #expect(try meeting.handshake() == .done)
        #expect(meeting.stream.peerIdentity() == nil)
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func theAlertReachesACallerWithoutACertificate(version: PeerVersion) throws {
        var meeting = try Meeting(
            listening.context(asks: true), TLSPeerSettings(connectingAs: nil, newest: version))
        #expect(try meeting.handshake() == .failed(.certificateMissing))
        // certificate_required is 116 in TLS 1.3; TLS 1.2 has handshake_failure, 40.
        #expect(try meeting.alert() == (version == .tls13 ? 1116 : 1040))
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func whatACertificateSaysIsKnown(version: PeerVersion) throws {
        let identity = listening.client("payouts.internal")
        var meeting = try Meeting(
            listening.context(asks: true), TLSPeerSettings(connectingAs: identity, newest: version))
        #expect(meeting.stream.peerIdentity() == nil, "before the handshake nothing is known")
        #expect(try meeting.handshake() == .done)
        let known = TLSPeerIdentity(commonName: "payouts.internal", publicKeySHA256: identity.publicKeySHA256)
        #expect(meeting.stream.peerIdentity() == known)
    }

    @Test func aNameThatCanBeReadInTwoWaysIsNone() throws {
        func name(_ identity: Identity) throws -> String? {
            var meeting = try Meeting(listening.context(asks: true), TLSPeerSettings(connectingAs: identity))
            #expect(try meeting.handshake() == .done)
            #expect(meeting.stream.peerIdentity()?.publicKeySHA256 == identity.publicKeySHA256)
            return meeting.stream.peerIdentity()?.commonName
        }
        #expect(
            try name(listening.client("J\u{fc}rgen A\u{301}")).map { Array($0.utf8) } == Array("Jürgen A\u{301}".utf8))
        #expect(try name(listening.client("payouts", "reports")) == nil)
        #expect(try name(listening.client("payouts", "payouts")) == nil)
        #expect(try name(listening.client("payouts\u{0}.elsewhere")) == nil)
        #expect(try name(Identity(use: .client, issuer: listening.authority)) == nil)
    }

    @Test func filesThatDoNotServeAreRefused() throws {
        func problem(certificate: String? = nil, key: String? = nil, authority: String? = nil) -> TLSProblem? {
            #expect(throws: TLSProblem.self) {
                try TLSServerContext(
                    certificateFile: certificate ?? listening.certificateFile.path,
                    keyFile: key ?? listening.keyFile.path, clientCAFile: authority,
                    requiresClientCertificate: authority != nil)
            }
        }
        let none = "/nonexistent/file.pem"
        #expect(problem(certificate: none) == .certificateFile)
        #expect(problem(certificate: listening.keyFile.path) == .certificateFile)
        #expect(problem(key: none) == .keyFile)
        #expect(problem(key: listening.certificateFile.path) == .keyFile)
        #expect(problem(authority: none) == .authorityFile)
        #expect(problem(authority: listening.keyFile.path) == .authorityFile)
        let other = TemporaryFile("other.pem")
        listening.authority.writeKey(to: other.path)
        #expect(problem(key: other.path) == .keyMismatch)
        let sealed = TemporaryFile("sealed.pem")
        listening.ours.writeKey(to: sealed.path, passphrase: "secret")
        #expect(problem(key: sealed.path) == .keyFile, "nobody is asked for a passphrase")
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func closeNotifyIsAnEndAndFINAloneIsTruncation(version: PeerVersion) throws {
        for orderly in [true, false] {
            var meeting = try Meeting(
                listening.context(), TLSPeerSettings(connectingAs: nil, newest: version))
            #expect(try meeting.handshake() == .done)
            meeting.peer.send([7])
            if orderly { meeting.peer.close() }
            try meeting.deliver()
            meeting.pair.near!.shutdownWriting()
            #expect(try meeting.read().1 == [7])
            #expect(try meeting.read().0 == (orderly ? .end : .truncated))
            guard orderly else { continue }
            // Half of it is closed: our side goes on.
            #expect(meeting.stream.write([8].span) == .bytes(1))
            meeting.stream.shutdown()
            while meeting.peer.received.isEmpty || !meeting.peer.sawClose { try meeting.feedPeer() }
            #expect(meeting.peer.received == [8])
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\u{16}\u{3}\u{1}\u{0}\u{4}\u{9}\u{0}\u{0}\u{0}",
        "\u{80}\u{1}\u{1}abcdefgh", "SSH-2.0-x\r\n",
    ])
    func whatIsNotTLSIsRefused(garbage: String) throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil))
        #expect(meeting.stream.handshake() == .wantRead)
        #expect(meeting.pair.near!.send(Array(garbage.utf8)) == .bytes(garbage.utf8.count))
        try meeting.pair.loop.wait(2, for: .readable)
        guard case .failed(.handshakeFailed) = meeting.stream.handshake() else {
            Issue.record("the handshake went on")
            return
        }
    }

    @Test func aCallerThatLeavesDuringTheHandshakeIsNamed() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil))
        try meeting.deliver()
        #expect(meeting.stream.handshake() == .wantRead)
        meeting.pair.near!.shutdownWriting()
        try meeting.pair.loop.wait(2, for: .closedForReading)
        #expect(meeting.stream.handshake() == .failed(.closedDuringHandshake))
    }

    @Test func aHandshakeByteByByteIsTheSame() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil))
        for byte in meeting.peer.takeOutput() {
            #expect(meeting.stream.handshake() == .wantRead)
            #expect(meeting.pair.near!.send([byte]) == .bytes(1))
            try meeting.pair.loop.wait(2, for: .readable)
        }
        #expect(try meeting.handshake() == .done)
        try meeting.talk()
    }

    /// The event for the second bytes comes while OpenSSL still has some of the first: there is no other for them.
    @Test func anEventBetweenReadsIsNotForgotten() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil))
        #expect(try meeting.handshake() == .done)
        meeting.peer.send([1])
        meeting.peer.send([2])
        try meeting.deliver()
        #expect(try meeting.read().1 == [1])
        meeting.peer.send([3])
        try meeting.deliver()
        meeting.stream.noteReadable()
        #expect(try meeting.read().1 == [2])
        #expect(meeting.stream.mayHaveMore == true)
        #expect(try meeting.read().1 == [3])
        #expect(meeting.stream.mayHaveMore == false)
    }

    @Test func newKeysChangeNothing() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil))
        #expect(try meeting.handshake() == .done)
        for _ in 0..<3 {
            meeting.peer.updateKeys()
            try meeting.talk()
        }
    }

    @Test func aRenegotiationIsNotAnswered() throws {
        var meeting = try Meeting(listening.context(), TLSPeerSettings(connectingAs: nil, newest: .tls12))
        #expect(try meeting.handshake() == .done)
        meeting.peer.renegotiate()
        try meeting.deliver()
        var room = bytes(16, 0)
        var span = room.mutableSpan
        #expect(meeting.stream.read(into: &span) == .wouldBlock)
        while !meeting.peer.failed { try meeting.feedPeer() }
    }

    @Test func aReplacedContextServesItsStreamsToTheirEnd() throws {
        var meeting = try Meeting(listening.context(asks: false), TLSPeerSettings(connectingAs: listening.client()))
        #expect(try meeting.handshake() == .done)
        try meeting.talk()
        #expect(meeting.stream.peerIdentity()?.commonName == "client")
    }
}
