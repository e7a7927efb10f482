// What slows a pace down and what keeps it going: an upstream that asks for a rest, reloads, and the end of the gateway
// with requests that still wait. Relies on TimedUpstream.

import Foundation
import TestSupport
import Testing

@Suite struct PaceLifeTests {
    private func setup(_ upstream: TimedUpstream, _ pace: String) -> Setup {
        var setup = Setup(upstream.upstream)
        setup.upstreams.append(upstream)
        setup.pace = "{\(pace)}"
        setup.workers = 2
        return setup
    }

    private func send(_ gateway: GatewayUnderTest, _ count: Int) throws -> [Caller] {
        let callers = try (0..<count).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        return callers
    }

    private func date(in seconds: Double) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.string(from: Date(timeIntervalSinceNow: seconds))
    }

    @Test(arguments: ["429 Too Many Requests", "503 Service Unavailable"], [false, true])
    func nobodyGoesBeforeTheUpstreamSaysSo(_ status: String, asDate: Bool) throws {
        // A date has whole seconds: of three at least two are left.
        let value = asDate ? date(in: 3) : "1"
        let upstream = try TimedUpstream([(status, "Retry-After: \(value)\r\n")])
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 1000/s, burst: 100, concurrency: 100"))
        let told = try gateway.ask(post("/x", "{}"))
        #expect(told.status == Int(status.prefix(3)) && told["Retry-After"] == value, "the caller has it as it is")
        let heard = seconds(since: upstream.start)
        let until = asDate ? heard + 3 - 1 - heard : (upstream.times.first ?? 0) + 1
        for caller in try send(gateway, 5) { #expect(try caller.answer().status == 200) }
        let next = try #require(upstream.times.dropFirst().first)
        #expect(next >= until, "\(next) s, not before \(until) s")
    }

    @Test func whatTheUpstreamDoesNotSayIsNoReasonToWaitLong() throws {
        let answers = [("503 Service Unavailable", ""), ("503 Service Unavailable", "Retry-After: soon\r\n")]
        let upstream = try TimedUpstream(answers)
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 2/s, burst: 10"))
        for _ in 0..<2 { #expect(try gateway.ask(post("/x", "{}")).status == 503) }
        // A 503 without a time is no word about the pace: the burst is still there.
        for _ in 0..<5 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
        #expect((upstream.times.last ?? 9) - upstream.times[0] < 1)
    }

    /// After a 429 the pace is half of what it was, and grows by a sixteenth each second.
    @Test func recoveryIsGradual() throws {
        let upstream = try TimedUpstream([("429 Too Many Requests", "Retry-After: 0\r\n")])
        var setup = setup(upstream, "rate: 64/s, burst: 64, concurrency: 100, queue: 1000, max_wait: 60s")
        setup.workers = 4
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/x", "{}")).status == 429)
        let callers = try send(gateway, 150)
        for caller in callers { #expect(try caller.answer().status == 200) }
        let first = try #require(upstream.times.dropFirst().first)
        let perSecond = (0..<3).map { second in
            upstream.times.dropFirst().count { Int($0 - first) == second }
        }
        // 32, 36 and 40 a second; the burst is used up.
        for (second, count) in perSecond.enumerated() {
            let pace = Double(32 + 4 * second)
            #expect(Double(count) <= pace + 2 + 64 * TimedUpstream.slack, "\(perSecond)")
            #expect(Double(count) >= 0.8 * pace, "\(perSecond)")
        }
        #expect(perSecond[2] > perSecond[0], "\(perSecond)")
    }

    @Test func whatWaitsGoesOnAtTheNewPace() throws {
        let upstream = try TimedUpstream()
        var setup = setup(upstream, "rate: 1/m, burst: 1, max_wait: 10m")
        setup.upstream = "    timeouts: {total: 10m}\n"
        let reloadable = try Reloadable(setup)
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        let waiting = try send(reloadable.gateway, 10)
        setup.pace = "{rate: 20/s, burst: 1, max_wait: 10m}"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        for caller in waiting { #expect(try caller.answer().status == 200) }
        #expect(upstream.arrivals.count == 11 && upstream.excess(rate: 20, burst: 1) <= 0)
    }

    @Test func aSlowerPaceHoldsForWhatWaitsToo() throws {
        let upstream = try TimedUpstream()
        var setup = setup(upstream, "rate: 2/s, burst: 1, max_wait: 10m")
        setup.upstream = "    timeouts: {total: 10m}\n"
        let reloadable = try Reloadable(setup)
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        let waiting = try send(reloadable.gateway, 3)
        setup.pace = "{rate: 1/s, burst: 1, max_wait: 10m}"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        for caller in waiting { #expect(try caller.answer().status == 200) }
        let times = upstream.times
        #expect(times.count == 4 && times[3] - times[1] >= 2 - TimedUpstream.slack)
    }

    @Test func whatWaitsGoesAtItsOldPaceWhereThereIsNoneAnyMore() throws {
        let upstream = try TimedUpstream()
        var setup = setup(upstream, "rate: 2/s, burst: 1")
        let reloadable = try Reloadable(setup)
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        let waiting = try send(reloadable.gateway, 2)
        setup.pace = "none"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        for _ in 0..<20 { #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200) }
        for caller in waiting { #expect(try caller.answer().status == 200) }
        #expect(upstream.arrivals.count == 23)
    }

    @Test func whatWaitsIsAnsweredBeforeTheEnd() throws {
        let upstream = try TimedUpstream()
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 10/s, burst: 1"))
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        let waiting = try send(gateway, 8)
        #expect(upstream.upstream.waitForRequests(2))
        gateway.program.signal(.terminate)
        let answers = try waiting.map { try $0.answer() }
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(answers.count { $0["Connection"] == "close" } >= 6)
        #expect(gateway.program.end() == .code(0))
        #expect(upstream.arrivals.count == 9 && upstream.excess(rate: 10, burst: 1) <= 0)
    }

    @Test func whatStillWaitsWhenTheTimeForDrainingIsOverWasNotSent() throws {
        let upstream = try TimedUpstream()
        var setup = setup(upstream, "rate: 1/m, burst: 1, max_wait: 10m")
        setup.upstream = "    timeouts: {total: 10m}\n"
        setup.limits = "  drain: 300ms\n"
        setup.workers = 1
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        let waiting = try send(gateway, 3)
        // One that is refused for what it is, behind them: they wait by then.
        #expect(try gateway.ask("BREW /x HTTP/1.1\r\nHost: gateway\r\n\r\n").status == 501)
        gateway.program.signal(.terminate)
        for caller in waiting {
            let answer = try caller.answer()
            #expect(answer.status == 503 && answer["Proxy-Status"]?.hasSuffix("sent=?0") == true)
        }
        #expect(gateway.program.end() != nil)
        #expect(upstream.arrivals.count == 1)
    }
}
