// An errno with the name of the call that returned it: the only form in which the system's refusals leave this room.
// Relies on the wrappers of CShims, which return the negated errno. Refuses numbers that only a defect can produce.

internal import CShims
internal import Glibc

/// A refusal by the system.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The errno.
    package let number: Int32
    /// The system call.
    package let call: StaticString

    package init(number: Int32, call: StaticString) {
        self.number = number
        self.call = call
    }

    /// From a wrapper's negative result. EBADF, EFAULT and ENOTSOCK cannot come from a descriptor that we own: they
    /// mean that memory or ownership is broken, and the process stops before it moves money on their word.
    init(result: Int, _ call: StaticString) {
        let number = Int32(truncatingIfNeeded: -result)
        precondition(number != EBADF && number != EFAULT && number != ENOTSOCK, "impossible errno")
        self.init(number: number, call: call)
    }

    package static func == (a: SystemError, b: SystemError) -> Bool {
        a.number == b.number && a.call.description == b.call.description
    }

    /// True where a new connection, file or buffer was refused for want of descriptors or memory.
    package var isExhaustion: Bool {
        switch number {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: true
        default: false
        }
    }

    /// True where bytes met a connection that the peer had ended before.
    package var isBrokenPipe: Bool { number == EPIPE }

    /// True where the peer, and not the path to it, refused: nobody listens at the address.
    package var isRefusal: Bool { number == ECONNREFUSED || number == ENOENT }

    /// True where an address cannot be had because somebody has it.
    package var isAddressInUse: Bool { number == EADDRINUSE }

    /// The errno's name, such as `ECONNREFUSED`; `errno` for one that is not in the table.
    package var name: StaticString {
        switch number {
        case EACCES: "EACCES"
        case EADDRINUSE: "EADDRINUSE"
        case EADDRNOTAVAIL: "EADDRNOTAVAIL"
        case EAFNOSUPPORT: "EAFNOSUPPORT"
        case EAGAIN: "EAGAIN"
        case ECONNABORTED: "ECONNABORTED"
        case ECONNREFUSED: "ECONNREFUSED"
        case ECONNRESET: "ECONNRESET"
        case EEXIST: "EEXIST"
        case EHOSTDOWN: "EHOSTDOWN"
        case EHOSTUNREACH: "EHOSTUNREACH"
        case EINVAL: "EINVAL"
        case EIO: "EIO"
        case EMFILE: "EMFILE"
        case ENETDOWN: "ENETDOWN"
        case ENETUNREACH: "ENETUNREACH"
        case ENFILE: "ENFILE"
        case ENOBUFS: "ENOBUFS"
        case ENOENT: "ENOENT"
        case ENOMEM: "ENOMEM"
        case ENOSPC: "ENOSPC"
        case ENOTCONN: "ENOTCONN"
        case ENOTDIR: "ENOTDIR"
        case EPERM: "EPERM"
        case EPIPE: "EPIPE"
        case EPROTO: "EPROTO"
        case EROFS: "EROFS"
        case ETIMEDOUT: "ETIMEDOUT"
        default: "errno"
        }
    }

    /// Call, name and number: `connect: ECONNREFUSED (111)`.
    package var description: String { "\(call): \(name) (\(number))" }
}

/// A descriptor that is closed when its owner goes. Every other type of this room that holds a descriptor holds it
/// through this one.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over `result` of a wrapper that makes descriptors.
    init(result: Int32, _ call: StaticString) throws(SystemError) {
        guard result >= 0 else { throw SystemError(result: Int(result), call) }
        number = result
    }

    deinit {
        // The result is of no use: Linux has freed the number even where close reports EINTR or EIO.
        _ = cs_close(number)
    }
}

extension Int32 {
    /// Turns a wrapper's negative result into an error.
    func checked(_ call: StaticString) throws(SystemError) {
        if self < 0 { throw SystemError(result: Int(self), call) }
    }
}
