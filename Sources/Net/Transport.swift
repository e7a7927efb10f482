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

    /// Reads once, from the front of `room` (not empty).
    package func read(into room: inout MutableSpan<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.read(into: &room)
        }
    }

    /// Writes once, as much as fits, from the front of `bytes` (not empty).
    package func write(_ bytes: Span<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.write(bytes)
        }
    }

    /// Writes once from two runs of bytes in order, as if they were one; not both are empty.
    package func write(_ first: Span<UInt8>, _ second: Span<UInt8>) -> IOResult {
        switch self {
        case .plain(let socket): socket.write(first, second)
        }
    }
}
