// What a service manager hears: readiness, reloads, the end, and signs of life.

import TestSupport
import Testing

@Suite struct NotifyTests {
    @Test("readiness is told once callers are served, the end before it comes", arguments: [false, true])
    func readiness(_ isAbstract: Bool) throws {
        let gateway = try ManagedGateway(Setup(try FakeUpstream()), isAbstract: isAbstract)
        let told = try gateway.heard("READY=1", "STATUS=serving on 127.0.0.1:")
        let port = try #require(told.split(separator: ":").last.flatMap { UInt16($0) })
        #expect(try gateway.caller(.ipv4(port)).ask(post("/x", "{}")).status == 200)
        #expect(gateway.stop() == .code(0))
        let lines = gateway.program.output.split(separator: "\n").filter { $0.hasPrefix("notify ") }
        #expect(lines.count == 2 && lines[1].hasPrefix("notify STOPPING=1|STATUS="), "\(lines)")
    }

    @Test("a reload is told from its beginning to its end, also where it is refused")
    func reload() throws {
        let gateway = try ManagedGateway(Setup(try FakeUpstream()))
        try gateway.heard("READY=1")
        gateway.program.signal(.hangup)
        let lines = try gateway.program.lines(of: .output, count: 3) { $0.hasPrefix("notify ") }
        #expect(lines[1].contains("RELOADING=1|MONOTONIC_USEC="), "\(lines)")
        let time = lines[1].split(separator: "=")[2].prefix { $0.isNumber }
        #expect(Int(time).map { $0 > 0 } == true)
        #expect(lines[2].hasPrefix("notify READY=1|STATUS=serving on 127.0.0.1:"))
        try gateway.folder.write("countersign.yaml", "listeners: 1\n")
        gateway.program.signal(.hangup)
        try gateway.heard("READY=1", "the last reload was refused")
        #expect(gateway.stop() == .code(0))
    }

    @Test("workers with nothing to do give signs of life, several in each watchdog time")
    func watchdog() throws {
        var setup = Setup(try FakeUpstream())
        setup.workers = 2
        let gateway = try ManagedGateway(setup, watchdog: 400)
        _ = try gateway.program.lines(of: .output, count: 4) { $0 == "notify WATCHDOG=1" }
        #expect(gateway.stop() == .code(0))
    }

    @Test("without a watchdog none is told")
    func noWatchdog() throws {
        let gateway = try ManagedGateway(Setup(try FakeUpstream()))
        try gateway.heard("READY=1")
        #expect(gateway.stop() == .code(0))
        #expect(!gateway.program.output.contains("WATCHDOG"))
    }

    @Test("a manager that is gone does not keep the gateway from serving")
    func managerIsGone() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("countersign.yaml", try Setup(try FakeUpstream()).text(folder))
        let program = try Program(
            "countersign", ["run", "--config", file], environment: ["NOTIFY_SOCKET": folder.path + "/nobody"])
        _ = try program.line(of: .errors) { $0.contains("the service manager cannot be told") }
        #expect(program.stop() == .code(0))
        #expect(program.errors.split(separator: "\n").filter { $0.contains("cannot be told") }.count == 1)
    }
}
