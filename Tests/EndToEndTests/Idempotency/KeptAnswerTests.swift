// Which answers are kept, and in what form they come again: sizes at the bound, framings, answers without a body, TLS.
// Relies on the strict reader of tests for framing.

import TestSupport
import Testing

@Suite struct KeptAnswerTests {
    private static let maxAnswer = "  max_answer: 1KiB\n"
    /// What a kept answer with this reason and these fields has beside its body.
    private static let frame = 9 + "OK".utf8.count + "Content-Type: application/json\r\n".utf8.count

    private static func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    private static func chunked(_ body: String) -> Act {
        var rest = body[...]
        var text = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        while !rest.isEmpty {
            let part = rest.prefix(700)
            rest = rest.dropFirst(700)
            text += "\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n"
        }
        return .bytes(text + "0\r\n\r\n")
    }

    private static func untilClose(_ body: String) -> Act {
        .bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func anAnswerUpToTheBoundIsKeptAndOneAboveItIsGivenOnce(_ kind: StoreUnderTest) throws {
        let fits = Self.text(1_024 - Self.frame)
        let long = fits + "y"
        let huge = Self.text(300_000)
        let rows: [(Act, String, Bool)] = [
            (.answer(body: fits), fits, true), (Self.chunked(fits), fits, true), (Self.untilClose(fits), fits, true),
            (.answer(body: long), long, false), (Self.chunked(long), long, false),
            (Self.untilClose(long), long, false), (.answer(body: huge), huge, false),
            (Self.chunked(huge), huge, false), (Self.untilClose(huge), huge, false),
        ]
        let acts = rows.indices.map { ("/pay/\($0)", [rows[$0].0]) }
        let upstream = try ActingUpstream(Dictionary(uniqueKeysWithValues: acts))
        var setup = Setup(upstream.upstream, kind)
        setup.store?.more = Self.maxAnswer
        let gateway = try GatewayUnderTest(setup)
        for (index, (_, body, isKept)) in rows.enumerated() {
            let request = post("/pay/\(index)", "{\"key\":\"\(index)\"}")
            let first = try gateway.ask(request)
            #expect(first.status == 200 && first.text == body, "row \(index)")
            for _ in 0..<2 {
                let again = try gateway.ask(request)
                if isKept {
                    #expect(again.isReplay && again.text == body && !again.chunked, "row \(index)")
                    #expect(again["Content-Length"] == "\(body.utf8.count)", "row \(index)")
                } else {
                    #expect(again.status == 409 && again.fate == "sent=?1; outcome=assume-success", "row \(index)")
                    #expect(again.text.contains("was carried out"))
                }
            }
            #expect(upstream.count("/pay/\(index)") == 1, "row \(index)")
        }
    }

    /// Who waited for an answer that is too large to be kept is told that it was carried out, before it has ended.
    @Test func whoWaitsForAnAnswerThatIsTooLargeIsToldSo() throws {
        let asked = Gate()
        let go = Gate()
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            asked.open()
            go.pass()
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + Self.text(50_000))
            go.pass()
            conversation.send(Self.text(50_000))
        }
        var setup = Setup(upstream, .memory)
        setup.store?.more = Self.maxAnswer
        let gateway = try GatewayUnderTest(setup)
        let callers = [try gateway.caller(), try gateway.caller()]
        try callers[0].send(post("/pay", "{\"key\":\"k\"}"))
        #expect(asked.pass())
        try callers[1].send(post("/pay", "{\"key\":\"k\"}"))
        go.open()
        #expect(try callers[1].answer().status == 409)
        go.open()
        #expect(try callers[0].answer().text == Self.text(100_000))
    }

    /// The first caller leaves while an answer that is too large streams to it: it was carried out all the same.
    @Test func aLargeAnswerThatNobodyTakesIsDone() throws {
        let upstream = try ActingUpstream(["/pay": [.answer(body: Self.text(8_000_000))]])
        var setup = Setup(upstream.upstream, .memory)
        setup.store?.more = Self.maxAnswer
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.caller(receiveBuffer: 4_096)
        try first.send(post("/pay", "{\"key\":\"k\"}"))
        #expect(first.wire.isReadable())
        first.wire.reset()
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).fate == "sent=?1; outcome=assume-success")
        #expect(upstream.count("/pay") == 1)
    }

    @Test func withoutRoomForAnyEveryAnswerIsGivenOnce() throws {
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, .memory)
        setup.store?.more = "  max_answer: 0B\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).status == 200)
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).status == 409)
        #expect(upstream.count("/pay") == 1)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func answersWithoutABodyComeAgainWithoutOne(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream([
            "/pay/204": [.bytes("HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n")],
            "/pay/304": [.bytes("HTTP/1.1 304 Not Modified\r\nX-A: 1\r\nETag: \"e\"\r\n\r\n")],
            "/pay/head": [.bytes("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 500\r\n\r\n")],
            "/pay/empty": [.bytes("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n")],
        ])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind, "key: Idempotency-Key"))
        let rows = [("GET", "/pay/204"), ("GET", "/pay/304"), ("HEAD", "/pay/head"), ("GET", "/pay/empty")]
        for (method, path) in rows {
            let caller = try gateway.caller()
            let request = "\(method) \(path) HTTP/1.1\r\nHost: gateway\r\nIdempotency-Key: \(path)\r\n\r\n"
            let first = try caller.ask(request)
            // On one connection: a byte too many would be read as the next answer.
            for _ in 0..<2 {
                let again = try caller.ask(request)
                #expect(again.isReplay && again.whole == first.whole && again["X-A"] == "1", "\(path)")
            }
            #expect(first.body.isEmpty && upstream.count(path) == 1)
        }
    }

    /// A caller that speaks HTTP/1.0, or says close, gets a kept answer as it can read it.
    @Test func theFramingIsThatOfTheCallerAtHand() throws {
        let upstream = try ActingUpstream(["/pay": [Self.chunked("{\"a\":1}")]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory))
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).text == "{\"a\":1}")
        let caller = try gateway.caller()
        let closing = try caller.ask(post("/pay", "{\"key\":\"k\"}", "Connection: close"))
        #expect(closing.isReplay && closing["Connection"] == "close" && closing.text == "{\"a\":1}")
        try caller.reader.expectEnd()
        // Two in one go are answered in order.
        let pair = try gateway.caller()
        try pair.send(post("/pay", "{\"key\":\"k\"}") + post("/open", "{}"))
        #expect(try pair.answer().isReplay)
        #expect(try pair.answer().text == "{\"path\":\"/open\",\"count\":1}")
    }

    /// Hop-by-hop fields of the first answer are the first connection's, and never kept; interim answers neither.
    @Test func whatBelongsToTheConnectionIsNotKept() throws {
        let head = "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 1\r\n"
        let upstream = try ActingUpstream([
            "/pay": [.bytes("HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\n" + head + "Content-Length: 2\r\n\r\n{}")]
        ])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory))
        let first = try gateway.ask(post("/pay", "{\"key\":\"k\"}"))
        let again = try gateway.ask(post("/pay", "{\"key\":\"k\"}"))
        #expect(first.text == "{}" && first["X-End"] == "1" && again.whole == first.whole)
        #expect(again.interims.isEmpty)
        for name in ["X-Hop", "Keep-Alive", "X-Hint", "Connection"] { #expect(again.all(name).isEmpty, "\(name)") }
    }

    /// The upstream cannot say of its own answer that it was given again.
    @Test func onlyTheGatewayMarksAReplay() throws {
        let upstream = try ActingUpstream(["/pay": [.answer(headers: "Idempotent-Replayed: true\r\n")]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory))
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).all("Idempotent-Replayed").isEmpty)
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\"}")).all("Idempotent-Replayed") == ["true"])
    }

    @Test(arguments: StoreUnderTest.allCases)
    func answersOverTLSAreKeptAlike(_ kind: StoreUnderTest) throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        setup.store = StoreSetup(kind)
        setup.routes =
            "  - {name: save, path: /users/bank-accounts/save, upstream: up, credential: program,"
            + " idempotency: {key: /idempotent_key, on_unknown: resend, repeat_after: 0s}}\n"
        let gateway = try GatewayUnderTest(setup)
        func request(_ key: String) -> String {
            post(
                "/users/bank-accounts/save",
                "{\"user_id\":\"user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef\",\"idempotent_key\":\"\(key)\","
                    + "\"first_name\":\"A\",\"last_name\":\"B\",\"account_number\":\"8001234567\","
                    + "\"routing_number\":\"123456789\"}")
        }
        for what in ["", "chunked", "slow-body=1ms", "interim-103", "close-before-answer", "close-mid-body", "reset"] {
            if !what.isEmpty { try sandbox.misbehave(what) }
            var answer = try gateway.ask(request("key \(what)"))
            if answer.status == 502 { answer = try gateway.ask(request("key \(what)")) }
            #expect(answer.status == 200 && !answer.isReplay, "\(what)")
            #expect(try gateway.ask(request("key \(what)")).whole == answer.whole, "\(what)")
        }
        let ledger = try sandbox.ledger()
        #expect(ledger.count == 7 && ledger.allSatisfy { $0.executed == 1 })
    }
}
