// Callers that drip, and callers that leave: before, while and after the upstream has their request. It gets the
// request once or not at all, and its connection stays of use.

import TestSupport
import Testing

@Suite struct CallerFaultTests {
    /// Sends one byte at a time, 20 ms apart, until the gateway says something or ends the connection.
    private func drip(_ text: String, _ caller: Caller) {
        for byte in Array(text.utf8) {
            guard (try? caller.send([byte])) != nil else { return }
            if caller.wire.isReadable(within: 20) { return }
        }
    }

    @Test(arguments: ["head_timeout", "body_timeout"])
    func aCallerThatDripsIsNotWaitedFor(_ limit: String) throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.limits = "  \(limit): 300ms\n"
        let caller = try GatewayUnderTest(setup).caller()
        // In time one after the other, but not the whole.
        let request = post("/x", object(of: 2_000))
        let whole = request.utf8.count - (limit == "head_timeout" ? 0 : 2_000)
        if limit == "body_timeout" { try caller.send(String(request.prefix(whole))) }
        drip(limit == "body_timeout" ? String(request.suffix(2_000)) : request, caller)
        let answer = try caller.answer()
        #expect(answer.status == 408 && answer["Connection"] == "close")
        try caller.reader.expectEnd()
        #expect(upstream.connections == 0)
    }

    @Test(
        arguments: ["POST /x HTT", "POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{\"a\""],
        [true, false])
    func aCallerThatLeavesBeforeItsRequestIsWhole(_ part: String, _ byReset: Bool) throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream))
        let caller = try gateway.caller()
        try caller.send(part)
        if byReset { caller.wire.reset() } else { caller.wire.close() }
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.requests.count == 1, "its own request only")
    }

    @Test func aCallerThatLeavesTheQueueIsNotSent() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.upstream = "    connections: {max: 1, max_waiting: 1}\n"
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.caller()
        try first.send(post("/x", "{\"n\":1}"))
        #expect(asked.pass())
        let second = try gateway.caller()
        try second.send(post("/x", "{\"n\":2}"))
        // Once the queue's only place is taken, another is refused; once the second has left, it is not.
        while try gateway.ask(post("/x", "{\"n\":3}", "Expect: 100-continue")).status == 503 { second.wire.reset() }
        for _ in 0..<2 { answer.open() }
        #expect(try first.answer().status == 200)
        #expect(!upstream.requests.contains { $0.text == "{\"n\":2}" })
    }

    @Test(arguments: [true, false])
    func aCallerThatLeavesAfterItsRequestWasSent(_ byReset: Bool) throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        // The next one has to wait for the connection, and gets it.
        setup.upstream = "    connections: {max: 1}\n"
        let gateway = try GatewayUnderTest(setup)
        for number in 0..<5 {
            let caller = try gateway.caller()
            try caller.send(post("/x", "{\"n\":\(number)}"))
            #expect(asked.pass())
            if byReset { caller.wire.reset() } else { caller.wire.close() }
            answer.open()
        }
        answer.open()
        #expect(try gateway.ask(post("/x", "{\"n\":5}")).status == 200)
        #expect(upstream.requests.map(\.text) == (0...5).map { "{\"n\":\($0)}" }, "each once, in order")
        // A close is half an end, and its caller gets its answer; either way the connection stays of use.
        #expect(upstream.connections == 1)
    }

    /// The upstream has taken a part of the request when its caller goes: the rest follows.
    @Test func aCallerThatLeavesWhileItsRequestIsSent() throws {
        let begun = Gate()
        let goOn = Gate()
        let upstream = try FakeUpstream { conversation in
            _ = conversation.wire.isReadable()
            begun.open()
            goOn.pass()
            while conversation.request() != nil { conversation.answer() }
        }
        var setup = Setup(upstream)
        setup.limits = "  max_body: 16MiB\n"
        let gateway = try GatewayUnderTest(setup)
        let body = object(of: 12_000_000)
        let caller = try gateway.caller()
        try caller.send(post("/x", body))
        #expect(begun.pass())
        caller.wire.reset()
        goOn.open()
        goOn.open()
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.requests.filter { $0.body.count == body.utf8.count }.count <= 1)
        // The sent one is whole: the other connection's script reads it to its end.
        #expect(gateway.program.stop() == .code(0))
        #expect(upstream.waitForFinished(upstream.connections))
        #expect(Set(upstream.requests.map(\.body.count)) == [body.utf8.count, 2])
    }

    /// The caller goes in the middle of a long answer: it is read to its end without it, and the connection is kept.
    @Test func aCallerThatLeavesWhileItIsAnswered() throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                conversation.answer(request.text == "{}" ? "{}" : String(repeating: "a", count: 8_000_000))
            }
        }
        let gateway = try GatewayUnderTest(Setup(upstream))
        for _ in 0..<3 {
            let caller = try gateway.caller(receiveBuffer: 4_096)
            try caller.send(post("/x", "{\"long\":true}"))
            #expect(try caller.reader.head().status == 200)
            caller.wire.reset()
        }
        // All of their connections come back: as many requests at once need no new ones.
        let connections = upstream.connections
        #expect(connections <= 3)
        for _ in 0..<20 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
        #expect(upstream.requests.count == 23)
    }
}
