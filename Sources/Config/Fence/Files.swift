// Reading small files whole, with the checks that must be made on the open file and not on its name.
// Relies on Glibc. Refuses what is no regular file, what is too large, and, for secrets, what others could read.

internal import Glibc
internal import HTTP

/// Why a file is not read.
enum FileFailure: Error, Equatable {
    case missing
    /// Permission denied to this process.
    case denied
    case notRegular
    /// More bytes than the caller's bound.
    case tooLarge
    /// Readable by more users than the rule allows; the mode's low nine bits.
    case exposed(mode: UInt32)
    /// Owned by someone who is neither root nor this process's user.
    case foreignOwner
    /// Another error, by errno.
    case failed(Int32)
}

/// Who may have access to a file for it to be accepted.
enum FileRule {
    /// Anyone.
    case any
    /// The owner alone, who is root or this process's user.
    case ownerOnly
    /// As `ownerOnly`, but the group's bits are not looked at: systemd grants a service access to its credentials by an
    /// access control list, whose mask shows as the group's bits.
    case serviceCredential
}

/// Reads the file at `path` whole; at most `limit` bytes. The buffer is wiped when its owner lets go.
func readFile(_ path: String, limit: Int, rule: FileRule) throws(FileFailure) -> ByteBuffer {
    // SAFETY: the path is a C string for the length of the call.
    // O_NONBLOCK: opening a FIFO must not wait; regular files do not mind.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { _ = close(descriptor) }
    var status = stat()
    // SAFETY: `status` lives across the call; fstat writes nothing else.
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
    try check(status, rule)
    guard status.st_size <= limit else { throw .tooLarge }
    var buffer = ByteBuffer(capacity: max(Int(status.st_size), 0) + 1)
    while true {
        if buffer.room == 0 { buffer.reserve(1) }
        let got = readSome(descriptor, &buffer)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw failure(errno) }
        if got == 0 { return buffer }
        buffer.commit(got)
        guard buffer.count <= limit else { throw .tooLarge }
    }
}

/// Whether a regular file can be opened for reading, and is open to nobody whom the rule leaves out.
func checkReadable(_ path: String, rule: FileRule) throws(FileFailure) {
    // SAFETY: the path is a C string for the length of the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { _ = close(descriptor) }
    var status = stat()
    // SAFETY: `status` lives across the call; fstat writes nothing else.
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
    try check(status, rule)
}

private func readSome(_ descriptor: Int32, _ buffer: inout ByteBuffer) -> Int {
    var free = buffer.free
    // SAFETY: the pointer is used only within the closure, and read fills at most `count` bytes of it.
    return unsafe free.withUnsafeMutableBufferPointer { unsafe read(descriptor, $0.baseAddress, $0.count) }
}

private func check(_ status: stat, _ rule: FileRule) throws(FileFailure) {
    let forbidden: UInt32
    switch rule {
    case .any: return
    case .ownerOnly: forbidden = 0o077
    case .serviceCredential: forbidden = 0o007
    }
    guard status.st_mode & forbidden == 0 else { throw .exposed(mode: status.st_mode & 0o777) }
    guard status.st_uid == 0 || status.st_uid == geteuid() else { throw .foreignOwner }
}

private func failure(_ error: Int32) -> FileFailure {
    switch error {
    case ENOENT, ENOTDIR: .missing
    case EACCES, EPERM: .denied
    default: .failed(error)
    }
}
