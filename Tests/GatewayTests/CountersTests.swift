// Counts by one thread, read by another: nothing is lost, nothing goes back; each label has a cell of its own.
// Relies on WorkerThread for a second thread.

import Config
import Exchange
import Gateway
import Net
import Testing

@Suite struct CountersTests {
    @Test func everyOutcomeHasACellOfItsOwn() {
        let counters = RouteCounters()
        for (weight, cause) in Cause.allCases.enumerated() {
            for phase in Phase.allCases {
                for _ in 0...weight { counters.ended(Outcome(cause, phase), status: 0, nanoseconds: 1) }
            }
        }
        for (weight, cause) in Cause.allCases.enumerated() {
            for phase in Phase.allCases { #expect(counters.requests(cause, phase) == UInt64(weight + 1)) }
        }
        for code in StatusClass.allCases { #expect(counters.responses(code) == 0) }
        var latency = LatencyHistogram()
        counters.addLatency(to: &latency)
        #expect(latency.total == 12 * 55 && latency.sum == 12 * 55)
    }

    @Test func statusesFallIntoTheirClasses() {
        let counters = RouteCounters()
        for status in [0, 100, 199, 200, 299, 300, 399, 400, 499, 500, 599, 600] {
            counters.ended(Outcome(.completed, .settled), status: status, nanoseconds: 0)
        }
        #expect(StatusClass.allCases.map { counters.responses($0) } == [2, 2, 2, 2])
    }

    @Test func levelsRiseAndFall() {
        let counters = UpstreamCounters()
        for use in ConnectionUse.allCases {
            for _ in 0..<3 { counters.began(use) }
            counters.ended(use)
            #expect(counters.connections(use) == 2)
        }
        counters.waits()
        counters.waitsNoMore()
        #expect(counters.waiting == 0 && !counters.isBreakerOpen)
        counters.setBreaker(isOpen: true)
        #expect(counters.isBreakerOpen)
        for failure in ConnectFailure.allCases {
            if let result = ConnectResult(failure) { counters.connect(result) }
        }
        #expect(ConnectResult.allCases.map { counters.connects($0) } == [0, 1, 1, 1, 1, 1])
    }

    @Test func whatOneThreadCountsAnotherReads() throws {
        let block = CounterBlock(count: 3)
        let rounds = 200_000
        let thread = try WorkerThread.start(name: "counts") {
            for round in 1...rounds {
                block.add(0)
                block.add(1, 2)
                block.set(2, UInt64(round))
            }
        }
        var last: UInt64 = 0
        while last < UInt64(rounds) {
            let now = block.load(2)
            #expect(now >= last, "a count does not go back")
            last = now
        }
        thread.join()
        #expect(block.load(0) == UInt64(rounds) && block.load(1) == UInt64(2 * rounds))
    }

    /// The settings of a configuration with these routes.
    private func settings(_ routes: String) throws -> Settings {
        let text = """
            listeners: [{name: apps, bind: "127.0.0.1:0"}]
            credentials: {acme: {username: acme, secret: "env:HMAC"}}
            upstreams: {up: {url: "http://127.0.0.1:1"}}
            routes: [\(routes)]
            """
        let (settings, problems) = SettingsLoader.load(
            text: Array(text.utf8).span, name: "test", environment: Environment(["HMAC": "0123456789abcdef"]))
        return try #require(settings, "\(problems)")
    }

    @Test func namesThatStayKeepTheirCountsAndOthersGo() throws {
        func route(_ name: String) -> String { "{name: \(name), prefix: /\(name), upstream: up, credential: acme}" }
        var registry = MetricsRegistry(workers: 2)
        let first = try settings(route("a") + "," + route("b"))
        let before = registry.metrics(for: first)
        #expect(registry.metrics[0].routes.isEmpty, "nothing is in use yet")
        registry.use(before, for: first)
        before[1].routes[1].ended(Outcome(.completed, .settled), status: 200, nanoseconds: 1)
        let second = try settings(route("c") + "," + route("b"))
        let after = registry.metrics(for: second)
        registry.use(after, for: second)
        // What is counted by the old name, also after the change, is the new one's.
        before[1].routes[1].ended(Outcome(.completed, .settled), status: 200, nanoseconds: 1)
        before[1].worker.add(.accepted)
        before[1].upstreams[0].connect(.connected)
        #expect(after[1].routes[1].requests(.completed, .settled) == 2 && after[1].worker.value(.accepted) == 1)
        #expect(after[1].upstreams[0].connects(.connected) == 1 && after[0].upstreams[0].connects(.connected) == 0)
        #expect(after[1].routes[0].requests(.completed, .settled) == 0)
        #expect(after[0].routes[1].requests(.completed, .settled) == 0)
        let third = registry.metrics(for: first)
        #expect(third[1].routes[0].requests(.completed, .settled) == 0)
        #expect(third[1].routes[1].requests(.completed, .settled) == 2)
    }
}
