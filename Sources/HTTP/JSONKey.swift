// A string of a body that is used as a key: its bytes without escapes, within bounds. Relies on the scanner having
// taken the body. Refuses, as a value, what is no key.

/// Why a value of a body is not taken for a key.
package enum JSONKeyProblem: Error, CaseIterable, Sendable {
    case notAString, empty, tooLong, controlByte
}

extension ByteBuffer {
    /// Most bytes of a key, counted without its escapes.
    package static let maxJSONKeyLength = 255

    /// Appends the un-escaped UTF-8 of `value`, the whole text of a value that a scan found: 1 ... 255 bytes, none of
    /// them below 0x20 or 0x7F. Throws and appends nothing where it is no such string.
    package mutating func appendJSONKey(_ value: Span<UInt8>) throws(JSONKeyProblem) {
        let text = JSONText(value)
        guard value.count >= 2, text[0] == UInt8(ascii: "\"") else { throw .notAString }
        guard value.count > 2 else { throw .empty }
        let before = count
        var bytes = JSONStringBytes(text, 1..<value.count - 1)
        while let byte = bytes.next() {
            let problem: JSONKeyProblem? =
                byte < 0x20 || byte == 0x7F
                ? .controlByte : count - before == Self.maxJSONKeyLength ? .tooLong : nil
            if let problem {
                truncate(to: before)
                throw problem
            }
            append(byte: byte)
        }
    }
}
