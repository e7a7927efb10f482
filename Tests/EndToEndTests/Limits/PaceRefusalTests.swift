// Who does not have its turn: waits that would be too long, a full queue, callers that leave, deadlines; each told the
// truth about when to come back, and nothing of it sent.
// Relies on one worker where the order of connections matters: it takes them in turn.

import TestSupport
import Testing

@Suite struct PaceRefusalTests {
    private static let refused = "countersign; error=connection_limit_reached; sent=?0"

    private func setup(_ upstream: FakeUpstream, _ pace: String) -> Setup {
        var setup = Setup(upstream)
        setup.pace = "{\(pace)}"
        setup.routes = Setup.route("x", nil)
        return setup
    }

    /// Whatever the gateway was sent before has been looked at when this returns.
    private func settle(_ gateway: GatewayUnderTest) throws {
        #expect(try gateway.ask(post("/none", "{}")).status == 404)
    }

    private func check(_ answer: Message) -> Int {
        #expect(answer.status == 429 && answer["Proxy-Status"] == Self.refused)
        return answer["Retry-After"].flatMap { Int($0) } ?? 0
    }

    @Test func whoWouldWaitTooLongIsToldAtOnceWhenToComeBack() throws {
        let upstream = try TimedUpstream()
        let gateway = try GatewayUnderTest(setup(upstream.upstream, "rate: 30/m, burst: 1, max_wait: 500ms"))
        let caller = try gateway.caller()
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        let begin = ContinuousClock.now
        let wait = check(try caller.ask(post("/x", "{}")))
        // 2 s less the half that it may wait, rounded up.
        #expect(wait == 2 && seconds(since: begin) < 0.5)
        letPass(Double(wait))
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        #expect(upstream.arrivals.count == 2 && upstream.times[1] - upstream.times[0] > 2 - TimedUpstream.slack)
    }

    @Test func whoWaitsInVainIsToldWhenItsPatienceIsOver() throws {
        let (upstream, asked, answer) = try heldUpstream()
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 1000/s, concurrency: 1, max_wait: 300ms"))
        let first = try gateway.caller()
        try first.send(post("/x", "{}"))
        #expect(asked.pass())
        let begin = ContinuousClock.now
        #expect(check(try gateway.ask(post("/x", "{}"))) >= 1)
        #expect(seconds(since: begin) > 0.29 && seconds(since: begin) < 5)
        answer.open()
        #expect(try first.answer().status == 200)
        answer.open()
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.requests.count == 2)
    }

    @Test(arguments: [0, 3])
    func beyondTheQueueNobodyWaits(_ places: Int) throws {
        let (upstream, asked, answer) = try heldUpstream()
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 1000/s, concurrency: 1, queue: \(places)"))
        let callers = try (0..<places + 1).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        #expect(asked.pass())
        try settle(gateway)
        for _ in 0..<3 { #expect(check(try gateway.ask(post("/x", "{}"))) >= 1) }
        for _ in callers { answer.open() }
        for caller in callers { #expect(try caller.answer().status == 200) }
        #expect(upstream.requests.count == places + 1)
    }

    /// In a full queue the newcomer takes the last place of the caller with most, as long as it stays behind that one.
    @Test func aGreedyCallerDoesNotKeepOthersOutOfTheQueue() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = setup(upstream, "rate: 1000/s, concurrency: 1, queue: 3")
        setup.callers = [.withToken("greedy"), .withToken("other")]
        let gateway = try GatewayUnderTest(setup)
        let greedy = try (0..<4).map { _ in try gateway.caller() }
        // One after the other, so that the last is the last.
        for caller in greedy {
            try caller.send(post("/x", "{\"c\":1}", bearer("greedy")))
            try #require(try gateway.ask(post("/none", "{}", bearer("other"))).status == 404)
        }
        #expect(asked.pass())
        let others = try (0..<2).map { _ in try gateway.caller() }
        for caller in others {
            try caller.send(post("/x", "{\"c\":2}", bearer("other")))
            try #require(try gateway.ask(post("/none", "{}", bearer("other"))).status == 404)
        }
        #expect(check(try greedy[3].answer()) >= 1)
        #expect(check(try others[1].answer()) >= 1)
        for _ in 0..<4 { answer.open() }
        for caller in greedy.dropLast() + [others[0]] { #expect(try caller.answer().status == 200) }
        #expect(upstream.requests.compactMap { $0.json["c"] as? Int } == [1, 1, 2, 1])
    }

    /// On TCP who only closes may still want its answer: the kernel tells no more than that nothing follows. A reset,
    /// and the end of a Unix socket, say that nobody is left.
    @Test(arguments: [false, true])
    func whoLeavesWhileItWaitsFreesItsPlaceAndIsNotSent(_ byReset: Bool) throws {
        let (upstream, asked, answer) = try heldUpstream()
        let folder = try TemporaryFolder()
        var setup = setup(upstream, "rate: 1000/s, concurrency: 1, queue: 1")
        if !byReset { setup.listeners = "  - {name: local, bind: \"unix:\(folder.path)/apps.sock\"}\n" }
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.caller()
        try first.send(post("/x", "{\"n\":1}"))
        #expect(asked.pass())
        let leaving = try gateway.caller()
        try leaving.send(post("/x", "{\"n\":2}"))
        try settle(gateway)
        #expect(check(try gateway.ask(post("/x", "{\"n\":3}"))) >= 1)
        if byReset { leaving.wire.reset() } else { leaving.wire.close() }
        // The worker may take a new connection before it hears of the end of an old one: refused, the next asks again.
        var next = try gateway.caller()
        try next.send(post("/x", "{\"n\":4}"))
        for _ in 0..<50 where next.wire.isReadable(within: 100) {
            #expect(check(try next.answer()) >= 1)
            next = try gateway.caller()
            try next.send(post("/x", "{\"n\":4}"))
        }
        #expect(!next.wire.isReadable(within: 0), "it waits in the place that was left")
        for _ in 0..<2 { answer.open() }
        let answers = [try first.answer(), try next.answer()]
        #expect(answers.map(\.status) == [200, 200], "\(answers.map(\.whole))")
        #expect(upstream.requests.compactMap { $0.json["n"] as? Int } == [1, 4])
    }

    /// What a request waits for its turn is a part of its total: beyond it nobody is kept.
    @Test func theTotalBoundsTheWaitAndWhatComesAfterIt() throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                if request.text == "{}" { conversation.answer() }
            }
        }
        var setup = setup(upstream, "rate: 2/s, burst: 1, max_wait: 60s")
        setup.upstream = "    timeouts: {total: 900ms, first_byte: 60s}\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        let begin = ContinuousClock.now
        let callers = try (0..<2).map { _ in try gateway.caller() }
        try callers[0].send(post("/x", "{\"never\":1}"))
        // On a busy machine both could be read when they are accepted, the second first.
        try settle(gateway)
        try callers[1].send(post("/x", "{\"never\":1}"))
        // The second's turn would be after its total: it is told at once.
        #expect(check(try callers[1].answer()) == 1)
        #expect(seconds(since: begin) < 0.5)
        let late = try callers[0].answer()
        #expect(late.status == 504 && late["Proxy-Status"]?.hasSuffix("sent=?1; outcome=unknown") == true)
        #expect(seconds(since: begin) > 0.85 && seconds(since: begin) < 1.35, "the total, not the turn and the total")
        #expect(upstream.requests.count == 2)
    }

    @Test func theClaimOfAKeyIsHeldDuringTheWaitAndGivenBackWithTheRefusal() throws {
        let upstream = try ActingUpstream(["/open": [.hold]])
        var setup = Setup(upstream.upstream, .memory)
        setup.pace = "{rate: 1000/s, concurrency: 1, max_wait: 800ms}"
        let gateway = try GatewayUnderTest(setup)
        let holder = try gateway.caller()
        try holder.send(post("/open", "{}"))
        #expect(upstream.asked.pass())
        let first = try gateway.caller()
        try first.send(post("/pay", "{\"key\":\"k\",\"amount\":1}"))
        // The key is the first one's while that one waits.
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":2}")).status == 422)
        #expect(check(try first.answer()) >= 1)
        #expect(!holder.wire.isReadable(within: 0) && upstream.count("/pay") == 0)
        upstream.answer.open()
        #expect(try holder.answer().status == 200)
        // And free afterwards: not even bound to the request that was not sent.
        let other = post("/pay", "{\"key\":\"k\",\"amount\":3}")
        #expect(try gateway.ask(other).status == 200)
        #expect(try gateway.ask(other).isReplay)
        #expect(upstream.count("/pay") == 1)
    }
}
