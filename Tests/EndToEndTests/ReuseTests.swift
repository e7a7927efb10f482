// Connections to the upstream: reused while they live, noticed when they died, and a request never carried out twice.

import TestSupport
import Testing

@Suite struct ReuseTests {
    @Test func oneConnectionCarriesManyRequests() throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        let gateway = try GatewayUnderTest(setup)
        for _ in 0..<10 { #expect(try gateway.ask(post("/balance/user", "{}")).status != 502) }
        let seen = try sandbox.requests()
        #expect(seen.count == 10 && seen.allSatisfy(\.verified) && Set(seen.map(\.connection)).count == 1)
    }

    @Test func theCountOfConnectionsIsLimitedAndRequestsWait() throws {
        let gate = Gate()
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                gate.pass()
                conversation.answer()
            }
        }
        var setup = Setup(upstream)
        setup.upstream = "    connections: {max: 2, max_waiting: 2}\n"
        setup.routes = "  - {name: x, path: /x, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<4).map { _ in try gateway.caller() }
        let probe = try gateway.caller()
        for caller in callers {
            try caller.send(post("/x", "{}"))
            // One worker takes its connections in turn: an answer here says that the request before it was read.
            #expect(try probe.ask(post("/nowhere", "{}")).status == 404)
        }
        // The fifth neither has a connection nor a place in the queue.
        let refused = try gateway.ask(post("/x", "{}"))
        #expect(refused.status == 503)
        #expect(refused["Proxy-Status"] == "countersign; error=connection_limit_reached; sent=?0")
        #expect(refused["Retry-After"] == "1")
        for _ in callers { gate.open() }
        for caller in callers { #expect(try caller.answer().status == 200) }
        #expect(upstream.connections == 2 && upstream.requests.count == 4)
    }

    @Test func keepAliveZeroKeepsNone() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.upstream = "    connections: {keep_alive: 0}\n"
        let caller = try GatewayUnderTest(setup).caller()
        for number in 1...3 {
            #expect(try caller.ask(post("/x", "{}")).status == 200)
            #expect(upstream.connections == number)
        }
    }

    @Test func anUpstreamThatSaysCloseIsBelieved() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(headers: "Connection: close\r\n") }
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for number in 1...3 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 200 && answer["Connection"] == nil)
            #expect(upstream.connections == number)
        }
    }

    @Test func bytesBehindAnAnswerBelongToNobody() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            }
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for number in 1...3 {
            #expect(try caller.ask(post("/x", "{}")).text == "{}")
            #expect(upstream.connections == number)
        }
    }

    @Test func aConnectionThatDiedWhileIdleIsNoticed() throws {
        let close = Gate()
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.answer()
            close.pass()
            // The gateway has noticed once it ends its side: on a busy machine an end arrives later than it was sent.
            conversation.wire.finishSending()
            #expect(conversation.wire.receive() == .end)
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for number in 1...5 {
            let answer = try caller.ask(post("/x", "{\"n\":\(number)}"))
            #expect(answer.status == 200, "\(answer.startLine), \(answer["Proxy-Status"] ?? "")")
            close.open()
            #expect(upstream.waitForFinished(number))
        }
        #expect(upstream.requests.map(\.text) == (1...5).map { "{\"n\":\($0)}" })
        #expect(upstream.connections == 5)
    }

    /// The upstream has closed when the request comes; whether the gateway knows it already is a matter of chance. The
    /// kernel mostly proves that nothing was taken, and the request goes out again. Where it gives no proof, the answer
    /// says so: seldom, and never of a request that was carried out.
    @Test func aRequestThatMetAClosedConnectionIsSentAgain() throws {
        let rounds = 200
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.answer()
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        var done: [String] = []
        for number in 0..<rounds {
            let body = "{\"n\":\(number)}"
            let answer = try caller.ask(post("/x", body))
            if answer.status == 200 {
                done.append(body)
                try #require(upstream.waitForFinished(done.count))
            } else {
                #expect(answer["Proxy-Status"]?.hasSuffix("sent=?1; outcome=unknown") == true)
            }
        }
        #expect(upstream.requests.map(\.text) == done)
        #expect(done.count >= rounds * 95 / 100, "\(rounds - done.count) of \(rounds) were lost")
    }

    /// The upstream closes at the moment at which the next request arrives: what cannot be told is reported as unknown,
    /// and nothing is carried out twice, or once while the caller is told that nothing was sent.
    @Test func aRequestThatMeetsAClosingConnectionIsNeverDoubled() throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        let caller = try GatewayUnderTest(setup).caller()
        try sandbox.misbehave("close-after", times: 100)
        let name = "{\"first_name\":\"A\",\"last_name\":\"B\",\"email\":\"a@example.com\"}"
        var done = 0
        for _ in 0..<100 {
            let answer = try caller.ask(post("/user/create", name))
            if answer.status == 200 {
                done += 1
            } else {
                let expected = "countersign; error=connection_terminated; sent=?1; outcome=unknown"
                #expect(answer.status == 502 && answer["Proxy-Status"] == expected)
            }
        }
        let seen = try sandbox.requests()
        #expect(seen.count == done && seen.allSatisfy(\.verified))
        #expect(try sandbox.ledger().count == done)
    }

    /// What a route's kind says of a lost answer, and what an operator may say instead.
    static let lostAnswers = [
        ("kind: push", "assume-success"), ("kind: pull", "assume-failure"), ("kind: read", "unknown"),
        ("kind: tokenise", "unknown"), ("kind: create", "unknown"), ("kind: push, lost_answer: unknown", "unknown"),
        ("kind: create, lost_answer: assume-failure", "assume-failure"),
    ]

    @Test(arguments: lostAnswers)
    func aLostAnswerIsReportedAsItsRouteSays(_ route: String, _ outcome: String) throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                guard request.text != "{\"lose\":1}" else { return }
                conversation.answer()
            }
        }
        var setup = Setup(upstream)
        setup.routes = "  - {name: all, prefix: /, upstream: up, credential: program, \(route)}\n"
        let caller = try GatewayUnderTest(setup).caller()
        // On a new connection, and on one that was used before.
        for body in ["{\"lose\":1}", "{}", "{\"lose\":1}"] {
            let answer = try caller.ask(post("/x", body))
            guard body != "{}" else {
                #expect(answer.status == 200)
                continue
            }
            #expect(answer.status == 502)
            let expected = "countersign; error=connection_terminated; sent=?1; outcome=\(outcome)"
            #expect(answer["Proxy-Status"] == expected)
            #expect(answer.json["sent"] as? Bool == true && answer.json["outcome"] as? String == outcome)
        }
        #expect(upstream.requests.count == 3, "never sent twice")
    }

    @Test func aResetAfterReadingIsALostAnswer() throws {
        let upstream = try FakeUpstream { conversation in
            if conversation.request() != nil { conversation.wire.reset() }
        }
        let answer = try GatewayUnderTest(Setup(upstream)).ask(post("/x", "{}"))
        #expect(answer.status == 502)
        #expect(answer["Proxy-Status"] == "countersign; error=connection_terminated; sent=?1; outcome=unknown")
        #expect(upstream.requests.count == 1 && upstream.connections == 1)
    }

    @Test func aRefusedConnectionIsA502WithNothingSent() throws {
        let upstream = try FakeUpstream()
        let setup = Setup(upstream)
        let gateway = try GatewayUnderTest(setup)
        let nobody = try WireListener(.ipv4(0))
        var refusing = Setup(upstream)
        refusing.url = "http://127.0.0.1:\(nobody.port)"
        nobody.stop()
        let answer = try GatewayUnderTest(refusing).ask(post("/x", "{}"))
        #expect(answer.status == 502)
        #expect(answer["Proxy-Status"] == "countersign; error=connection_refused; sent=?0")
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
    }

    /// An early answer is given to the caller, and the connection, in the middle of a request, is not used again.
    @Test func anAnswerBeforeTheRequestWasTakenIsRelayed() throws {
        let upstream = try FakeUpstream { conversation in
            guard (try? conversation.reader.head()) != nil else { return }
            conversation.send("HTTP/1.1 429 Slow Down\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            conversation.wire.finishSending()
            while case .bytes = conversation.wire.receive() {}
        }
        let caller = try GatewayUnderTest(Setup(upstream)).caller()
        for _ in 0..<2 {
            let answer = try caller.ask(post("/x", object(of: 1_000_000)))
            #expect(answer.status == 429 && answer.text == "{}")
        }
        #expect(upstream.connections == 2)
    }
}
