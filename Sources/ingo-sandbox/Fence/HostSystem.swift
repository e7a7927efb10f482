// What the sandbox needs of the operating system besides sockets: clock, waiting, files, threads, signals, output.
// Relies on Glibc. Refuses nothing by itself: each call says by its result whether it worked.

import COpenSSL  // Its headers bring in pthread_attr_t; nothing of OpenSSL is used here.
import Glibc

/// The operating system, as far as the sandbox sees it.
enum HostSystem {
    /// Seconds since 1970, UTC.
    static var unixTime: Int {
        var now = timespec()
        // SAFETY: `now` is a live local that the call fills.
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec
    }

    /// Nanoseconds of a clock that nobody sets.
    static var monotonicNanoseconds: UInt64 {
        var now = timespec()
        // SAFETY: `now` is a live local that the call fills.
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// Lets the calling thread wait; for misbehaviour that was asked for, never for timing our own work.
    static func wait(milliseconds: Int) {
        _ = poll(nil, 0, Int32(clamping: milliseconds))
    }

    /// The bytes of a file, or nil if it cannot be read.
    static func readFile(_ path: String) -> [UInt8]? {
        // SAFETY: the path is passed as a C string that lives for the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            // SAFETY: the chunk has as many bytes as the call is told.
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// Writes a file whole under a temporary name and renames it, so that no reader sees half of it.
    static func writeFile(_ path: String, _ bytes: [UInt8], mode: UInt32) -> Bool {
        let temporary = path + ".new"
        // SAFETY: paths are passed as C strings that live for each call.
        unsafe unlink(temporary)
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { return false }
        let written = writeAll(descriptor, bytes)
        guard close(descriptor) == 0, written else { return false }
        return unsafe rename(temporary, path) == 0
    }

    /// Makes a folder (0700) if it is not there yet.
    static func makeFolder(_ path: String) -> Bool {
        // SAFETY: the path is passed as a C string that lives for the call.
        if unsafe mkdir(path, 0o700) == 0 { return true }
        return errno == EEXIST
    }

    /// Writes to a descriptor until all is written or an error ends it.
    @discardableResult
    static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            // SAFETY: the range behind `done` lies within the array for the time of the call.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe write(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            done += count
        }
        return true
    }

    /// One line (or more) on standard output, in a single call so that threads do not interleave.
    static func say(_ text: String) {
        writeAll(STDOUT_FILENO, Array(text.utf8))
    }

    /// One line on standard error.
    static func complain(_ text: String) {
        writeAll(STDERR_FILENO, Array((text + "\n").utf8))
    }

    /// Ends the process without running exit handlers, which other threads may still rely on.
    static func leave(_ status: Int32) -> Never {
        _exit(status)
    }

    /// Closes a connection that no thread could be started for.
    static func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

    /// Keeps SIGTERM and SIGINT for `awaitStopSignal`; call it before any thread is started. SIGPIPE is ignored.
    static func reserveStopSignals() {
        // SAFETY: the set is a live local; SIG_IGN is a constant handler.
        signal(SIGPIPE, SIG_IGN)
        var set = stopSignals()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits until SIGTERM or SIGINT arrives.
    static func awaitStopSignal() {
        // SAFETY: set and signal number are live locals.
        var set = stopSignals()
        var received: Int32 = 0
        while unsafe sigwait(&set, &received) != 0 {}
    }

    private static func stopSignals() -> sigset_t {
        // SAFETY: the set is a live local, initialised by the first call.
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        return set
    }

    /// Runs `body` on a thread of its own that nobody waits for. False if the system has no more threads.
    static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        // SAFETY: attributes are initialised here and destroyed below; the box is retained for the thread, which takes
        // it over, or released here if there is no thread.
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 512 * 1024)
        let box = unsafe Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                unsafe Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        if result != 0 { unsafe box.release() }
        return result == 0
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
