// What the gateway refuses, in the form of each product, with nothing sent. Spot checks: the parsers' own tests have
// the whole list.

import TestSupport
import Testing

@Suite struct RefusalTests {
    private let upstream: FakeUpstream
    private let gateway: GatewayUnderTest

    init() throws {
        upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.keyPlace = "header"
        setup.credential = "    fields: {/participant_id: 12345}\n"
        setup.routes = """
              - {name: a, methods: [POST], path: /banking, upstream: up, credential: program, product: banking}
              - {name: b, methods: [POST], path: /ingopay, upstream: up, credential: program, product: ingopay}
              - {name: c, methods: [POST, PUT], path: /problem, upstream: up, credential: program}
              - {name: d, methods: [DELETE], path: /problem, upstream: up, credential: program}

            """
        setup.limits = "  max_json_depth: 8\n  max_headers: 16\n  max_line: 512B\n  max_head: 2KiB\n"
        gateway = try GatewayUnderTest(setup)
    }

    /// What every answer of the gateway's own has.
    private func check(_ answer: Message, _ status: Int, _ error: String = "http_request_error") {
        #expect(answer.status == status)
        #expect(answer["Proxy-Status"] == "countersign; error=\(error); sent=?0")
        #expect((answer["X-Request-Id"] ?? "").count >= 8)
        #expect(answer.json["request_id"] as? String == answer["X-Request-Id"])
        #expect(answer.json["sent"] as? Bool == false)
        #expect(upstream.connections == 0, "nothing reaches the upstream")
    }

    @Test func unknownPathsAndMethods() throws {
        for target in ["/", "/bankin", "/banking/", "/banking/x", "/problem?/banking"] {
            let answer = try gateway.ask(post(target, "{", "Content-Encoding: br"))
            if target.hasPrefix("/problem") { check(answer, 415) } else { check(answer, 404, "destination_not_found") }
        }
        check(try gateway.ask(post("/%62anking", "{}")), 400)
        let answer = try gateway.ask("GET /problem HTTP/1.1\r\nHost: gateway\r\n\r\n")
        check(answer, 405, "http_request_denied")
        #expect(answer["Allow"] == "POST, PUT, DELETE")
        let one = try gateway.ask("GET /banking HTTP/1.1\r\nHost: gateway\r\n\r\n")
        #expect(one.status == 405 && one["Allow"] == "POST")
        let unknown = try gateway.ask("BREW /banking HTTP/1.1\r\nHost: gateway\r\n\r\n")
        check(unknown, 501)
    }

    @Test func eachProductGetsItsOwnForm() throws {
        let banking = try gateway.ask(post("/banking", "{"))
        check(banking, 400)
        #expect(banking["Content-Type"] == "application/json")
        #expect(banking.json["status"] as? String == "error" && banking.json["message"] is String)
        let code = banking.json["status_code"] as? [String: Any]
        #expect(code?["status_code"] as? Int == 1_020 && code?["error_type"] as? String == "VALIDATION")
        let ingopay = try gateway.ask(post("/ingopay", "{"))
        check(ingopay, 400)
        #expect(ingopay["Content-Type"] == "application/json")
        #expect(ingopay.json["status"] as? Int == 400 && ingopay.json["client_message"] is String)
        let problem = try gateway.ask(post("/problem", "{"))
        check(problem, 400)
        #expect(problem["Content-Type"] == "application/problem+json")
        #expect(problem.json["title"] as? String == "Bad Request" && problem.json["detail"] is String)
    }

    @Test(arguments: [
        "", " ", "null", "[]", "1", "\"text\"", "{", "{\"a\":1", "{\"a\" 1}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":+1}",
        "{\"a\":1.}", "{\"a\":\"\t\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\uD800\"}", "{\"a\":1}x", "{\"a\":1}{\"b\":2}",
        "{\"api_key\":\"a\",\"api_key\":\"b\"}", "{\"api_key\":\"a\",\"api\\u005fkey\":\"b\"}", "\u{FEFF}{}", "{'a':1}",
        "{\"a\":[[[[[[[[1]]]]]]]]}", "{\"participant_id\":54321}", "{\"participant_id\":\"12345\"}", "NaN",
        "{\"a\":NaN}",
    ])
    func bodiesThatAreNotOneObject(_ body: String) throws {
        let caller = try gateway.caller()
        let answer = try caller.ask(post("/problem", body))
        check(answer, 400, body.contains("participant_id") ? "http_request_denied" : "http_request_error")
        #expect(answer["Connection"] == nil, "the request was read whole: the connection lives on")
        check(try caller.ask(post("/nowhere", "{}")), 404, "destination_not_found")
    }

    @Test func bodiesThatAreNotUTF8() throws {
        for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] as [[UInt8]] {
            let body = Array("{\"a\":\"".utf8) + bytes + Array("\"}".utf8)
            let caller = try gateway.caller()
            try caller.send("POST /problem HTTP/1.1\r\nHost: gateway\r\nContent-Length: \(body.count)\r\n\r\n")
            try caller.send(body)
            check(try caller.answer(), 400)
        }
    }

    @Test(arguments: [
        "text/plain", "application/json; charset=latin-1", "application/jsonx", "application/x-www-form-urlencoded",
    ])
    func otherMediaTypes(_ type: String) throws {
        let answer = try gateway.ask(post("/problem", "{}").replacing("application/json", with: type))
        check(answer, 415)
    }

    static let hostile: [(request: String, status: Int)] = [
        ("POST /problem HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 400),
        ("POST /problem HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /problem/../x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST  /problem HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("POST /problem HTTP/2.0\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 505),
        ("POST /\(String(repeating: "x", count: 600)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("POST /problem HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 16) + "\r\n", 431),
        ("POST /problem HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 2_048) + "\r\n\r\n", 431),
    ]

    @Test(arguments: hostile)
    func requestsThatCanBeReadInTwoWays(_ request: String, _ status: Int) throws {
        let caller = try gateway.caller()
        try caller.send(request + "GET /problem HTTP/1.1\r\nHost: smuggled\r\n\r\n")
        let answer = try caller.answer()
        check(answer, status)
        #expect(answer["Connection"] == "close")
        // What stands behind such a request is not looked at.
        try caller.reader.expectEnd()
    }

    @Test func refusalsNeverQuoteTheRequest() throws {
        let answer = try gateway.ask(post("/problem", "{\"account_number\":\"8001234567\",}", "X-Token: hush-hush"))
        let text = answer.text + answer.fields.map { $0.name + $0.value }.joined()
        #expect(!text.contains("8001234567") && !text.contains("hush") && !text.contains("demo"))
        #expect(!gateway.program.errors.contains("8001234567"))
    }

    @Test func requestIdsDiffer() throws {
        let caller = try gateway.caller()
        let ids = try (0..<50).map { _ in try caller.ask(post("/nowhere", "{}"))["X-Request-Id"] }
        #expect(Set(ids).count == 50)
    }
}
