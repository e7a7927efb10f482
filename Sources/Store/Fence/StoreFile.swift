// The file before SQLite sees it: made for its owner alone, or found and tightened; and the lock that one gateway
// holds. Relies on Glibc; on flock, which the kernel frees however the process ends. Refuses links, and what is no
// regular file.

internal import Glibc
internal import Policy

/// What a file was when it was looked at: a file that is replaced or written differs.
struct FileIdentity: Equatable {
    /// Whether it is the same file, whatever was written to it since.
    func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

    var device: UInt64 = 0
    var inode: UInt64 = 0
    var size: Int64 = 0
    var seconds: Int = 0
    var nanoseconds: Int = 0
}

/// What `StoreFile.prepare` found or made.
struct PreparedFile: Equatable {
    /// There is nothing in it yet.
    let isFresh: Bool
    let identity: FileIdentity
}

/// A descriptor that is closed when its owner goes.
private struct OpenFile: ~Copyable {
    let number: Int32

    init(_ path: String, _ flags: Int32) throws(StoreFailure) {
        // SAFETY: the path is a C string for the length of the call. O_NONBLOCK: a FIFO must not be waited for.
        let opened = unsafe open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o600)
        if opened < 0 { throw StoreFailure(errno: errno) }
        number = opened
    }

    deinit { _ = close(number) }

    func status() throws(StoreFailure) -> stat {
        var status = stat()
        // SAFETY: `status` lives across the call; fstat writes nothing else.
        guard unsafe fstat(number, &status) == 0 else { throw .inputOutput }
        return status
    }

    /// Nobody but its owner may have access. What is ours is tightened.
    func tighten() throws(StoreFailure) {
        let status = try status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw .cannotOpen }
        guard status.st_mode & 0o077 != 0 else { return }
        guard status.st_uid == geteuid(), fchmod(number, 0o600) == 0 else { throw .cannotOpen }
    }
}

enum StoreFile {
    /// Makes the file at `path`, where it may be made, or looks at the one that is there. The owner's lock is held:
    /// no connection of this process is open, whose locks the closing of another descriptor would end (POSIX, fcntl).
    static func prepare(_ path: String, mayMake: Bool) throws(StoreFailure) -> PreparedFile {
        if mayMake, try make(path) { try syncFolder(of: path) }
        let file = try OpenFile(path, O_RDWR | O_NOFOLLOW)
        try file.tighten()
        let status = try file.status()
        let isFresh = status.st_size == 0
        if isFresh && !mayMake { throw .corrupt }
        // SQLite throws away the journal of an empty file: with it would go what had been promised.
        if isFresh, let journal = identity(of: path + "-wal"), journal.size > 0 { throw .corrupt }
        return PreparedFile(isFresh: isFresh, identity: FileIdentity(status))
    }

    /// The file that is at `path` now; nil where there is none.
    static func identity(of path: String) -> FileIdentity? {
        var status = stat()
        // SAFETY: the path is a C string and `status` lives for the length of the call.
        return unsafe lstat(path, &status) == 0 ? FileIdentity(status) : nil
    }

    /// False where it is there already.
    private static func make(_ path: String) throws(StoreFailure) -> Bool {
        // SAFETY: the path is a C string for the length of the call.
        let made = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if made < 0 {
            if errno == EEXIST { return false }
            throw StoreFailure(errno: errno)
        }
        _ = close(made)
        return true
    }

    /// The file's name is durable only with its folder.
    private static func syncFolder(of path: String) throws(StoreFailure) {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "."
        let file = try OpenFile(String(folder), O_RDONLY | O_DIRECTORY)
        if fsync(file.number) != 0 { throw .inputOutput }
    }
}

/// The sign that one gateway has the store: held as long as this value lives.
struct OwnerLock: ~Copyable {
    private let file: OpenFile

    /// Takes the lock at `path`, which is made where it is missing. `locked` where another has it.
    init(_ path: String) throws(StoreFailure) {
        let opened = try OpenFile(path, O_RDWR | O_CREAT | O_NOFOLLOW)
        try opened.tighten()
        while flock(opened.number, LOCK_EX | LOCK_NB) != 0 {
            if errno != EINTR { throw errno == EWOULDBLOCK ? .locked : .inputOutput }
        }
        file = opened
    }
}

extension FileIdentity {
    fileprivate init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}

extension StoreFailure {
    /// Why a file cannot be opened.
    fileprivate init(errno number: Int32) {
        switch number {
        case EROFS: self = .readOnly
        case ENOSPC, EDQUOT: self = .full
        case EIO: self = .inputOutput
        default: self = .cannotOpen
        }
    }
}
