// Every time limit of the configuration, set short, with what happens beyond it. Nobody sleeps: the other side does
// nothing, and the gateway's own clock ends the wait.

import TestSupport
import Testing

@Suite struct TimeoutTests {
    /// An upstream that reads requests and does not answer until it is told.
    private func silent() throws -> FakeUpstream {
        try FakeUpstream { conversation in
            while conversation.request() != nil {}
        }
    }

    private func setup(_ upstream: FakeUpstream, timeouts: String, kind: String = "push") -> Setup {
        var setup = Setup(upstream)
        setup.upstream = "    timeouts: {\(timeouts)}\n"
        setup.routes = "  - {name: all, prefix: /, upstream: up, credential: program, kind: \(kind)}\n"
        return setup
    }

    @Test(arguments: ["first_byte: 100ms", "total: 100ms"])
    func anAnswerThatDoesNotCome(_ timeout: String) throws {
        let upstream = try silent()
        let caller = try GatewayUnderTest(setup(upstream, timeouts: timeout)).caller()
        for number in 1...2 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 504)
            let expected = "countersign; error=http_response_timeout; sent=?1; outcome=assume-success"
            #expect(answer["Proxy-Status"] == expected)
            #expect(upstream.waitForRequests(number))
            #expect(upstream.requests.count == number && upstream.connections == number)
        }
    }

    @Test func aConnectionThatIsNotMade() throws {
        // A listener whose queue is full answers no SYN.
        let full = try WireListener(.ipv4(0), backlog: 0)
        var queue: [Wire] = []
        while queue.count < 16, let wire = try? Wire.connect(to: full.address, within: 200) { queue.append(wire) }
        #expect(queue.count < 16, "the queue is full")
        var setup = Setup(url: "http://127.0.0.1:\(full.port)")
        setup.upstream = "    timeouts: {connect: 200ms}\n"
        let answer = try GatewayUnderTest(setup).ask(post("/x", "{}"))
        #expect(answer.status == 504)
        #expect(answer["Proxy-Status"] == "countersign; error=connection_timeout; sent=?0")
    }

    @Test func aHandshakeThatIsNotMade() throws {
        let mute = try FakeUpstream { conversation in
            while case .bytes = conversation.wire.receive() {}
        }
        let sandbox = try Sandbox()
        var setup = sandbox.setup()
        setup.url = "https://127.0.0.1:\(mute.port)"
        setup.upstream += "    timeouts: {connect: 200ms}\n"
        let answer = try GatewayUnderTest(setup).ask(post("/x", "{}"))
        #expect(answer.status == 504)
        #expect(answer["Proxy-Status"] == "countersign; error=connection_timeout; sent=?0")
    }

    @Test func aRequestThatIsNotTaken() throws {
        let end = Gate()
        let upstream = try FakeUpstream { _ in end.pass() }
        var setup = setup(upstream, timeouts: "idle: 200ms", kind: "pull")
        setup.limits = "  max_body: 16MiB\n"
        let answer = try GatewayUnderTest(setup).ask(post("/x", object(of: 16_000_000)))
        #expect(answer.status == 504)
        #expect(
            answer["Proxy-Status"]
                == "countersign; error=connection_write_timeout; sent=?1; outcome=assume-failure")
        end.open()
    }

    @Test(arguments: ["idle: 100ms", "total: 300ms"])
    func anAnswerThatStopsIsBrokenOff(_ timeout: String) throws {
        let end = Gate()
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")
            end.pass()
        }
        let caller = try GatewayUnderTest(setup(upstream, timeouts: timeout)).caller()
        try caller.send(post("/x", "{}"))
        var head = try caller.reader.head()
        #expect(head.status == 200)
        #expect(throws: MessageReader.Problem.self) { try caller.reader.body(of: &head, untilClose: true) }
        end.open()
    }

    @Test func aHeadThatDoesNotCome() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.limits = "  head_timeout: 150ms\n"
        let gateway = try GatewayUnderTest(setup)
        let half = try gateway.caller()
        try half.send("POST /x HTTP/1.1\r\nHost: ga")
        #expect(try half.answer().status == 408)
        try half.reader.expectEnd()
        // A connection without a byte of a request is closed without a word.
        try gateway.caller().reader.expectEnd()
        #expect(upstream.connections == 0)
    }

    @Test func aBodyThatDoesNotCome() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.limits = "  body_timeout: 150ms\n"
        let caller = try GatewayUnderTest(setup).caller()
        try caller.send("POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{")
        let answer = try caller.answer()
        #expect(answer.status == 408 && answer["Connection"] == "close")
        try caller.reader.expectEnd()
        #expect(upstream.connections == 0)
    }

    @Test func aConnectionWithoutRequestsIsLetGo() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.limits = "  keep_alive: 150ms\n"
        let caller = try GatewayUnderTest(setup).caller()
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        try caller.reader.expectEnd()
        setup.limits = "  keep_alive: 0\n"
        let once = try GatewayUnderTest(setup).caller()
        #expect(try once.ask(post("/x", "{}")).status == 200)
        try once.reader.expectEnd()
    }

    @Test func aCallerThatTakesNothingIsLetGo() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n")
            conversation.send([UInt8](repeating: 0x61, count: 33_554_432))
        }
        var setup = Setup(upstream)
        setup.limits = "  write_timeout: 200ms\n"
        let caller = try GatewayUnderTest(setup).caller(receiveBuffer: 4_096)
        try caller.send(post("/x", "{}"))
        #expect(upstream.waitForFinished(1), "the upstream's connection is given up")
        #expect(throws: MessageReader.Problem.self) { try caller.answer() }
    }

    @Test func anIdleUpstreamConnectionIsLetGo() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.upstream = "    connections: {keep_alive: 100ms}\n"
        let caller = try GatewayUnderTest(setup).caller()
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        #expect(upstream.waitForFinished(1))
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        #expect(upstream.connections == 2)
    }
}
