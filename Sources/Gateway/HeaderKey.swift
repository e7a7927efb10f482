// An idempotency key in a header field: a quoted string (draft-ietf-httpapi-idempotency-key-header, RFC 8941 section
// 3.3.3), or, as most callers send it, the bare text. Both spellings name the same key.
// Relies on the head's parser for the bytes that a value may have. Refuses a field that stands twice.

package import HTTP

/// Keys in header fields.
package enum HeaderKey {
    package enum Finding: Equatable, Sendable { case absent, malformed, found }

    /// Longest key in bytes.
    private static let maxLength = 255

    /// Looks for the field called `name` (lower case) and appends its key, 1 ... 255 bytes, to `key`.
    package static func find(
        _ name: [UInt8], in head: borrowing RequestHead, _ input: borrowing ByteBuffer, into key: inout ByteBuffer
    ) -> Finding {
        let bytes = input.bytes
        var value: ByteRange?
        for index in 0..<head.fields.count where isName(name, bytes.slice(head.fields[index].name)) {
            guard value == nil else { return .malformed }
            value = head.fields[index].value
        }
        guard let value else { return .absent }
        return append(bytes.slice(value), to: &key) ? .found : .malformed
    }

    private static func isName(_ name: [UInt8], _ field: Span<UInt8>) -> Bool {
        guard name.count == field.count else { return false }
        for index in 0..<field.count {
            let byte = field[index]
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            if (isUpper ? byte | 0x20 : byte) != name[index] { return false }
        }
        return true
    }

    private static func append(_ value: Span<UInt8>, to key: inout ByteBuffer) -> Bool {
        let before = key.count
        let isQuoted = !value.isEmpty && value[0] == UInt8(ascii: "\"")
        let isWhole = isQuoted ? appendQuoted(value, to: &key) : appendBare(value, to: &key)
        let length = key.count - before
        if isWhole && length > 0 && length <= maxLength { return true }
        key.truncate(to: before)
        return false
    }

    private static func appendBare(_ value: Span<UInt8>, to key: inout ByteBuffer) -> Bool {
        for index in 0..<value.count {
            guard (0x20...0x7E).contains(value[index]) else { return false }
            key.append(byte: value[index])
        }
        return true
    }

    private static func appendQuoted(_ value: Span<UInt8>, to key: inout ByteBuffer) -> Bool {
        let last = value.count - 1
        guard last > 0, value[last] == UInt8(ascii: "\"") else { return false }
        var index = 1
        while index < last {
            var byte = value[index]
            if byte == UInt8(ascii: "\\") {
                index += 1
                guard index < last else { return false }
                byte = value[index]
                guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { return false }
            } else if byte == UInt8(ascii: "\"") {
                return false
            }
            guard (0x20...0x7E).contains(byte) else { return false }
            key.append(byte: byte)
            index += 1
        }
        return true
    }
}
