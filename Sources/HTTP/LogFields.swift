// Members of a JSON object as log lines have them: a name of the program's own and a value that needs no escapes.
// Relies on names and words being literals. Refuses text: there is no way to append what a caller or an upstream sent.

extension ByteBuffer {
    /// Appends `,"name":` and what the value's bytes are.
    private mutating func appendName(_ name: StaticString) {
        append(byte: UInt8(ascii: ","))
        append(byte: UInt8(ascii: "\""))
        append(name)
        append(byte: UInt8(ascii: "\""))
        append(byte: UInt8(ascii: ":"))
    }

    /// Appends `,"name":number`; the number is not negative.
    package mutating func appendMember(_ name: StaticString, _ number: Int) {
        appendName(name)
        appendDecimal(number)
    }

    /// Appends `,"name":true` or `,"name":false`.
    package mutating func appendMember(_ name: StaticString, _ flag: Bool) {
        appendName(name)
        append(flag ? "true" : "false")
    }

    /// Appends `,"name":"word"`. The word is a literal without quotes, backslashes and control characters.
    package mutating func appendMember(_ name: StaticString, word: StaticString) {
        appendName(name)
        append(byte: UInt8(ascii: "\""))
        append(word)
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends `,"name":"` and 16 lower-case hexadecimal digits and `"`.
    package mutating func appendMember(_ name: StaticString, hex: UInt64) {
        appendName(name)
        append(byte: UInt8(ascii: "\""))
        appendHex(hex)
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends `,"name":"` and 32 lower-case hexadecimal digits and `"`.
    package mutating func appendMember(_ name: StaticString, hex high: UInt64, _ low: UInt64) {
        appendName(name)
        append(byte: UInt8(ascii: "\""))
        appendHex(high)
        appendHex(low)
        append(byte: UInt8(ascii: "\""))
    }

    /// Appends `,"name":` and nanoseconds as milliseconds with three decimals, rounded to the nearest.
    package mutating func appendMember(_ name: StaticString, milliseconds nanoseconds: UInt64) {
        appendName(name)
        let micros = (nanoseconds &+ 500) / 1_000
        appendDecimal(Int(truncatingIfNeeded: micros / 1_000))
        append(byte: UInt8(ascii: "."))
        appendDigits(Int(truncatingIfNeeded: micros % 1_000), count: 3)
    }

    /// Appends the last `count` (1 ... 18) decimal digits of `number`, with zeros in front.
    package mutating func appendDigits(_ number: Int, count: Int) {
        precondition(number >= 0 && (1...18).contains(count), "so many digits of a number that is not negative")
        var unit = 1
        for _ in 1..<count { unit *= 10 }
        while unit > 0 {
            append(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
    }

    /// Appends 16 lower-case hexadecimal digits.
    package mutating func appendHex(_ word: UInt64) {
        var digits: [16 of UInt8] = InlineArray(repeating: 0)
        var rest = word
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: rest >> 60)
            digits[index] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
            rest <<= 4
        }
        append(digits.span)
    }
}
