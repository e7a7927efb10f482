// Where the log goes: a file of its own that is opened again for a rotation, a disk that is full, a reader who does not
// read. A request never waits for any of it.

import Foundation
import TestSupport
import Testing

@Suite struct LogFileTests {
    private func setup(_ path: String, _ more: String = "") throws -> Setup {
        var setup = Setup(try FakeUpstream())
        setup.log = "path: \"\(path)\"" + more
        return setup
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func aFileIsMadeForItsOwnerAloneAndAppendedTo() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/access.log"
        for count in [2, 4] {
            let gateway = try GatewayUnderTest(try setup(path))
            for _ in 0..<2 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
            #expect(gateway.program.stop() == .code(0))
            #expect(try logFile(path).count == count && gateway.program.output.isEmpty)
        }
        #expect(try mode(path) == 0o600)
    }

    @Test func aRotatedFileIsOpenedAgain() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/access.log"
        let gateway = try GatewayUnderTest(try setup(path))
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(try logFile(path, count: 1).count == 1)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        gateway.program.signal(.user1)
        _ = try gateway.program.line(of: .errors) { $0.contains("the access log is opened again") }
        for _ in 0..<2 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
        #expect(try logFile(path, count: 2).count == 2 && mode(path) == 0o600)
        #expect(try logFile(path + ".1").count == 1)
        // Where it cannot be opened again, the old one is used.
        try FileManager.default.moveItem(atPath: path, toPath: path + ".2")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        gateway.program.signal(.user1)
        _ = try gateway.program.line(of: .errors) { $0.contains("the access log cannot be opened again") }
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(gateway.program.stop() == .code(0))
        #expect(try logFile(path + ".2").count == 3)
    }

    @Test func aReloadMovesIt() throws {
        let folder = try TemporaryFolder()
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        // The log's new folder is not among those that were named at the start.
        setup.process = "reload_on_change: none\nhardening: {landlock: false}\n"
        let reloadable = try Reloadable(setup)
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        #expect(try reloadable.gateway.log(1).count == 1)
        setup.log = "path: \"\(folder.path)/access.log\""
        #expect(try reloadable.reload(setup).contains("reloaded"))
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        #expect(try logFile(folder.path + "/access.log", count: 1).count == 1)
        setup.log = "path: \"\(folder.path)/none/access.log\""
        let refused = try reloadable.reload(setup)
        #expect(refused.contains("reload refused; nothing changed") && refused.contains("ENOENT"))
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        #expect(try logFile(folder.path + "/access.log", count: 2).count == 2)
        #expect(try reloadable.gateway.log(1).count == 1)
    }

    @Test(arguments: ["none/access.log", "", "link"]) func aFileThatCannotBeOpenedIsNoStart(_ name: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: folder.path + "/target")
        let text = try setup(folder.path + "/" + name).text(folder)
        let file = try folder.write("countersign.yaml", text)
        let program = try Program("countersign", ["run", "--config", file])
        #expect(program.end() == .code(1))
        #expect(program.errors.contains("the access log") && program.errors.contains("cannot be opened"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/target"))
    }

    /// Standard output that is closed at the start has a number that would soon be another file's.
    @Test func aClosedStandardOutputIsNoStart() throws {
        let folder = try TemporaryFolder()
        let text = try Setup(try FakeUpstream()).text(folder)
        let file = try folder.write("countersign.yaml", text)
        let path = Program.buildFolder.appendingPathComponent("countersign").path
        let program = try Program("/bin/sh", ["-c", "exec \"$0\" run --config \"$1\" >&-", path, file])
        #expect(program.end() == .code(1))
        #expect(program.errors.contains("the access log on standard output cannot be opened"))
    }

    @Test func aFullDiskDelaysNobodyAndIsTold() throws {
        let gateway = try GatewayUnderTest(try setup("/dev/full", ", buffer: 64KiB"))
        let caller = try gateway.caller()
        for _ in 0..<300 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        let told = try gateway.program.line(of: .errors) { $0.contains("the access log cannot be written") }
        #expect(told.contains("ENOSPC"))
        let clock = ContinuousClock()
        let time = clock.measure { #expect(gateway.program.stop() == .code(0)) }
        #expect(time < .seconds(6))
        let lost = try #require(
            gateway.program.errors.split(separator: "\n").first { $0.contains("log lines could not be written") })
        #expect(try LogRecord(String(lost)).number("lines") == 300)
    }

    @Test func aFullDiskThatHasRoomAgainGetsTheLines() throws {
        let folder = try TemporaryFolder()
        var setup = try setup("/dev/full")
        // As above.
        setup.process = "reload_on_change: none\nhardening: {landlock: false}\n"
        let text = try setup.text(folder)
        let gateway = try GatewayUnderTest(text: text, folder, keeping: setup.upstreams)
        for _ in 0..<3 { #expect(try gateway.ask(post("/x", "{}")).status == 200) }
        _ = try gateway.program.line(of: .errors) { $0.contains("the access log cannot be written") }
        setup.log = "path: \"\(folder.path)/access.log\""
        try folder.write("countersign.yaml", try setup.text(folder))
        gateway.program.signal(.hangup)
        _ = try gateway.program.line(of: .errors) { $0.contains("the access log is written again") }
        #expect(try logFile(folder.path + "/access.log", count: 3).count == 3)
    }

    /// The pipe is full and the buffer too: requests go on, lines are dropped and counted, and once somebody reads,
    /// whole lines come and the count of those that did not.
    @Test func aReaderWhoDoesNotReadDelaysNobody() throws {
        let reading = Gate()
        var setup = Setup(try FakeUpstream())
        setup.log = "buffer: 64KiB"
        let gateway = try GatewayUnderTest(setup, reading: reading)
        let caller = try gateway.caller()
        let count = 600
        for _ in 0..<count { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        #expect(gateway.program.output.isEmpty)
        reading.open()
        let dropped = try LogRecord(
            try gateway.program.line(of: .output) { $0.contains("\"message\":\"log lines dropped\"") })
        let lines = try gateway.log(1)
        #expect(dropped["level"] == "warning" && lines.filter { $0["message"] == "request" }.count > 100)
        #expect(lines.count - 1 + (dropped.number("count") ?? 0) == count)
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(gateway.program.stop() == .code(0))
        #expect(try gateway.log(1).last?.end == "completed/settled")
    }

    /// A reader who never comes holds the end up for two seconds and no longer.
    @Test func theEndWaitsForAReaderForTwoSeconds() throws {
        let reading = Gate()
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()), reading: reading)
        let caller = try gateway.caller()
        for _ in 0..<300 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        let clock = ContinuousClock()
        let start = clock.now
        gateway.program.signal(.terminate)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"message\":\"stopped\"") }
        #expect((.seconds(1.9)...(.seconds(5))).contains(start.duration(to: clock.now)))
        #expect(gateway.program.errors.contains("log lines could not be written"))
        reading.open()
        #expect(gateway.program.end() == .code(0))
    }

    @Test func theEndWritesAllThatIsLeft() throws {
        var setup = Setup(try FakeUpstream())
        setup.workers = 2
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<20).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        for caller in callers { #expect(try caller.answer().status == 200) }
        #expect(gateway.program.stop() == .code(0))
        #expect(try gateway.log(20).count == 20)
    }
}
