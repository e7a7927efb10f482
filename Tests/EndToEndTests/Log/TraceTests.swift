// The field traceparent on its way through: passed on with a parent of our own, begun where there is none.
// Relies on W3C Trace Context level 1. Refuses invalid ones by putting another in their place.

import TestSupport
import Testing

@Suite struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"

    /// What the upstream got for the request's fields, and the line.
    private func pass(_ fields: [String]) throws -> (Message, LogRecord) {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let lines = fields.map { $0 + "\r\n" }.joined()
        let request =
            "POST /x HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\(lines)\r\n{}"
        #expect(try gateway.ask(request).status == 200)
        return (try #require(upstream.requests.first), try #require(try gateway.log(1).first))
    }

    @Test(arguments: [("00", "01", "01"), ("00", "00", "00"), ("00", "ff", "01"), ("cc", "01", "01")])
    func aTraceGoesOnWithANewParent(_ version: String, _ flags: String, _ passed: String) throws {
        let (seen, line) = try pass([
            "Traceparent: \(version)-\(Self.trace)-\(Self.parent)-\(flags)", "TraceState: a=1,b=2", "tracestate: c=3",
        ])
        let span = try #require(line["span_id"])
        #expect(line["trace_id"] == Self.trace && span != Self.parent && span.utf8.count == 16)
        #expect(seen["traceparent"] == "00-\(Self.trace)-\(span)-\(passed)")
        #expect(seen.all("tracestate") == ["a=1,b=2", "c=3"])
        // Not signed: the list is the credential's.
        #expect(seen["authorization"]?.contains("trace") == false)
    }

    @Test(arguments: [
        [], ["traceparent: 00-\(trace)-\(parent)"], ["traceparent: ff-\(trace)-\(parent)-01"],
        ["traceparent: 00-\(trace)-\(parent)-01-extra"], ["traceparent: 00-\(trace.uppercased())-\(parent)-01"],
        ["traceparent: 00-00000000000000000000000000000000-\(parent)-01"],
        ["traceparent: 00-\(trace)-0000000000000000-01"], ["traceparent: "], ["traceparent: 4111111111111111"],
        ["traceparent: 00-\(trace)-\(parent)-01", "traceparent: 00-\(trace)-\(parent)-01"],
    ])
    func anotherIsBegunWhereThereIsNone(_ fields: [String]) throws {
        let (seen, line) = try pass(fields + ["tracestate: a=1"])
        let trace = try #require(line["trace_id"])
        let span = try #require(line["span_id"])
        #expect(trace != Self.trace && trace.utf8.count == 32 && span.utf8.count == 16)
        #expect(seen["traceparent"] == "00-\(trace)-\(span)-00")
        #expect(seen.all("tracestate").isEmpty)
    }

    @Test func aCallersRequestIDPassesAndIsNotLogged() throws {
        let (seen, line) = try pass(["X-Request-Id: MARKED-ID"])
        #expect(seen["x-request-id"] == "MARKED-ID" && !line.text.contains("MARKED"))
        #expect(try pass([]).0.all("x-request-id").isEmpty)
    }
}
