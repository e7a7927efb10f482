// The date of X-Date and Date: IMF-fixdate (RFC 9110 section 5.6.7), made once per second by the worker.
// Relies on nothing, no C library's calendar. Refuses, by precondition, years outside 1970 ... 9999.

package import HTTP

/// A date such as `Fri, 17 Jan 2020 19:59:29 GMT`: 29 bytes.
package struct HTTPDate: Equatable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z without leap seconds.
    package let unixSeconds: Int64
    private var storage: [29 of UInt8]

    /// The seconds that have a date of four digits' year.
    package static let range: ClosedRange<Int64> = 0...253_402_300_799
    /// Bytes of every date.
    package static let length = 29

    private static let days = Array("SunMonTueWedThuFriSat".utf8)
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
    private static let zone = Array("GMT".utf8)

    /// Writes the date of `unixSeconds`, which lies in `range`.
    package init(unixSeconds: Int64) {
        precondition(Self.range.contains(unixSeconds), "a wall clock shows a year from 1970 to 9999")
        self.unixSeconds = unixSeconds
        storage = InlineArray(repeating: UInt8(ascii: " "))
        let dayNumber = Int(unixSeconds / 86_400)
        let second = Int(unixSeconds % 86_400)
        let (year, month, day) = Self.civil(dayNumber)
        put(Self.days, 3 * ((dayNumber + 4) % 7), at: 0)
        storage[3] = UInt8(ascii: ",")
        putTwo(day, at: 5)
        put(Self.months, 3 * (month - 1), at: 8)
        putTwo(year / 100, at: 12)
        putTwo(year % 100, at: 14)
        putTwo(second / 3_600, at: 17)
        storage[19] = UInt8(ascii: ":")
        putTwo(second / 60 % 60, at: 20)
        storage[22] = UInt8(ascii: ":")
        putTwo(second % 60, at: 23)
        put(Self.zone, 0, at: 26)
    }

    /// The 29 bytes.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span }
    }

    /// Appends the 29 bytes.
    package func append(to buffer: inout ByteBuffer) { buffer.append(storage.span) }

    package static func == (one: HTTPDate, other: HTTPDate) -> Bool { one.unixSeconds == other.unixSeconds }

    /// The seconds of a date that is spelled exactly as `init` would spell it; nil for any other text, the obsolete
    /// forms included. The day's name must be right.
    package static func parse(_ text: Span<UInt8>) -> Int64? {
        guard text.count == length, let day = two(text, 5), let century = two(text, 12), let year = two(text, 14),
            let hour = two(text, 17), let minute = two(text, 20), let second = two(text, 23),
            let month = month(text), century * 100 + year >= 1970
        else { return nil }
        let days = dayNumber(year: century * 100 + year, month: month, day: day)
        let seconds = Int64(days * 86_400 + hour * 3_600 + minute * 60 + second)
        // Writing it again settles the rest: impossible days and times, punctuation, the day's name.
        guard range.contains(seconds) else { return nil }
        let again = HTTPDate(unixSeconds: seconds)
        for index in 0..<length where again.storage[index] != text[index] { return nil }
        return seconds
    }

    private mutating func put(_ names: [UInt8], _ offset: Int, at: Int) {
        for index in 0..<3 { storage[at + index] = names[offset + index] }
    }

    private mutating func putTwo(_ number: Int, at: Int) {
        storage[at] = UInt8(ascii: "0") + UInt8(number / 10)
        storage[at + 1] = UInt8(ascii: "0") + UInt8(number % 10)
    }

    private static func two(_ text: Span<UInt8>, _ at: Int) -> Int? {
        let zero = UInt8(ascii: "0")
        guard text[at] >= zero, text[at] <= zero + 9, text[at + 1] >= zero, text[at + 1] <= zero + 9 else { return nil }
        return Int(text[at] - zero) * 10 + Int(text[at + 1] - zero)
    }

    private static func month(_ text: Span<UInt8>) -> Int? {
        for month in 1...12 {
            var probe = HTTPDate(unixSeconds: 0)
            probe.put(months, 3 * (month - 1), at: 8)
            if probe.storage[8] == text[8] && probe.storage[9] == text[9] && probe.storage[10] == text[10] {
                return month
            }
        }
        return nil
    }

    /// Year, month and day of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
    package static func civil(_ dayNumber: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = dayNumber + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    /// The inverse of `civil`, for years from 1970 on.
    private static func dayNumber(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
