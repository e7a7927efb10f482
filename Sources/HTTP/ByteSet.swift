// Which bytes may stand where: sets of ASCII characters as two words, and the sets that RFC 9110 and RFC 3986 name.
// Relies on nothing. A byte above 0x7F is in no set.

/// A set of ASCII bytes, tested without a table in memory.
struct ByteSet: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// The bytes of `characters`, letters and digits if `alphanumeric`.
    private init(alphanumeric: Bool, _ characters: String) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for byte in characters.utf8 {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
        }
        if alphanumeric {
            low |= 0x03FF_0000_0000_0000
            high |= 0x07FF_FFFE_07FF_FFFE
        }
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && (word &>> UInt64(byte & 0x3F)) & 1 != 0
    }

    /// tchar (RFC 9110 section 5.6.2).
    static let token = ByteSet(alphanumeric: true, "!#$%&'*+-.^_`|~")
    /// pchar (RFC 3986 section 3.3) without `.`, `;` and `%`, which mean more than themselves in a path.
    static let plainPath = ByteSet(alphanumeric: true, "-_~!$&'()*+,=:@")
    /// query (RFC 3986 section 3.4) without `%`.
    static let plainQuery = ByteSet(alphanumeric: true, "-._~!$&'()*+,;=:@/?")
    /// The part of reg-name (RFC 3986 section 3.2.2) that has one reading: unreserved, no percent, no sub-delims.
    static let hostName = ByteSet(alphanumeric: true, "-._~")
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
