// Keys outlive what happens to the gateway: a reload with other keys of the store, a stop in the middle, a kill, the
// next gateway on the same file.
// Relies on SIGKILL for an end without a last word. Refuses to wait: each end is waited for by its event.

import TestSupport
import Testing

@Suite struct StoreLifeTests {
    private static let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")
    private static let other = post("/pay", "{\"key\":\"k\",\"amount\":2}")

    // MARK: - Keys of the store

    @Test(arguments: StoreUnderTest.allCases)
    func repeatsReplayAcrossRotatedKeys(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream(["/pay/lost": [.lose]])
        var setup = Setup(upstream.upstream, kind, "key: /key, on_unknown: resend, repeat_after: 0s")
        let lost = post("/pay/lost", "{\"key\":\"lost\"}")
        let gateway = try Reloadable(setup)
        let first = try gateway.gateway.ask(Self.request)
        #expect(try gateway.gateway.ask(lost).status == 502)
        for round in 1...4 {
            setup.store?.keys.insert("key-number-\(round)-of-the-store", at: 0)
            if round == 4 { setup.store?.keys.removeLast() }
            #expect(try gateway.reload(setup).contains("\"reloaded\""))
            let again = try gateway.gateway.ask(Self.request)
            let new = post("/pay", "{\"key\":\"new \(round)\"}")
            #expect(try gateway.gateway.ask(new).isReplay == false)
            #expect(try gateway.gateway.ask(new).isReplay)
            if round < 4 {
                #expect(again.isReplay && again.whole == first.whole)
                #expect(try gateway.gateway.ask(Self.other).status == 422)
                // Found under its old name, sent again under the new one.
                #expect(try gateway.gateway.ask(lost).isReplay == (round > 1))
            } else {
                // The key that it was kept with is gone: nothing knows it any more.
                #expect(again.status == 200 && !again.isReplay)
            }
        }
        #expect(upstream.count("/pay/lost") == 2)
    }

    /// A request whose body comes slowly outlives a change of the store's keys; its equal, sent in the meantime, was
    /// claimed under the new one.
    @Test(arguments: StoreUnderTest.allCases)
    func aRequestFromBeforeAChangeOfKeysKnowsThoseFromAfterIt(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, kind)
        let gateway = try Reloadable(setup)
        let slow = try gateway.gateway.caller()
        try slow.send(String(Self.request.dropLast(5)))
        // One worker: the slow one's head was read before this was answered.
        #expect(try gateway.gateway.ask(post("/open", "{}")).status == 200)
        setup.store?.keys.insert("a-newer-key-of-the-store", at: 0)
        #expect(try gateway.reload(setup).contains("\"reloaded\""))
        let first = try gateway.gateway.ask(Self.request)
        #expect(first.status == 200 && !first.isReplay)
        try slow.send(String(Self.request.suffix(5)))
        let second = try slow.answer()
        #expect(second.isReplay && second.whole == first.whole)
        #expect(upstream.count("/pay") == 1)
    }

    /// In flight while the keys change: its answer is recorded under the name that it was claimed with.
    @Test(arguments: StoreUnderTest.allCases)
    func anAnswerThatComesAfterAChangeOfKeysIsReplayed(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream(["/pay": [.hold]])
        var setup = Setup(upstream.upstream, kind)
        let gateway = try Reloadable(setup)
        let callers = [try gateway.gateway.caller(), try gateway.gateway.caller()]
        try callers[0].send(Self.request)
        #expect(upstream.asked.pass())
        setup.store?.keys.insert("a-newer-key-of-the-store", at: 0)
        #expect(try gateway.reload(setup).contains("\"reloaded\""))
        try callers[1].send(Self.request)
        #expect(try gateway.gateway.ask(post("/pay/probe", "{\"key\":\"probe\"}")).status == 200)
        upstream.answer.open()
        let first = try callers[0].answer()
        #expect(first.status == 200 && !first.isReplay)
        #expect(try callers[1].answer().whole == first.whole)
        #expect(try gateway.gateway.ask(Self.request).whole == first.whole)
        #expect(upstream.count("/pay") == 1)
    }

    /// Two workers take a reload up one after the other: in between, equal requests that come to both are one request.
    @Test func equalRequestsFindEachOtherWhileTheKeysChange() throws {
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, .memory)
        setup.workers = 2
        let gateway = try Reloadable(setup)
        let callers = try (0..<64).map { _ in try gateway.gateway.caller() }
        var keys = StoreSetup(.memory).keys
        var number = 0
        for round in 1...30 {
            keys = ["key-number-\(round)-of-the-store"] + keys.prefix(3)
            setup.store?.keys = keys
            try gateway.folder.write("countersign.yaml", try setup.text(gateway.folder))
            gateway.gateway.program.signal(.hangup)
            let reloaded = { (line: String) in line.contains("\"message\":\"reloaded\"") }
            // Requests go on until the reload has been taken up, and a little longer.
            var isTakenUp = false
            repeat {
                isTakenUp =
                    gateway.gateway.program.errors.split(separator: "\n").count { reloaded(String($0)) } == round
                for caller in callers {
                    number += 1
                    try caller.send(post("/pay/\(number / 4)", "{\"key\":\"\(number / 4)\"}"))
                }
                for caller in callers { #expect(try caller.answer().status == 200) }
            } while !isTakenUp
        }
        let paths = upstream.upstream.requests.map(\.startLine)
        #expect(paths.count == Set(paths).count && paths.count == number / 4 + 1)
    }

    // MARK: - Ends

    /// A gateway on a file that outlives it.
    private func onFile(
        _ upstream: ActingUpstream, _ folder: TemporaryFolder, _ idempotency: String = "key: /key",
        keys: [String]? = nil
    ) throws -> GatewayUnderTest {
        var setup = Setup(upstream.upstream, .sqlite, idempotency)
        setup.store?.path = folder.path + "/keys.db"
        if let keys { setup.store?.keys = keys }
        return try GatewayUnderTest(setup)
    }

    @Test(arguments: [ProgramSignal.terminate, .kill])
    func theNextGatewayKnowsWhatTheFirstHasAnswered(_ signal: ProgramSignal) throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream(["/pay/lost": [.lose], "/pay/large": [.answer(body: object(of: 300_000))]])
        var gateway = try onFile(upstream, folder)
        let first = try gateway.ask(Self.request)
        #expect(try gateway.ask(post("/pay/lost", "{\"key\":\"lost\"}")).status == 502)
        #expect(try gateway.ask(post("/pay/large", "{\"key\":\"large\"}")).status == 200)
        for _ in 0..<2 {
            gateway.program.signal(signal)
            #expect(gateway.program.end() == (signal == .kill ? .signal(9) : .code(0)))
            gateway = try onFile(upstream, folder)
            #expect(try gateway.ask(Self.request).whole == first.whole)
            #expect(try gateway.ask(Self.other).status == 422)
            let lost = try gateway.ask(post("/pay/lost", "{\"key\":\"lost\"}"))
            #expect(lost.status == 409 && lost.fate == "sent=?1; outcome=unknown")
            let large = try gateway.ask(post("/pay/large", "{\"key\":\"large\"}"))
            #expect(large.status == 409 && large.fate == "sent=?1; outcome=assume-success")
        }
        #expect(upstream.upstream.requests.count == 3)
    }

    @Test func whatWasInFlightAtAKillIsUnknown() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream(["/pay": [.hold]])
        var gateway = try onFile(upstream, folder)
        let caller = try gateway.caller()
        try caller.send(Self.request)
        #expect(upstream.asked.pass())
        gateway.program.signal(.kill)
        #expect(gateway.program.end() != nil)
        gateway = try onFile(upstream, folder)
        for _ in 0..<2 {
            let refused = try gateway.ask(Self.request)
            #expect(refused.status == 409 && refused.fate == "sent=?1; outcome=unknown")
        }
        #expect(try gateway.ask(Self.other).status == 422)
        #expect(gateway.program.stop() == .code(0))
        // Where the upstream tells duplicates apart, the same key goes out again.
        gateway = try onFile(upstream, folder, "key: /key, on_unknown: resend, repeat_after: 0s")
        let answer = try gateway.ask(Self.request)
        #expect(answer.text == "{\"path\":\"/pay\",\"count\":2}" && !answer.isReplay)
        #expect(try gateway.ask(Self.request).isReplay)
        upstream.answer.open()
        #expect(upstream.count("/pay") == 2)
    }

    @Test func aStopWaitsForTheAnswerAndRecordsIt() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream(["/pay": [.hold]])
        var gateway = try onFile(upstream, folder)
        let callers = [try gateway.caller(), try gateway.caller()]
        try callers[0].send(Self.request)
        #expect(upstream.asked.pass())
        try callers[1].send(Self.request)
        #expect(try gateway.ask(post("/pay/probe", "{\"key\":\"probe\"}")).status == 200)
        gateway.program.signal(.terminate)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"draining\"") }
        upstream.answer.open()
        let answers = [try callers[0].answer(), try callers[1].answer()]
        #expect(answers.map(\.status) == [200, 200] && answers.map(\.isReplay) == [false, true])
        #expect(answers.allSatisfy { $0["Connection"] == "close" })
        for caller in callers { caller.wire.close() }
        #expect(gateway.program.end() == .code(0))
        gateway = try onFile(upstream, folder)
        #expect(try gateway.ask(Self.request).text == answers[0].text)
        #expect(upstream.count("/pay") == 1)
    }

    @Test func aSecondStopLeavesTheOutcomeUnknown() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream(["/pay": [.hold]])
        var gateway = try onFile(upstream, folder)
        let callers = [try gateway.caller(), try gateway.caller()]
        try callers[0].send(Self.request)
        #expect(upstream.asked.pass())
        try callers[1].send(Self.request)
        #expect(try gateway.ask(post("/pay/probe", "{\"key\":\"probe\"}")).status == 200)
        for message in ["\"draining\"", "\"stopping now\""] {
            gateway.program.signal(.terminate)
            _ = try gateway.program.line(of: .errors) { $0.contains(message) }
        }
        #expect(gateway.program.end(within: 10) != nil)
        let first = try callers[0].answer()
        #expect(first.status == 502 && first.fate == "sent=?1; outcome=unknown")
        #expect(try callers[1].answer().status == 503)
        gateway = try onFile(upstream, folder)
        let refused = try gateway.ask(Self.request)
        #expect(refused.status == 409 && refused.fate == "sent=?1; outcome=unknown")
        upstream.answer.open()
        #expect(upstream.count("/pay") == 1)
    }

    /// Another key of the store is another space of names: nothing of before is found in it, and nothing of it is told
    /// to be wrong. With the key back, all is known again. Hence `previous_keys`.
    @Test func underAnotherStoreKeyNothingOfBeforeIsKnown() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream()
        var gateway = try onFile(upstream, folder)
        let first = try gateway.ask(Self.request)
        #expect(gateway.program.stop() == .code(0))
        gateway = try onFile(upstream, folder, keys: ["a-key-of-another-store"])
        let second = try gateway.ask(Self.other)
        #expect(second.status == 200 && !second.isReplay)
        #expect(gateway.program.stop() == .code(0))
        gateway = try onFile(upstream, folder)
        #expect(try gateway.ask(Self.request).whole == first.whole)
        #expect(gateway.program.stop() == .code(0))
        gateway = try onFile(upstream, folder, keys: ["a-key-of-another-store", "the-current-key-of-the-store"])
        #expect(try gateway.ask(Self.other).whole == second.whole)
        #expect(upstream.count("/pay") == 2)
    }
}
