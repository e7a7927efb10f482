// Which header lines pass and which never do, as an upstream that keeps everything sees them.

import TestSupport
import Testing

@Suite struct HeaderTests {
    @Test func whatACallerMayNotSetNeverPasses() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.keyPlace = "header"
        let caller = try GatewayUnderTest(setup).caller()
        let hostile = [
            "authorization: hmac username=\"evil\"", "Proxy-Authorization: Basic evil",
            "API_KEY: evil", "X-Date: Fri, 17 Jan 2020 19:59:29 GMT", "Date: evil", "api-key: evil",
            "CONTENT-SHA512: evil", "Proxy-Connection: keep-alive", "Keep-Alive: timeout=5",
            "TE: trailers", "Connection: X-Hop, keep-alive", "X-Hop: evil", "api_key: evil", "x_date: evil",
            "X-Kept: yes", "Accept: application/json", "Cookie: a=b; c=d", "Idempotency-Key: k1",
        ]
        for _ in 0..<2 {
            let request =
                "POST /a?b=%2F HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json; charset=UTF-8\r\n"
                + hostile.map { $0 + "\r\n" }.joined() + "Content-Length: 2\r\n\r\n{}"
            #expect(try caller.ask(request).status == 200)
        }
        for seen in upstream.requests {
            #expect(!seen.fields.contains { $0.value.contains("evil") || $0.value.contains("2020") })
            #expect(seen.startLine == "POST /a?b=%2F HTTP/1.1" && seen.text == "{}")
            #expect(seen["host"] == "127.0.0.1:\(upstream.port)")
            #expect(seen["api_key"] == "demo-api-key" && seen["content-type"] == "application/json")
            #expect(seen["authorization"]?.hasPrefix("hmac username=\"demo\", algorithm=\"hmac-sha512\"") == true)
            for name in ["x-date", "content-sha512", "content-length"] { #expect(seen.all(name).count == 1) }
            let absent = [
                "date", "proxy-authorization", "proxy-connection", "keep-alive", "te", "x-hop", "connection",
                "transfer-encoding", "request-line",
            ]
            for name in absent { #expect(seen.all(name).isEmpty, "\(name)") }
            #expect(seen["x-kept"] == "yes" && seen["cookie"] == "a=b; c=d" && seen["idempotency-key"] == "k1")
        }
    }

    @Test func aHeaderNamedRequestLineNeverPasses() throws {
        let upstream = try FakeUpstream()
        let answer = try GatewayUnderTest(Setup(upstream)).ask(
            post("/a", "{}", "request-line: POST /other HTTP/1.1", "Request-Line: x"))
        #expect(answer.status == 200)
        #expect(upstream.requests.allSatisfy { $0.all("request-line").isEmpty })
    }

    @Test func anAnswersConnectionLinesAreItsOwnHopsBusiness() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.answer(headers: "Keep-Alive: timeout=1\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n")
            }
        }
        let answer = try GatewayUnderTest(Setup(upstream)).ask(post("/a", "{}"))
        #expect(answer.status == 200 && answer["X-Kept"] == "2")
        for name in ["keep-alive", "x-hop", "connection"] { #expect(answer.all(name).isEmpty) }
    }

    @Test func aCallersOwnKeyInTheBodyIsReplacedOrRefused() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        let body = "{ \"api\\u005fkey\" : \"evil\" , \"b\": [1.0, 1e2] }"
        let refused = try GatewayUnderTest(setup).ask(post("/a", body))
        #expect(
            refused.status == 400 && upstream.connections == 0, "a credential without a key has nothing to put there")
        for place in ["header", "body", "both"] {
            setup.keyPlace = place
            #expect(try GatewayUnderTest(setup).ask(post("/a", body)).status == 200)
            #expect(upstream.requests.last?.text == body.replacing("evil", with: "demo-api-key"))
        }
    }

    @Test func aSignedHeaderOfTheCallersIsSignedAsItIsSent() throws {
        let sandbox = try Sandbox("--plain")
        var setup = sandbox.setup()
        setup.credential =
            "    signed_headers: \"request-line host x-own x-date content-type content-sha512 content-length\"\n"
        let gateway = try GatewayUnderTest(setup)
        _ = try gateway.ask(post("/gateway/verify", "{}", "X-Own:   a value\t"))
        let repeated = try gateway.ask(post("/gateway/verify", "{}", "X-Own: 1", "X-Own: 2"))
        #expect(repeated.status == 400)
        let seen = try sandbox.requests()
        #expect(seen.count == 1 && seen[0].verified && seen[0].all("x-own") == ["a value"])
    }
}
