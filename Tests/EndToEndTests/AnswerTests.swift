// The way back: answers in every form arrive whole or are seen to be broken; a slow caller costs no memory.

import TestSupport
import Testing

@Suite struct AnswerTests {
    /// A gateway in front of an upstream that gives these bytes to every request and keeps the connection.
    private func gateway(answering bytes: String) throws -> (GatewayUnderTest, FakeUpstream) {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.send(bytes) }
        }
        return (try GatewayUnderTest(Setup(upstream)), upstream)
    }

    @Test func chunkedAnswersStayChunked() throws {
        let body = object(of: 100_000)
        let (gateway, upstream) = try gateway(
            answering: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Own: kept\r\nTrailer: X-T\r\n\r\n"
                + chunked(body, by: 777, trailer: "X-T: 1\r\n"))
        let caller = try gateway.caller()
        for _ in 0..<3 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.chunked && answer["X-Own"] == "kept")
            #expect((answer.text == body) == true)
        }
        #expect(upstream.connections == 1)
    }

    @Test func anAnswerThatEndsWithItsConnectionIsGivenInChunks() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end")
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for number in 1...2 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.chunked && answer.text == "until the end")
            #expect(upstream.connections == number)
        }
    }

    @Test(arguments: ["204 No Content", "304 Not Modified"])
    func answersWithoutABody(_ status: String) throws {
        let (gateway, upstream) = try gateway(answering: "HTTP/1.1 \(status)\r\nETag: \"1\"\r\n\r\n")
        let caller = try gateway.caller()
        for _ in 0..<3 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.startLine == "HTTP/1.1 \(status)" && answer["ETag"] == "\"1\"")
        }
        #expect(upstream.connections == 1)
    }

    @Test func interimAnswersAreNotTheAnswer() throws {
        let (gateway, upstream) = try gateway(
            answering: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                + "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
        let caller = try gateway.caller()
        for _ in 0..<2 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 201 && answer.interims.isEmpty && answer["Link"] == nil)
        }
        #expect(upstream.connections == 1)
    }

    @Test func anUpstreamsOwnErrorPassesUnchanged() throws {
        let (gateway, _) = try gateway(
            answering: "HTTP/1.1 503 Busy Here\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy")
        let answer = try gateway.ask(post("/x", "{}"))
        #expect(answer.startLine == "HTTP/1.1 503 Busy Here" && answer.text == "busy")
        #expect(answer["Retry-After"] == "7" && answer["Proxy-Status"] == nil)
    }

    @Test func aCallerThatSaidItsEndStillGetsItsAnswer() throws {
        let (upstream, asked, answer) = try heldUpstream()
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        caller.wire.finishSending()
        answer.open()
        #expect(try caller.answer().text == "{\"ok\":true}")
        try caller.reader.expectEnd()
    }

    static let unusable = [
        "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\n X: folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ]

    @Test(arguments: unusable)
    func anAnswerThatCannotBeReadInOneWayIsA502(_ bytes: String) throws {
        let (gateway, upstream) = try gateway(answering: bytes)
        let answer = try gateway.ask(post("/x", "{}"))
        #expect(answer.status == 502)
        #expect(answer["Proxy-Status"] == "countersign; error=http_protocol_error; sent=?1; outcome=unknown")
        #expect(upstream.requests.count == 1, "it is never sent twice")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"half\":\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"half\":\r\nzz\r\n",
    ])
    func aBrokenAnswerIsNeverTakenForAWholeOne(_ bytes: String) throws {
        let upstream = try FakeUpstream { conversation in
            if conversation.request() != nil { conversation.send(bytes) }
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        try caller.send(post("/x", "{}"))
        // Where a byte of it was passed on the connection ends within it; else the gateway answers in its place.
        if let answer = try? caller.answer() {
            #expect(answer.status == 502 && answer["Proxy-Status"]?.hasSuffix("sent=?1; outcome=unknown") == true)
        }
        #expect(upstream.requests.count == 1)
    }

    @Test func aSlowCallerHoldsTheUpstreamBackAndNotTheMemory() throws {
        let size = 32 * 1_048_576
        let (upstream, stalled) = try largeUpstream(size)
        let gateway = try GatewayUnderTest(Setup(upstream))
        _ = try gateway.ask(post("/warm", "{}"))
        let before = try #require(gateway.program.residentKiB)
        let caller = try gateway.caller(receiveBuffer: 4_096)
        try caller.send(post("/big", "{}"))
        #expect(stalled.pass(), "the upstream is held back while the caller takes nothing")
        let held = try #require(gateway.program.residentKiB)
        #expect(held - before < 1_024, "KiB more than before: \(held - before)")
        let answer = try caller.answer()
        #expect(answer.body.count == size && answer.body.allSatisfy { $0 == 0x61 })
        let after = try #require(gateway.program.residentKiB)
        #expect(after - before < 4_096, "KiB more than before: \(after - before)")
        // The gateway serves others meanwhile and afterwards.
        #expect(try caller.ask(post("/x", "{}")).status == 200)
    }
}
