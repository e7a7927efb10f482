// What an idle gateway keeps in memory: what it serves with, and not what it started with.

import TestSupport
import Testing

@Suite struct ResidentMemoryTests {
    /// A debug build has 20 MB resident when it is ready, of which it needs 5. A sanitizer has its own beside it.
    private let bound = (Setup.isSanitized ? 1_000 : 10) * 1_048_576

    @Test func whatOnlyTheStartOrAReloadNeededIsGivenBack() throws {
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()))
        try isSmall(gateway)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        gateway.program.signal(.hangup)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"message\":\"reloaded\"") }
        try isSmall(gateway)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
    }

    /// It says that it serves, and gives back then: for a moment it is still large.
    private func isSmall(_ gateway: GatewayUnderTest) throws {
        let gate = Gate()
        for _ in 0..<1_000 {
            if try #require(gateway.program.residentBytes) <= bound { return }
            gate.pass(within: 0.01)
        }
        Issue.record("\(gateway.program.residentBytes ?? 0) bytes resident")
    }
}
