// Where log lines are written: standard output, or a file that is only appended to.
// Relies on poll for what is no file: with room for a byte, a pipe has room for a whole page. Refuses symbolic links,
// and to wait: what cannot take bytes now says so.

internal import CShims
internal import Glibc

/// An open log. Closed by its owner's end.
package struct LogFile: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// Takes any number of bytes at once.
    private let isRegular: Bool
    /// Most bytes of one write to a pipe: written as one, whoever else writes to it (pipe(7), PIPE_BUF).
    private static let page = 4_096

    /// A descriptor of our own for standard output. Fails with EBADF where that is closed: the number may soon be that
    /// of another file.
    package static func standardOutput() throws(SystemError) -> LogFile {
        let number = cs_dup(1)
        guard number >= 0 else { throw SystemError(number: -number, call: "dup") }
        return LogFile(try Descriptor(result: number, "dup"))
    }

    /// Opens the file at `path` for appending, and makes it where there is none, with mode 0600. The mode of a file
    /// that is there stays.
    package init(path: String) throws(SystemError) {
        // SAFETY: the path ends in a zero byte for the length of the call.
        self.init(try Descriptor(result: unsafe cs_open_log(path), "open"))
    }

    private init(_ descriptor: consuming Descriptor) {
        isRegular = cs_is_regular(descriptor.number) == 1
        self.descriptor = descriptor
    }

    /// Writes from the front of `lines` (not empty): whole lines where they fit. Never waits for a reader, unless
    /// another writer takes the room of a pipe at this very moment.
    package func write(_ lines: Span<UInt8>) -> IOResult {
        precondition(!lines.isEmpty, "a write needs bytes")
        if !isRegular && !isWritable(within: 0) { return .wouldBlock }
        let part = isRegular ? lines : lines.extracting(first: Self.wholeLines(lines))
        while true {
            // SAFETY: the span's bytes live for the length of the call.
            let result = unsafe part.withUnsafeBufferPointer {
                unsafe cs_write(descriptor.number, $0.baseAddress, $0.count)
            }
            if result >= 0 { return .bytes(Int(result)) }
            if result == -Int64(EAGAIN) { return .wouldBlock }
            if result != -Int64(EINTR) { return .failed(SystemError(result: Int(result), "write")) }
        }
    }

    /// Waits until bytes can be written; false where the time was over before.
    package func isWritable(within milliseconds: Int) -> Bool {
        cs_wait_writable(descriptor.number, Int32(clamping: milliseconds)) > 0
    }

    /// How many bytes from the front end with a line and make at most a page; a page where one line is longer.
    private static func wholeLines(_ lines: Span<UInt8>) -> Int {
        guard lines.count > page else { return lines.count }
        var end = page
        while end > 0 && lines[end - 1] != UInt8(ascii: "\n") { end -= 1 }
        return end > 0 ? end : page
    }
}
