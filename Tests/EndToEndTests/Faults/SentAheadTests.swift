// Requests that a caller sends before those in front of them are answered. They wait: in the kernel, and for the turns
// of others.

import TestSupport
import Testing

@Suite struct SentAheadTests {
    /// Answered by the gateway itself, so that nothing but the order of its work decides.
    private let refused = "GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n"

    /// They are no bodies: however many, they are answered while another caller's body has nearly all of the memory.
    @Test func theyTakeNoMemoryOfBodies() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.limits = "  max_buffered: 1MiB\n  max_body: 1MiB\n"
        setup.routes = "  - {name: x, prefix: /x, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let holder = try gateway.caller()
        try holder.send(post("/x", object(of: 1_030_000)))
        #expect(asked.pass())
        let hasty = try gateway.caller()
        // In pieces: events come between two answers, while much of what came before lies there.
        let piece = String(repeating: refused, count: 100)
        for _ in 0..<100 { try hasty.send(piece) }
        for _ in 0..<10_000 { #expect(try hasty.answer().status == 404) }
        answer.open()
        #expect(try holder.answer().status == 200)
    }

    /// One per caller and round, as if each had sent one: who asks once is not behind all of another's.
    @Test func theyTakeTurnsWithOthers() throws {
        var setup = Setup(try FakeUpstream())
        setup.routes = "  - {name: x, prefix: /x, upstream: up, credential: program}\n"
        let gateway = try GatewayUnderTest(setup)
        let hasty = try gateway.caller()
        let other = try gateway.caller()
        for caller in [hasty, other] { #expect(try caller.ask(refused).status == 404) }
        // Both have asked when the gateway looks again.
        try gateway.suspend()
        try hasty.send(String(repeating: refused, count: 100))
        try other.send("BREW" + refused.dropFirst(3))
        gateway.program.signal(.resume)
        for _ in 0..<100 { #expect(try hasty.answer().status == 404) }
        #expect(try other.answer().status == 501)
        let order = try gateway.log(103).dropFirst(2).map { $0["http.request.method"] }
        let place = try #require(order.firstIndex(of: "_OTHER"))
        #expect(place <= 2, "behind \(place) others")
    }
}
