// A connection's stream, whichever it is: a plain socket or TLS over one, with the same verbs.
// Relies on Socket and TLSStream. Refuses nothing of its own.

/// What a handshake came to.
package enum HandshakeResult: Equatable, Sendable {
    /// Requests may be written.
    case done
    /// To be called again when the poller reports `readable`.
    case wantRead
    /// To be called again when the poller reports `writable`.
    case wantWrite
    /// The connection is of no use.
    case failed(TLSProblem)
}

/// The stream of a connection.
package enum Transport: ~Copyable {
    case plain(Socket)
    case tls(TLSStream)

    /// Reads once, from the front of `room` (not empty).
    package func read(into room: inout MutableSpan<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.read(into: &room)
        case .tls(let stream): stream.read(into: &room)
        }
    }

    /// Writes once, as much as fits, from the front of `bytes` (not empty).
    package func write(_ bytes: Span<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.write(bytes)
        case .tls(let stream): stream.write(bytes)
        }
    }

    /// Writes once from two runs of bytes in order, as if they were one; not both are empty.
    package func write(_ first: Span<UInt8>, _ second: Span<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.write(first, second)
        case .tls(let stream): stream.write(first, second)
        }
    }

    /// Goes on with the handshake; a plain stream has none and is done.
    package func handshake() -> HandshakeResult {
        switch self {
        case .plain: .done
        case .tls(let stream): stream.handshake()
        }
    }

    /// True if, after a read of `count` bytes into room for `room`, the next read may find bytes without a new event.
    /// Where the event said `closedForReading`, `closed` or `failed`, read on until the end in any case.
    package func mayHaveMore(count: Int, room: Int) -> Bool {
        switch self {
        case .plain: count == room
        case .tls(let stream): stream.mayHaveMore
        }
    }

    /// To be told of every event that is not `writable` alone; see `TLSStream.noteReadable`.
    package func noteReadable() {
        switch self {
        case .plain: break
        case .tls(let stream): stream.noteReadable()
        }
    }

    /// See `Socket.isSilent`. What TLS says to itself is no silence either.
    package func isSilent() -> Bool {
        switch self {
        case .plain(let socket): socket.isSilent()
        case .tls(let stream): stream.socket.isSilent()
        }
    }

    /// Announces the end of our side: close_notify under TLS, FIN in either case.
    package func shutdownWriting() {
        switch self {
        case .plain(let socket): socket.shutdownWriting()
        case .tls(let stream):
            stream.shutdown()
            stream.socket.shutdownWriting()
        }
    }

    /// See `Socket.provesNothingTaken`; `mark` is `bytesWritten` as it was before the request's first write.
    package func provesNothingTaken(since mark: UInt64) -> Bool {
        switch self {
        case .plain(let socket): socket.provesNothingTaken(since: mark)
        case .tls(let stream): stream.socket.provesNothingTaken(since: mark)
        }
    }

    /// Bytes that went to the socket since it was connected, to compare with `Socket.bytesTakenByPeer`: for a plain
    /// stream the caller's own count of what it wrote, for TLS the count with framing and handshake.
    package func bytesWritten(plainCount: UInt64) -> UInt64 {
        switch self {
        case .plain: plainCount
        case .tls(let stream): stream.rawBytesWritten
        }
    }

    /// The verdict of a connect; nil if it stands. TLS is only put over a connected socket.
    package func finishConnect() -> SystemError? {
        switch self {
        case .plain(let socket): socket.finishConnect()
        case .tls: nil
        }
    }

    /// The plain socket, to put TLS over it once it is connected; nil under TLS.
    package consuming func takeSocket() -> Socket? {
        switch consume self {
        case .plain(let socket): socket
        case .tls: nil
        }
    }
}

extension Poller {
    /// Registers a stream for all its edges, once for its life.
    package func add(_ transport: borrowing Transport, _ token: Token) throws(SystemError) {
        switch transport {
        case .plain(let socket): try add(socket, token)
        case .tls(let stream): try add(stream.socket, token)
        }
    }

    /// Ends a stream's registration without closing it.
    package func remove(_ transport: borrowing Transport) {
        switch transport {
        case .plain(let socket): remove(socket)
        case .tls(let stream): remove(stream.socket)
        }
    }
}
