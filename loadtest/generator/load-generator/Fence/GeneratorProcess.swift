// The command's surroundings: its arguments, its output, its timer's precision and its end.
// Relies on Glibc. Refuses nothing.

internal import Glibc

/// What the command needs of the system beside sockets and clocks.
enum GeneratorProcess {
    /// The words behind the command's name.
    static var words: [String] { Array(CommandLine.arguments.dropFirst()) }

    /// Writes a line to standard output, or to standard error.
    static func say(_ line: String, toErrors: Bool = false) {
        let bytes = Array((line + "\n").utf8)
        var at = 0
        while at < bytes.count {
            // SAFETY: the array's bytes live for the length of the call.
            let count = unsafe bytes[at...].withUnsafeBytes { unsafe write(toErrors ? 2 : 1, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // A reader that is gone is nobody to tell.
            guard count > 0 else { return }
            at += count
        }
    }

    /// Lets waits end when they are due and not up to 50 us later. Where the system does not have the file, waits are
    /// less exact, which the measured lateness shows.
    static func sharpenTimers() {
        // SAFETY: constant C strings; the stream is closed once.
        guard let file = unsafe fopen("/proc/self/timerslack_ns", "w") else { return }
        unsafe fputs("1", file)
        unsafe fclose(file)
    }

    /// Ends the process.
    static func leave(_ status: Int32) -> Never { exit(status) }
}
