// A gateway whose configuration a test rewrites: each change is followed by SIGHUP, and waits for what the log says.
// Relies on GatewayUnderTest. Refuses a reload that the log does not speak of.

import TestSupport

final class Reloadable: Sendable {
    let gateway: GatewayUnderTest
    let folder: TemporaryFolder
    /// Further keys of the file's top level.
    private let more: String

    init(_ setup: Setup, environment: [String: String] = [:], more: String = "") throws {
        self.more = more
        folder = try TemporaryFolder()
        let text = try setup.text(folder) + more
        gateway = try GatewayUnderTest(text: text, folder, environment, keeping: setup.upstreams)
    }

    private static func speaksOfReload(_ line: String) -> Bool {
        line.contains("\"message\":\"reloaded\"") || line.contains("\"message\":\"reload refused")
    }

    /// Writes the configuration, signals, and gives the line with the outcome.
    @discardableResult
    func reload(_ setup: Setup) throws -> String { try reload(text: try setup.text(folder) + more) }

    /// The same with a configuration as it is written.
    @discardableResult
    func reload(text: String) throws -> String {
        try folder.write("countersign.yaml", text)
        let before = gateway.program.errors.split(separator: "\n").filter { Self.speaksOfReload(String($0)) }.count
        gateway.program.signal(.hangup)
        let lines = try gateway.program.lines(of: .errors, count: before + 1, where: Self.speaksOfReload)
        return lines[before]
    }
}
