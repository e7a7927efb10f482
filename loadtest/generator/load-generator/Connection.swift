// One connection to the target and the request that is on it.
// Relies on Net's socket, non-blocking. Refuses nothing; the engine decides.

internal import LoadGeneration
internal import Net

/// A connection; made anew where it ends, so that a warm run allocates nothing.
final class Connection {
    enum State: Equatable {
        case connecting
        case idle
        /// A request is on its way, or its answer is.
        case busy
    }

    let socket: Socket
    /// Tells events of this connection from those of one that had its place before.
    let generation: UInt32
    var state = State.connecting
    var scanner = AnswerScanner()
    /// Bytes of the request that the system has taken.
    var written = 0
    /// The poller reports room to write.
    var watchesWriting = true
    /// When the request was due, in nanoseconds.
    var due: UInt64 = 0

    init(to address: SocketAddress, generation: UInt32) throws(SystemError) {
        socket = try Socket.connect(to: address)
        self.generation = generation
    }
}
