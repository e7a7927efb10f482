// One line of the access log as an operator's tools read it.
// Relies on Foundation's JSON. Refuses a line that is no JSON object.

import Foundation
import TestSupport

struct LogRecord {
    let text: String
    let members: [String: Any]

    init(_ text: String) throws {
        self.text = text
        guard let members = (try JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] else {
            throw SupportFailure("no object: \(text)")
        }
        self.members = members
    }

    subscript(_ name: String) -> String? { members[name] as? String }
    func number(_ name: String) -> Int? { members[name] as? Int }
    func flag(_ name: String) -> Bool? { members[name] as? Bool }
    func milliseconds(_ name: String) -> Double? { members[name] as? Double }

    /// How it ended: `cause/phase`.
    var end: String { "\(self["cause"] ?? "-")/\(self["phase"] ?? "-")" }
}

extension GatewayUnderTest {
    /// The lines on standard output, once there are `count`.
    func log(_ count: Int) throws -> [LogRecord] {
        try program.lines(of: .output, count: count) { _ in true }.map { try LogRecord($0) }
    }
}

/// The lines of a file; none where there is no file.
func logFile(_ path: String) throws -> [LogRecord] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    guard text.isEmpty || text.hasSuffix("\n") else { throw SupportFailure("half a line in \(path)") }
    return try text.split(separator: "\n").map { try LogRecord(String($0)) }
}

/// The lines of a file, once there are `count`; whole ones only.
func logFile(_ path: String, count: Int, within seconds: Double = 20) throws -> [LogRecord] {
    let gate = Gate()
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
        if let records = try? logFile(path), records.count >= count { return records }
        gate.pass(within: 0.02)
    }
    throw SupportFailure("\(path) has not \(count) lines in time")
}
