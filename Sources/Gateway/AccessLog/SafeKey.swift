// An idempotency key that may stand in a log as it is: short, of few characters, and without digits enough for an
// account number, a card or an SSN, written together or with separators.
// Relies on nothing. Refuses in doubt: then the log has the key's hash.

internal import HTTP

/// 1 to 64 of letters, digits and `.` `_` `:` `-`, without 8 digits in a row and without 9 digits among separators.
package struct SafeKey: Sendable, BitwiseCopyable {
    /// Longest key in bytes.
    package static let maxLength = 64
    /// Digits in a row that are too many.
    private static let digitsInARow = 8
    /// Digits with nothing but separators between them that are too many: an SSN has nine.
    private static let digitsTogether = 9

    private var bytes: [64 of UInt8] = InlineArray(repeating: 0)
    private var count = 0

    /// nil where the text is not of the safe form.
    package init?(_ text: Span<UInt8>) {
        guard (1...Self.maxLength).contains(text.count) else { return nil }
        var inARow = 0
        var together = 0
        for index in 0..<text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                inARow += 1
                together += 1
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "-"): inARow = 0
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                inARow = 0
                together = 0
            default: return nil
            }
            guard inARow < Self.digitsInARow && together < Self.digitsTogether else { return nil }
            bytes[index] = byte
        }
        count = text.count
    }

    func append(to buffer: inout ByteBuffer) { buffer.append(bytes.span.extracting(0..<count)) }
}
