// A listening socket, TCP or Unix: binding, accepting, and what to do when descriptors run out.
// Relies on SO_REUSEPORT to give each worker a TCP listener of its own, and on EPOLLEXCLUSIVE where a Unix listener is
// shared. Refuses to take a Unix path over from somebody who still answers on it, or from a file that is no socket, and
// to shut a socket that is somebody else's.

internal import CShims
internal import Glibc
internal import Synchronization

/// What one accept came to.
package enum AcceptResult: ~Copyable {
    /// A caller's connection; Nagle's delay is off.
    case accepted(Socket)
    /// Nobody waits any more.
    case none
    /// No descriptor or memory for another connection. The caller stays in the backlog: remove the listener from the
    /// poller and add it again after a pause (100 ms), else a level-triggered poller would spin.
    case exhausted(SystemError)
    /// The listener is of no use any more.
    case failed(SystemError)
}

/// A listening socket, non-blocking.
package struct Listener: ~Copyable {
    let descriptor: Descriptor
    /// The file to unlink at the end; only the listener that bound it has one.
    private let ownedPath: String?
    /// Somebody else has the same socket and goes on listening on it when we are gone.
    private let isPassed: Bool
    /// A passed socket that is ours no more: its callers wait for whoever takes it next.
    private let isHandedBack = Atomic<Bool>(false)

    private init(descriptor: consuming Descriptor, ownedPath: String?, isPassed: Bool = false) {
        self.descriptor = descriptor
        self.ownedPath = ownedPath
        self.isPassed = isPassed
    }

    /// Of a socket that listens already and that we were started with.
    init(passed descriptor: consuming Descriptor) {
        self.init(descriptor: descriptor, ownedPath: nil, isPassed: true)
    }

    deinit {
        if let ownedPath {
            // SAFETY: the path ends in a zero byte for the length of the call. It is gone already, or goes now.
            _ = unsafe cs_unlink(ownedPath)
        }
    }

    /// Binds and listens on an IPv4 or IPv6 address. With `reusePort` each worker binds a listener of its own and the
    /// kernel spreads callers over them. An IPv6 address does not take IPv4 callers.
    package static func tcp(
        _ address: SocketAddress, reusePort: Bool = true, backlog: Int32 = 1024
    ) throws(SystemError) -> Listener {
        precondition(address.unixPath == nil, "a TCP listener has a TCP address")
        let descriptor = try Descriptor(result: cs_socket_stream(address.family), "socket")
        try cs_set_reuse_address(descriptor.number).checked("setsockopt")
        if reusePort { try cs_set_reuse_port(descriptor.number).checked("setsockopt") }
        if address.family == CS_FAMILY_IPV6 { try cs_set_v6_only(descriptor.number).checked("setsockopt") }
        // Accepted sockets inherit it: no call per connection.
        try cs_set_no_delay(descriptor.number).checked("setsockopt")
        try bind(descriptor.number, address)
        try cs_listen(descriptor.number, backlog).checked("listen")
        return Listener(descriptor: descriptor, ownedPath: nil)
    }

    /// EADDRINUSE where somebody listens there, also with a port that may be shared: then `tcp` would succeed and get a
    /// part of that one's callers. Whoever begins to listen after this is not seen.
    package static func checkFree(_ address: SocketAddress) throws(SystemError) {
        precondition(address.unixPath == nil, "a TCP listener has a TCP address")
        let descriptor = try Descriptor(result: cs_socket_stream(address.family), "socket")
        // Connections that are left of an earlier listener are in nobody's way.
        try cs_set_reuse_address(descriptor.number).checked("setsockopt")
        if address.family == CS_FAMILY_IPV6 { try cs_set_v6_only(descriptor.number).checked("setsockopt") }
        try bind(descriptor.number, address)
    }

    /// Binds and listens on a Unix path with the permissions `mode` and, where given, owner and group. A socket file on
    /// which nobody answers is replaced; one that is answered is EADDRINUSE, another kind of file EEXIST.
    package static func unix(
        path: String, mode: UInt32 = 0o660, uid: UInt32? = nil, gid: UInt32? = nil, backlog: Int32 = 1024
    ) throws(SystemError) -> Listener {
        guard let address = SocketAddress(unixPath: path) else { throw SystemError(number: EINVAL, call: "bind") }
        try removeStale(path, address)
        let descriptor = try Descriptor(result: cs_socket_stream(CS_FAMILY_UNIX), "socket")
        // The file is born closed to all others, so that nobody connects before owner and mode are set.
        try cs_fchmod(descriptor.number, 0o600).checked("fchmod")
        try bind(descriptor.number, address)
        let listener = Listener(descriptor: descriptor, ownedPath: path)
        if uid != nil || gid != nil {
            // SAFETY: the path ends in a zero byte for the length of the call.
            try unsafe cs_chown(path, uid ?? .max, gid ?? .max).checked("chown")
        }
        // SAFETY: as above.
        try unsafe cs_chmod(path, mode).checked("chmod")
        try cs_listen(listener.descriptor.number, backlog).checked("listen")
        return listener
    }

    private static func bind(_ number: Int32, _ address: SocketAddress) throws(SystemError) {
        // SAFETY: the sockaddr lives for the length of the call.
        let result = unsafe address.withSockaddr { unsafe cs_bind(number, $0, $1) }
        try result.checked("bind")
    }

    private static func removeStale(_ path: String, _ address: SocketAddress) throws(SystemError) {
        // SAFETY: the path ends in a zero byte for the length of the call.
        let kind = unsafe cs_file_kind(path)
        if kind == -ENOENT { return }
        try kind.checked("lstat")
        guard kind == 1 else { throw SystemError(number: EEXIST, call: "bind") }
        do throws(SystemError) {
            _ = try Socket.connect(to: address)
        } catch {
            guard error.number == ECONNREFUSED else { throw error.number == EAGAIN ? inUse : error }
            // SAFETY: as above.
            try unsafe cs_unlink(path).checked("unlink")
            return
        }
        throw inUse
    }

    private static var inUse: SystemError { SystemError(number: EADDRINUSE, call: "bind") }

    /// Another handle on the same queue of callers, for another worker's poller. It does not unlink a Unix path.
    package func duplicate() throws(SystemError) -> Listener {
        Listener(
            descriptor: try Descriptor(result: cs_dup(descriptor.number), "fcntl"), ownedPath: nil, isPassed: isPassed)
    }

    /// Lets nobody into the backlog who has not begun to connect; those in it can still be accepted, and then the
    /// listener can be closed without a reset for anybody. A Unix socket refuses at once; a TCP caller that comes now
    /// is refused once the listener is closed, when its kernel asks again. True where nobody can be on the way: what
    /// is in the backlog now is all. A passed socket is left as it is, its backlog too: nobody is refused there.
    package func refuseNewcomers() -> Bool {
        if isPassed {
            isHandedBack.store(true, ordering: .relaxed)
            return true
        }
        // Where the kernel will not, closing is as abrupt as it was.
        return cs_refuse_newcomers(descriptor.number) == 1
    }

    /// The address that was bound, with the port that the system chose for port 0; nil for a Unix path.
    package func localAddress() -> SocketAddress? {
        let number = descriptor.number
        // SAFETY: `asked` offers room for any address.
        return unsafe SocketAddress.asked { unsafe cs_local_address(number, $0, $1) }
    }

    /// Takes one caller from the backlog. Callers that went away meanwhile are skipped.
    package func accept() -> AcceptResult {
        if isHandedBack.load(ordering: .relaxed) { return .none }
        while true {
            let result = cs_accept(descriptor.number)
            if result >= 0 {
                guard let accepted = try? Descriptor(result: result, "accept4") else { return .none }
                return .accepted(Socket(descriptor: accepted, active: false))
            }
            switch -result {
            case EAGAIN: return .none
            // accept(2): pending network errors of the new socket, to be treated like EAGAIN and tried again.
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                ENETUNREACH, EPERM:
                continue
            default:
                let error = SystemError(result: Int(result), "accept4")
                return error.isExhaustion ? .exhausted(error) : .failed(error)
            }
        }
    }
}
