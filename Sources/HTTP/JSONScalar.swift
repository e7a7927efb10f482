// White space, numbers and literals of a JSON text (RFC 8259 sections 2, 3 and 6). Refuses what the grammar does not
// have: leading zeros, a plus sign, missing digits, NaN, other spellings of the three literals.

extension JSONText {
    /// Offset of the first byte from `start` that is not white space.
    @inline(__always)
    func spaceEnd(from start: Int) -> Int {
        self[start] > 0x20 ? start : spaceRun(from: start)
    }

    @inline(never)
    private func spaceRun(from start: Int) -> Int {
        var at = start
        while true {
            switch self[at] {
            case 0x20:
                // Indentation is a run of spaces; eight at a time.
                at += word(at: at) == 0x2020_2020_2020_2020 ? 8 : 1
            case 0x09, 0x0A, 0x0D: at += 1
            default: return at
            }
        }
    }

    /// Offset behind the digits from `start`; at least one.
    @inline(__always)
    private func digitsEnd(from start: Int) throws(JSONFailure) -> Int {
        var at = start
        while self[at] &- UInt8(ascii: "0") < 10 { at += 1 }
        guard at > start else { throw JSONFailure(at < count ? .badNumber : .unterminated, at: at) }
        return at
    }

    /// Offset behind the number at `start`, which begins with a digit or `-`.
    @inline(__always)
    func numberEnd(from start: Int) throws(JSONFailure) -> Int {
        var at = self[start] == UInt8(ascii: "-") ? start + 1 : start
        if self[at] == UInt8(ascii: "0") {
            at += 1
            guard self[at] &- UInt8(ascii: "0") >= 10 else { throw JSONFailure(.badNumber, at: at) }
        } else {
            at = try digitsEnd(from: at)
        }
        if self[at] == UInt8(ascii: ".") { at = try digitsEnd(from: at + 1) }
        if self[at] | 0x20 == UInt8(ascii: "e") {
            let sign = self[at + 1]
            at = try digitsEnd(from: sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") ? at + 2 : at + 1)
        }
        return at
    }

    /// Offset behind the literal at `start`, which must be `true`, `false` or `null`.
    @inline(__always)
    func literalEnd(from start: Int) throws(JSONFailure) -> Int {
        let word = self.word(at: start)
        if UInt32(truncatingIfNeeded: word) == 0x6575_7274 || UInt32(truncatingIfNeeded: word) == 0x6C6C_756E {
            return start + 4
        }
        if word & 0xFF_FFFF_FFFF == 0x65_736C_6166 { return start + 5 }
        throw literalFailure(start)
    }

    /// Tells a literal that is cut off by the end of the body from one that is wrong.
    @inline(never)
    private func literalFailure(_ start: Int) -> JSONFailure {
        let left = max(0, min(8, count - start))
        let mask = ~(UInt64.max << (left * 8))
        let literals: [UInt64] = [0x6575_7274, 0x6C6C_756E, 0x65_736C_6166]
        let isCut = literals.contains { $0 & ~mask != 0 && $0 & mask == word(at: start) & mask }
        return isCut ? JSONFailure(.unterminated, at: count) : JSONFailure(.badSyntax, at: start)
    }
}
