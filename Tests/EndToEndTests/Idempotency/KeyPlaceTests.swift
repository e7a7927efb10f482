// Where a caller's key is, and what is none. Relies on the upstream's account of requests: nothing is sent for a key
// that is wrong.

import TestSupport
import Testing

@Suite struct KeyPlaceTests {
    private static let long = String(repeating: "k", count: 255)

    @Test func aMissingKeyIsRefused() throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory))
        for body in ["{}", "{\"amount\":1}", "{\"nested\":{\"key\":\"k\"}}", "{\"Key\":\"k\"}"] {
            let answer = try gateway.ask(post("/pay", body))
            #expect(answer.status == 400 && answer.fate == "sent=?0", "\(body)")
            #expect(answer.text.contains("has no idempotency key"))
        }
        #expect(upstream.upstream.requests.isEmpty)
    }

    @Test func anOptionalKeyLetsTheOthersPassUnprotected() throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, "key: /key, required: false"))
        for _ in 0..<2 { #expect(try gateway.ask(post("/pay", "{\"amount\":1}")).isReplay == false) }
        #expect(upstream.count("/pay") == 2)
        for isReplay in [false, true] {
            #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).isReplay == isReplay)
        }
        #expect(try gateway.ask(post("/pay", "{\"key\":7}")).status == 400, "a wrong key is no missing one")
        #expect(upstream.count("/pay") == 3)
    }

    @Test(arguments: ["key: /key", "key: /key, required: false"])
    func whatIsNoKeyIsRefused(_ idempotency: String) throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, idempotency))
        let wrong = [
            "7", "true", "null", "\"\"", "[\"k\"]", "{\"key\":\"k\"}", "\"\(Self.long)k\"", "\"a\\u0000\"",
            "\"a\\nb\"", "\"\\u001f\"", "\"\\u007f\"", "\"\u{7f}\"", "\"k\",\"key\":\"k\"",
        ]
        for value in wrong {
            let answer = try gateway.ask(post("/pay", "{\"key\":\(value)}"))
            #expect(answer.status == 400 && answer.fate == "sent=?0", "\(value)")
        }
        #expect(upstream.upstream.requests.isEmpty)
        for value in ["\"\(Self.long)\"", "\" \"", "\"é\\\"\\\\\""] {
            #expect(try gateway.ask(post("/pay", "{\"key\":\(value)}")).status == 200, "\(value)")
        }
    }

    @Test func aHeaderMayHoldTheKeyQuotedOrBare() throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, "key: Idempotency-Key"))
        let first = try gateway.ask(post("/pay", "{\"amount\":1}", "Idempotency-Key: a\\b\"c"))
        #expect(first.status == 200)
        for field in ["idempotency-key: \"a\\\\b\\\"c\"", "IDEMPOTENCY-KEY:   a\\b\"c  "] {
            #expect(try gateway.ask(post("/pay", "{\"amount\":1}", field)).whole == first.whole, "\(field)")
        }
        let wrong = [
            "Idempotency-Key:", "Idempotency-Key: \"\"", "Idempotency-Key: \"a", "Idempotency-Key: \"a\"b\"",
            "Idempotency-Key: \"a\\b\"", "Idempotency-Key: \(Self.long)k", "Idempotency-Key: \"\(Self.long)k\"",
            "Idempotency-Key: é", "Idempotency-Key: a\tb", "Idempotency-Key: a\r\nIdempotency-Key: a",
            "Idempotency-Key: a\r\nidempotency-key: b", "X-Other: a",
        ]
        for field in wrong {
            let answer = try gateway.ask(post("/pay", "{\"amount\":1}", field))
            #expect(answer.status == 400 && answer.fate == "sent=?0", "\(field)")
        }
        #expect(upstream.upstream.requests.count == 1)
        #expect(try gateway.ask(post("/pay", "{}", "Idempotency-Key: \(Self.long)")).status == 200)
        #expect(try gateway.ask(post("/pay", "{}", "Idempotency-Key: \"\(Self.long)\"")).isReplay)
    }

    /// The first place that a request has counts.
    @Test func theSecondPlaceCountsWhereTheFirstIsEmpty() throws {
        let upstream = try ActingUpstream()
        let idempotency = "key: [X-Key, /transaction/ids/key]"
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, idempotency))
        let body = "{\"transaction\":{\"ids\":{\"key\":\"k\"}}}"
        let first = try gateway.ask(post("/pay", body))
        #expect(first.status == 200 && !first.isReplay)
        #expect(try gateway.ask(post("/pay", body, "X-Key: k")).isReplay)
        #expect(try gateway.ask(post("/pay", body, "X-Key: other")).isReplay == false)
        #expect(try gateway.ask(post("/pay", "{\"transaction\":{\"ids\":{\"key\":7}}}", "X-Key: k")).status == 422)
        #expect(try gateway.ask(post("/pay", "{\"transaction\":{\"ids\":[]}}")).status == 400)
        #expect(upstream.count("/pay") == 2)
    }

    /// A request without a body has its key in the header, or none.
    @Test func aRequestWithoutABodyMayHaveAKey() throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, "key: [Idempotency-Key, /key]"))
        let bare = "GET /pay HTTP/1.1\r\nHost: gateway\r\n"
        let first = try gateway.ask(bare + "Idempotency-Key: k\r\n\r\n")
        #expect(first.status == 200)
        #expect(try gateway.ask(bare + "Idempotency-Key: k\r\n\r\n").whole == first.whole)
        #expect(try gateway.ask(bare + "\r\n").status == 400)
        #expect(try gateway.ask(post("/pay", "{}", "Idempotency-Key: k")).status == 422)
        #expect(upstream.count("/pay") == 1)
    }
}
