// A folder in which the documents' commands work as they stand: scripts and the demo's configuration with ports and
// a state folder of its own, the programs that were built, and a configuration as somebody would have written it.
// Relies on bash, curl, openssl and python3, as scripts/demo does. Refuses to build: `swift` says only where programs
// are.

import Foundation
import TestSupport

final class DocumentBench {
    private let folder: TemporaryFolder
    private let gatewayPort: UInt16
    private let sandboxPort: UInt16
    private let adminPort: UInt16
    /// What `scripts/demo --keep` left running.
    private var kept: [String] = []

    init() throws {
        folder = try TemporaryFolder()
        // All are bound at once, so that they differ.
        let listeners = try (0..<3).map { _ in try WireListener(.ipv4(0)) }
        (gatewayPort, sandboxPort, adminPort) = (listeners[0].port, listeners[1].port, listeners[2].port)
        for listener in listeners { listener.stop() }
        try makeScripts()
        let more = Setup.isSanitized ? "hardening: {seccomp: false, landlock: false}\n" : ""
        try folder.write("conf/demo.yaml", own(try source("conf/demo.yaml")) + more)
        try folder.write(
            "countersign.yaml",
            own(
                """
                listeners: [{name: apps, bind: "127.0.0.1:0"}]
                credentials:
                  acme-banking:
                    username: demo
                    secret: "file:/tmp/countersign-demo/secrets/hmac"
                    api_key: {value: "file:/tmp/countersign-demo/secrets/api-key", place: body}
                upstreams:
                  banking:
                    url: "https://127.0.0.1:9443/api/v4"
                    tls: {ca_file: /tmp/countersign-demo/sandbox/ca.pem}
                    product: banking
                routes: [{name: banking, prefix: /, upstream: banking, credential: acme-banking}]

                """))
    }

    private func source(_ path: String) throws -> String {
        try String(contentsOf: Fixtures.repository.appending(path: path), encoding: .utf8)
    }

    /// A text with the bench's ports and folder in place of those of the repository. The folder is last, and the ports
    /// get names first: what is put in may have the digits of what is looked for.
    private func own(_ text: String) -> String {
        text.replacing("8080", with: "<gateway>").replacing("9443", with: "<sandbox>").replacing(
            "9901", with: "<admin>"
        )
        .replacing("<gateway>", with: String(gatewayPort)).replacing("<sandbox>", with: String(sandboxPort))
        .replacing("<admin>", with: String(adminPort))
        .replacing("/tmp/countersign-demo", with: folder.path + "/state")
    }

    private func makeScripts() throws {
        let files = FileManager.default
        for name in ["scripts", "conf", "bin", ".build"] {
            try files.createDirectory(atPath: folder.path + "/" + name, withIntermediateDirectories: false)
        }
        let built = Program.buildFolder.path
        let swift = "#!/bin/sh\ncase \"$*\" in *--show-bin-path*) echo '\(built)' ;; esac\n"
        let demo = own(try source("scripts/demo"))
        for (path, text) in [("bin/swift", swift), ("scripts/demo", demo)] {
            // A copy by another program: a file that we wrote may be open for writing in a child that another test is
            // just starting, and then it cannot be executed.
            let written = try folder.write(path + ".text", text)
            _ = try Program.run("/usr/bin/install", ["-m", "0700", written, folder.path + "/" + path])
        }
        for name in ["scripts/lib.sh", "scripts/test", "scripts/load", "loadtest"] {
            try files.createSymbolicLink(
                atPath: folder.path + "/" + name,
                withDestinationPath: Fixtures.repository.appending(path: name).path)
        }
        try files.createSymbolicLink(atPath: folder.path + "/.build/release", withDestinationPath: built)
    }

    /// Runs a line in the folder, with its ports; how it ended and all that it wrote.
    func run(_ line: String) throws -> (end: ProgramEnd?, text: String) {
        let search = "export PATH=\"$0/bin:$1:$PATH\"; cd \"$0\" && eval \"$2\""
        let program = try Program("/bin/bash", ["-c", search, folder.path, Program.buildFolder.path, own(line)])
        let end = program.end(within: 60)
        if let stop = program.output.split(separator: "\n").last(where: { $0.contains("Stop them with: kill ") }) {
            kept += stop.split(separator: " ").map(String.init).filter { Int32($0) != nil }
        }
        return (end, program.output + program.errors)
    }

    /// Puts a request that the demo's program signed into `captured.http`, as its upstream received it.
    func capture() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.secret = try String(contentsOfFile: folder.path + "/state/secrets/hmac", encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        let gateway = try GatewayUnderTest(setup)
        let body = "{\"first_name\": \"Jane\"}"
        let head = "POST /user/create HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        _ = try gateway.caller().ask(head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
        guard let seen = upstream.requests.first else { throw SupportFailure("no request came") }
        let fields = seen.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        try folder.write("captured.http", seen.startLine + "\r\n" + fields + "\r\n" + seen.text)
    }

    /// Ends what `scripts/demo --keep` started, as it says.
    func stopWhatIsKept() {
        guard !kept.isEmpty else { return }
        _ = try? run("kill " + kept.joined(separator: " "))
        kept = []
    }
}
