// A caller on TLS: the wire, the machine that encrypts, and messages over both.
// Relies on Wire and TLSPeer. Refuses an end without close_notify: it is told as a reset.

/// A wire under TLS, from the connecting side.
package final class TLSWire: ByteSource {
    package let wire: Wire
    package let peer: TLSPeer
    /// Bytes of `peer.received` that were given on.
    private var taken = 0

    /// Begins the handshake; its first message is not sent yet.
    package init(_ wire: Wire, _ settings: TLSPeerSettings) {
        self.wire = wire
        peer = TLSPeer(settings)
        peer.feed([])
    }

    /// Sends what TLS has to say.
    package func flush() throws(WireFailure) {
        while true {
            let output = peer.takeOutput()
            if output.isEmpty { return }
            try wire.send(output)
        }
    }

    /// Goes through the handshake; in TLS 1.3 the gateway may still refuse our certificate after it.
    package func handshake(within milliseconds: Int = 20_000) throws {
        try flush()
        while !peer.isReady {
            guard case .bytes(let bytes) = wire.receive(within: milliseconds) else {
                throw SupportFailure("the handshake was broken off")
            }
            peer.feed(bytes)
            try? flush()
            if peer.failed { throw SupportFailure("the handshake was refused with \(peer.reason)") }
        }
    }

    package func send(_ bytes: [UInt8]) throws(WireFailure) {
        peer.send(bytes)
        try flush()
    }

    /// Says close_notify and that no more comes; reading goes on.
    package func finishSending() throws(WireFailure) {
        peer.close()
        try flush()
        wire.finishSending()
    }

    /// As the wire's, of what was encrypted; `limit` is of what is read from the socket. `end` only after close_notify.
    package func receive(upTo limit: Int = 65_536, within milliseconds: Int = 20_000) -> Wire.Got {
        while true {
            if peer.received.count > taken {
                defer { taken = peer.received.count }
                return .bytes(Array(peer.received[taken...]))
            }
            // OpenSSL takes a fatal alert for a close as well.
            if peer.failed { return .reset }
            if peer.sawClose { return .end }
            switch wire.receive(upTo: limit, within: milliseconds) {
            case .bytes(let bytes): peer.feed(bytes)
            case .end, .reset: return .reset
            case .nothing: return .nothing
            }
            // Where the gateway is gone, its last words are still to be read.
            try? flush()
        }
    }
}

/// A caller's connection on TLS, its handshake done.
package final class TLSCaller {
    package let stream: TLSWire
    package let reader: MessageReader
    private let program: AnyObject?

    package init(
        _ address: WireAddress, _ settings: TLSPeerSettings, receiveBuffer: Int32 = 0,
        within milliseconds: Int = 20_000, keeping program: AnyObject? = nil
    ) throws {
        self.program = program
        stream = TLSWire(try Wire.connect(to: address, receiveBuffer: receiveBuffer), settings)
        reader = MessageReader(stream, within: milliseconds)
        try stream.handshake(within: milliseconds)
    }

    package func send(_ text: String) throws { try stream.send(Array(text.utf8)) }
    package func answer() throws -> Message { try reader.answer() }

    /// Sends a request and reads its answer.
    package func ask(_ text: String) throws -> Message {
        try send(text)
        return try answer()
    }
}
