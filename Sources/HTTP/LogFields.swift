// Members of a JSON object as log lines have them: a name of the program's own and a value that needs no escapes.
// Relies on names and words being literals. Refuses text: there is no way to append what a caller or an upstream sent.

extension ByteBuffer {
    /// Appends `,"name":number`; the number is not negative.
    package mutating func appendMember(_ name: StaticString, _ number: Int) {
        appendMemberName(name)
        appendDecimal(number)
    }

    /// Appends `,"name":true` or `,"name":false`.
    package mutating func appendMember(_ name: StaticString, _ flag: Bool) {
        appendMemberName(name)
        append(flag ? "true" : "false")
    }

    /// Appends `,"name":"word"`. The word is a literal without quotes, backslashes and control characters.
    package mutating func appendMember(_ name: StaticString, word: StaticString) {
        appendMemberName(name)
        append(byte: UInt8(ascii: "\""))
        append(word)
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends `,"name":"` and 16 lower-case hexadecimal digits and `"`.
    package mutating func appendMember(_ name: StaticString, hex: UInt64) {
        appendMemberName(name)
        append(byte: UInt8(ascii: "\""))
        appendHex(hex)
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends `,"name":"` and 32 lower-case hexadecimal digits and `"`.
    package mutating func appendMember(_ name: StaticString, hex high: UInt64, _ low: UInt64) {
        appendMemberName(name)
        append(byte: UInt8(ascii: "\""))
        appendHex(high)
        appendHex(low)
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends `,"name":` and nanoseconds as milliseconds with three decimals, rounded to the nearest.
    package mutating func appendMember(_ name: StaticString, milliseconds nanoseconds: UInt64) {
        appendMemberName(name)
        appendThousandths(Int(truncatingIfNeeded: (nanoseconds &+ 500) / 1_000))
    }

    /// Appends 16 lower-case hexadecimal digits.
    package mutating func appendHex(_ word: UInt64) {
        append(word: Self.digits(of: UInt32(truncatingIfNeeded: word >> 32)))
        append(word: Self.digits(of: UInt32(truncatingIfNeeded: word)))
    }

    /// Eight digits at once: each half byte gets a byte of its own, and those from 10 on are moved up to the letters.
    private static func digits(of half: UInt32) -> UInt64 {
        var spread = UInt64(half)
        spread = (spread << 16 | spread) & 0x0000_FFFF_0000_FFFF
        spread = (spread << 8 | spread) & 0x00FF_00FF_00FF_00FF
        spread = (spread << 4 | spread) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        return spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }
}
