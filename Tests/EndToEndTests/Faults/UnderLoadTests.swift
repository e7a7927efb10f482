// Reloads and the stop while callers are at work: nothing is lost, doubled, or closed unsent.
// Relies on Load for the account of the callers and on FakeUpstream for the other side's.

import TestSupport
import Testing

@Suite struct UnderLoadTests {
    /// An upstream listener has a script per connection; each request is answered at once.
    private func setup(_ upstream: FakeUpstream) -> Setup {
        var setup = Setup(upstream)
        setup.workers = 2
        return setup
    }

    @Test func twentyReloadsLoseNothing() throws {
        let upstream = try FakeUpstream()
        var setup = setup(upstream)
        let reloadable = try Reloadable(setup)
        let load = Load(reloadable.gateway.addresses[0], callers: 8, requestsEach: 400)
        for number in 1...20 {
            // Each waits for some answers, so that all of them fall into the load.
            #expect(load.waitForAnswers(number * 120))
            setup.secret = "secret-number-\(number)-not-for-production"
            #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        }
        let report = try load.finish()
        #expect(report.unanswered.isEmpty && report.refused.isEmpty && report.notConnected == 0)
        #expect(report.done.count == 3_200, "\(report.unanswered.prefix(3)) \(report.refused.prefix(3))")
        let seen = upstream.numbers
        #expect(seen.count == 3_200 && Set(seen) == report.done, "each once")
        #expect(reloadable.gateway.program.stop() == .code(0))
    }

    /// Callers come until nobody takes them any more; who was taken, and sent, has an answer.
    @Test(arguments: 0..<5)
    func aStopUnderLoadLosesNothing(_ round: Int) throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(setup(upstream))
        let load = Load(gateway.addresses[0], callers: 12, requestsEach: 1_000_000, freshEvery: round + 1)
        #expect(load.waitForAnswers(300 + 37 * round))
        gateway.program.signal(.terminate)
        let report = try load.finish()
        #expect(gateway.program.end() == .code(0))
        #expect(report.unanswered.isEmpty, "\(report.unanswered)")
        #expect(report.refused.isEmpty && report.notConnected == 12, "\(report.refused.prefix(3))")
        let seen = upstream.numbers
        #expect(seen.count == report.done.count && Set(seen) == report.done, "each once")
    }

    /// A crowd in the backlog at the moment of the stop: larger than what is taken at once.
    @Test(arguments: [false, true])
    func aCrowdAtTheDoorIsServed(_ onUnixSocket: Bool) throws {
        raiseDescriptorLimit()
        let folder = try TemporaryFolder()
        let asked = Gate()
        let answer = Gate()
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                if request.text.contains("first") {
                    asked.open()
                    answer.pass()
                }
                conversation.answer()
            }
        }
        var setup = Setup(upstream)
        // The first caller holds the only place: the others wait at the door.
        setup.limits = "  max_connections: 1\n"
        if onUnixSocket { setup.listeners = "  - {name: apps, bind: \"unix:\(folder.path)/apps.sock\"}\n" }
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.caller()
        try first.send(post("/x", "{\"first\":1}", "Connection: close"))
        #expect(asked.pass())
        let crowd = try (0..<200).map { _ in try gateway.caller() }
        for caller in crowd { try caller.send(post("/x", "{}", "Connection: close")) }
        gateway.program.signal(.terminate)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"draining\"") }
        answer.open()
        for caller in [first] + crowd {
            #expect(try caller.answer().status == 200)
            caller.wire.close()
        }
        #expect(upstream.requests.count == 201)
    }
}
