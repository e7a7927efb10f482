// What an idle gateway keeps in memory: what it serves with, and not what it started with.
// Relies on the kernel's figures of the process. How much comes back by itself differs from machine to machine and with
// what else runs: so it is compared with what the same process had before, and not with a number.

import TestSupport
import Testing

@Suite struct ResidentMemoryTests {
    @Test func whatOnlyTheStartNeededIsGivenBack() throws {
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()))
        let peak = try #require(gateway.program.peakResidentBytes)
        // A debug build has 20 MB when it is ready, and goes on with 8; under a sanitizer most is the sanitizer's.
        try becomes(gateway, atMost: Setup.isSanitized ? peak : peak / 4 * 3)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
    }

    @Test func whatOnlyAReloadNeededIsGivenBack() throws {
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()))
        // What these need is there afterwards, and is not needed by a gateway that has just been reloaded.
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        for (body, status) in [("[]", 400), ("{", 400), ("{\"a\":\"\\u00e9\",\"b\":[1.5e3]}", 200)] {
            #expect(try gateway.ask(post("/x", body)).status == status)
        }
        #expect(try gateway.ask("GET /x HTTP/1.1\r\n\r\n").status == 400)
        let before = try #require(gateway.program.residentBytes)
        gateway.program.signal(.hangup)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"message\":\"reloaded\"") }
        try becomes(gateway, atMost: Setup.isSanitized ? .max : before)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
    }

    /// It says that it serves, and gives back then: for a moment it is still large.
    private func becomes(_ gateway: GatewayUnderTest, atMost bound: Int) throws {
        let gate = Gate()
        for _ in 0..<1_000 {
            if try #require(gateway.program.residentBytes) <= bound { return }
            gate.pass(within: 0.01)
        }
        Issue.record("\(gateway.program.residentBytes ?? 0) bytes resident; at most \(bound)")
    }
}
