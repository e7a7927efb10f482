// A caller's stream: a plain socket, or TLS over one. Like Transport in Net, but 16 bytes: thousands of plain callers
// do not pay for what a few on TLS need. And what is known of the caller by its connection alone. Relies on Socket and
// TLSStream. Refuses nothing of its own.

internal import HTTP
internal import Net

/// Who is at the other end, as far as the connection says. Indirect: a caller of whom nothing is known pays one word.
indirect enum InboundPeer {
    /// Nothing: TCP without a client certificate.
    case none
    /// A process on this machine, as it was when it connected.
    case unix(PeerCredentials)
    /// The holder of a certificate that a client authority of the listener has signed.
    case certificate(TLSPeerIdentity)
}

/// The state of TLS, on the heap.
final class InboundTLS {
    let stream: TLSStream
    init(_ stream: consuming TLSStream) { self.stream = stream }
}

/// The stream of a caller's connection.
enum InboundTransport: ~Copyable {
    case plain(Socket)
    case tls(InboundTLS)

    /// Over an accepted socket; `tls` where the listener has it. Fails for want of memory.
    init(_ socket: consuming Socket, _ tls: TLSServerContext?) throws(TLSProblem) {
        if let tls {
            self = .tls(InboundTLS(try TLSStream(accepting: tls, socket: socket)))
        } else {
            self = .plain(socket)
        }
    }

    /// One read into the free room of `buffer`, which is not empty, or into the first part of it. `mayHaveMore`: the
    /// next read may find bytes without a new event.
    func read(into buffer: inout ByteBuffer, mayHaveMore: inout Bool) -> IOResult {
        var room = buffer.free(upTo: Worker.longBody)
        let offered = room.count
        let result: IOResult
        switch self {
        case .plain(let socket):
            result = socket.read(into: &room)
            if case .bytes(let count) = result {
                // Edge-triggered: a read that did not fill its room has emptied the socket; the next byte is an edge.
                mayHaveMore = count == offered
                buffer.commit(count)
            }
        case .tls(let tls):
            result = tls.stream.read(into: &room)
            if case .bytes(let count) = result {
                mayHaveMore = tls.stream.mayHaveMore
                buffer.commit(count)
            }
        }
        return result
    }

    /// One read of what is thrown away, after our side has ended: under TLS the records as they are.
    func discard(into buffer: inout ByteBuffer) -> IOResult {
        var room = buffer.free
        switch self {
        case .plain(let socket): return socket.read(into: &room)
        case .tls(let tls): return tls.stream.socket.read(into: &room)
        }
    }

    /// Writes once from two runs of bytes in order, as if they were one; not both are empty.
    func write(_ first: Span<UInt8>, _ second: Span<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.write(first, second)
        case .tls(let tls): tls.stream.write(first, second)
        }
    }

    /// Goes on with the handshake; a plain stream has none and is done.
    func handshake() -> HandshakeResult {
        switch self {
        case .plain: .done
        case .tls(let tls): tls.stream.handshake()
        }
    }

    /// See `TLSStream.noteReadable`.
    func noteReadable() {
        switch self {
        case .plain: break
        case .tls(let tls): tls.stream.noteReadable()
        }
    }

    /// What the handshake has proved of the caller.
    func peerIdentity() -> TLSPeerIdentity? {
        switch self {
        case .plain: nil
        case .tls(let tls): tls.stream.peerIdentity()
        }
    }

    var isTLS: Bool {
        switch self {
        case .plain: false
        case .tls: true
        }
    }

    /// Says that what was written is all: close_notify under TLS. A plain stream says it by its end.
    func sayGoodbye() {
        switch self {
        case .plain: break
        case .tls(let tls): tls.stream.shutdown()
        }
    }

    /// Ends our side and goes on reading: FIN, under TLS after close_notify.
    func shutdownWriting() {
        switch self {
        case .plain(let socket): socket.shutdownWriting()
        case .tls(let tls):
            tls.stream.shutdown()
            tls.stream.socket.shutdownWriting()
        }
    }
}

extension Poller {
    /// Registers a caller's stream, once for its life. Of a plain one room to write is not reported until it is asked
    /// for: see `watchWriting`. TLS may want to write at any time.
    func add(_ transport: borrowing InboundTransport, _ token: Token) throws(SystemError) {
        switch transport {
        case .plain(let socket): try add(socket, token, for: .reading)
        case .tls(let tls): try add(tls.stream.socket, token)
        }
    }

    /// From now on room to write is reported for a caller's stream, and at once where there is some.
    func watchWriting(_ transport: borrowing InboundTransport, _ token: Token) throws(SystemError) {
        switch transport {
        case .plain(let socket): try change(socket, token, to: .both)
        case .tls: break
        }
    }

    /// Ends a caller's registration without closing its stream.
    func remove(_ transport: borrowing InboundTransport) {
        switch transport {
        case .plain(let socket): remove(socket)
        case .tls(let tls): remove(tls.stream.socket)
        }
    }
}
