// The command's surroundings: environment, files, standard input and output.
// Relies on Glibc, and on Net for writing. Refuses files above a bound; a failure to read is a value.

internal import Glibc
internal import HTTP
internal import Net

/// What the command reads from and writes to.
enum Console {
    /// Why something could not be read; one sentence for the operator.
    struct ReadFailure: Error {
        var reason: String
    }

    /// Largest request or body that is read, in bytes: the largest body that a configuration allows, and its head.
    static let maxInput = 65 * 1_024 * 1_024

    /// The words with which the command was called, its own name first.
    static func arguments() -> [String] {
        // Swift's runtime looks for them in front of the environment, and finds none where a preloaded library
        // (libfaketime, for one) has moved that: the kernel knows them too.
        if !CommandLine.arguments.isEmpty { return CommandLine.arguments }
        let line = (try? read("/proc/self/cmdline")) ?? []
        return line.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// All bytes of the file at `path`; `-` is standard input.
    static func read(_ path: String) throws(ReadFailure) -> [UInt8] {
        let file = try InputFile(path)
        var buffer = ByteBuffer(capacity: 64 * 1_024)
        while try file.readSome(into: &buffer) {
            guard buffer.count <= maxInput else {
                throw ReadFailure(reason: "\(path) is larger than \(maxInput) bytes")
            }
        }
        return array(buffer.bytes)
    }

    /// An open file, or standard input where the path is `-`.
    struct InputFile: ~Copyable {
        private let path: String
        private let descriptor: Int32

        init(_ path: String) throws(ReadFailure) {
            self.path = path
            // SAFETY: the path is a C string for the length of the call.
            descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw failure(path) }
        }

        deinit { if descriptor > STDIN_FILENO { _ = close(descriptor) } }

        /// Appends the next bytes, as many as come at once; false at the end.
        func readSome(into buffer: inout ByteBuffer) throws(ReadFailure) -> Bool {
            buffer.reserve(16 * 1_024)
            while true {
                let got = Console.readSome(descriptor, &buffer)
                if got < 0 && errno == EINTR { continue }
                guard got >= 0 else { throw failure(path) }
                buffer.commit(got)
                return got > 0
            }
        }
    }

    /// Whether nothing stands at `path`. What cannot be looked at is taken to be there.
    static func isMissing(_ path: String) -> Bool {
        // SAFETY: the path is a C string for the length of the call.
        unsafe access(path, F_OK) != 0 && errno == ENOENT
    }

    private static func readSome(_ descriptor: Int32, _ buffer: inout ByteBuffer) -> Int {
        var free = buffer.free
        // SAFETY: the pointer is used only within the closure, and read fills at most `count` bytes of it.
        return unsafe free.withUnsafeMutableBufferPointer { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
    }

    private static func failure(_ path: String) -> ReadFailure {
        // SAFETY: strerror gives a C string that lives until the next call on this thread.
        ReadFailure(reason: "\(path) cannot be read: \(unsafe String(cString: strerror(errno)))")
    }

    /// Whether somebody looks at the stream.
    static func isTerminal(_ stream: Paint.Stream) -> Bool {
        switch stream {
        case .output: isatty(STDOUT_FILENO) == 1
        case .errors: isatty(STDERR_FILENO) == 1
        }
    }

    /// Writes a line to standard output; a failure ends the command with status 1, as nobody would see the rest.
    static func out(_ line: String) { write(line, to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func error(_ line: String) { write(line, to: STDERR_FILENO) }

    private static func write(_ line: String, to descriptor: Int32) {
        let bytes = Array((line + "\n").utf8)
        if ProcessControl.writeAll(bytes.span, to: descriptor) != nil && descriptor == STDOUT_FILENO {
            ProcessControl.exit(ExitStatus.failure.rawValue)
        }
    }
}

/// The bytes of a span as an array.
func array(_ bytes: Span<UInt8>) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in bytes.indices { copy.append(bytes[index]) }
    return copy
}
