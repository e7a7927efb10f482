// The key `log`: every bound at its edge, every default, every word.
// Relies on the ranges of LogSettings.

import Config
import HTTP
import Policy
import Testing

extension Bound {
    static let ofLog = [
        Bound(
            name: "log.buffer", low: 64 * 1_024, high: 64 * 1_024 * 1_024, unit: "B",
            yaml: { Fixtures.least + "log: {buffer: \($0)}\n" }, read: \.log.buffer),
        Bound(
            name: "log.body_limit", low: 512, high: 64 * 1_024, unit: "B",
            yaml: { Fixtures.least + "log: {body_limit: \($0)}\n" }, read: \.log.bodyLimit),
    ]
}

@Suite struct LogTests {
    private func load(_ log: String) throws -> (LogSettings?, [Problem]) {
        let (settings, problems) = try Scratch().load(Fixtures.least + log)
        return (settings?.log, problems)
    }

    @Test(arguments: [
        "", "log: {}", "log: {path: \"-\", requests: all, correlation: hashed, ids: plain, buffer: 1MiB}",
    ])
    func thereAreDefaults(text: String) throws {
        let (settings, problems) = try load(text)
        #expect(problems.map(\.text) == [])
        #expect(settings == LogSettings())
        #expect(settings?.path == nil && settings?.buffer == 1 << 20)
    }

    @Test func everyKeyIsRead() throws {
        let (settings, problems) = try load(
            "log: {path: /var/log/c.log, requests: errors, correlation: plain, ids: hashed, bodies: redacted}")
        #expect(problems.map(\.text) == [])
        var expected = LogSettings()
        expected.path = "/var/log/c.log"
        expected.requests = .errors
        expected.correlation = .plain
        expected.ids = .hashed
        expected.bodies = .redacted
        #expect(settings == expected)
        #expect(try load("log: {requests: off}").0?.requests == .off)
        #expect(try load("log: {ids: none, bodies: \"off\"}").0?.ids == LoggedIDs.none)
    }

    @Test func aRouteSaysWhatOfItsBodiesIsShown() throws {
        let route = "routes: [{name: a, prefix: /, upstream: banking, credential: acme, redact: "
        func read(_ redact: String) throws -> RouteSettings? {
            let yaml = Fixtures.least.split(separator: "\n").filter { !$0.hasPrefix("routes") }.joined(separator: "\n")
            return try Scratch().load(yaml + "\n" + route + redact + "}]\n").0?.routes[0]
        }
        let settings = try read("{as: notify, show: [batch, /a/b], hide: [memo]}")
        #expect(settings?.redactionPreset == .notify)
        let pointer = try #require(JSONPointer("/a/b"))
        let show: [RedactedField] = [.name("batch"), .pointer(pointer)]
        #expect(settings?.redaction == RedactionSettings(show: show, hide: [.name("memo")]))
        #expect(try read("{}")?.redaction == RedactionSettings())
        #expect(try read("{ids: [/a/b]}")?.redaction == RedactionSettings(ids: [pointer]))
        // Whose fields they are decides what is hidden.
        #expect(try read("{ids: [/a, /b, /c, /d]}")?.redaction.ids.count == 4)
        #expect(try read("{ids: [/a, /b, /c, /d, /e]}") == nil && read("{show: [/a/b], ids: [/a/ssn]}") == nil)
        for bad in ["{as: other}", "{show: [/]}", "{hide: []}", "{mask: [a]}", "[a]"] {
            #expect(try read(bad) == nil, "\(bad)")
        }
        let many = (0..<33).map { "f\($0)" }
        #expect(try read("{show: [\(many.prefix(32).joined(separator: ", "))]}") != nil)
        #expect(try read("{show: [\(many.joined(separator: ", "))]}") == nil)
    }

    @Test func theStoresFileIsNoLog() throws {
        let yaml = Fixtures.remembering(store: "kind: sqlite, path: /s.db, key: \"env:HMAC\"")
        #expect(try Scratch().load(yaml + "log: {path: /s.db.log}\n").1.isEmpty)
        let (settings, problems) = try Scratch().load(yaml + "log: {path: /s.db}\n")
        #expect(settings == nil && problems.map(\.message) == ["would be written into the store's file"])
    }
}
