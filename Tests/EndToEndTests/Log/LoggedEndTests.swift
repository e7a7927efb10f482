// Each way in which a request ends has its line: cause and phase as they were, one line and no other.
// Relies on upstreams that misbehave as told by the path. Refuses ends that have no test: the causes are all there.

import Foundation
import TestSupport
import Testing

@Suite struct LoggedEndTests {
    /// What an upstream does with a path.
    private static func upstream() throws -> FakeUpstream {
        try FakeUpstream { conversation in
            while let request = conversation.request() {
                switch request.startLine.split(separator: " ")[1] {
                case "/lose": return
                case "/garbage": conversation.send("NONSENSE\r\n\r\n")
                case "/cut":
                    conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
                    _ = conversation.wire.isReadable(within: 100)
                    return
                case "/hang": _ = conversation.wire.isReadable(within: 5_000)
                case "/stall":
                    conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
                    _ = conversation.wire.isReadable(within: 5_000)
                default: conversation.answer()
                }
            }
        }
    }

    private static func setup(_ upstream: FakeUpstream, _ more: String = "") -> Setup {
        var setup = Setup(upstream)
        setup.upstream = "    timeouts: {first_byte: 300ms, idle: 300ms}\n    connections: {keep_alive: 0}\n" + more
        return setup
    }

    @Test(
        arguments: [
            ("/x", "completed/settled", 200, 200, nil),
            ("/lose", "upstream-lost/sent", 502, nil, "connection_terminated"),
            ("/garbage", "upstream-unusable/sent", 502, nil, "http_protocol_error"),
            ("/cut", "upstream-lost/answered", 200, 200, nil),
            ("/hang", "upstream-timeout/sent", 504, nil, "http_response_timeout"),
            ("/stall", "upstream-timeout/answered", 200, 200, nil),
        ] as [(String, String, Int, Int?, String?)])
    func howTheUpstreamEndsIt(
        _ path: String, _ end: String, _ status: Int, _ upstream: Int?, _ error: String?
    ) throws {
        let gateway = try GatewayUnderTest(Self.setup(try Self.upstream()))
        let caller = try gateway.caller()
        let answer = try? caller.ask(post(path, "{}"))
        let lines = try gateway.log(1)
        let line = try #require(lines.first)
        #expect(lines.count == 1 && line.end == end, "\(line.text)")
        // An answer that was cut short is no answer to the caller, but it had its status.
        #expect(line.number("http.response.status_code") == status && (answer == nil || answer?.status == status))
        #expect(line.number("upstream.status_code") == upstream && line["error.type"] == error)
        #expect(line["sent"] == error.map { _ in "maybe" } && line["outcome"] == error.map { _ in "unknown" })
        #expect(line["level"] == (path == "/x" ? "info" : "error"))
        #expect(line.number("attempts") == 1 && line.flag("connection.reused") == false)
    }

    @Test func anUpstreamThatCannotBeReached() throws {
        let gone = try FakeUpstream()
        gone.stop()
        let gateway = try GatewayUnderTest(Setup(gone))
        #expect(try gateway.ask(post("/x", "{}")).status == 502)
        let line = try #require(try gateway.log(1).first)
        #expect(line.end == "upstream-unreachable/drafted" && line["error.type"] == "connection_refused")
        #expect(line["sent"] == "nothing" && line["outcome"] == nil && line.flag("connection.reused") == nil)
        #expect(line.milliseconds("connect_ms") != nil && line.milliseconds("first_byte_ms") == nil)
    }

    @Test func refusalsOfEachPhase() throws {
        var setup = Setup(try FakeUpstream())
        setup.credential =
            "    fields: {/participant_id: 12345}\n    signed_headers: \"request-line x-date content-sha512 x-own\"\n"
        setup.pace = "{rate: 1/h, burst: 3, queue: 0, max_wait: 0}"
        setup.routes = "  - {name: all, methods: [POST], prefix: /a, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let requests = [
            (post("/b", "{}"), "refused/received", 404), (post("/a", "[]"), "refused/admitted", 400),
            (post("/a", "{\"participant_id\":1}"), "refused/paced", 400),
            (post("/a", "{}", "X-Own: 1", "X-Own: 2"), "refused/connected", 400),
            (post("/a", "{}"), "completed/settled", 200), (post("/a", "{}"), "completed/settled", 200),
            (post("/a", "{}"), "completed/settled", 200), (post("/a", "{}"), "refused/remembered", 429),
        ]
        for (request, _, status) in requests { #expect(try gateway.ask(request).status == status) }
        let lines = try gateway.log(requests.count)
        #expect(lines.map(\.end) == requests.map(\.1))
        #expect(lines.map { $0.number("http.response.status_code") } == requests.map(\.2))
        #expect(lines.map { $0.milliseconds("pace_ms") != nil } == [false, false] + Array(repeating: true, count: 6))
        #expect(lines.map { $0.milliseconds("body_ms") != nil } == [false] + Array(repeating: true, count: 7))
    }

    @Test func callersWhoAreLate() throws {
        var setup = Setup(try FakeUpstream())
        setup.limits = "  head_timeout: 200ms\n  body_timeout: 200ms\n"
        let gateway = try GatewayUnderTest(setup)
        for part in [post("/x", "{}").prefix(30), post("/x", "{}").dropLast(1)] {
            let caller = try gateway.caller()
            try caller.send(String(part))
            #expect(try caller.answer().status == 408)
        }
        let lines = try gateway.log(2)
        #expect(lines.map(\.end) == ["refused/received", "caller-timeout/admitted"])
        #expect(lines.map { $0.number("http.response.status_code") } == [408, 408])
    }

    /// Before the seal the request is dropped; afterwards it is read to its end, and the line says how that was.
    @Test func callersWhoLeave() throws {
        let (upstream, asked, answer) = try heldUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let first = try gateway.caller()
        try first.send(String(post("/x", "{}").dropLast(1)))
        #expect(first.wire.isReadable(within: 100) == false)
        first.wire.reset()
        let early = try #require(try gateway.log(1).first)
        #expect(early.end == "caller-left/admitted" && early.number("http.response.status_code") == nil)
        #expect(early["level"] == "warning")
        let second = try gateway.caller()
        try second.send(post("/x", "{}"))
        #expect(asked.pass())
        second.wire.reset()
        // The reset is there before the answer is.
        #expect(try gateway.ask(post("/x", "1")).status == 400)
        answer.open()
        let lines = try gateway.log(3)
        let late = try #require(lines.last)
        #expect(late.end == "caller-left/settled" && late.number("upstream.status_code") == 200)
        #expect(late.number("http.response.status_code") == nil, "\(late.text)")
    }

    @Test func aGatewayThatStopsNow() throws {
        let (upstream, asked, answer) = try heldUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let sent = try gateway.caller()
        let begun = try gateway.caller()
        try sent.send(post("/x", "{}"))
        #expect(asked.pass())
        try begun.send(String(post("/x", "{}").dropLast(1)))
        #expect(begun.wire.isReadable(within: 100) == false)
        gateway.program.signal(.terminate)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"draining\"") }
        gateway.program.signal(.terminate)
        #expect(gateway.program.end() != nil)
        answer.open()
        let lines = try gateway.log(2)
        #expect(Set(lines.map(\.end)) == ["stopped/sent", "stopped/admitted"] && lines.count == 2)
        #expect(lines.first { $0.end == "stopped/sent" }?["sent"] == "maybe")
        #expect(lines.first { $0.end == "stopped/admitted" }?["sent"] == "nothing")
    }
}
