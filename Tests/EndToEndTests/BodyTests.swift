// Requests in every form: fragments, chunks, Expect, pipelining, sizes around the edges of buffers and limits.

import TestSupport
import Testing

/// A JSON object of exactly `count` bytes, 8 at least.
func object(of count: Int) -> String {
    precondition(count >= 8, "{\"a\":\"\"} has eight bytes")
    return "{\"a\":\"" + String(repeating: "x", count: count - 8) + "\"}"
}

/// A body in chunks of at most `size` bytes.
func chunked(_ body: String, by size: Int, trailer: String = "") -> String {
    let bytes = Array(body.utf8)
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: size) {
        let part = bytes[start..<min(start + size, bytes.count)]
        text += String(part.count, radix: 16) + "\r\n" + String(decoding: part, as: UTF8.self) + "\r\n"
    }
    return text + "0\r\n" + trailer + "\r\n"
}

/// A request whose body comes in chunks.
func chunkedPost(_ target: String, _ body: String, by size: Int) -> String {
    "POST \(target) HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunked(body, by: size)
}

@Suite struct BodyTests {
    /// Sends a request in two pieces at each of its bytes, the second only once the gateway has read the first.
    private func split(_ request: String, _ gateway: GatewayUnderTest) throws -> Int {
        let bytes = Array(request.utf8)
        let probe = try gateway.caller()
        for cut in 1..<bytes.count {
            let caller = try gateway.caller()
            try caller.send(Array(bytes[..<cut]))
            // One worker takes its connections in turn: an answer to a later question says that the first piece is in.
            #expect(try probe.ask("GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n").status == 404)
            try caller.send(Array(bytes[cut...]))
            #expect(try caller.answer().status == 200, "cut at \(cut)")
        }
        return bytes.count - 1
    }

    @Test func aRequestSplitAtEveryByteIsSignedAlike() throws {
        let sandbox = try Sandbox("--plain")
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "body"
        setup.routes = "  - {name: save, path: /users/bank-accounts/save, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let body = try #require(documentedCalls.first).body
        let count = try split(post("/users/bank-accounts/save", body), gateway)
        #expect(try sandbox.counts().verified == count)
        #expect(try sandbox.ledger().map(\.executed).reduce(0, +) == 1, "one key, one execution")
        let seen = try sandbox.requests(last: count)
        #expect(seen.allSatisfy { $0.body == documentedCalls[0].bodyWithKey })
    }

    @Test func aChunkedRequestSplitAtEveryByteIsWhole() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.routes = "  - {name: save, path: /save, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let body = "{\"amount\": \"100.00\", \"name\": \"J\u{00F6}rg \u{1F600}\"}"
        let request =
            "POST /save HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "7;a=b\r\n" + body.prefix(7) + "\r\n"
            + chunked(String(body.dropFirst(7)), by: 400, trailer: "X-Checksum: 1\r\n")
        let count = try split(request, gateway)
        #expect(upstream.requests.count == count)
        #expect(upstream.requests.allSatisfy { $0.text == body && $0["transfer-encoding"] == nil && !$0.chunked })
        #expect(upstream.requests.allSatisfy { $0["x-checksum"] == nil })
    }

    static let sizes = [
        8, 9, 255, 256, 1_023, 1_024, 1_025, 4_095, 4_096, 4_097, 16_383, 16_384, 16_385, 20_479, 20_480, 20_481,
        65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 1_048_575, 1_048_576,
    ]

    @Test(arguments: [nil, "body", "header"] as [String?])
    func sizesAroundTheEdgesOfBuffers(_ place: String?) throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() { conversation.answer(request.text) }
        }
        var setup = Setup(upstream)
        setup.keyPlace = place
        let caller = try GatewayUnderTest(setup).caller()
        for size in Self.sizes {
            let body = object(of: size)
            let expected = place == "body" ? "{\"api_key\":\"demo-api-key\"," + body.dropFirst() : body
            // Sizes are compared, and the text only as a whole: a failure must not print a megabyte.
            let plain = try caller.ask(post("/x", body)).text
            #expect(plain.utf8.count == expected.utf8.count)
            #expect((plain == expected) == true)
            let inChunks = try caller.ask(chunkedPost("/x", body, by: 10_000)).text
            #expect((inChunks == expected) == true, "in chunks, \(size) bytes")
        }
        #expect(upstream.connections == 1)
    }

    @Test func aByteBeyondTheLimitIsRefused() throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let limit = 1_048_576
        #expect(try gateway.ask(post("/x", object(of: limit))).status == 200)
        let body = object(of: limit + 1)
        let declared = try gateway.ask(
            "POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        #expect(declared.status == 413 && declared["Connection"] == "close")
        let caller = try gateway.caller()
        // The gateway answers before it has all: what is left may not be taken any more.
        try? caller.send(chunkedPost("/x", body, by: 50_000))
        #expect(try caller.answer().status == 413)
        #expect(upstream.requests.count == 1)
    }

    @Test func expectIsAnsweredOnceTheHeadIsAccepted() throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let head =
            "POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 8\r\n"
            + "Expect: 100-continue\r\n\r\n"
        let caller = try gateway.caller()
        for _ in 0..<2 {
            try caller.send(head)
            let interim = try caller.reader.head()
            #expect(interim.startLine == "HTTP/1.1 100 Continue" && interim.fields.isEmpty)
            try caller.send(object(of: 8))
            #expect(try caller.answer().status == 200)
        }
        let refused = try gateway.ask(head.replacing("application/json", with: "text/plain"))
        #expect(refused.status == 415 && refused.interims.isEmpty && refused["Connection"] == "close")
        let other = try gateway.ask(head.replacing("100-continue", with: "200-ok"))
        #expect(other.status == 417)
        #expect(upstream.requests.count == 2 && upstream.requests.allSatisfy { $0["expect"] == nil })
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() { conversation.answer(request.text) }
        }
        let gateway = try GatewayUnderTest(Setup(upstream))
        let caller = try gateway.caller()
        let bodies = (0..<10).map { "{\"n\":\($0)}" }
        try caller.send(bodies.map { post("/x", $0) }.joined())
        for body in bodies { #expect(try caller.answer().text == body) }
        // Refusals keep their place in the row, and the last one ends the connection.
        try caller.send(
            post("/x", "{\"n\":10}") + post("/x", "{") + post("/x", "{\"n\":11}", "Connection: close")
                + post("/x", "{\"n\":12}"))
        #expect(try caller.answer().text == "{\"n\":10}")
        #expect(try caller.answer().status == 400)
        #expect(try caller.answer().text == "{\"n\":11}")
        try caller.reader.expectEnd()
        #expect(upstream.requests.count == 12)
    }

    @Test func requestsWithoutABody() throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                let isHead = request.startLine.hasPrefix("HEAD ")
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + (isHead ? "" : "body"))
            }
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
            let answer = try caller.ask("\(method) /a?b=c HTTP/1.1\r\nHost: gateway\r\n\r\n")
            #expect(answer.status == 200 && answer["Content-Length"] == "4")
            #expect(answer.text == (method == "HEAD" ? "" : "body"))
        }
        let refused = try caller.ask("POST /a HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n")
        #expect(refused.status == 400)
        let seen = upstream.requests
        #expect(seen.map(\.startLine) == ["GET", "HEAD", "DELETE", "OPTIONS"].map { "\($0) /a?b=c HTTP/1.1" })
        #expect(seen.allSatisfy { $0["content-length"] == "0" && $0["authorization"] != nil })
    }
}
