// The wall clock jumps by an hour, forwards and back: the date of signed requests follows, and no timer notices.
// Relies on libfaketime (Debian: faketime), which leaves the monotonic clock alone. Refuses a machine without it.

import Foundation
import TestSupport
import Testing

@Suite struct ClockFaultTests {
    /// The library that is put before the gateway's own clock; nil where it is not installed.
    private static var library: String? {
        let folders = try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")
        let candidates = (folders ?? []).map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
        return candidates.first { FileManager.default.fileExists(atPath: $0) }
    }

    private func date(_ text: String) -> Date? {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.date(from: text)
    }

    @Test func theClockJumpsBothWays() throws {
        let library = try #require(Self.library, "install faketime")
        let folder = try TemporaryFolder()
        let clock = try folder.write("clock", "+0\n")
        let held = Gate()
        let asked = Gate()
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                if request.text == "{\"held\":true}" {
                    asked.open()
                    held.pass()
                }
                if request.text != "{\"lost\":true}" { conversation.answer() }
            }
        }
        var setup = Setup(upstream)
        setup.upstream = "    timeouts: {first_byte: 5s}\n"
        setup.limits = "  head_timeout: 700ms\n"
        // The library reads its file again with each look at the clock.
        setup.process = "reload_on_change: none\nhardening: {landlock: false}\n"
        let environment = [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        ]
        let gateway = try GatewayUnderTest(setup, environment: environment)
        let kept = try gateway.caller()
        for jump in [0, 3_600, -3_600, 86_400 * 400, 0] {
            let inFlight = try gateway.caller()
            try inFlight.send(post("/x", "{\"held\":true}"))
            #expect(asked.pass())
            let half = try gateway.caller()
            try half.send("POST /x HTTP/1.1\r\n")
            try folder.write("clock", "\(jump < 0 ? "" : "+")\(jump)\n")
            // Kept connections, requests in flight and limits in time know nothing of it.
            #expect(try kept.ask(post("/x", "{}")).status == 200)
            let sent = try #require(upstream.requests.last?["X-Date"].flatMap(date))
            #expect(abs(sent.timeIntervalSinceNow - Double(jump)) < 20, "the signed date follows by \(jump) s")
            let begin = ContinuousClock.now
            #expect(try half.answer().status == 408)
            #expect(ContinuousClock.now - begin < .seconds(10))
            held.open()
            #expect(try inFlight.answer().status == 200)
        }
        #expect(try kept.ask(post("/x", "{\"lost\":true}")).status == 504)
        #expect(gateway.program.stop() == .code(0))
    }
}
