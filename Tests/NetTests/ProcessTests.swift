// What a process sets for itself, tried in a child process, since it lasts.

import Net
import TestSupport
import Testing

private func write(_ text: String, to descriptor: Int32) -> SystemError? {
    let bytes = Array(text.utf8)
    return ProcessControl.writeAll(bytes.span, to: descriptor)
}

@Suite struct ProcessTests {
    @Test func theSettingsOfAProcessAreAccepted() async {
        await #expect(processExitsWith: .exitCode(7)) {
            try ProcessControl.ignoreBrokenPipes()
            try ProcessControl.forbidMemoryDumps()
            try ProcessControl.setDescriptorLimit(200)
            #expect(ProcessControl.descriptorLimit() == 200)
            #expect(try ProcessControl.raiseDescriptorLimit() >= 200)
            #expect(ProcessControl.cpuCount() >= 1)
            #expect(ProcessControl.processID() > 1)
            let problem = write("written", to: 2)
            #expect(problem == nil)
            ProcessControl.exit(problem == nil ? 7 : 8)
        }
    }

    @Test func aFullDiskIsAnErrorAndNotALoop() async {
        await #expect(processExitsWith: .exitCode(9)) {
            openFullDevice(as: 1)
            let problem = write("a", to: 1)
            ProcessControl.exit(problem?.name.description == "ENOSPC" ? 9 : 8)
        }
    }

    /// What is used after it comes back by itself: the rest of this test, for one.
    @Test func pagesOfCodeAreGivenBack() async {
        await #expect(processExitsWith: .exitCode(5)) {
            let figures = ProcessFigures()
            let before = try #require(figures.residentBytes())
            ProcessControl.giveBackPages()
            let after = try #require(figures.residentBytes())
            ProcessControl.exit(after + 2_097_152 < before ? 5 : 8)
        }
    }

    @Test func filesAreSeenAndRemoved() throws {
        let file = TemporaryFile("seen")
        #expect(!ProcessControl.fileExists(file.path))
        Identity("some file").write(to: file.path)
        #expect(ProcessControl.fileExists(file.path))
        try ProcessControl.unlink(file.path)
        #expect(!ProcessControl.fileExists(file.path))
        let problem = #expect(throws: SystemError.self) { try ProcessControl.unlink(file.path) }
        #expect(problem == SystemError(number: 2, call: "unlink"))
        #expect(problem?.description == "unlink: ENOENT (2)")
    }
}
