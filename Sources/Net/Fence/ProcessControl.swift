// What a process sets for itself at its start and end: signals to ignore, limits, output descriptors.
// Relies on prctl and setrlimit. Refuses nothing; each call says whether the system agreed.

internal import CShims
internal import Glibc

/// Settings of our own process. Called by the command before workers start.
package enum ProcessControl {
    /// Makes a write to a closed pipe an EPIPE. Sockets do not need it; standard output does.
    package static func ignoreBrokenPipes() throws(SystemError) {
        try cs_signal_ignore(SIGPIPE).checked("sigaction")
    }

    /// Forbids core files, and reading of our memory by other processes of the same user (prctl(2) PR_SET_DUMPABLE):
    /// memory holds secrets. Swift's own handlers of crashes go too: a backtrace of theirs shows registers and memory,
    /// and with them a first SIGABRT, such as a watchdog sends, does not end the process.
    package static func forbidMemoryDumps() throws(SystemError) {
        try cs_not_dumpable().checked("prctl")
        try cs_no_core_files().checked("setrlimit")
        try cs_no_crash_handlers().checked("sigaction")
    }

    /// Raises the limit of open descriptors to the hard limit; returns the limit.
    package static func raiseDescriptorLimit() throws(SystemError) -> Int {
        let result = cs_descriptor_limit(1)
        if result < 0 { throw SystemError(result: Int(result), "setrlimit") }
        return Int(result)
    }

    /// The present limit of open descriptors.
    package static func descriptorLimit() -> Int { Int(max(0, cs_descriptor_limit(0))) }

    /// How many descriptors are open now, of the first 4,096.
    package static func openDescriptors() -> Int { Int(cs_open_descriptors(Int32(min(descriptorLimit(), 4_096)))) }

    /// Sets the soft limit of open descriptors, at most the hard limit.
    package static func setDescriptorLimit(_ limit: Int) throws(SystemError) {
        try cs_set_descriptor_limit(UInt64(limit)).checked("setrlimit")
    }

    /// The number of CPUs that this process may run on (at least 1).
    package static func cpuCount() -> Int { Int(max(1, cs_cpu_count())) }

    /// Our process id.
    package static func processID() -> Int32 { cs_process_id() }

    /// Gives the pages of code and constants back, the program's and its libraries', of which most served the start
    /// only. What is used again is mapped again from the page cache, at a first request mostly (madvise(2),
    /// MADV_DONTNEED). Nothing that was ever writable is touched.
    package static func giveBackPages() { cs_give_back_pages() }

    /// Ends the process.
    package static func exit(_ code: Int32) -> Never {
        cs_exit(code)
        preconditionFailure("exit does not return")
    }

    /// True if there is a file, directory or socket at `path`.
    package static func fileExists(_ path: String) -> Bool {
        // SAFETY: the path ends in a zero byte for the length of the call.
        unsafe cs_file_kind(path) >= 0
    }

    /// Removes the file at `path`.
    package static func unlink(_ path: String) throws(SystemError) {
        // SAFETY: the path ends in a zero byte for the length of the call.
        try unsafe cs_unlink(path).checked("unlink")
    }

    /// Writes all of `bytes` to standard output (1) or standard error (2), waiting where it is full. Returns what
    /// stopped it.
    package static func writeAll(_ bytes: Span<UInt8>, to descriptor: Int32) -> SystemError? {
        var done = 0
        while done < bytes.count {
            let rest = bytes.extracting(droppingFirst: done)
            // SAFETY: the span's bytes live for the length of the call.
            let result = unsafe rest.withUnsafeBufferPointer {
                unsafe cs_write(descriptor, $0.baseAddress, $0.count)
            }
            if result >= 0 {
                done += Int(result)
            } else if result == -Int64(EAGAIN) {
                _ = cs_wait_writable(descriptor, -1)
            } else if result != -Int64(EINTR) {
                return SystemError(number: Int32(-result), call: "write")
            }
        }
        return nil
    }
}
