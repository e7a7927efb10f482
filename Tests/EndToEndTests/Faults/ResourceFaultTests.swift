// What runs out: descriptors, connections, memory for bodies, patience with an upstream. Each is refused in the stated
// way, costs no processor time, and is over when its cause is.

import Foundation
import TestSupport
import Testing

@Suite struct ResourceFaultTests {
    /// More callers than descriptors: those who are in are served, the others wait without costing anything, and come
    /// in when others leave. None is refused: descriptors are left for the upstream.
    @Test func descriptorsAreFew() throws {
        let upstream = try FakeUpstream()
        let gateway = try GatewayUnderTest(Setup(upstream), descriptors: 64)
        let first = try gateway.caller()
        #expect(try first.ask(post("/x", "{}")).status == 200)
        var crowd = try (0..<100).map { _ in try gateway.caller() }
        for caller in crowd { try caller.send(post("/x", "{}")) }
        // The first of them are in: they have their answers. The last cannot be.
        #expect(try crowd[0].answer().status == 200)
        #expect(!crowd[99].wire.isReadable(within: 500))
        let before = try #require(gateway.program.processorMilliseconds)
        #expect(!crowd[99].wire.isReadable(within: 1_000))
        let used = try #require(gateway.program.processorMilliseconds) - before
        #expect(used <= 100, "\(used) ms of processor time in a second of waiting")
        // An existing connection goes on meanwhile.
        #expect(try first.ask(post("/x", "{}")).status == 200)
        crowd.removeFirst().wire.close()
        for caller in crowd {
            let answer = try caller.answer()
            #expect(answer.status == 200, "\(answer["Proxy-Status"] ?? "")")
            caller.wire.close()
        }
        #expect(upstream.requests.count == 102)
        #expect(gateway.program.stop() == .code(0))
    }

    /// The limit falls under a running gateway: nobody comes in, nothing can be opened, and what is open goes on.
    @Test func descriptorsRunOut() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.upstream = "    connections: {max: 1}\n"
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.caller()
        #expect(try first.ask(post("/x", "{}")).status == 200)
        _ = try Program.run("/usr/bin/prlimit", ["--pid", "\(gateway.program.id)", "--nofile=4:20000"])
        let crowd = try (0..<30).map { _ in try gateway.caller() }
        for caller in crowd { try caller.send(post("/x", "{}")) }
        let before = try #require(gateway.program.processorMilliseconds)
        for _ in 0..<10 { #expect(try first.ask(post("/x", "{}")).status == 200) }
        #expect(!crowd[0].wire.isReadable(within: 1_000))
        let used = try #require(gateway.program.processorMilliseconds) - before
        #expect(used <= 150, "\(used) ms of processor time in a second without descriptors")
        _ = try Program.run("/usr/bin/prlimit", ["--pid", "\(gateway.program.id)", "--nofile=1000:20000"])
        for caller in crowd { #expect(try caller.answer().status == 200) }
        #expect(upstream.requests.count == 41 && upstream.connections == 1)
    }

    @Test func connectionsAreLimited() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.limits = "  max_connections: 3\n"
        let gateway = try GatewayUnderTest(setup)
        let inside = try (0..<3).map { _ in try gateway.caller() }
        for caller in inside { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        let outside = try gateway.caller()
        try outside.send(post("/x", "{}"))
        let before = try #require(gateway.program.processorMilliseconds)
        #expect(!outside.wire.isReadable(within: 1_000), "it waits at the door")
        let used = try #require(gateway.program.processorMilliseconds) - before
        #expect(used <= 100, "\(used) ms of processor time in a second of waiting")
        for caller in inside { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        inside[1].wire.close()
        #expect(try outside.answer().status == 200)
    }

    /// Bodies of 900,000 bytes where 1 MiB may be held: one at a time.
    @Test func memoryForBodiesIsLimited() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.limits = "  max_buffered: 1MiB\n  max_body: 1MiB\n"
        let gateway = try GatewayUnderTest(setup)
        let large = post("/x", object(of: 900_000))
        for _ in 0..<3 {
            let first = try gateway.caller()
            try first.send(large)
            #expect(asked.pass())
            let second = try gateway.caller()
            // Refused by its announced length: it need not be sent.
            try second.send(String(large.prefix(300)))
            let refused = try second.answer()
            #expect(refused.status == 503 && refused["Retry-After"] == "1")
            #expect(refused["Proxy-Status"] == "countersign; error=proxy_internal_response; sent=?0")
            // Small ones are not affected.
            let third = try gateway.caller()
            try third.send(post("/x", "{}"))
            #expect(asked.pass())
            for _ in 0..<2 { answer.open() }
            #expect(try first.answer().status == 200)
            #expect(try third.answer().status == 200)
        }
        #expect(upstream.requests.count == 6)
    }

    /// A body without an announced length is refused where it grows too large.
    @Test func memoryForGrowingBodiesIsLimited() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.limits = "  max_buffered: 1MiB\n  max_body: 1MiB\n"
        let gateway = try GatewayUnderTest(setup)
        let holder = try gateway.caller()
        try holder.send(post("/x", object(of: 900_000)))
        #expect(asked.pass())
        let chunked = try gateway.caller()
        try chunked.send("POST /x HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n")
        try? chunked.send("80000\r\n" + object(of: 524_288))
        #expect(try chunked.answer().status == 503)
        answer.open()
        #expect(try holder.answer().status == 200)
        #expect(upstream.requests.count == 1)
    }

    @Test func aBreakerOpensAndClosesAgain() throws {
        let healthy = Gate()
        let asked = Gate()
        let answer = Gate()
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                guard healthy.pass(within: 0) else { return }
                asked.open()
                answer.pass()
                conversation.answer()
            }
        }
        var setup = Setup(upstream)
        setup.upstream = "    breaker: {failures: 3, open: 500ms}\n"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        let open = "countersign; error=destination_unavailable; sent=?0"
        for _ in 0..<3 { #expect(try caller.ask(post("/x", "{}")).status == 502) }
        for _ in 0..<5 {
            let refused = try caller.ask(post("/x", "{}"))
            #expect(refused.status == 503 && refused["Proxy-Status"] == open && refused["Retry-After"] == "1")
        }
        #expect(upstream.requests.count == 3, "nothing reaches it while the breaker is open")
        // Asked again and again until one is let through, which fails, and opens it for another while.
        while try caller.ask(post("/x", "{}"))["Proxy-Status"] == open {}
        #expect(upstream.requests.count == 4)
        #expect(try caller.ask(post("/x", "{}"))["Proxy-Status"] == open)
        // The next probe is held; meanwhile nobody else is let through.
        healthy.open()
        let probe = try gateway.caller()
        try probe.send(post("/x", "{}"))
        while !asked.pass(within: 0.02) {
            guard probe.wire.isReadable(within: 0) else { continue }
            #expect(try probe.answer()["Proxy-Status"] == open)
            try probe.send(post("/x", "{}"))
        }
        #expect(upstream.requests.count == 5)
        #expect(try caller.ask(post("/x", "{}"))["Proxy-Status"] == open)
        for _ in 0..<3 { healthy.open() }
        for _ in 0..<3 { answer.open() }
        #expect(try probe.answer().status == 200)
        for _ in 0..<2 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        #expect(upstream.requests.count == 7)
    }

    /// A full queue is no failure of the upstream, which may be well and busy.
    @Test func aFullQueueOpensNoBreaker() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.upstream =
            "    breaker: {failures: 2, open: 10s}\n    connections: {max: 1, max_waiting: 0}\n"
        let gateway = try GatewayUnderTest(setup)
        let first = try gateway.caller()
        try first.send(post("/x", "{}"))
        #expect(asked.pass())
        for _ in 0..<5 {
            let refused = try gateway.ask(post("/x", "{}"))
            #expect(refused["Proxy-Status"] == "countersign; error=connection_limit_reached; sent=?0")
        }
        for _ in 0..<2 { answer.open() }
        #expect(try first.answer().status == 200)
        #expect(try first.ask(post("/x", "{}")).status == 200)
    }

    /// A request that waits for its answer holds what it is long, and not the room that a long one may need.
    @Test func shortRequestsInFlightHoldLittle() throws {
        let count = 200
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.upstream = "    connections: {max: \(count)}\n"
        let gateway = try GatewayUnderTest(setup)
        answer.open()
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(asked.pass())
        let before = try #require(gateway.program.residentKiB)
        let callers = try (0..<count).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        for _ in callers { #expect(asked.pass()) }
        let during = try #require(gateway.program.residentKiB)
        #expect(during - before < count * 48, "\(during - before) KiB for \(count) requests in flight")
        for _ in callers { answer.open() }
        for caller in callers { #expect(try caller.answer().status == 200) }
    }

    /// Thousands connect and say nothing: each is let go in time, and costs little meanwhile.
    @Test func thousandsOfSilentCallersAreLetGo() throws {
        #expect(raiseDescriptorLimit() > 4_096)
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.limits = "  head_timeout: 2s\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        let before = try #require(gateway.program.residentKiB)
        var silent: [Wire] = []
        for _ in 0..<2_000 { silent.append(try Wire.connect(to: gateway.addresses[0])) }
        #expect(try gateway.ask(post("/x", "{}")).status == 200, "others are served meanwhile")
        let during = try #require(gateway.program.residentKiB)
        #expect(during - before < 16_384, "\(during - before) KiB for 2,000 silent callers")
        for wire in silent { #expect(wire.receive() == .end) }
        silent.removeAll()
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.requests.count == 3)
    }
}
