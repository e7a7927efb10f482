// One connected (or connecting) stream socket: non-blocking, close-on-exec, closed by its owner's end.
// Relies on send(2) with MSG_NOSIGNAL, so a closed peer is EPIPE and never a signal. Refuses nothing by itself: whether
// bytes may be sent is decided above.

internal import CShims
internal import Glibc

/// A stream socket, TCP or Unix.
///
/// Contract with the edge-triggered poller: a read that fills less than the room it was given has drained the socket,
/// and a write that takes less than it was offered has filled it. In both cases the poller tells when to go on, and no
/// further call is needed to see EAGAIN. Only a full read or a whole write must be followed by another call. The
/// exception: after an event that said `closedForReading`, `closed` or `failed`, no other edge will come, so the reader
/// goes on until `.end` or `.failed`.
@safe
package struct Socket: ~Copyable {
    let descriptor: Descriptor
    /// Connected by us: TCP then counts the SYN among the acknowledged bytes.
    private let active: Bool
    /// An error other than EPIPE was taken from the socket. Linux keeps an error for one call only and then reads as an
    /// end: without this note, an answer that a reset cut short would look whole after a failed write. It lies on the
    /// heap, one byte per connection, because reading only borrows the socket.
    private let isBroken: UnsafeMutablePointer<Bool>

    init(descriptor: consuming Descriptor, active: Bool) {
        self.descriptor = descriptor
        self.active = active
        // SAFETY: freed once, in deinit.
        unsafe isBroken = .allocate(capacity: 1)
        unsafe isBroken.initialize(to: false)
    }

    // SAFETY: allocated in init; nobody else has the pointer.
    deinit { unsafe isBroken.deallocate() }

    /// Starts to connect. The poller reports writability when it is decided; `finishConnect` then says how.
    package static func connect(to address: borrowing SocketAddress) throws(SystemError) -> Socket {
        let descriptor = try Descriptor(result: cs_socket_stream(address.family), "socket")
        if address.unixPath == nil { try cs_set_no_delay(descriptor.number).checked("setsockopt") }
        let number = descriptor.number
        // SAFETY: the sockaddr lives for the length of the call.
        let result = unsafe address.withSockaddr { unsafe cs_connect(number, $0, $1) }
        if result < 0 && result != -EINPROGRESS && result != -EINTR {
            throw SystemError(result: Int(result), "connect")
        }
        return Socket(descriptor: descriptor, active: true)
    }

    /// The verdict of a connect that the poller reported as decided: nil if it stands. Later, the pending error.
    package func finishConnect() -> SystemError? {
        let result = cs_take_error(descriptor.number)
        return result < 0 ? taken(SystemError(result: Int(result), "connect")) : nil
    }

    /// Reads once, from the front of `room` (not empty).
    package func read(into room: inout MutableSpan<UInt8>) -> IOResult {
        precondition(!room.isEmpty, "a read needs room")
        // SAFETY: the system writes at most the count of bytes that the span has, all of them initialised.
        let result = unsafe room.withUnsafeMutableBufferPointer { room in
            unsafe Socket.receive(descriptor.number, room.baseAddress, room.count)
        }
        if result > 0 { return .bytes(result) }
        if result < 0 { return refusal(result, "recv") }
        // SAFETY: the socket owns the byte and belongs to one thread.
        return unsafe isBroken.pointee ? .failed(SystemError(number: ECONNRESET, call: "recv")) : .end
    }

    /// Writes once, as much as fits, from the front of `bytes` (not empty).
    package func write(_ bytes: Span<UInt8>) -> IOResult {
        precondition(!bytes.isEmpty, "a write needs bytes")
        // SAFETY: the span's bytes live for the length of the call.
        let result = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe Socket.send(descriptor.number, bytes.baseAddress, bytes.count)
        }
        return result >= 0 ? .bytes(result) : refusal(result, "send")
    }

    /// Writes once from two runs of bytes in order, as if they were one; not both are empty.
    package func write(_ first: Span<UInt8>, _ second: Span<UInt8>) -> IOResult {
        if second.isEmpty { return write(first) }
        if first.isEmpty { return write(second) }
        // SAFETY: both spans' bytes live for the length of the call.
        let result = unsafe first.withUnsafeBufferPointer { first in
            unsafe second.withUnsafeBufferPointer { second in
                while true {
                    let result = unsafe cs_send2(
                        descriptor.number, first.baseAddress, first.count, second.baseAddress, second.count)
                    if result != -Int64(EINTR) { return Int(result) }
                }
            }
        }
        return result >= 0 ? .bytes(result) : refusal(result, "sendmsg")
    }

    static func receive(_ descriptor: Int32, _ to: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
        while true {
            // SAFETY: the caller vouches for `count` writable bytes at `to`.
            let result = unsafe cs_recv(descriptor, to, count)
            if result != -Int64(EINTR) { return Int(result) }
        }
    }

    static func send(_ descriptor: Int32, _ from: UnsafePointer<UInt8>?, _ count: Int) -> Int {
        while true {
            // SAFETY: the caller vouches for `count` readable bytes at `from`.
            let result = unsafe cs_send(descriptor, from, count)
            if result != -Int64(EINTR) { return Int(result) }
        }
    }

    private func refusal(_ result: Int, _ call: StaticString) -> IOResult {
        result == -Int(EAGAIN) ? .wouldBlock : .failed(taken(SystemError(result: result, call)))
    }

    /// Notes an error that was taken from the socket. EPIPE is not one: it says that a FIN came before the reset.
    private func taken(_ error: SystemError) -> SystemError {
        // SAFETY: as in `read`.
        if !error.isBrokenPipe { unsafe isBroken.pointee = true }
        return error
    }

    /// True while the peer has sent nothing that was not read, has not ended and the socket holds no error. Takes no
    /// byte and no edge; an error is taken, and the next read is `failed` all the same.
    package func isSilent() -> Bool { peek() == -EAGAIN }

    /// 1: there is something to read; 0: the peer has ended its side; -EAGAIN: neither; or another negated errno.
    private func peek() -> Int32 {
        let result = cs_peek(descriptor.number)
        if result < 0 && result != -EAGAIN { _ = taken(SystemError(result: Int(result), "recv")) }
        return result
    }

    /// Sends FIN behind what was written; reading goes on.
    package func shutdownWriting() {
        // The only errors are of sockets that are no longer connected, for which there is nothing to shut.
        _ = cs_shutdown_writing(descriptor.number)
    }

    /// Makes the end of this socket a reset, which tells the peer that what it read is not whole.
    package func resetOnClose() {
        _ = cs_set_reset_on_close(descriptor.number)
    }

    /// How many bytes of this connection the peer's kernel has acknowledged since it was made; nil for Unix sockets.
    /// Works after a reset as well, until the socket is closed. RFC 4898 tcpEStatsAppHCThruOctetsAcked, less our SYN.
    ///
    /// More than was written before a request means that the peer's kernel has taken some of it. The same number is no
    /// proof of the contrary by itself; see `provesNothingTaken`. Ask before `shutdownWriting`, whose FIN counts as a
    /// byte.
    package func bytesTakenByPeer() -> UInt64? { tcpState()?.taken }

    /// True only with proof that the peer took no byte behind the first `mark` bytes of this connection: it ended its
    /// side (FIN), all that it sent was read, and it had acknowledged no more than `mark`. A FIN carries the
    /// acknowledgement of all that its kernel had received; what arrives at a closed socket later is answered by a
    /// reset and reaches nobody. A reset without FIN is no proof: it does not carry an acknowledgement that was
    /// delayed, so that a peer which read all and reset looks the same (Tests/NetTests/TakenBytesTests.swift).
    ///
    /// Takes the pending error, and after a reset needs it: Linux says EPIPE for a reset behind a FIN, ECONNRESET for
    /// any other. So ask once, and first; a later answer may be false but is never wrongly true.
    ///
    /// What it cannot see: a peer that shuts its sending side down and goes on to serve what it reads. HTTP servers
    /// only drain after that (RFC 9112 9.6).
    package func provesNothingTaken(since mark: UInt64) -> Bool {
        guard peek() == 0, let state = tcpState(), state.taken <= mark else { return false }
        if state.awaitsOurClose { return true }
        return state.isOver && finishConnect()?.isBrokenPipe == true
    }

    private struct TCPState {
        var taken: UInt64
        var awaitsOurClose: Bool
        var isOver: Bool
    }

    private func tcpState() -> TCPState? {
        var acked: UInt64 = 0
        var awaitsOurClose: Int32 = 0
        var isOver: Int32 = 0
        // SAFETY: the wrapper writes all three where it returns 0.
        let result = unsafe cs_tcp_state(descriptor.number, &acked, &awaitsOurClose, &isOver)
        guard result == 0 else { return nil }
        let taken = active && acked > 0 ? acked - 1 : acked
        return TCPState(taken: taken, awaitsOurClose: awaitsOurClose != 0, isOver: isOver != 0)
    }

    /// Process, user and group of the peer of a Unix socket, as they were when it connected; nil for TCP.
    package func peerCredentials() -> PeerCredentials? {
        var peer = PeerCredentials(pid: 0, uid: 0, gid: 0)
        // SAFETY: the wrapper writes the three numbers where it returns 0.
        let result = unsafe cs_peer_credentials(descriptor.number, &peer.pid, &peer.uid, &peer.gid)
        // The kernel answers for TCP as well, with "nobody": pid 0.
        return result == 0 && peer.pid != 0 ? peer : nil
    }

    /// The peer's address; nil for Unix sockets and for a connection that is gone.
    package func peerAddress() -> SocketAddress? {
        let number = descriptor.number
        // SAFETY: `asked` offers room for any address.
        return unsafe SocketAddress.asked { unsafe cs_peer_address(number, $0, $1) }
    }

    /// Our address; nil for Unix sockets.
    package func localAddress() -> SocketAddress? {
        let number = descriptor.number
        // SAFETY: `asked` offers room for any address.
        return unsafe SocketAddress.asked { unsafe cs_local_address(number, $0, $1) }
    }
}

/// Who is at the other end of a Unix socket (unix(7), SO_PEERCRED).
package struct PeerCredentials: Equatable, Sendable {
    package var pid: Int32
    package var uid: UInt32
    package var gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}
