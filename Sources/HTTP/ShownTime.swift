// Times as bodies have them, and how a log shows them. Relies on nothing, no C library's calendar. Refuses years
// outside of 2015 ... 2039: older dates could be birthdays, and other numbers are no times.

/// A time that may be shown.
struct ShownTime {
    private enum Form {
        /// So many bytes as they are, then those from an offset on (the zone).
        case text(Int, zone: Int)
        case unix(seconds: Int)
    }

    /// 2015-01-01 and 2040-01-01, in Unix seconds.
    private static let range = 1_420_070_400..<2_208_988_800
    private static let years = 2_015...2_039

    private let form: Form

    /// Nil where `text` is no time that may be shown.
    init?(_ text: Span<UInt8>) {
        if let form = Self.iso(text) ?? Self.banking(text) ?? Self.unix(text) {
            self.form = form
        } else {
            return nil
        }
    }

    /// Appends a JSON string; `text` is what the time was made from.
    func append(_ text: Span<UInt8>, to buffer: inout ByteBuffer) {
        buffer.append(byte: UInt8(ascii: "\""))
        switch form {
        case .text(let end, let zone):
            buffer.append(text.extracting(0..<end))
            buffer.append(text.extracting(zone..<text.count))
        case .unix(let seconds): Self.append(seconds, to: &buffer)
        }
        buffer.append(byte: UInt8(ascii: "\""))
    }

    /// `YYYY-MM-DD`, then where there is more `T` or a space, `hh:mm:ss`, a fraction, and `Z`, `+hh:mm` or nothing.
    private static func iso(_ text: Span<UInt8>) -> Form? {
        guard text.count >= 10, isDate(text, year: 0, month: 5, day: 8) else { return nil }
        if text.count == 10 { return .text(10, zone: 10) }
        guard text.count >= 19, text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: " "),
            isClock(text, 11, hours: 0...23), text[16] == UInt8(ascii: ":"), (0...60).contains(two(text, 17))
        else { return nil }
        var zone = 19
        if text.count > 20 && text[19] == UInt8(ascii: ".") {
            zone = 20
            while zone < text.count && zone < 29 && ASCII.isDigit(text[zone]) { zone += 1 }
            guard zone > 20 else { return nil }
        }
        return isZone(text, zone) ? .text(19, zone: zone) : nil
    }

    private static func isZone(_ text: Span<UInt8>, _ at: Int) -> Bool {
        switch text.count - at {
        case 0: true
        case 1: text[at] == UInt8(ascii: "Z")
        case 6: (text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-")) && isClock(text, at + 1, hours: 0...14)
        default: false
        }
    }

    /// `DD-MM-YYYY hh:mm AM`.
    private static func banking(_ text: Span<UInt8>) -> Form? {
        guard text.count == 19, isDate(text, year: 6, month: 3, day: 0), text[10] == UInt8(ascii: " "),
            isClock(text, 11, hours: 1...12), text[16] == UInt8(ascii: " "),
            text[17] == UInt8(ascii: "A") || text[17] == UInt8(ascii: "P"), text[18] == UInt8(ascii: "M")
        else { return nil }
        return .text(19, zone: 19)
    }

    /// Ten digits, or thirteen with milliseconds.
    private static func unix(_ text: Span<UInt8>) -> Form? {
        guard text.count == 10 || text.count == 13 else { return nil }
        var number = 0
        for at in 0..<text.count {
            guard ASCII.isDigit(text[at]) else { return nil }
            if at < 10 { number = number * 10 + Int(text[at] - UInt8(ascii: "0")) }
        }
        return range.contains(number) ? .unix(seconds: number) : nil
    }

    /// Two digits; -1 for anything else.
    private static func two(_ text: Span<UInt8>, _ at: Int) -> Int {
        guard ASCII.isDigit(text[at]) && ASCII.isDigit(text[at + 1]) else { return -1 }
        return Int(text[at] - UInt8(ascii: "0")) * 10 + Int(text[at + 1] - UInt8(ascii: "0"))
    }

    /// A date with hyphens; the offsets are those of its parts.
    private static func isDate(_ text: Span<UInt8>, year: Int, month: Int, day: Int) -> Bool {
        let century = two(text, year)
        let rest = two(text, year + 2)
        let hyphens = year == 0 ? (4, 7) : (2, 5)
        return century >= 0 && rest >= 0 && years.contains(century * 100 + rest) && (1...12).contains(two(text, month))
            && (1...31).contains(two(text, day)) && text[hyphens.0] == UInt8(ascii: "-")
            && text[hyphens.1] == UInt8(ascii: "-")
    }

    private static func isClock(_ text: Span<UInt8>, _ at: Int, hours: ClosedRange<Int>) -> Bool {
        hours.contains(two(text, at)) && text[at + 2] == UInt8(ascii: ":") && (0...59).contains(two(text, at + 3))
    }

    /// Seconds since 1970 as `2020-01-17T19:59:29Z` (Howard Hinnant, chrono-compatible date algorithms).
    private static func append(_ seconds: Int, to buffer: inout ByteBuffer) {
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let second = seconds % 86_400
        let calendarMonth = month < 10 ? month + 3 : month - 9
        buffer.appendDecimal(era * 400 + year + (calendarMonth <= 2 ? 1 : 0))
        append("-", calendarMonth, to: &buffer)
        append("-", dayOfYear - (153 * month + 2) / 5 + 1, to: &buffer)
        append("T", second / 3_600, to: &buffer)
        append(":", second / 60 % 60, to: &buffer)
        append(":", second % 60, to: &buffer)
        buffer.append(byte: UInt8(ascii: "Z"))
    }

    /// A mark and two digits.
    private static func append(_ mark: Unicode.Scalar, _ number: Int, to buffer: inout ByteBuffer) {
        buffer.append(byte: UInt8(ascii: mark))
        if number < 10 { buffer.append(byte: UInt8(ascii: "0")) }
        buffer.appendDecimal(number)
    }
}
