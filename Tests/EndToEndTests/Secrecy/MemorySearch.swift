// Looking for bytes in the memory of a running gateway, by memory.py, and an upstream that echoes, by echo.py.
// Relies on root, or on sudo without a password: the gateway lets nobody else of its user read it.

import Foundation
import TestSupport

private let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Verifier").path

/// Where a needle was found.
struct MemoryFinding: Decodable, CustomStringConvertible {
    let region: String
    let address: String
    let around: String
    var description: String { "\(region) \(address) \(around)" }
}

extension GatewayUnderTest {
    /// Where the needles are in the gateway's memory, at most 50 places of each.
    func search(_ needles: [String]) throws -> [String: [MemoryFinding]] {
        struct Result: Decodable {
            let bytes: Int
            let found: [String: [MemoryFinding]]
        }
        let command = ["/usr/bin/env", "python3", scripts + "/memory.py", "\(program.id)"] + needles
        let words = HostCalls.userID == 0 ? command : ["/usr/bin/sudo", "-n"] + command
        let text = try Program.run(words[0], Array(words.dropFirst()))
        let result = try JSONDecoder().decode(Result.self, from: Data(text.utf8))
        guard result.bytes > 1 << 20 else { throw SupportFailure("only \(result.bytes) bytes of memory were read") }
        return result.found
    }

    /// What is still there of the needles when a second is over; sooner where nothing is.
    func searchUntilGone(_ needle: String) throws -> [MemoryFinding] {
        let deadline = Date(timeIntervalSinceNow: 1)
        while true {
            let isLast = Date() >= deadline
            let found = try search([needle])[needle] ?? []
            if found.isEmpty || isLast { return found }
        }
    }
}

/// A running echo.py.
final class EchoUpstream: Sendable {
    let program: Program
    let setup: Setup

    /// Over TLS with the certificates of a sandbox, where there is one.
    init(_ sandbox: Sandbox?) throws {
        let folder = sandbox?.folder.path ?? ""
        let certificate = sandbox == nil ? [] : ["--cert", folder + "/server.pem", "--key", folder + "/server.key"]
        let program = try Program("/usr/bin/env", ["python3", scripts + "/echo.py"] + certificate)
        let line = try program.line(of: .output) { $0.contains("ready: ") }
        var setup = Setup(url: "\(sandbox == nil ? "http" : "https")://127.0.0.1:\(line.dropFirst(7))")
        setup.upstream = sandbox?.trust ?? ""
        setup.upstreams = [program] + (sandbox.map { [$0] } ?? [])
        self.setup = setup
        self.program = program
    }
}
