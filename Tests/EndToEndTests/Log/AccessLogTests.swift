// The access log: one line for each request, however it ends, with what is true of it.

import Foundation
import TestSupport
import Testing

@Suite struct AccessLogTests {
    @Test func aRequestThatIsCarriedThroughHasItsLine() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.routes =
            "  - {name: pay, methods: [POST], prefix: /pay, upstream: up, credential: program}\n"
            + "  - {name: one, methods: [GET], path: /one, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        for _ in 0..<2 { #expect(try caller.ask(post("/pay/x?y=z", "{\"a\": 1}")).status == 200) }
        #expect(try caller.ask("GET /one HTTP/1.1\r\nHost: g\r\n\r\n").status == 200)
        let lines = try gateway.log(3)
        #expect(lines.count == 3)
        let first = lines[0]
        #expect(first["level"] == "info" && first["message"] == "request")
        #expect(first["http.request.method"] == "POST" && first["http.route"] == "/pay/*" && first["route"] == "pay")
        #expect(first["upstream"] == "up" && first["credential"] == "program" && first["caller"] == nil)
        #expect(first.number("http.response.status_code") == 200 && first.number("upstream.status_code") == 200)
        #expect(first.end == "completed/settled" && first["error.type"] == nil && first["sent"] == nil)
        #expect(first.number("http.request.body.size") == 8 && first.number("http.response.body.size") == 11)
        #expect(first.number("attempts") == 1 && first.flag("replayed") == false)
        #expect(lines.map { $0.flag("connection.reused") } == [false, true, true])
        #expect(lines[2]["http.route"] == "/one" && lines[2]["http.request.method"] == "GET")
        #expect(lines[2].number("http.request.body.size") == 0)
        #expect(Set(lines.compactMap { $0["request_id"] }).count == 3)
        #expect(Set(lines.compactMap { $0["trace_id"] }).count == 3)
        let time = try #require(first["time"])
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let date = try #require(format.date(from: time))
        #expect(abs(date.timeIntervalSinceNow) < 60 && time.utf8.count == 24)
        let total = try #require(first.milliseconds("duration_ms"))
        let parts = ["body_ms", "connect_ms", "first_byte_ms", "answer_ms", "delivery_ms"]
        for part in parts {
            let length = try #require(first.milliseconds(part), "\(part)")
            #expect(length >= 0 && length <= total + 0.002, "\(part): \(first.text)")
        }
        #expect(first.milliseconds("store_ms") == nil && first.milliseconds("pace_ms") == nil)
        #expect(first.milliseconds("body_ms") == 0)
        #expect(gateway.program.stop() == .code(0))
        #expect(try gateway.log(3).count == 3)
    }

    @Test func timesAreThoseOfThePhases() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                _ = conversation.wire.isReadable(within: 120)
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
                _ = conversation.wire.isReadable(within: 90)
                conversation.send("}")
            }
        }
        let gateway = try GatewayUnderTest(Setup(upstream))
        let caller = try gateway.caller()
        let request = post("/x", "{}")
        try caller.send(String(request.dropLast(1)))
        _ = caller.wire.isReadable(within: 60)
        try caller.send("}")
        #expect(try caller.answer().status == 200)
        let line = try #require(try gateway.log(1).first)
        for (part, least) in [("body_ms", 55.0), ("first_byte_ms", 110), ("answer_ms", 80), ("duration_ms", 265)] {
            #expect(try #require(line.milliseconds(part)) >= least, "\(part): \(line.text)")
        }
    }

    @Test func pipelinedRequestsHaveALineEach() throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let caller = try gateway.caller()
        try caller.send(post("/a", "{}") + post("/b", "[]") + post("/c", "{\"c\":1}"))
        #expect(try (0..<3).map { _ in try caller.answer().status } == [200, 400, 200])
        let lines = try gateway.log(3)
        #expect(lines.map(\.end) == ["completed/settled", "refused/admitted", "completed/settled"])
        #expect(lines.map { $0.number("http.request.body.size") } == [2, 2, 7])
    }

    /// The line has the id that the caller was given with an answer of the gateway's own.
    @Test func aRefusedRequestHasItsLine() throws {
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()))
        let unknown = try gateway.ask("BREW /pot HTTP/1.1\r\nHost: g\r\n\r\n")
        let broken = try gateway.ask(post("/x", "{\"a\":"))
        let lines = try gateway.log(2)
        #expect(lines.map { $0["request_id"] } == [unknown["X-Request-Id"], broken["X-Request-Id"]])
        #expect(lines.map { $0["http.request.method"] } == ["_OTHER", "POST"])
        #expect(lines.map { $0.number("http.response.status_code") } == [501, 400])
        #expect(lines.map { $0["http.route"] } == [nil, "/*"])
        #expect(lines.map { $0["error.type"] } == ["http_request_error", "http_request_error"])
        #expect(lines.map { $0["sent"] } == ["nothing", "nothing"] && lines.allSatisfy { $0["outcome"] == nil })
        #expect(lines.map { $0["level"] } == ["error", "warning"])
        #expect(lines.map { $0.number("http.response.body.size") } == [unknown.body.count, broken.body.count])
        #expect(lines.allSatisfy { $0.number("attempts") == 0 && $0.flag("connection.reused") == nil })
    }

    @Test func callersAreNamed() throws {
        var setup = Setup(try FakeUpstream())
        setup.limits = "  keep_alive: 5s\ncallers: {payouts: {token: \"env:TOKEN\"}}\n"
        let token = "token-of-sixteen-bytes"
        let gateway = try GatewayUnderTest(setup, environment: ["TOKEN": token])
        #expect(try gateway.ask(post("/x", "{}", "Authorization: Bearer \(token)")).status == 200)
        #expect(try gateway.ask(post("/x", "{}")).status == 401)
        let lines = try gateway.log(2)
        #expect(lines.map { $0["caller"] } == ["payouts", nil])
        #expect(lines.map(\.end) == ["completed/settled", "refused/received"])
    }

    @Test(arguments: ["errors", "off"]) func fewerLinesWhereThatIsMeant(_ requests: String) throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                conversation.answer(status: request.startLine.contains("/bad") ? "404 Not Found" : "200 OK")
            }
        }
        var setup = Setup(upstream)
        setup.log = "requests: \(requests)"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        for path in ["/good", "/bad", "/good"] { _ = try caller.ask(post(path, "{}")) }
        #expect(try caller.ask(post("/x", "1")).status == 400)
        #expect(gateway.program.stop() == .code(0))
        let ends = try gateway.log(0).map(\.end)
        #expect(ends == (requests == "errors" ? ["completed/settled", "refused/admitted"] : []))
    }

    @Test func keysAreNamedByTheirHashAndReplaysAreTold() throws {
        let upstream = try ActingUpstream(["/pay": [.answer(body: "{\"status\": 100}")]])
        let setup = Setup(upstream.upstream, .memory, "key: /key, code: /status, not_final: [104]")
        let gateway = try GatewayUnderTest(setup)
        let request = post("/pay", "{\"key\":\"order-17\"}")
        for _ in 0..<2 { #expect(try gateway.ask(request).status == 200) }
        #expect(try gateway.ask(post("/pay", "{\"key\":\"order-17\",\"b\":1}")).status == 422)
        #expect(try gateway.ask(post("/pay", "{}")).status == 400)
        let lines = try gateway.log(4)
        #expect(
            lines.map(\.end) == ["completed/settled", "replayed/collected", "refused/collected", "refused/collected"])
        #expect(lines.map { $0.flag("replayed") } == [false, true, false, false])
        #expect(lines.map { $0.number("upstream.product_code") } == [100, nil, nil, nil])
        #expect(lines.map { $0.number("http.response.status_code") } == [200, 200, 422, 400])
        #expect(lines[0].number("http.response.body.size") == 15 && lines[1].number("http.response.body.size") == 15)
        let keys = lines.map { $0["idempotency.key"] }
        let key = try #require(keys[0])
        #expect(key.utf8.count == 16 && keys == [key, key, key, nil])
        #expect(lines[0].milliseconds("store_ms") != nil && lines[0].milliseconds("record_ms") != nil)
        #expect(lines[2]["sent"] == "nothing")
    }

    @Test func plainKeysAreThoseInWhichNoAccountFits() throws {
        var setup = Setup(try FakeUpstream(), .memory)
        setup.log = "correlation: plain"
        let gateway = try GatewayUnderTest(setup)
        for key in ["order-17", "4111-1111-1111-1111"] {
            #expect(try gateway.ask(post("/pay", "{\"key\":\"\(key)\"}")).status == 200)
        }
        let keys = try gateway.log(2).map { $0["idempotency.key"] }
        #expect(keys[0] == "order-17")
        #expect(keys[1]?.utf8.count == 16 && keys[1]?.contains("-") == false)
    }

    /// The same name as `countersign keys list` has.
    @Test func theHashIsTheOneThatTheCommandLists() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        try fixture.lose("order-1", gateway)
        let logged = try gateway.log(2).compactMap { $0["idempotency.key"] }
        let listed = try fixture.all().compactMap { $0["id"] as? String }
        #expect(logged.count == 2 && logged[0] == logged[1])
        #expect(listed.count == 1 && listed[0].hasPrefix(logged[0]))
        #expect(gateway.program.stop() == .code(0))
    }
}
