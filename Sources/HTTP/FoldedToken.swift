// A short token with its capitals made small, held in four words: how names and keywords are told apart.
// Relies on the token holding no NUL. A token of more than 32 bytes is cut and equals no literal.

/// A token of up to 32 bytes, lower-cased.
struct FoldedToken: Equatable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    /// Length of the whole token, also where it was cut.
    private(set) var length = 0

    init() {}

    @inline(__always)
    init(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        length = end - start
        words.0 = bytes.word(at: start, upTo: end).lowercased
        guard length > 8 else { return }
        words.1 = bytes.word(at: start + 8, upTo: end).lowercased
        guard length > 16 else { return }
        words.2 = bytes.word(at: start + 16, upTo: end).lowercased
        guard length > 24 else { return }
        words.3 = bytes.word(at: start + 24, upTo: end).lowercased
    }

    @inline(__always)
    init(_ bytes: Span<UInt8>, _ range: ByteRange) { self.init(bytes, Int(range.start), Int(range.end)) }

    /// Whether the token is `literal`, which is written in small letters and has at most 32 bytes.
    @inline(__always)
    func matches(_ literal: StaticString) -> Bool {
        guard length == literal.utf8CodeUnitCount && words.0 == literal.word() else { return false }
        return (literal.utf8CodeUnitCount <= 8 || words.1 == literal.word(at: 8))
            && (literal.utf8CodeUnitCount <= 16 || words.2 == literal.word(at: 16))
            && (literal.utf8CodeUnitCount <= 24 || words.3 == literal.word(at: 24))
    }

    /// Adds one byte at the end, for readers that see a name byte by byte.
    mutating func append(_ byte: UInt8) {
        let word = UInt64(byte).lowercased &<< UInt64((length & 7) * 8)
        switch length >> 3 {
        case 0: words.0 |= word
        case 1: words.1 |= word
        case 2: words.2 |= word
        case 3: words.3 |= word
        default: break
        }
        length += 1
    }

    /// The token with every `_` made `-`.
    var hyphenated: FoldedToken {
        var token = self
        token.words.0 = words.0.hyphenated
        token.words.1 = words.1.hyphenated
        token.words.2 = words.2.hyphenated
        token.words.3 = words.3.hyphenated
        return token
    }

    static func == (left: FoldedToken, right: FoldedToken) -> Bool {
        left.length == right.length && left.words == right.words
    }
}
