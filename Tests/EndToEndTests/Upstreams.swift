// The two upstreams that verify: ingo-sandbox, and verifier.py, the second judge. Both on TLS unless asked otherwise.
// Relies on the built sandbox, python3 and curl. Refuses an upstream that does not say that it is ready.

import Foundation
import TestSupport

/// Where the sources of these tests are: for the Python verifier.
private let testsFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

/// JSON as tests look at it; empty where the text is no object.
func json(_ text: String) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
}

extension Message {
    /// The body's object; empty where there is none.
    var json: [String: Any] { EndToEndTests.json(text) }
}

/// One request as the sandbox received it.
struct SandboxRequest: Decodable {
    let request_line: String
    let headers: [[String]]
    let body: String
    let verified: Bool
    let verdict: String
    let status: Int
    let connection: Int

    func all(_ name: String) -> [String] { headers.filter { $0[0].lowercased() == name.lowercased() }.map { $0[1] } }
}

/// One execution in the sandbox's ledger.
struct LedgerEntry: Decodable {
    let path: String
    let executed: Int
}

/// The sandbox's counts.
struct SandboxCounts: Decodable {
    let connections: Int
    let requests: Int
    let verified: Int
}

/// A running ingo-sandbox with certificates of its own.
final class Sandbox: Sendable {
    let program: Program
    let port: UInt16
    let folder: TemporaryFolder
    private let plain: Bool

    /// `arguments` are added; `--plain` among them switches TLS off.
    init(_ arguments: String...) throws {
        folder = try TemporaryFolder()
        plain = arguments.contains("--plain")
        let state = plain || arguments.contains("--certificate") ? [] : ["--state-dir", folder.path]
        program = try Program("ingo-sandbox", ["--port", "0"] + state + arguments)
        let line = try program.line(of: .output) { $0.contains("ready: ") }
        let address = line.components(separatedBy: " ca=")[0]
        guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw SupportFailure("no port in \(line)")
        }
        self.port = port
    }

    deinit { program.signal(.kill) }

    var authority: String { folder.path + "/ca.pem" }
    func url(_ path: String = "") -> String { "\(plain ? "http" : "https")://127.0.0.1:\(port)\(path)" }
    /// The upstream's `tls` key, for a configuration.
    var trust: String { plain ? "" : "    tls: {ca_file: \"\(authority)\"}\n" }

    /// A setup that points to this sandbox.
    func setup(_ path: String = "") -> Setup {
        var setup = Setup(url: url(path))
        setup.upstream = trust
        setup.upstreams = [self]
        return setup
    }

    private func control<T: Decodable>(_ type: T.Type, _ path: String, _ body: String? = nil) throws -> T {
        var arguments = ["-sS", "--fail", "--max-time", "20"]
        // The test's own questions are not what is tested: a bad certificate must not keep them from being answered.
        if !plain { arguments.append("--insecure") }
        if let body { arguments += ["-H", "Content-Type: application/json", "-d", body] }
        let text = try Program.run("/usr/bin/curl", arguments + [url(path)])
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// The last requests, oldest first.
    func requests(last count: Int = 100) throws -> [SandboxRequest] {
        try control([SandboxRequest].self, "/_sandbox/requests?last=\(count)")
    }
    func ledger() throws -> [LedgerEntry] { try control([LedgerEntry].self, "/_sandbox/ledger") }
    func counts() throws -> SandboxCounts { try control(SandboxCounts.self, "/_sandbox/counts") }
    /// Orders misbehaviour for the next requests to a path.
    func misbehave(_ what: String, path: String = "*", times: Int = 1) throws {
        struct Taken: Decodable {}
        _ = try control(
            Taken.self, "/_sandbox/misbehave", "{\"path\":\"\(path)\",\"what\":\"\(what)\",\"times\":\(times)}")
    }
}

/// A running verifier.py behind TLS.
final class PythonVerifier: Sendable {
    let program: Program
    let port: UInt16
    private let folder: TemporaryFolder

    /// With the certificates of a sandbox.
    init(_ sandbox: Sandbox, username: String, secret: String, _ arguments: [String]) throws {
        folder = try TemporaryFolder()
        let secretFile = try folder.write("secret", secret)
        let keyFile = try folder.write("key", "demo-api-key")
        let script = testsFolder.appendingPathComponent("Verifier/verifier.py").path
        program = try Program(
            "/usr/bin/env",
            [
                "python3", script, "--port", "0", "--cert", sandbox.folder.path + "/server.pem", "--key",
                sandbox.folder.path + "/server.key", "--username", username, "--secret-file", secretFile,
                "--api-key-file", keyFile,
            ] + arguments)
        let line = try program.line(of: .output) { $0.contains("ready: ") }
        guard let port = line.split(separator: " ").last.flatMap({ UInt16($0) }) else {
            throw SupportFailure("no port in \(line)")
        }
        self.port = port
    }

    deinit { program.signal(.kill) }
}
