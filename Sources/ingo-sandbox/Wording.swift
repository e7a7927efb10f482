// Small conversions between bytes and text: ASCII, base64, hex, dates, identifiers, amounts.
// Relies on nothing but the Gregorian calendar. Refuses, by nil, whatever is not in exactly the agreed form.

/// Raw bytes as received or as sent.
typealias Bytes = [UInt8]

extension Array where Element == UInt8 {
    /// True if these are the bytes of `text`. Bytes are compared, never characters: two spellings of one character
    /// differ on the wire.
    func spells(_ text: String) -> Bool { elementsEqual(text.utf8) }

    /// Lower case for ASCII letters, other bytes unchanged.
    var lowercased: Bytes { map { $0 >= 65 && $0 <= 90 ? $0 | 0x20 : $0 } }

    /// As text; bytes that are not UTF-8 show as replacement characters.
    var text: String { String(decoding: self, as: UTF8.self) }

    /// True if all bytes are digits and there are some.
    var isDigits: Bool { !isEmpty && allSatisfy { $0 >= 48 && $0 <= 57 } }

    /// The number these digits spell, at most 15 of them.
    var decimal: Int? {
        guard isDigits, count <= 15 else { return nil }
        return reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    /// Without spaces and tabs at both ends.
    var trimmed: Bytes {
        guard let first = firstIndex(where: { $0 != 32 && $0 != 9 }) else { return [] }
        let last = lastIndex { $0 != 32 && $0 != 9 } ?? first
        return Array(self[first...last])
    }

    /// Lower-case hexadecimal digits.
    var hex: String {
        let digits = Bytes("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// Base64 of RFC 4648 section 4, with padding.
enum SandboxBase64 {
    private static let alphabet = Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: Bytes) -> Bytes {
        var output: Bytes = []
        var at = 0
        while at < bytes.count {
            let left = min(3, bytes.count - at)
            var group = Int(bytes[at]) << 16
            if left > 1 { group |= Int(bytes[at + 1]) << 8 }
            if left > 2 { group |= Int(bytes[at + 2]) }
            output.append(alphabet[group >> 18])
            output.append(alphabet[group >> 12 & 63])
            output.append(left > 1 ? alphabet[group >> 6 & 63] : 61)
            output.append(left > 2 ? alphabet[group & 63] : 61)
            at += 3
        }
        return output
    }
}

/// Points in time as the protocols write them.
enum DateText {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Fri, 17 Jan 2020 19:59:29 GMT` (RFC 1123), for times from 1970 on.
    static func http(_ unix: Int) -> String {
        let (year, month, day) = civil(unix / 86_400)
        return "\(days[unix / 86_400 % 7]), \(two(day)) \(months[month - 1]) \(four(year)) \(clock(unix)) GMT"
    }

    /// `2026-04-16T12:34:56.000Z`.
    static func iso(_ unix: Int) -> String {
        let (year, month, day) = civil(unix / 86_400)
        return "\(four(year))-\(two(month))-\(two(day))T\(clock(unix)).000Z"
    }

    /// Seconds since 1970, or nil if the bytes are not exactly what `http` writes for some second.
    static func parse(_ bytes: Bytes) -> Int? {
        guard bytes.count == 29, let day = Bytes(bytes[5..<7]).decimal, let year = Bytes(bytes[12..<16]).decimal,
            let month = months.firstIndex(where: { Bytes(bytes[8..<11]).spells($0) }),
            let hour = Bytes(bytes[17..<19]).decimal, let minute = Bytes(bytes[20..<22]).decimal,
            let second = Bytes(bytes[23..<25]).decimal, year >= 1970
        else { return nil }
        let unix = dayNumber(year, month + 1, day) * 86_400 + hour * 3_600 + minute * 60 + second
        return unix >= 0 && bytes.spells(http(unix)) ? unix : nil
    }

    private static func clock(_ unix: Int) -> String {
        "\(two(unix / 3_600 % 24)):\(two(unix / 60 % 60)):\(two(unix % 60))"
    }

    /// Days since 1970 of a date (Gregorian calendar, years counted from March).
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + ofYear - 719_468
    }

    private static func civil(_ number: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = shifted / 146_097
        let ofEra = shifted % 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * ofYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, ofYear - (153 * part + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func four(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 4 - String(number).utf8.count)) + String(number)
    }
}

/// Identifiers and numbers that the sandbox makes up.
enum Fresh {
    /// A random UUID behind a prefix such as `user-`.
    static func identifier(_ prefix: String) -> String {
        var bytes = Digests.random(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let hex = Bytes(bytes.hex.utf8)
        let cuts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return prefix + cuts.map { Bytes(hex[$0]).text }.joined(separator: "-")
    }

    /// Random digits, the first of them not zero.
    static func digits(_ count: Int) -> Bytes {
        let random = Digests.random(count)
        return random.enumerated().map { $0.offset == 0 ? 49 + $0.element % 9 : 48 + $0.element % 10 }
    }

    /// A nine-digit routing number with the check digit of the American Bankers Association.
    static func routingNumber() -> Bytes {
        var number = digits(8)
        let weights = [3, 7, 1, 3, 7, 1, 3, 7]
        let sum = zip(number, weights).reduce(0) { $0 + Int($1.0 - 48) * $1.1 }
        number.append(UInt8(48 + (10 - sum % 10) % 10))
        return number
    }
}

/// Money in cents.
enum Amount {
    /// Cents of a decimal with exactly two places such as `100.00`; nil if it is not positive or not in that form.
    static func parse(_ text: Bytes) -> Int? {
        guard let point = text.firstIndex(of: 46), text.count - point == 3, point <= 10,
            let whole = Bytes(text[..<point]).decimal, let cents = Bytes(text[(point + 1)...]).decimal,
            point == 1 || text[0] != 48
        else { return nil }
        let amount = whole * 100 + cents
        return amount > 0 ? amount : nil
    }

    static func text(_ cents: Int) -> String { "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)" }
}
