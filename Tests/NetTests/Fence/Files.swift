// What the listener tests ask the file system, and a socket file as a crashed process leaves it.
// Relies on stat(2) and bind(2). Refuses nothing.

import Glibc

/// The permission bits of the file at `path`.
func permissions(of path: String) -> UInt32 {
    var found = stat()
    // SAFETY: `found` is filled where 0 is returned.
    guard unsafe stat(path, &found) == 0 else { return 0 }
    return found.st_mode & 0o777
}

/// Our user.
func userID() -> UInt32 { getuid() }

/// Binds a socket to `path` and closes it, which leaves the file.
func leaveStaleSocket(at path: String) {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // SAFETY: the path is shorter than sun_path, which is zeroed; the address lives for the length of the call.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    unsafe withUnsafeBytes(of: &address) { raw in
        let pointer = unsafe raw.baseAddress?.assumingMemoryBound(to: sockaddr.self)
        unsafe precondition(bind(descriptor, pointer, socklen_t(raw.count)) == 0)
    }
    close(descriptor)
}

/// Makes descriptor `number` one that is always full (full(4)).
func openFullDevice(as number: Int32) {
    // SAFETY: the path is a literal.
    let descriptor = unsafe open("/dev/full", O_WRONLY)
    precondition(dup2(descriptor, number) == number)
    close(descriptor)
}
