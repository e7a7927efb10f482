// A short token without the case of its letters, held in four words: how names and keywords are told apart.
// Relies on the token holding no control byte, which the readers of heads and trailers refuse: then one bit decides
// case, and no two tokens that a literal could be are taken for one. A token of more than 32 bytes equals no literal.

/// A token of up to 32 bytes.
struct FoldedToken: Sendable {
    /// The bit that tells small letters from capitals, in each byte; digits and `-` have it set, `_` becomes 0x7F.
    private static let caseBits: UInt64 = 0x2020_2020_2020_2020

    /// The first eight bytes; of a shorter token all, zeros behind them.
    private(set) var first: UInt64 = 0
    /// The eight after these, where the token has more than sixteen; and the next, where it has more than 24.
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    /// The last eight, where it has as many.
    private(set) var last: UInt64 = 0
    /// Length of the whole token, also where it was cut.
    private(set) var length = 0

    init() {}

    /// A token of up to 16 bytes, from what another one says of itself.
    @inline(__always)
    init(first: UInt64, last: UInt64, length: Int) {
        self.first = first
        self.last = last
        self.length = length
    }

    /// A token of 1 ... 16 bytes: the eight bytes from its beginning on, be they of the token or not, and the last
    /// eight, 0 of a shorter one.
    @inline(__always)
    init(loaded first: UInt64, _ last: UInt64, _ length: Int) {
        if length >= 8 {
            self.init(first: first | Self.caseBits, last: last | Self.caseBits, length: length)
        } else {
            let others = UInt64(truncatingIfNeeded: 64 &- length &* 8)
            self.init(first: ((first | Self.caseBits) &<< others) &>> others, last: 0, length: length)
        }
    }

    @inline(__always)
    init(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        length = end &- start
        guard length >= 8 else {
            first = Self.fold(bytes.word(at: start, upTo: end), length)
            return
        }
        let ends = bytes.ends(from: start, to: end)
        first = ends.first | Self.caseBits
        last = ends.last | Self.caseBits
        guard length > 16 else { return }
        second = bytes.word(at: start &+ 8) | Self.caseBits
        guard length > 24 else { return }
        third = bytes.word(at: start &+ 16) | Self.caseBits
    }

    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: ByteRange) { self.init(bytes, Int(range.start), Int(range.end)) }

    /// A word of `count` (at most 7) bytes.
    @inline(__always)
    private static func fold(_ word: UInt64, _ count: Int) -> UInt64 {
        word | caseBits & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
    }

    /// Whether the token is `literal`, which has letters, digits, `-` and `_`, and at most 32 bytes.
    @inline(__always)
    func matches(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard length == count else { return false }
        guard count >= 8 else { return first == Self.fold(literal.word(), count) }
        return first == literal.word() | Self.caseBits && last == literal.word(at: count - 8) | Self.caseBits
            && (count <= 16 || second == literal.word(at: 8) | Self.caseBits)
            && (count <= 24 || third == literal.word(at: 16) | Self.caseBits)
    }

    /// Adds one byte at the end, for readers that see a name byte by byte.
    mutating func append(_ byte: UInt8) {
        let folded = UInt64(byte) | 0x20
        let word = folded &<< UInt64((length & 7) * 8)
        switch length >> 3 {
        case 0: first |= word
        case 1: second |= word
        case 2: third |= word
        default: break
        }
        last = last &>> 8 | folded &<< 56
        length += 1
    }

    /// The token with every `_`, which is folded to 0x7F, made `-`.
    var hyphenated: FoldedToken {
        var token = self
        token.first = first.replacing(0x7F, with: UInt8(ascii: "-"))
        token.second = second.replacing(0x7F, with: UInt8(ascii: "-"))
        token.third = third.replacing(0x7F, with: UInt8(ascii: "-"))
        token.last = last.replacing(0x7F, with: UInt8(ascii: "-"))
        return token
    }
}
