// Reads answers as far as a load generator has to: the status, and where the answer ends.
// Relies on HTTP/1.1 with Content-Length, which every peer of the load test sends. Refuses anything else, chunks
// included, as unreadable: a generator that guessed would count what never came.

/// The state of one answer, over any number of reads.
package struct AnswerScanner: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// The answer goes on.
        case incomplete
        /// It ended after `used` bytes of those given; status 100...599.
        case complete(status: Int, used: Int)
        /// Not HTTP/1.1 with a length.
        case unreadable
    }

    private enum Phase {
        case status, name, otherLine, value, body
    }

    private static let version = Array("HTTP/1.1 ".utf8)
    private static let lengthName = Array("content-length:".utf8)

    private var phase = Phase.status
    /// Bytes of the present line or name that were read.
    private var at = 0
    private var status = 0
    private var length: Int?
    private var left = 0

    package init() {}

    /// True before the first byte of an answer.
    package var isFresh: Bool { phase == .status && at == 0 }

    /// Takes bytes as they come. After `.complete` the scanner is fresh, for the next answer.
    package mutating func take(_ bytes: Span<UInt8>) -> Verdict {
        var index = 0
        while index < bytes.count && phase != .body {
            guard takeHead(bytes[index]) else { return .unreadable }
            index += 1
        }
        guard phase == .body else { return .incomplete }
        let some = min(left, bytes.count - index)
        left -= some
        guard left == 0 else { return .incomplete }
        let status = status
        self = AnswerScanner()
        return .complete(status: status, used: index + some)
    }

    /// One byte of the head; false where it is not as it must be.
    private mutating func takeHead(_ byte: UInt8) -> Bool {
        switch phase {
        case .status: return takeStatus(byte)
        case .otherLine:
            if byte == UInt8(ascii: "\n") { (phase, at) = (.name, 0) }
            return true
        case .name: return takeName(byte)
        case .value: return takeLength(byte)
        case .body: return true
        }
    }

    private mutating func takeStatus(_ byte: UInt8) -> Bool {
        defer { at += 1 }
        if at < Self.version.count { return byte == Self.version[at] }
        if at < Self.version.count + 3 {
            guard (48...57).contains(byte) else { return false }
            status = status * 10 + Int(byte) - 48
            return true
        }
        phase = byte == UInt8(ascii: "\n") ? .name : .otherLine
        if phase == .name { at = -1 }
        return (200...599).contains(status)
    }

    private mutating func takeName(_ byte: UInt8) -> Bool {
        if byte == UInt8(ascii: "\r") && at == 0 { return true }
        if byte == UInt8(ascii: "\n") && at == 0 {
            guard let length else { return false }
            left = length
            phase = .body
            return true
        }
        let folded = (65...90).contains(byte) ? byte | 0x20 : byte
        guard folded == Self.lengthName[at] else {
            phase = byte == UInt8(ascii: "\n") ? .name : .otherLine
            at = 0
            return true
        }
        at += 1
        if at == Self.lengthName.count {
            guard length == nil else { return false }
            (phase, length, at) = (.value, 0, 0)
        }
        return true
    }

    private mutating func takeLength(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\r"): return true
        case UInt8(ascii: "\n"):
            (phase, at) = (.name, 0)
            return true
        case 48...57:
            guard let so = length, so < 1 << 40 else { return false }
            length = so * 10 + Int(byte) - 48
            return true
        default: return false
        }
    }
}
