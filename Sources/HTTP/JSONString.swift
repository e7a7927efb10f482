// Strings of a JSON text: where they end, whether they are well-formed, what they mean without their escapes, and how
// bytes become one. Refuses raw control bytes, unknown escapes, half surrogate pairs and malformed UTF-8.

extension JSONText {
    /// Validates string content from `start` (behind the opening quote) and returns the offset of the closing quote.
    @inline(__always)
    func stringEnd(from start: Int) throws(JSONFailure) -> Int {
        let at = plainEnd(from: start)
        if self[at] == UInt8(ascii: "\"") { return at }
        return try unplainStringEnd(from: at)
    }

    /// As `stringEnd`, from the first byte that is not plain.
    @inline(never)
    private func unplainStringEnd(from start: Int) throws(JSONFailure) -> Int {
        var at = start
        while true {
            let byte = self[at]
            switch byte {
            case UInt8(ascii: "\""): return at
            case UInt8(ascii: "\\"): at = try escapeEnd(at)
            case 0x80...: at = try sequenceEnd(at)
            case 0x20...: at = plainEnd(from: at)
            default: throw JSONFailure(at < count ? .badString : .unterminated, at: at)
            }
        }
    }

    /// Offset behind the escape whose backslash is at `at`.
    private func escapeEnd(_ at: Int) throws(JSONFailure) -> Int {
        switch self[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at + 2
        case UInt8(ascii: "u"):
            let unit = try escapedUnit(at)
            guard unit & 0xF800 == 0xD800 else { return at + 6 }
            // RFC 8259 section 8.2 calls a lone surrogate unpredictable: readers replace, drop or refuse it.
            guard unit < 0xDC00 else { throw JSONFailure(.badEscape, at: at) }
            guard at + 6 < count else { throw JSONFailure(.unterminated, at: count) }
            guard self[at + 6] == UInt8(ascii: "\\") else { throw JSONFailure(.badEscape, at: at) }
            guard at + 7 < count else { throw JSONFailure(.unterminated, at: count) }
            guard self[at + 7] == UInt8(ascii: "u"), try escapedUnit(at + 6) & 0xFC00 == 0xDC00 else {
                throw JSONFailure(.badEscape, at: at)
            }
            return at + 12
        default:
            throw JSONFailure(at + 1 < count ? .badEscape : .unterminated, at: min(at + 1, count))
        }
    }

    /// The UTF-16 code unit of the escape `\uXXXX` at `at`.
    func escapedUnit(_ at: Int) throws(JSONFailure) -> UInt32 {
        var unit: UInt32 = 0
        for index in at + 2..<at + 6 {
            guard let digit = hexDigit(self[index]) else {
                throw JSONFailure(index < count ? .badEscape : .unterminated, at: min(index, count))
            }
            unit = unit << 4 | digit
        }
        return unit
    }

    private func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Offset behind the run of multi-byte UTF-8 sequences at `at` (Unicode 16, table 3-7).
    func sequenceEnd(_ start: Int) throws(JSONFailure) -> Int {
        var at = start
        while self[at] >= 0x80 {
            let second: ClosedRange<UInt8>
            let length: Int
            switch self[at] {
            case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
            case 0xE0: (second, length) = (0xA0...0xBF, 3)
            case 0xED: (second, length) = (0x80...0x9F, 3)
            case 0xE1...0xEF: (second, length) = (0x80...0xBF, 3)
            case 0xF0: (second, length) = (0x90...0xBF, 4)
            case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
            case 0xF4: (second, length) = (0x80...0x8F, 4)
            default: throw JSONFailure(.badUTF8, at: at)
            }
            guard second.contains(self[at + 1]), length < 3 || self[at + 2] & 0xC0 == 0x80,
                length < 4 || self[at + 3] & 0xC0 == 0x80
            else { throw JSONFailure(.badUTF8, at: at) }
            at += length
        }
        return at
    }

    /// Whether two string contents mean the same, each between its quotes and already validated.
    func meansSame(_ range: Range<Int>, _ other: JSONText, _ otherRange: Range<Int>) -> Bool {
        if equals(range, other, otherRange) { return true }
        var left = JSONStringBytes(self, range)
        var right = JSONStringBytes(other, otherRange)
        while true {
            let byte = left.next()
            guard byte == right.next() else { return false }
            if byte == nil { return true }
        }
    }
}

/// Walks over validated string content and gives its UTF-8 bytes without escapes.
struct JSONStringBytes: ~Escapable {
    private let text: JSONText
    private var at: Int
    private let end: Int
    /// Bytes of an escape that are still to be given, the next in the lowest bits.
    private var pending: UInt32 = 0
    private var pendingCount = 0

    @_lifetime(copy text)
    init(_ text: JSONText, _ range: Range<Int>) {
        self.text = text
        at = range.lowerBound
        end = range.upperBound
    }

    /// The next byte, nil at the end.
    @_lifetime(self: copy self)
    mutating func next() -> UInt8? {
        if pendingCount > 0 { return nextPending() }
        guard at < end else { return nil }
        let byte = text[at]
        guard byte == UInt8(ascii: "\\") else {
            at += 1
            return byte
        }
        let letter = text[at + 1]
        at += 2
        switch letter {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            decodeUnit(from: at - 2)
            return nextPending()
        default: return letter
        }
    }

    @_lifetime(self: copy self)
    private mutating func nextPending() -> UInt8 {
        let byte = UInt8(truncatingIfNeeded: pending)
        pending >>= 8
        pendingCount -= 1
        return byte
    }

    /// Puts the UTF-8 of the escape at `start` into `pending`. Content that was not validated gives U+FFFD.
    @_lifetime(self: copy self)
    private mutating func decodeUnit(from start: Int) {
        var value = unit(start)
        at = start + 6
        if value & 0xFC00 == 0xD800 {
            value = 0x10000 + (value & 0x3FF) << 10 + unit(at) & 0x3FF
            at += 6
        }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        for byte in scalar.utf8 {
            pending |= UInt32(byte) << UInt32(pendingCount * 8)
            pendingCount += 1
        }
    }

    private func unit(_ start: Int) -> UInt32 { (try? text.escapedUnit(start)) ?? 0xFFFD }
}
