// Child processes for tests: started with pipes for output and errors, ended by their id. What is read from the pipes,
// and waiting with a bound, is the business of Program. Refuses nothing; errors are errno values.

import Glibc
import Synchronization

/// Held from the making of pipes until their child runs, so that no other child inherits their ends.
private let spawning = Mutex(())

/// How a process ended.
package enum ProgramEnd: Equatable, Sendable {
    case code(Int32)
    case signal(Int32)
}

/// Signals that tests send.
package enum ProgramSignal: Sendable {
    case terminate, interrupt, hangup, user1, kill, abort, suspend, resume

    var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .hangup: SIGHUP
        case .user1: SIGUSR1
        case .kill: SIGKILL
        case .abort: SIGABRT
        case .suspend: SIGSTOP
        case .resume: SIGCONT
        }
    }
}

/// A started child and the reading ends of its pipes.
struct Child: Sendable {
    let id: Int32
    let output: Int32
    let errors: Int32

    /// Starts `path` with an empty signal mask and standard input from /dev/null; nil with the errno where it cannot.
    static func start(
        _ path: String, _ arguments: [String], environment: [String: String]
    ) -> (child: Child?, errno: Int32) {
        spawning.withLock { _ in
            guard let out = makePipe(), let err = makePipe() else { return (nil, EMFILE) }
            defer {
                close(out.write)
                close(err.write)
            }
            let (id, result) = spawn(path, arguments, environment, out.write, err.write)
            guard result == 0 else {
                close(out.read)
                close(err.read)
                return (nil, result)
            }
            return (Child(id: id, output: out.read, errors: err.read), 0)
        }
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String], _ output: Int32, _ errors: Int32
    ) -> (id: Int32, errno: Int32) {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        var id: Int32 = 0
        // SAFETY: the C objects are initialised before use and destroyed after; the strings live until the free below.
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = unsafe ([path] + arguments).map { unsafe strdup($0) }
        var variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") }
        unsafe words.append(nil)
        unsafe variables.append(nil)
        let result = unsafe posix_spawn(&id, path, &actions, &attributes, words, variables)
        unsafe (words + variables).forEach { unsafe free($0) }
        return (id, result)
    }

    private static func makePipe() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the array has the two places that pipe fills.
        guard unsafe pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Reads until the pipe's end, handing over what came; closes it.
    static func drain(_ descriptor: Int32, _ take: ([UInt8]) -> Void) {
        while true {
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16_384) { room, filled in
                // SAFETY: `room` has that many bytes, and the call says how many of them it filled.
                count = unsafe read(descriptor, room.baseAddress, 16_384)
                filled = max(0, count)
            }
            if count > 0 { take(bytes) }
            if count == 0 || (count < 0 && errno != EINTR) { break }
        }
        close(descriptor)
    }

    /// Waits until the child has ended, without reaping it: its id still means this child.
    func waitUntilEnded() {
        var information = unsafe siginfo_t()
        // SAFETY: the structure lives during the call.
        while unsafe waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
    }

    /// Takes the ended child's status; its id means nothing from here on.
    func reap() -> ProgramEnd {
        var status: Int32 = 0
        // SAFETY: the status lives during the call.
        while unsafe waitpid(id, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
    }

    func send(_ signal: ProgramSignal) { _ = kill(id, signal.number) }
}
