// What the operator is told of an upstream's clock and of its refusals, and how often.
// Relies on FakeUpstream for answers with any date and body.

import Foundation
import TestSupport
import Testing

@Suite struct NoticeTests {
    private static func date(_ seconds: TimeInterval) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.string(from: Date(timeIntervalSinceNow: seconds))
    }

    private func gateway(_ status: String = "200 OK", body: String = "{}", skew: TimeInterval) throws
        -> GatewayUnderTest
    {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.answer(body, status: status, headers: "Date: \(Self.date(skew))\r\n")
            }
        }
        return try GatewayUnderTest(Setup(upstream))
    }

    private func count(_ gateway: GatewayUnderTest, _ words: String) -> Int {
        gateway.program.errors.components(separatedBy: words).count - 1
    }

    @Test func aClockThatDiffersIsToldOnce() throws {
        let gateway = try gateway(skew: -100)
        for _ in 0..<3 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
        let line = try gateway.program.line(of: .errors) { $0.contains("the clock differs from the upstream's") }
        #expect(line.contains("\"upstream\":\"up\",\"seconds\":10"), "\(line)")
        #expect(gateway.program.stop() == .code(0))
        #expect(count(gateway, "the clock differs") == 1)
    }

    @Test func aClockWithinAMinuteIsNotTold() throws {
        let gateway = try gateway(skew: 55)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(gateway.program.stop() == .code(0))
        #expect(count(gateway, "the clock differs") == 0)
    }

    static let causes = [
        ("{\"message\":\"Unauthorized\"}", 0.0, "no credentials header arrived"),
        (
            "{\"message\":\"HMAC signature cannot be verified, a valid date or x-date header is required for HMAC"
                + " Authentication\"}", 0, "compare the clocks"
        ),
        ("{\"message\":\"HMAC signature cannot be verified\"}", 0, "the list of signed headers was refused"),
        ("{\"message\":\"HMAC signature does not match\"}", 0, "the secret is another one"),
        ("<html>no</html>", 0, "does not say why"), ("{\"message\":\"no\"}", 400, "compare the clocks"),
        ("{\"message\":\"" + String(repeating: "HMAC signature does not match", count: 200) + "\"}", 0, "not say why"),
    ]

    @Test(arguments: causes)
    func aRefusedSignatureIsToldWithItsCause(_ body: String, _ skew: TimeInterval, _ cause: String) throws {
        let gateway = try gateway("401 Unauthorized", body: body, skew: skew)
        for _ in 0..<3 {
            let answer = try gateway.ask(post("/x", "{}"))
            #expect(answer.status == 401 && answer.text == body)
        }
        let line = try gateway.program.line(of: .errors) { $0.contains("refused a signature (401)") }
        #expect(line.contains("\"credential\":\"program\"") && line.contains(cause), "\(line)")
        #expect(gateway.program.stop() == .code(0))
        #expect(count(gateway, "refused a signature (401)") == 1)
    }
}
