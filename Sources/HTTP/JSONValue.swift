// Single values of JSON: bytes written as a string, and whether two scalar texts mean the same. Refuses, as a value,
// bytes that are not UTF-8. Not for the request path: strings are encoded once, when the configuration is read.

extension ByteBuffer {
    /// Appends `bytes` as a JSON string with quotes; what must be escaped is, everything else stays. Throws `badUTF8`
    /// and appends nothing where `bytes` is not UTF-8.
    package mutating func appendJSONString(_ bytes: Span<UInt8>) throws(JSONFailure) {
        let text = JSONText(bytes)
        var at = 0
        while at < text.count { at = text[at] < 0x80 ? at + 1 : try text.sequenceEnd(at) }
        appendEscaped(bytes)
    }

    /// As `appendJSONString`, for bytes that are known to be UTF-8.
    mutating func appendEscaped(_ bytes: Span<UInt8>) {
        append(byte: UInt8(ascii: "\""))
        for index in bytes.indices { appendEscaped(byte: bytes[index]) }
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends one byte of a string's content.
    mutating func appendEscaped(byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append(byte: UInt8(ascii: "\\"))
            append(byte: byte)
        case 0..<0x20:
            append("\\u00")
            append(byte: byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            append(byte: (byte & 0xF) + ((byte & 0xF) < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        default: append(byte: byte)
        }
    }
}

/// `bytes` as a JSON string with quotes, for what is not secret; nil where they are not UTF-8.
package func jsonString(from bytes: Span<UInt8>) -> [UInt8]? {
    var text = ByteBuffer(capacity: bytes.count + 16)
    do { try text.appendJSONString(bytes) } catch { return nil }
    return [UInt8](copying: text.bytes)
}

/// Whether two texts of scalar values, as a scan delimits them, mean the same: strings by their un-escaped bytes,
/// everything else by its text (`12345` and `"12345"`, `1` and `1.0` differ; `0` and `-0` do not). Arrays and objects
/// are equal only byte for byte.
package func jsonValuesEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    let left = JSONText(a)
    let right = JSONText(b)
    let quote = UInt8(ascii: "\"")
    if left[0] == quote && right[0] == quote && a.count >= 2 && b.count >= 2 {
        return left.meansSame(1..<a.count - 1, right, 1..<b.count - 1)
    }
    if left.equals(0..<a.count, right, 0..<b.count) { return true }
    return left.isIntegerZero && right.isIntegerZero
}

extension JSONText {
    fileprivate var isIntegerZero: Bool {
        let digit = self[0] == UInt8(ascii: "-") ? 1 : 0
        return count == digit + 1 && self[digit] == UInt8(ascii: "0")
    }
}

extension Array where Element == UInt8 {
    /// A copy of a span's bytes.
    init(copying span: Span<UInt8>) {
        self.init()
        reserveCapacity(span.count)
        for index in span.indices { append(span[index]) }
    }
}
