// Marked values are driven through every phase to every cause of an end, with all that can tell something switched on;
// then all that was told is searched.
// Relies on the phases and causes of the program for what there is to be driven. Refuses a phase or a cause that no
// drive comes to.

import Exchange
import Foundation
import TestSupport
import Testing

@Suite struct MarkedValueTests {
    @Test func everyPhaseAndEveryCauseIsDriven() {
        let drives = Phase.allCases.map { ($0, Set(MarkedEnds.drives($0).keys)) }
        #expect(drives.reduce(into: Set<Cause>()) { $0.formUnion($1.1) } == Set(Cause.allCases))
        #expect(drives.filter(\.1.isEmpty).map(\.0) == [.sealed, .logged])
    }

    @Test(arguments: [false, true]) func noMarkIsTold(_ logsToFile: Bool) throws {
        let marked = try MarkedGateway(logsToFile: logsToFile)
        let ends = Phase.allCases.flatMap { phase in MarkedEnds.drives(phase).map { ($0.key, phase, $0.value) } }
        for (cause, _, drive) in ends where cause != .stopped { try drive(marked) }
        try searchRunning(marked)
        // What these leave behind is under way until the gateway stops.
        for (cause, _, drive) in ends where cause == .stopped { try drive(marked) }
        try stopNow(marked)
        let program = marked.gateway.program
        let lines = try logsToFile ? logFile(marked.logPath) : marked.gateway.log(1)
        let reached = Set(lines.map(\.end))
        for (cause, phase, _) in ends {
            let name = MarkedEnds.name(cause, phase)
            #expect(reached.contains(name), "\(name) is not among \(reached.sorted())")
        }
        #expect(lines.contains { $0.text.contains("***1234") }, "bodies are logged")
        for name in ["request.ids.transaction_id", "response.ids.transaction_id"] {
            #expect(lines.contains { $0[name] == "<number:16>" }, "\(name) is logged")
        }
        for name in ["request.ids.participant_unique_id1", "response.ids.participant_unique_id1"] {
            #expect(lines.contains { $0[name] == "<string:16>" }, "\(name) is logged")
        }
        expectSilence(program.output, "standard output")
        expectSilence(program.errors, "standard error")
        #expect(marked.ownAnswers.count >= 16)
        for answer in marked.ownAnswers {
            #expect(answer.status >= 400)
            expectSilence(answer.whole, "an answer of the gateway's own")
        }
        try searchFiles(marked)
    }

    /// Twice told to stop, with requests under way.
    private func stopNow(_ marked: MarkedGateway) throws {
        let program = marked.gateway.program
        program.signal(.terminate)
        _ = try program.line(of: .errors) { $0.contains("\"draining\"") }
        program.signal(.terminate)
        #expect(program.end() != nil)
        for _ in marked.left { marked.answer.open() }
    }

    private func searchRunning(_ marked: MarkedGateway) throws {
        for path in ["/healthz", "/readyz", "/version", "/metrics", "/status", "/config"] {
            expectSilence(try marked.admin.page(path).whole, path)
        }
        for name in ["environ", "cmdline"] {
            expectSilence(try shown("/proc/\(marked.gateway.program.id)/\(name)"), name)
        }
        try searchFiles(marked)
    }

    /// What a file of /proc has: the gateway lets nobody else of its user read it.
    private func shown(_ path: String) throws -> String {
        let words = HostCalls.userID == 0 ? ["/bin/cat", path] : ["/usr/bin/sudo", "-n", "/bin/cat", path]
        let text = try Program.run(words[0], Array(words.dropFirst()))
        #expect(!text.isEmpty)
        return text
    }

    private func searchFiles(_ marked: MarkedGateway) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: marked.folder.path)
        #expect(names.contains("keys.db"))
        for name in names {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: marked.folder.path + "/" + name))
            #expect(SecretMark.found(in: bytes).isEmpty, "\(name)")
        }
    }

    private func expectSilence(_ text: String, _ place: String) {
        let found = SecretMark.found(in: Data(text.utf8))
        #expect(found.isEmpty, "\(place)")
    }

    /// The search finds what it is for.
    @Test(arguments: SecretMark.allCases) func aMarkIsFoundInEachForm(_ mark: SecretMark) {
        for text in [mark.rawValue, mark.escaped, Data(mark.rawValue.utf8).base64EncodedString()] {
            #expect(!SecretMark.found(in: Data("a=\(text);".utf8)).isEmpty)
        }
        #expect(!SecretMark.found(in: Data(mark.rawValue.utf8.map { String($0, radix: 16) }.joined().utf8)).isEmpty)
    }

    /// A core would have it all.
    @Test func anAbortLeavesNoCore() throws {
        let marked = try MarkedGateway(logsToFile: false)
        marked.relayed(marked.request("/open"))
        let program = marked.gateway.program
        let limits = try shown("/proc/\(program.id)/limits").split(separator: "\n")
        let core = limits.first { $0.hasPrefix("Max core file size") }
        #expect(core?.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2) == ["0", "0"])
        // Not dumpable: what the kernel shows of it belongs to root.
        let shown = try FileManager.default.attributesOfItem(atPath: "/proc/\(program.id)/environ")
        #expect(shown[.ownerAccountID] as? Int == 0)
        let folder = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/cwd")
        let before = try cores(folder)
        // The first one ends it: no handler of Swift's runtime, which would print a backtrace and let go.
        program.signal(.abort)
        #expect(program.end() == .signal(6))
        #expect(try cores(folder) == before)
        expectSilence(program.output + program.errors, "what was told")
        try searchFiles(marked)
    }

    /// Files that a core could be.
    private func cores(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("core") }.sorted()
    }
}
