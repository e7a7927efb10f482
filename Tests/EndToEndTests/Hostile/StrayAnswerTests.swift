// Answers to no request, answers before the request was taken, and callers that end or break off in the middle.
// Relies on FakeUpstream's scripts and gates. Waits for events, never for time.

import TestSupport
import Testing

@Suite struct StrayAnswerTests {
    /// Bytes that an upstream sends while its connection is idle.
    static let unasked = [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "H", "\r\n", "\u{0}", "\u{15}\u{3}\u{3}\u{0}\u{2}\u{1}\u{0}", "0\r\n\r\n",
        "garbage",
    ]

    @Test(arguments: unasked.indices)
    func anAnswerToNoRequestIsGivenToNobody(_ row: Int) throws {
        let delivered = Gate()
        let closed = Gate()
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.answer("\(conversation.number)")
            delivered.pass()
            guard conversation.number == 0 else { return }
            conversation.send(latin1(Self.unasked[row]))
            // The gateway ends a connection that speaks unasked.
            let got = conversation.wire.receive()
            if got == .end || got == .reset { closed.open() }
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        #expect(try caller.ask(post("/x", "{}")).text == "0")
        delivered.open()
        #expect(closed.pass(), "the gateway closes the connection")
        #expect(try caller.ask(post("/x", "{}")).text == "1")
        delivered.open()
        #expect(upstream.requests.count == 2 && upstream.connections == 2)
    }

    /// What an idle connection says, or its end, comes after all that the gateway looks at in this turn, and before
    /// the request is written: the poller tells of 256 at once. The request goes on another connection. With 600 there
    /// is no room for what the poller tells when it is asked once more; a long body is written without asking it.
    @Test(
        arguments: [(300, 2), (600, 2), (300, 400_000)],
        ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "{}", "close"])
    func whatCameBeforeARequestWasWrittenIsNotItsAnswer(_ load: (callers: Int, body: Int), _ says: String) throws {
        for isTLS in [false, true] { try askAfter(says, isTLS: isTLS, among: load.callers, bytes: load.body) }
    }

    private func askAfter(_ says: String, isTLS: Bool, among count: Int, bytes: Int) throws {
        let upstream = try SpeakingUpstream(isTLS: isTLS, says)
        var setup = Setup(url: upstream.url)
        setup.upstream = upstream.trust
        setup.routes = "  - {name: x, prefix: /x, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<count).map { _ in try gateway.caller() }
        #expect(try callers[0].ask(post("/x", "{}")).text == "0")
        let request = Array(post("/x", bytes > 2 ? object(of: bytes) : "{}").utf8)
        try callers[0].send(request.dropLast())
        // Once all are answered, what came before them was read.
        for caller in callers.dropFirst() {
            #expect(try caller.ask("GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n").status == 404)
        }
        try gateway.suspend()
        try callers[0].send(request.suffix(1))
        for caller in callers.dropFirst() { try caller.send("G") }
        try upstream.speak()
        gateway.program.signal(.resume)
        let answer = try callers[0].answer()
        #expect(answer.status == 200 && answer.text == "1", "TLS \(isTLS): \(answer.startLine)")
        #expect(try gateway.ask(post("/x", "{}")).text == "1", "the second connection is used again")
    }

    /// An upstream that turns callers away may say so when it has accepted, before it is asked.
    @Test(arguments: [false, true]) func anAnswerThatCameWithTheConnectionIsRelayed(isTLS: Bool) throws {
        let says = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
        let upstream = try SpeakingUpstream(isTLS: isTLS, says, unasked: true)
        var setup = Setup(url: upstream.url)
        setup.upstream = upstream.trust
        let gateway = try GatewayUnderTest(setup)
        for _ in 0..<5 {
            let answer = try gateway.caller(within: 5_000).ask(post("/x", "{}"))
            #expect(answer.status == 503 && answer.text == "no", "\(answer.startLine)")
        }
    }

    /// Larger than what the kernel's buffers of both ends take.
    private static let size = 12 * 1_048_576

    @Test(arguments: [
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    ])
    func anAnswerBeforeTheRequestWasTakenIsTheLastOfItsConnection(_ bytes: String) throws {
        let answered = Gate()
        let ended = Gate()
        let upstream = try FakeUpstream(receiveBuffer: 64 * 1_024) { conversation in
            guard conversation.number == 0 else { return FakeUpstream.plain(conversation) }
            guard (try? conversation.reader.head()) != nil else { return }
            conversation.send(bytes)
            // Until the caller has the answer the request cannot be taken whole: the kernel's buffers are full.
            answered.pass()
            var taken = 0
            while case .bytes(let part) = conversation.wire.receive() { taken += part.count }
            if taken < Self.size { ended.open() }
        }
        var setup = Setup(upstream)
        setup.limits = "  max_body: 16MiB\n"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        try caller.send(post("/x", object(of: Self.size)))
        let answer = try caller.answer()
        #expect(answer.text == "no")
        answered.open()
        #expect(ended.pass(), "the connection is not used to its end")
        #expect(try caller.ask(post("/x", "{}")).text == "{\"ok\":true}")
        #expect(upstream.connections == 2 && upstream.requests.count == 1)
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "garbage", ""])
    func aBrokenAnswerBeforeTheRequestWasTakenIsAFailure(_ bytes: String) throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.number == 0 else { return FakeUpstream.plain(conversation) }
            guard (try? conversation.reader.head()) != nil else { return }
            conversation.send(bytes)
        }
        var setup = Setup(upstream)
        setup.limits = "  max_body: 16MiB\n"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        try caller.send(post("/x", object(of: Self.size)))
        do {
            let answer = try caller.answer()
            #expect(answer.status == 502 && (answer["Proxy-Status"] ?? "").contains("sent=?1; outcome=unknown"))
        } catch MessageReader.Problem.ended {
            #expect(bytes.hasSuffix("half"))
        }
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.requests.count == 1, "the broken one is not sent again")
    }

    /// Whole requests and the caller's end in one piece: all are answered, then the connection ends.
    @Test(arguments: 1...8)
    func aCallerThatSaysItsEndWithItsRequestsIsAnswered(_ count: Int) throws {
        let upstream = try FakeUpstream()
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        try caller.send((0..<count).map { _ in post("/x", "{}") }.joined())
        caller.wire.finishSending()
        for _ in 0..<count { #expect(try caller.answer().text == "{\"ok\":true}") }
        try caller.reader.expectEnd()
        #expect(upstream.requests.count == count)
    }

    /// A caller that breaks off within its request: nothing of it is sent.
    @Test func aResetWithinARequestSendsNothing() throws {
        var seed = Seed.announced("resets")
        let bench = try HostileBench()
        let whole = [latin1(post("/api/x", object(of: 300))), latin1(chunkedPost("/api/x", object(of: 300), by: 50))]
        for bytes in whole {
            for _ in 0..<30 {
                let caller = try bench.gateway.caller()
                try bench.pieces(Array(bytes.prefix(Int.random(in: 1..<bytes.count, using: &seed))), caller, &seed)
                caller.wire.reset()
            }
        }
        #expect(try bench.gateway.ask(post("/api/x", "{}")).status == 200)
        let seen = bench.record.take()
        #expect(seen.requests.count == 1 && seen.stray == 0)
    }
}
