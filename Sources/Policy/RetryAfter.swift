// What an upstream's Retry-After says (RFC 9110 section 10.2.3): seconds or a date.
// Relies on its caller for the calendar: Signing has the only one. Refuses everything else; never believes more than an
// hour, so that a wrong answer cannot stop a credential for good.

/// Reads the field.
package enum RetryAfter {
    /// The longest wait that is believed, in seconds.
    package static let maxSeconds = 3_600

    /// The wait in seconds, 0 ... 3600; nil for a value that is neither digits nor what `date` reads.
    ///
    /// - Parameters:
    ///   - value: The field's value without white space at its ends.
    ///   - unixSeconds: The wall clock, to which a date is compared. One that is over is 0.
    ///   - date: The seconds since 1970 of an IMF-fixdate, nil for any other text.
    package static func seconds(_ value: Span<UInt8>, unixSeconds: Int64, date: (Span<UInt8>) -> Int64?) -> Int? {
        if value.isEmpty { return nil }
        var seconds = 0
        for index in value.indices {
            let digit = value[index] &- UInt8(ascii: "0")
            guard digit <= 9 else {
                return date(value).map { Int(min(max($0 - unixSeconds, 0), Int64(maxSeconds))) }
            }
            // Once beyond the bound, further digits change nothing.
            seconds = min(seconds * 10 + Int(digit), maxSeconds)
        }
        return seconds
    }
}
