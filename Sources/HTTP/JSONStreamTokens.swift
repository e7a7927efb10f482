// The tokens of a JSON text byte by byte, with what must be remembered between two fragments: escapes and UTF-8
// sequences of a string, the grammar of a number, the three literals. Relies on nothing. Refuses, as a value, what
// RFC 8259 and Unicode do not have: half surrogate pairs, overlong sequences, control bytes, leading zeros.

/// What a string is in the middle of.
struct JSONStreamString {
    enum Taken {
        /// Nothing is complete yet.
        case none
        case byte(UInt8)
        /// What an escape means.
        case scalar(Unicode.Scalar)
        case broken
    }

    private enum Place: UInt8 {
        case plain, escape, unit, lowEscape, lowLetter
    }

    private var place = Place.plain
    /// Hexadecimal digits of the escape that are missing.
    private var digits = 0
    private var unit: UInt32 = 0
    /// The first half of a surrogate pair whose second is expected; 0 for none.
    private var high: UInt32 = 0
    /// Bytes of the UTF-8 sequence that are missing, and what the next of them may be.
    private var continuing = 0
    private var low: UInt8 = 0x80
    private var top: UInt8 = 0xBF

    /// Whether the next byte begins a character.
    var isBetweenCharacters: Bool { place == .plain && continuing == 0 }

    /// Takes one byte, which is not the closing quote where `isBetweenCharacters`.
    mutating func take(_ byte: UInt8) -> Taken {
        switch place {
        case .plain: return takePlain(byte)
        case .escape: return takeEscape(byte)
        case .unit: return takeDigit(byte)
        case .lowEscape:
            place = .lowLetter
            return byte == UInt8(ascii: "\\") ? .none : .broken
        case .lowLetter:
            beginUnit()
            return byte == UInt8(ascii: "u") ? .none : .broken
        }
    }

    private mutating func beginUnit() {
        place = .unit
        digits = 4
        unit = 0
    }

    private mutating func takeEscape(_ byte: UInt8) -> Taken {
        place = .plain
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return .byte(byte)
        case UInt8(ascii: "b"): return .byte(0x08)
        case UInt8(ascii: "f"): return .byte(0x0C)
        case UInt8(ascii: "n"): return .byte(0x0A)
        case UInt8(ascii: "r"): return .byte(0x0D)
        case UInt8(ascii: "t"): return .byte(0x09)
        case UInt8(ascii: "u"):
            beginUnit()
            return .none
        default: return .broken
        }
    }

    private mutating func takeDigit(_ byte: UInt8) -> Taken {
        guard let digit = ASCII.hexValue(byte) else { return .broken }
        unit = unit << 4 | UInt32(digit)
        digits -= 1
        guard digits == 0 else { return .none }
        place = .plain
        if high != 0 {
            guard unit & 0xFC00 == 0xDC00 else { return .broken }
            let value = 0x10000 + (high & 0x3FF) << 10 + unit & 0x3FF
            high = 0
            return Unicode.Scalar(value).map { .scalar($0) } ?? .broken
        }
        if unit & 0xFC00 == 0xD800 {
            high = unit
            place = .lowEscape
            return .none
        }
        // A second half alone is no scalar.
        return Unicode.Scalar(unit).map { .scalar($0) } ?? .broken
    }

    /// Unicode 16, table 3-7.
    private mutating func takePlain(_ byte: UInt8) -> Taken {
        if continuing > 0 {
            guard byte >= low && byte <= top else { return .broken }
            continuing -= 1
            low = 0x80
            top = 0xBF
            return .byte(byte)
        }
        switch byte {
        case UInt8(ascii: "\\"):
            place = .escape
            return .none
        case 0x20..<0x80: return .byte(byte)
        case 0xC2...0xDF: continuing = 1
        case 0xE0: (continuing, low) = (2, 0xA0)
        case 0xED: (continuing, top) = (2, 0x9F)
        case 0xE1...0xEF: continuing = 2
        case 0xF0: (continuing, low) = (3, 0x90)
        case 0xF1...0xF3: continuing = 3
        case 0xF4: (continuing, top) = (3, 0x8F)
        default: return .broken
        }
        return .byte(byte)
    }
}

/// Where in a number the last byte stood.
struct JSONStreamNumber {
    enum Taken {
        case more
        /// The number ended in front of the byte.
        case complete
        case broken
    }

    private enum Place: UInt8 {
        case minus, zero, whole, point, decimals, exponent, sign, power
    }

    private var place = Place.minus

    init() {}

    /// Nil where no number begins with `first`.
    init?(first: UInt8) {
        switch first {
        case UInt8(ascii: "-"): place = .minus
        case UInt8(ascii: "0"): place = .zero
        case UInt8(ascii: "1")...UInt8(ascii: "9"): place = .whole
        default: return nil
        }
    }

    /// Whether the number may end here.
    var isComplete: Bool {
        switch place {
        case .zero, .whole, .decimals, .power: true
        case .minus, .point, .exponent, .sign: false
        }
    }

    mutating func take(_ byte: UInt8) -> Taken {
        if ASCII.isDigit(byte) { return takeDigit(byte) }
        switch (byte, place) {
        case (UInt8(ascii: "."), .zero), (UInt8(ascii: "."), .whole): place = .point
        case (UInt8(ascii: "e"), .zero), (UInt8(ascii: "e"), .whole), (UInt8(ascii: "e"), .decimals),
            (UInt8(ascii: "E"), .zero), (UInt8(ascii: "E"), .whole), (UInt8(ascii: "E"), .decimals):
            place = .exponent
        case (UInt8(ascii: "+"), .exponent), (UInt8(ascii: "-"), .exponent): place = .sign
        default: return isComplete ? .complete : .broken
        }
        return .more
    }

    private mutating func takeDigit(_ byte: UInt8) -> Taken {
        switch place {
        case .minus: place = byte == UInt8(ascii: "0") ? .zero : .whole
        case .zero: return .broken
        case .point: place = .decimals
        case .exponent, .sign: place = .power
        case .whole, .decimals, .power: break
        }
        return .more
    }
}

/// The words of JSON.
enum JSONStreamLiteral {
    case `true`, `false`, null

    private var word: StaticString {
        switch self {
        case .true: "true"
        case .false: "false"
        case .null: "null"
        }
    }

    var count: Int { word.utf8CodeUnitCount }

    /// The byte at `index`, which is below `count`.
    func byte(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word.word() &>> UInt64(index * 8)) }
}
