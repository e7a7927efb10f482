// Dates at the edges of days, months, leap years and the range, against a second calendar.
// Relies on Foundation's calendar as the other opinion. Refuses any spelling but the one of RFC 9110 section 5.6.7.

import Foundation
import HTTP
import Signing
import TestSupport
import Testing

@Suite("dates")
struct HTTPDateTests {
    static let known: [(Int64, String)] = [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1, "Thu, 01 Jan 1970 00:00:01 GMT"),
        (86_399, "Thu, 01 Jan 1970 23:59:59 GMT"),
        (86_400, "Fri, 02 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_579_291_169, "Fri, 17 Jan 2020 19:59:29 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ]

    @Test("a known date is written and read", arguments: known)
    func edge(_ seconds: Int64, _ expected: String) {
        let date = HTTPDate(unixSeconds: seconds)
        #expect(text(date.bytes) == expected)
        #expect(HTTPDate.parse(Array(expected.utf8).span) == seconds)
        var buffer = ByteBuffer(capacity: 1)
        date.append(to: &buffer)
        #expect(text(buffer.bytes) == expected)
    }

    @Test("random seconds agree with Foundation's calendar and come back")
    func random() {
        var seed = Seed.announced()
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        for _ in 0..<2_000 {
            let seconds = Int64.random(in: HTTPDate.range, using: &seed)
            let date = HTTPDate(unixSeconds: seconds)
            #expect(text(date.bytes) == formatter.string(from: Date(timeIntervalSince1970: TimeInterval(seconds))))
            #expect(HTTPDate.parse(date.bytes) == seconds)
        }
    }

    @Test("every day of 400 years and more follows the day before")
    func everyDay() {
        var last = "Wed"
        let names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        for day in Int64(0)..<150_000 {
            let date = HTTPDate(unixSeconds: day * 86_400)
            let name = String(text(date.bytes).prefix(3))
            let expected = names[((names.firstIndex(of: last) ?? 0) + 1) % 7]
            guard name == expected, HTTPDate.parse(date.bytes) == day * 86_400 else {
                Issue.record("day \(day) is \(text(date.bytes))")
                return
            }
            last = name
        }
    }

    @Test(
        "another spelling is refused",
        arguments: [
            "", "Fri, 17 Jan 2020 19:59:29 GM", "Fri, 17 Jan 2020 19:59:29 GMT ", "Thu, 17 Jan 2020 19:59:29 GMT",
            "Fri, 17 Jan 2020 19:59:29 UTC", "fri, 17 Jan 2020 19:59:29 GMT", "Fri, 17 jan 2020 19:59:29 GMT",
            "Fri, 17 Jan 2020 24:00:00 GMT", "Fri, 17 Jan 2020 19:60:00 GMT", "Fri, 17 Jan 2020 19:59:60 GMT",
            "Fri, 00 Jan 2020 19:59:29 GMT", "Sat, 32 Jan 2020 19:59:29 GMT", "Mon, 30 Feb 2020 19:59:29 GMT",
            "Thu, 29 Feb 2019 19:59:29 GMT", "Fri. 17 Jan 2020 19:59:29 GMT", "Fri, 17-Jan-2020 19:59:29 GMT",
            "Friday, 17-Jan-20 19:59:29 GMT", "Fri Jan 17 19:59:29 2020     ", "Fri, 17 Jan 2020 19 59 29 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT", "Fri,  7 Jan 2020 19:59:29 GMT", "Fri, 17 Jan 20\u{660} 19:59:29 GM",
        ])
    func refused(_ spelling: String) { #expect(HTTPDate.parse(Array(spelling.utf8).span) == nil) }
}
