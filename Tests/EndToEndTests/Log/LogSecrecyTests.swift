// Nothing that a caller or an upstream chose stands in the log, however the request ends.

import TestSupport
import Testing

@Suite struct LogSecrecyTests {
    private static let mark = "4929123456781234"

    @Test(arguments: ["hashed", "plain"]) func marksAreNowhere(_ correlation: String) throws {
        let mark = Self.mark
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                if request.startLine.contains("/lose") { return }
                if request.startLine.contains("/odd") {
                    conversation.send("HTTP/1.1 200 \(mark)\u{1}\r\nContent-Length: 0\r\n\r\n")
                    return
                }
                conversation.answer(
                    "{\"account\":\"\(mark)\",\"status\":\"\(mark)\"}", status: "299 \(mark)",
                    headers: "X-\(mark): \(mark)\r\n")
            }
        }
        var setup = Setup(upstream, .memory, "key: [/key, Idempotency-Key], code: /status, not_final: [104]")
        setup.log = "correlation: \(correlation)"
        let gateway = try GatewayUnderTest(setup)
        let fields = [
            "User-Agent: \(mark)", "X-\(mark): 1", "Cookie: a=\(mark)", "Referer: http://\(mark)/",
            "X-Request-Id: \(mark)", "traceparent: \(mark)", "tracestate: a=\(mark)", "Idempotency-Key: \(mark)",
            "Authorization: Bearer \(mark)", "Forwarded: for=\(mark)",
        ]
        let body = "{\"key\":\"\(mark)\",\"\(mark)\":\"\(mark)\"}"
        var requests = ["/pay/\(mark)", "/open/\(mark)?a=\(mark)", "/\(mark)", "/open/lose/\(mark)", "/open/odd"].map {
            (post($0, body) as String).replacing(
                "Host: gateway", with: (["Host: h\(mark)"] + fields).joined(separator: "\r\n"))
        }
        requests += [
            "M\(mark) /\(mark) HTTP/1.1\r\nHost: g\r\n\r\n", "GET /\(mark) HTTP/\(mark)\r\n\r\n", "\(mark)\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: \(mark)@\r\n\r\n", "GET / HTTP/1.1\r\n\(mark)\r\n\r\n",
            post("/open", "{\"\(mark)"), post("/open", body, "Content-Encoding: \(mark)"),
            post("/open", body, "Expect: \(mark)"), post("/open", body).replacing("application/json", with: mark),
        ]
        for request in requests { _ = try? gateway.ask(request) }
        #expect(gateway.program.stop() == .code(0))
        #expect(try gateway.log(requests.count).count == requests.count)
        let told = gateway.program.output + gateway.program.errors
        #expect(!told.contains(mark) && !told.contains("4929123"))
    }
}
