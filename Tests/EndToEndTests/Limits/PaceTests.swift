// The upstream's pace, measured at the upstream: never beyond rate, burst and requests at once, however many workers
// and callers there are, and signed after the wait. Relies on TimedUpstream, and on its slack for what arrives late.

import Foundation
import TestSupport
import Testing

@Suite struct PaceTests {
    private func setup(_ upstream: TimedUpstream, _ pace: String, workers: Int = 4) -> Setup {
        var setup = Setup(upstream.upstream)
        setup.upstreams.append(upstream)
        setup.workers = workers
        setup.pace = "{\(pace)}"
        return setup
    }

    /// So many requests at once, each on a connection of its own; gives the answers.
    private func crowd(_ gateway: GatewayUnderTest, _ count: Int) throws -> [Message] {
        raiseDescriptorLimit()
        let callers = try (0..<count).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        return try callers.map { try $0.answer() }
    }

    @Test(arguments: [
        ("rate: 50/s, burst: 1, concurrency: 100, queue: 1000", 50.0, 1.0, 100, 0.0),
        ("rate: 40/s, burst: 10, concurrency: 4, queue: 1000", 40.0, 10.0, 4, 0.02),
        ("rate: 1000/s, burst: 1000, concurrency: 3, queue: 1000", 1_000.0, 1_000.0, 3, 0.03),
    ])
    func theUpstreamNeverSeesMore(_ pace: String, _ rate: Double, _ burst: Double, _ most: Int, _ time: Double) throws {
        let upstream = try TimedUpstream(takes: time)
        let gateway = try GatewayUnderTest(setup(upstream, pace))
        let answers = try crowd(gateway, 80)
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(upstream.arrivals.count == 80)
        // Turns are given by the gateway's clock; what a busy machine delays on its way arrives closer together.
        #expect(upstream.excess(rate: rate, burst: burst) <= 1)
        #expect(upstream.mostAtOnce <= most)
        if time * rate > Double(most) { #expect(upstream.mostAtOnce == most, "all places are used") }
    }

    @Test func oneAtATimeIsOneOverAllWorkers() throws {
        let upstream = try TimedUpstream(takes: 0.02)
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 1000/s, burst: 1000, concurrency: 1"))
        #expect(try crowd(gateway, 40).allSatisfy { $0.status == 200 })
        #expect(upstream.arrivals.count == 40 && upstream.mostAtOnce == 1)
    }

    @Test func withoutAPaceNobodyWaits() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.workers = 2
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<40).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        for _ in callers { #expect(asked.pass()) }
        for _ in callers { answer.open() }
        for caller in callers { #expect(try caller.answer().status == 200) }
    }

    @Test func theDefaultIsWhatTheUpstreamAsksFor() throws {
        let upstream = try TimedUpstream()
        var setup = setup(upstream, "")
        setup.pace = "{}"
        let gateway = try GatewayUnderTest(setup)
        #expect(try crowd(gateway, 9).allSatisfy { $0.status == 200 })
        #expect(upstream.excess(rate: 5, burst: 5) <= 0 && upstream.mostAtOnce <= 5)
    }

    /// The date is made when the turn has come: to the second, and none is older than its request's way.
    @Test func whatWaitedIsSignedAfterTheWait() throws {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let upstream = try TimedUpstream()
        let gateway = try GatewayUnderTest(setup(upstream, "rate: 1/s, burst: 1"))
        let start = Date(timeIntervalSinceNow: -seconds(since: upstream.start))
        #expect(try crowd(gateway, 4).allSatisfy { $0.status == 200 })
        #expect((upstream.times.last ?? 0) > 2.5)
        for arrival in upstream.arrivals {
            let signed = try #require(arrival.message["X-Date"].flatMap { format.date(from: $0) })
            let age = start.addingTimeInterval(arrival.time).timeIntervalSince(signed)
            #expect(age > -TimedUpstream.slack && age < 1 + 4 * TimedUpstream.slack, "\(age) s")
        }
    }

    /// One caller offers ten times what each of nine others does, over ten times the connections.
    @Test func eachCallerHasItsTurnWhateverOthersOffer() throws {
        raiseDescriptorLimit()
        let upstream = try TimedUpstream()
        var setup = setup(upstream, "rate: 100/s, burst: 1, concurrency: 100, queue: 1000, max_wait: 60s")
        setup.callers = (0..<10).map { .withToken("caller\($0)") }
        let gateway = try GatewayUnderTest(setup)
        // The greedy one is first in the queue, with everything that it has.
        var callers: [(Caller, Int)] = try (0..<300).map { _ in (try gateway.caller(), 0) }
        for _ in 0..<30 { for number in 1..<10 { callers.append((try gateway.caller(), number)) } }
        for (caller, number) in callers {
            try caller.send(post("/x", "{\"caller\":\(number)}", bearer("caller\(number)")))
        }
        #expect(upstream.upstream.waitForRequests(260))
        // From when all wait, and while all still do.
        let sent = upstream.arrivals.dropFirst(50).prefix(200).compactMap { $0.message.json["caller"] as? Int }
        let counts = (0..<10).map { number in Double(sent.count { $0 == number }) }
        let sum = counts.reduce(0, +)
        let jain = sum * sum / (10 * counts.reduce(0) { $0 + $1 * $1 })
        #expect(jain > 0.95, "\(counts)")
    }
}
