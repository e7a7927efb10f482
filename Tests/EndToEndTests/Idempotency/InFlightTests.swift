// Equal requests while the first is on its way, and what becomes of the key when the first caller leaves, or when its
// request never goes out.
// Relies on one worker: it takes its connections in turn, and the store its questions, so that the answer to a later
// request with a key says that an earlier one has been asked for.

import TestSupport
import Testing

@Suite struct InFlightTests {
    private static let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")

    /// Whatever the gateway was sent before has reached its store when this returns.
    private func settle(_ gateway: GatewayUnderTest, _ number: Int = 0) throws {
        #expect(try gateway.ask(post("/pay/probe", "{\"key\":\"probe \(number)\"}")).status == 200)
    }

    private func isSent(_ upstream: ActingUpstream) throws { try #require(upstream.asked.pass()) }

    @Test(arguments: StoreUnderTest.allCases)
    func equalRequestsWaitForTheFirstAndGetItsAnswer(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream(["/pay": [.hold]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind))
        let first = try gateway.caller()
        try first.send(Self.request)
        try isSent(upstream)
        let others = try (0..<5).map { _ in try gateway.caller() }
        for other in others { try other.send(Self.request) }
        let different = try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":2}"))
        #expect(different.status == 422 && different.fate == "sent=?0")
        try settle(gateway)
        #expect(others.allSatisfy { !$0.wire.isReadable(within: 0) })
        upstream.answer.open()
        let answer = try first.answer()
        #expect(answer.status == 200 && !answer.isReplay)
        for other in others {
            let same = try other.answer()
            #expect(same.isReplay && same.whole == answer.whole)
        }
        #expect(upstream.count("/pay") == 1)
    }

    @Test(arguments: ["wait: 0s", "wait: 50ms"])
    func whoWaitsTooLongIsToldToAskAgain(_ wait: String) throws {
        let upstream = try ActingUpstream(["/pay": [.hold]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, .memory, "key: /key, \(wait)"))
        let first = try gateway.caller()
        try first.send(Self.request)
        try isSent(upstream)
        for _ in 0..<2 {
            let answer = try gateway.ask(Self.request)
            #expect(answer.status == 409 && answer["Retry-After"] == "2")
            #expect(answer.fate == "sent=?1; outcome=unknown")
        }
        upstream.answer.open()
        let answer = try first.answer()
        #expect(try gateway.ask(Self.request).whole == answer.whole)
        #expect(upstream.count("/pay") == 1)
    }

    @Test func moreThanMayWaitAreToldToAskAgain() throws {
        let upstream = try ActingUpstream(["/pay": [.hold]])
        var setup = Setup(upstream.upstream, .memory)
        setup.store?.more = "  max_waiting: 1\n"
        let gateway = try GatewayUnderTest(setup)
        let callers = [try gateway.caller(), try gateway.caller()]
        try callers[0].send(Self.request)
        try isSent(upstream)
        try callers[1].send(Self.request)
        try settle(gateway)
        let refused = try gateway.ask(Self.request)
        #expect(refused.status == 409 && refused["Retry-After"] == "2")
        upstream.answer.open()
        for caller in callers { #expect(try caller.answer().status == 200) }
        #expect(upstream.count("/pay") == 1)
    }

    @Test(arguments: StoreUnderTest.allCases, [false, true])
    func aCallerThatLeavesDoesNotCancelItsRequest(_ kind: StoreUnderTest, byReset: Bool) throws {
        let upstream = try ActingUpstream(["/pay": [.hold]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind))
        let first = try gateway.caller()
        try first.send(Self.request)
        try isSent(upstream)
        if byReset { first.wire.reset() } else { first.wire.close() }
        let waiting = try gateway.caller()
        try waiting.send(Self.request)
        try settle(gateway)
        // A waiter that leaves changes nothing for the others.
        let leaving = try gateway.caller()
        try leaving.send(Self.request)
        try settle(gateway, 1)
        leaving.wire.reset()
        try settle(gateway, 2)
        upstream.answer.open()
        let answer = try waiting.answer()
        #expect(answer.status == 200 && answer.isReplay)
        #expect(try gateway.ask(Self.request).whole == answer.whole)
        #expect(upstream.count("/pay") == 1)
    }

    @Test func theLostAnswerIsLostForThoseWhoWaited() throws {
        let upstream = try ActingUpstream(["/pay": [.holdAndLose], "/push": [.holdAndLose]])
        var setup = Setup(upstream.upstream, .memory)
        setup.routes =
            Setup.route("pay", "key: /key") + Setup.route("push", "key: /key, on_unknown: resend, repeat_after: 0s")
        let gateway = try GatewayUnderTest(setup)
        for path in ["/pay", "/push"] {
            let request = post(path, "{\"key\":\"k\"}")
            let callers = [try gateway.caller(), try gateway.caller(), try gateway.caller()]
            try callers[0].send(request)
            try isSent(upstream)
            for caller in callers.dropFirst() { try caller.send(request) }
            try settle(gateway, path.count)
            upstream.answer.open()
            #expect(try callers[0].answer().status == 502)
            let others = [try callers[1].answer(), try callers[2].answer()]
            if path == "/pay" {
                #expect(others.allSatisfy { $0.status == 409 && $0.fate == "sent=?1; outcome=unknown" })
            } else {
                // The first who waited sends it again, with the same key; the other gets that answer.
                #expect(others.map(\.status) == [200, 200] && others.map(\.isReplay) == [false, true])
                #expect(others[0].text == "{\"path\":\"/push\",\"count\":2}" && others[1].text == others[0].text)
            }
        }
        #expect(upstream.count("/pay") == 1 && upstream.count("/push") == 2)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func aRequestThatNeverWentOutLeavesItsKeyFree(_ kind: StoreUnderTest) throws {
        let nobody = try WireListener(.ipv4(0))
        let port = nobody.port
        nobody.stop()
        var setup = Setup(url: "http://127.0.0.1:\(port)")
        setup.store = StoreSetup(kind)
        setup.routes = Setup.route("pay", "key: /key")
        let gateway = try GatewayUnderTest(setup)
        let refused = try gateway.ask(Self.request)
        #expect(refused.status == 502 && refused.fate == "sent=?0")
        let upstream = try ActingUpstream([:], .ipv4(port))
        // Free is free: the key is not even bound to the request that did not go out.
        let other = post("/pay", "{\"key\":\"k\",\"amount\":2}")
        let answer = try gateway.ask(other)
        #expect(answer.status == 200 && !answer.isReplay)
        #expect(try gateway.ask(other).isReplay)
        #expect(upstream.count("/pay") == 1)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func whoWaitsTakesOverFromACallerThatLeftBeforeAnythingWasSent(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream(["/open": [.hold]])
        var setup = Setup(upstream.upstream, kind)
        setup.upstream = "    connections: {max: 1, max_waiting: 10}\n"
        let gateway = try GatewayUnderTest(setup)
        let holder = try gateway.caller()
        try holder.send(post("/open", "{}"))
        try isSent(upstream)
        // With the one connection taken, the first has its key and waits for the other.
        let callers = try (0..<3).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(Self.request) }
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":2}")).status == 422)
        callers[0].wire.reset()
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":2}")).status == 422)
        upstream.answer.open()
        #expect(try holder.answer().status == 200)
        let answers = [try callers[1].answer(), try callers[2].answer()]
        #expect(answers.map(\.status) == [200, 200] && answers.map(\.isReplay) == [false, true])
        #expect(answers[0].whole == answers[1].whole)
        #expect(upstream.count("/pay") == 1)
    }
}
