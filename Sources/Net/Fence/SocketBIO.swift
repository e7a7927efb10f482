// OpenSSL's view of our socket: a BIO that reads with recv(2) and writes with send(2), and remembers what it saw.
// Relies on Socket's calls, so that no write raises SIGPIPE. Refuses nothing; it reports.

internal import COpenSSL
internal import Glibc

/// What the BIO saw of the socket; OpenSSL's own error codes do not tell.
struct RawChannel {
    let descriptor: Int32
    /// The negated errno of the last failed call; 0 if none failed since it was last set so.
    var error = 0
    /// recv returned 0.
    var sawEnd = false
    /// The socket may hold more: the last recv filled all the room it was given, or the poller has reported since.
    var mayHoldMore = false
    var written: UInt64 = 0
}

enum SocketBIO {
    /// BIO_TYPE_SOURCE_SINK with a number of our own.
    private static let type: Int32 = 0x0400 | 0x7A

    private static let retryFlags = BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY

    static func makeMethod() -> OpaquePointer? {
        // SAFETY: the method is freed by the context that asked for it; the callbacks capture nothing.
        guard let method = unsafe BIO_meth_new(type, "socket") else { return nil }
        unsafe BIO_meth_set_read(method) { unsafe SocketBIO.read($0, $1, $2) }
        unsafe BIO_meth_set_write(method) { unsafe SocketBIO.write($0, $1, $2) }
        unsafe BIO_meth_set_ctrl(method) { bio, command, _, _ in unsafe SocketBIO.control(bio, command) }
        return unsafe method
    }

    static func make(_ method: OpaquePointer, _ channel: UnsafeMutablePointer<RawChannel>) -> OpaquePointer? {
        // SAFETY: the stream frees the channel after the SSL that owns this BIO.
        guard let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, channel)
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    private static func channel(_ bio: OpaquePointer?) -> UnsafeMutablePointer<RawChannel>? {
        // SAFETY: `make` set the data to a channel that outlives the BIO.
        unsafe BIO_get_data(bio)?.assumingMemoryBound(to: RawChannel.self)
    }

    private static func read(_ bio: OpaquePointer?, _ to: UnsafeMutablePointer<CChar>?, _ count: Int32) -> Int32 {
        // SAFETY: OpenSSL offers `count` writable bytes at `to`.
        guard let channel = unsafe channel(bio), let to = unsafe to, count > 0 else { return 0 }
        unsafe BIO_clear_flags(bio, retryFlags)
        let room = unsafe UnsafeMutableRawPointer(to).assumingMemoryBound(to: UInt8.self)
        let result = unsafe Socket.receive(channel.pointee.descriptor, room, Int(count))
        unsafe channel.pointee.mayHoldMore = result == Int(count)
        if result > 0 { return Int32(result) }
        if result == 0 {
            unsafe channel.pointee.sawEnd = true
            return 0
        }
        if result == -Int(EAGAIN) {
            unsafe BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
        } else {
            unsafe channel.pointee.error = result
        }
        return -1
    }

    private static func write(_ bio: OpaquePointer?, _ from: UnsafePointer<CChar>?, _ count: Int32) -> Int32 {
        // SAFETY: OpenSSL offers `count` readable bytes at `from`.
        guard let channel = unsafe channel(bio), let from = unsafe from, count > 0 else { return 0 }
        unsafe BIO_clear_flags(bio, retryFlags)
        let bytes = unsafe UnsafeRawPointer(from).assumingMemoryBound(to: UInt8.self)
        let result = unsafe Socket.send(channel.pointee.descriptor, bytes, Int(count))
        if result >= 0 {
            unsafe channel.pointee.written += UInt64(result)
            return Int32(result)
        }
        if result == -Int(EAGAIN) {
            unsafe BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
        } else {
            unsafe channel.pointee.error = result
        }
        return -1
    }

    private static func control(_ bio: OpaquePointer?, _ command: Int32) -> Int {
        switch command {
        case BIO_CTRL_FLUSH: return 1
        // SAFETY: as in `channel`.
        case BIO_CTRL_EOF: return unsafe channel(bio)?.pointee.sawEnd == true ? 1 : 0
        default: return 0
        }
    }
}
