// A finished request comes again: what counts as the same gets the first answer, what does not is refused unsent.
// Relies on the upstream's count in each answer. Over memory and file alike.

import Foundation
import TestSupport
import Testing

@Suite struct ReplayTests {
    @Test(arguments: StoreUnderTest.allCases)
    func aRepeatGetsTheFirstAnswerByteForByte(_ kind: StoreUnderTest) throws {
        let fields = "X-One: 1\r\nx-list: a, b\r\nSet-Cookie: c=1\r\nSet-Cookie: d=2\r\nDate: yesterday\r\n"
        let body = "{ \"name\" : \"\\u00e9\u{e9}\" }\n"
        let upstream = try ActingUpstream(["/pay": [.answer("201 Made Up", headers: fields, body: body)]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind))
        let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")
        let caller = try gateway.caller()
        let first = try caller.ask(request)
        #expect(first.startLine == "HTTP/1.1 201 Made Up" && first.text == body && !first.isReplay)
        #expect(first.all("set-cookie") == ["c=1", "d=2"] && first["X-One"] == "1" && first["Date"] == "yesterday")
        for caller in [caller, try gateway.caller(), caller] {
            let again = try caller.ask(request)
            #expect(again.isReplay && again.whole == first.whole)
        }
        #expect(upstream.count("/pay") == 1)
    }

    /// Spellings of `{"key":"k","amount":1,"name":"é/","list":[1,{"a":true}]}`.
    private static let spellings = [
        "{ \"key\" : \"k\",\n\t\"amount\": 1, \"name\": \"é/\", \"list\": [ 1, {\"a\" : true} ] }\r\n",
        "{\"list\":[1,{\"a\":true}],\"name\":\"é/\",\"amount\":1,\"key\":\"k\"}",
        "{\"key\":\"\\u006B\",\"\\u0061mount\":1,\"name\":\"\\u00e9\\/\",\"list\":[1,{\"a\":true}]}",
    ]

    @Test func anotherSpellingIsTheSameRequest() throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory))
        let plain = "{\"key\":\"k\",\"amount\":1,\"name\":\"é/\",\"list\":[1,{\"a\":true}]}"
        let first = try gateway.ask(post("/pay", plain))
        #expect(first.status == 200)
        for spelling in Self.spellings {
            let again = try gateway.ask(post("/pay", spelling))
            #expect(again.isReplay && again.whole == first.whole, "\(spelling)")
        }
        let head = "POST /pay HTTP/1.1\r\nHost: elsewhere\r\nX-More: 1\r\nContent-Type: application/json\r\n"
        let chunks = "1\r\n{\r\n\(String(plain.utf8.count - 1, radix: 16))\r\n\(plain.dropFirst())\r\n0\r\n\r\n"
        #expect(try gateway.ask(head + "Transfer-Encoding: chunked\r\n\r\n" + chunks).isReplay)
        let zipped = Deflated.gzip(Array(plain.utf8))
        let caller = try gateway.caller()
        let coded = head + "Content-Encoding: gzip\r\nContent-Length: \(zipped.count)\r\n\r\n"
        try caller.send(Array(coded.utf8) + zipped)
        #expect(try caller.answer().isReplay)
        #expect(upstream.count("/pay") == 1)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func anotherRequestWithTheKeyIsRefusedAndNothingIsSent(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind))
        let body = "{\"key\":\"k\",\"amount\":1}"
        let first = try gateway.ask(post("/pay", body))
        let others = [
            post("/pay", "{\"key\":\"k\",\"amount\":2}"), post("/pay", "{\"key\":\"k\",\"amount\":1.0}"),
            post("/pay", "{\"key\":\"k\",\"amount\":\"1\"}"), post("/pay", "{\"key\":\"k\"}"),
            post("/pay", "{\"key\":\"k\",\"amount\":1,\"more\":null}"), post("/pay?x=1", body), post("/pay/", body),
            post("/pay", body).replacing("POST", with: "PUT", maxReplacements: 1),
        ]
        for other in others {
            let answer = try gateway.ask(other)
            #expect(answer.status == 422 && answer.fate == "sent=?0" && answer["Retry-After"] == nil, "\(other)")
        }
        #expect(try gateway.ask(post("/pay", body)).whole == first.whole)
        #expect(upstream.upstream.requests.count == 1)
    }

    @Test func volatileFieldsDoNotMakeAnotherRequest() throws {
        let upstream = try ActingUpstream()
        let idempotency = "key: /key, volatile: [/timestamp, /meta/trace]"
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, idempotency))
        func body(_ rest: String) -> String { post("/pay", "{\"key\":\"k\",\"amount\":1\(rest)}") }
        let first = try gateway.ask(body(",\"timestamp\":1,\"meta\":{\"trace\":\"a\",\"user\":1}"))
        for rest in [
            ",\"timestamp\":2,\"meta\":{\"trace\":\"b\",\"user\":1}", ",\"meta\":{\"user\":1}",
            ",\"timestamp\":{\"a\":[]},\"meta\":{\"user\":1}",
        ] {
            #expect(try gateway.ask(body(rest)).whole == first.whole, "\(rest)")
        }
        for rest in ["", ",\"timestamp\":1", ",\"timestamp\":1,\"meta\":{\"trace\":\"a\",\"user\":2}"] {
            #expect(try gateway.ask(body(rest)).status == 422, "\(rest)")
        }
        // What is sent is what the caller wrote, volatile fields and all.
        #expect(upstream.upstream.requests.map(\.text).allSatisfy { $0.contains("\"timestamp\":1") })
        #expect(upstream.count("/pay") == 1)
    }

    /// The key belongs to its route and to its credential; neither knows the other's.
    @Test(arguments: StoreUnderTest.allCases)
    func aKeyBelongsToItsRouteAndCredential(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, kind)
        setup.credential = "  other:\n    username: other\n    secret: \"env:OTHER_SECRET\"\n"
        setup.routes =
            Setup.route("pay", "key: Idempotency-Key") + Setup.route("push", "key: Idempotency-Key")
            + Setup.route("pull", "key: Idempotency-Key", credential: "other")
        let gateway = try GatewayUnderTest(setup, environment: ["OTHER_SECRET": "another-secret-of-a-program"])
        for path in ["/pay", "/push", "/pull"] {
            let request = post(path, "{\"amount\":1}", "Idempotency-Key: k")
            let first = try gateway.ask(request)
            #expect(first.status == 200 && !first.isReplay)
            #expect(try gateway.ask(request).isReplay)
        }
        #expect(upstream.upstream.requests.count == 3)
    }

    /// The API key is the credential's: whether a caller writes it too makes no other request, and it goes out once.
    @Test func theSplicedFieldsDoNotMakeAnotherRequest() throws {
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, .memory)
        setup.keyPlace = "body"
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":1}"))
        #expect(first.status == 200)
        #expect(try gateway.ask(post("/pay", "{\"api_key\":\"demo-api-key\",\"key\":\"k\",\"amount\":1}")).isReplay)
        #expect(upstream.upstream.requests.map(\.text) == ["{\"api_key\":\"demo-api-key\",\"key\":\"k\",\"amount\":1}"])
    }
}
