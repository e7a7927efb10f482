// The time of a log line: RFC 3339 in UTC with milliseconds, its text kept for as long as the second lasts.
// Relies on Signing's calendar. Refuses nothing: times outside of 1970 ... 9999 are shown as the nearest of those.

internal import HTTP
internal import Signing

/// A wall-clock time such as `2026-11-20T10:51:36.123Z`.
package struct LogTime: Sendable {
    /// Seconds since 1970-01-01T00:00:00Z of which the text is.
    private var second: Int64
    private var milliseconds: Int
    /// The date and the time with the point behind them.
    private var text: [20 of UInt8]

    package init(unixMilliseconds: Int64) {
        second = -1
        milliseconds = 0
        text = InlineArray(repeating: 0)
        set(unixMilliseconds: unixMilliseconds)
    }

    /// Moves to another time.
    package mutating func set(unixMilliseconds: Int64) {
        let range = HTTPDate.range
        let time = min(max(unixMilliseconds, range.lowerBound), range.upperBound * 1_000 + 999)
        milliseconds = Int(time % 1_000)
        guard time / 1_000 != second else { return }
        second = time / 1_000
        write()
    }

    private mutating func write() {
        let (year, month, day) = HTTPDate.civil(Int(second / 86_400))
        let rest = Int(second % 86_400)
        put(year / 100, at: 0)
        put(year % 100, at: 2)
        put(month, at: 5)
        put(day, at: 8)
        put(rest / 3_600, at: 11)
        put(rest / 60 % 60, at: 14)
        put(rest % 60, at: 17)
        text[4] = UInt8(ascii: "-")
        text[7] = UInt8(ascii: "-")
        text[10] = UInt8(ascii: "T")
        text[13] = UInt8(ascii: ":")
        text[16] = UInt8(ascii: ":")
        text[19] = UInt8(ascii: ".")
    }

    private mutating func put(_ number: Int, at: Int) {
        text[at] = UInt8(ascii: "0") + UInt8(number / 10)
        text[at + 1] = UInt8(ascii: "0") + UInt8(number % 10)
    }

    /// Appends the 24 bytes.
    @inline(__always)
    func append(to line: inout ByteCursor) {
        line.append(text)
        line.append(threeDigitsOf: milliseconds)
        line.append("Z")
    }
}
