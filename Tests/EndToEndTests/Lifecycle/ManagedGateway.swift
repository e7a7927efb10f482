// A gateway that a service manager starts: Tests/Verifier/manager.py, which passes sockets and hears sd_notify.
// Relies on python3. Refuses nothing; the gateway's log is the manager's standard error.

import Foundation
import TestSupport

/// The manager and its gateway.
final class ManagedGateway: Sendable {
    let program: Program
    let folder: TemporaryFolder
    private let kept: [any AnyObject & Sendable]

    /// `sockets`: `NAME=KIND` as the manager takes them. `notify`: a name of its socket's own, or a path in the folder.
    init(
        _ setup: Setup, sockets: [String] = [], isAbstract: Bool = false, watchdog: Int? = nil, runs: Int = 1
    ) throws {
        folder = try TemporaryFolder()
        kept = setup.upstreams
        let file = try folder.write("countersign.yaml", try setup.text(folder))
        let manager = Fixtures.repository.appendingPathComponent("Tests/Verifier/manager.py").path
        let notify = (isAbstract ? "@" : "") + folder.path + "/notify"
        var words = ["python3", manager, "--notify", notify, "--runs", "\(runs)"]
        if let watchdog { words += ["--watchdog", "\(watchdog * 1_000)"] }
        for socket in sockets { words += ["--socket", socket.replacing("FOLDER", with: folder.path)] }
        let command = Program.buildFolder.appendingPathComponent("countersign").path
        program = try Program("/usr/bin/env", words + ["--", command, "run", "--config", file])
    }

    /// What the manager heard next that has all of `parts`.
    @discardableResult
    func heard(_ parts: String...) throws -> String {
        try program.line(of: .output) { line in line.hasPrefix("notify ") && parts.allSatisfy(line.contains) }
    }

    /// The port of a socket that was passed.
    func port(_ name: String) throws -> UInt16 {
        let line = try program.line(of: .output) { $0.hasPrefix("socket \(name) ") }
        guard let port = line.split(separator: " ").last.flatMap({ UInt16($0) }) else {
            throw SupportFailure("no port in \(line)")
        }
        return port
    }

    func caller(_ address: WireAddress) throws -> Caller { try Caller(address, keeping: self) }

    /// Stops the gateway by the manager; the gateway's own status.
    func stop() -> ProgramEnd? {
        program.signal(.terminate)
        return program.end()
    }
}

/// Places in the repository.
enum Fixtures {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
}
