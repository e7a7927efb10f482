// Base64 with the standard alphabet and padding, on one line (RFC 4648 section 4).
// Relies on nothing. The decoder refuses what has more than one spelling: line breaks, missing padding, spare bits.

package import HTTP

/// Base64 as the headers `Content-sha512` and `Authorization` carry it.
package enum Base64 {
    /// Characters for `count` bytes.
    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Appends the encoding of `bytes`.
    package static func append(_ bytes: Span<UInt8>, to buffer: inout ByteBuffer) {
        let length = encodedCount(bytes.count)
        buffer.reserve(Base64Words.room(bytes.count))
        var output = buffer.free
        Base64Words.encode(bytes, into: &output)
        let padding = (3 - bytes.count % 3) % 3
        if padding > 0 { output[length - 1] = UInt8(ascii: "=") }
        if padding > 1 { output[length - 2] = UInt8(ascii: "=") }
        buffer.commit(length)
    }

    /// The bytes that `text` stands for; nil where it is not the one encoding of them.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var index = 0
        while index < text.count {
            let isLast = index + 4 == text.count
            var padding = 0
            if isLast && text[index + 3] == UInt8(ascii: "=") { padding = text[index + 2] == UInt8(ascii: "=") ? 2 : 1 }
            var word: UInt32 = 0
            for offset in 0..<4 {
                let value = offset < 4 - padding ? sextet(text[index + offset]) : 0
                guard let value else { return nil }
                word = word << 6 | value
            }
            if padding == 1 && word & 0xFF != 0 || padding == 2 && word & 0xFFFF != 0 { return nil }
            for place in 0..<(3 - padding) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(16 - 8 * place))) }
            index += 4
        }
        return bytes
    }

    private static func sextet(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
