// Which bytes may stand where: sets of ASCII characters as two words, and the sets that RFC 9110 and RFC 3986 name.
// Relies on nothing. A byte above 0x7F is in no set.

/// A set of ASCII bytes, tested without a table in memory.
struct ByteSet: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// The bytes below 64 and the others, a bit each: as numbers the sets below are laid out by the compiler, where
    /// texts would be read by the first request.
    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && (word &>> UInt64(byte & 0x3F)) & 1 != 0
    }

    /// tchar (RFC 9110 section 5.6.2): letters, digits and "!#$%&'*+-.^_`|~".
    static let token = ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    /// pchar (RFC 3986 section 3.3) without `.`, `;` and `%`, which mean more than themselves in a path: letters,
    /// digits and "-_~!$&'()*+,=:@".
    static let plainPath = ByteSet(low: 0x27FF_3FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF)
    /// query (RFC 3986 section 3.4) without `%`: letters, digits and "-._~!$&'()*+,;=:@/?".
    static let plainQuery = ByteSet(low: 0xAFFF_FFD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF)
    /// The part of reg-name (RFC 3986 section 3.2.2) that has one reading: unreserved ("-._~", letters, digits), no
    /// percent, no sub-delims.
    static let hostName = ByteSet(low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
}

/// Named bytes of the grammar.
enum ASCII {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")

    /// OWS (RFC 9110 section 5.6.3).
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// The value of a hexadecimal digit; nil for any other byte.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- UInt8(ascii: "0") }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }
}
