// Every numeric key at both ends of its range, one below and one above, and every unit.
// Relies on the ranges as conf/countersign.yaml states them.

import Config
import HTTP
import Policy
import Testing

/// A key with its range; `read` finds the value in the settings.
struct Bound: CustomTestStringConvertible, Sendable {
    var name: String
    var low: Int
    var high: Int
    /// What follows the number.
    var unit: String
    /// The configuration around a value.
    var yaml: @Sendable (String) -> String
    var read: @Sendable (Settings) -> Int?
    var testDescription: String { name }

    static func limit(
        _ key: String, _ low: Int, _ high: Int, _ unit: String, _ read: @escaping @Sendable (Settings) -> Int
    )
        -> Bound
    {
        Bound(
            name: key, low: low, high: high, unit: unit, yaml: { Fixtures.least + "limits: {\(key): \($0)}\n" },
            read: read)
    }

    static func upstream(
        _ path: [String], _ low: Int, _ high: Int, _ unit: String, _ read: @escaping @Sendable (Settings) -> Int
    ) -> Bound {
        let yaml: @Sendable (String) -> String = { value in
            let inner = path.reversed().reduce(value) { "{\($1): \($0)}" }
            let upstreams = "upstreams: {banking: {url: \"https://banking.example\", \(inner.dropFirst())}\n"
            return Fixtures.listeners + Fixtures.credentials + upstreams + Fixtures.routes
        }
        return Bound(name: path.joined(separator: "."), low: low, high: high, unit: unit, yaml: yaml, read: read)
    }

    static let all = [
        Bound(
            name: "workers", low: 1, high: 256, unit: "", yaml: { Fixtures.least + "workers: \($0)\n" }, read: \.workers
        ),
        limit("max_body", 1_024, 67_108_864, "B") { $0.limits.maxBody },
        limit("max_head", 1_024, 262_144, "B") { $0.limits.maxHead },
        limit("max_line", 256, 16_384, "B") { $0.limits.maxLine },
        limit("max_headers", 8, 1_000, "") { $0.limits.maxFields },
        limit("max_json_depth", 1, 512, "") { $0.limits.maxJSONDepth },
        limit("max_connections", 1, 1_000_000, "") { $0.connections.maxConnections },
        limit("head_timeout", 10, 300_000, "ms") { $0.connections.headTimeoutMilliseconds },
        limit("body_timeout", 10, 1_800_000, "ms") { $0.connections.bodyTimeoutMilliseconds },
        limit("keep_alive", 0, 3_600_000, "ms") { $0.connections.keepAliveMilliseconds },
        limit("write_timeout", 10, 1_800_000, "ms") { $0.connections.writeTimeoutMilliseconds },
        limit("relay_buffer", 4_096, 1_048_576, "B") { $0.connections.relayBuffer },
        limit("drain", 0, 3_600_000, "ms") { $0.connections.drainMilliseconds },
        limit("quota_keys", 1, 10_000_000, "") { $0.connections.quotaKeys },
        upstream(["timeouts", "connect"], 10, 60_000, "ms") { $0.upstreams[0].timeouts.connectMilliseconds },
        upstream(["timeouts", "first_byte"], 10, 600_000, "ms") { $0.upstreams[0].timeouts.firstByteMilliseconds },
        upstream(["timeouts", "idle"], 10, 600_000, "ms") { $0.upstreams[0].timeouts.idleMilliseconds },
        upstream(["timeouts", "total"], 10, 1_800_000, "ms") { $0.upstreams[0].timeouts.totalMilliseconds },
        upstream(["connections", "max"], 1, 10_000, "") { $0.upstreams[0].maxConnections },
        upstream(["connections", "max_waiting"], 0, 100_000, "") { $0.upstreams[0].maxWaiting },
        upstream(["connections", "keep_alive"], 0, 600_000, "ms") { $0.upstreams[0].keepAliveMilliseconds },
        upstream(["resolve"], 1_000, 3_600_000, "ms") { $0.upstreams[0].resolveMilliseconds },
    ]
}

@Suite struct BoundsTests {
    @Test(arguments: Bound.all + Bound.ofStore + Bound.ofIdempotency + Bound.ofPace + Bound.ofCallers + Bound.ofLog)
    func edges(
        bound: Bound
    ) throws {
        let scratch = try Scratch()
        for value in [bound.low, bound.low + 1, bound.high - 1, bound.high] {
            let (settings, problems) = try scratch.load(bound.yaml("\(value)\(bound.unit)"))
            #expect(problems.map(\.text) == [])
            #expect(settings.flatMap { bound.read($0) } == value)
        }
        for value in [bound.low - 1, bound.high + 1] {
            let (settings, problems) = try scratch.load(bound.yaml("\(value)\(bound.unit)"))
            #expect(settings == nil)
            #expect(problems.count == 1)
        }
    }

    @Test(arguments: [
        ("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("0", 0), ("0s", 0), ("007s", 7_000),
        ("0d", 0),
    ])
    func durations(text: String, milliseconds: Int) throws {
        let (settings, _) = try Scratch().load(Fixtures.least + "limits: {drain: \(text)}\n")
        #expect(settings?.connections.drainMilliseconds == milliseconds)
    }

    @Test(arguments: [("5000B", 5_000), ("5KiB", 5_120), ("1MiB", 1_048_576), ("\"64KiB\"", 65_536)])
    func sizes(text: String, bytes: Int) throws {
        let (settings, _) = try Scratch().load(Fixtures.least + "limits: {relay_buffer: \(text)}\n")
        #expect(settings?.connections.relayBuffer == bytes)
    }

    @Test(arguments: ["KB", "kib", "TiB", "b", "K", " KiB", "µs", "us", "w", "D", "ms "]) func foreignUnits(
        unit: String
    )
        throws
    {
        for key in ["drain", "relay_buffer"] {
            let (settings, problems) = try Scratch().load(Fixtures.least + "limits: {\(key): \"8\(unit)\"}\n")
            #expect(settings == nil)
            #expect(problems.count == 1)
        }
    }

    @Test func aSmallerHeadTakesTheLineAlong() throws {
        let (settings, problems) = try Scratch().load(Fixtures.least + "limits: {max_head: 4KiB}\n")
        #expect(problems.isEmpty)
        #expect(settings?.limits.maxLine == 4_096)
    }

    @Test(arguments: [(106, true), (107, true), (108, false)]) func socketPaths(count: Int, fits: Bool) throws {
        let path = "/" + String(repeating: "s", count: count - 1)
        let listeners = "listeners: [{name: apps, bind: \"unix:\(path)\"}]\n"
        let (settings, _) = try Scratch().load(listeners + Fixtures.credentials + Fixtures.upstreams + Fixtures.routes)
        #expect((settings != nil) == fits)
    }

    @Test(arguments: [(254, true), (255, true), (256, false)]) func usernames(count: Int, fits: Bool) throws {
        let name = String(repeating: "u", count: count)
        let credentials = "credentials: {acme: {username: \(name), secret: \"env:HMAC\"}}\n"
        let (settings, _) = try Scratch().load(Fixtures.listeners + credentials + Fixtures.upstreams + Fixtures.routes)
        #expect((settings != nil) == fits)
    }

    @Test(arguments: [(63, true), (64, true), (65, false)]) func names(count: Int, fits: Bool) throws {
        let listeners = "listeners: [{name: \(String(repeating: "n", count: count)), bind: \"127.0.0.1:0\"}]\n"
        let (settings, _) = try Scratch().load(listeners + Fixtures.credentials + Fixtures.upstreams + Fixtures.routes)
        #expect((settings != nil) == fits)
    }

    @Test(arguments: [(11, true), (12, true), (13, false)]) func fieldCounts(count: Int, fits: Bool) throws {
        let fields = (0..<count).map { "/f\($0): 1" }.joined(separator: ", ")
        #expect(try loads(fields: fields) == fits)
    }

    @Test(arguments: [(1_021, true), (1_022, true), (1_023, false)]) func fieldLengths(count: Int, fits: Bool) throws {
        #expect(try loads(fields: "/f: \"\(String(repeating: "x", count: count))\"") == fits)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)]) func countsOfThings(over: Int, fits: Bool) throws {
        func all(_ count: Int, _ one: (Int) -> String) -> String { (0..<count + over).map(one).joined(separator: ", ") }
        let listeners = all(64) { "{name: l\($0), bind: \"127.0.0.1:0\"}" }
        let credentials = all(256) { "c\($0): {username: acme, secret: \"env:HMAC\"}" }
        let upstreams = all(256) { "u\($0): {url: \"https://banking.example\"}" }
        let routes = all(1_000) { "{name: r\($0), path: /\($0), upstream: u0, credential: c0}" }
        let (settings, problems) = try Scratch().load(
            "listeners: [\(listeners)]\ncredentials: {\(credentials)}\nupstreams: {\(upstreams)}\nroutes: [\(routes)]\n"
        )
        #expect((settings != nil) == fits)
        if fits {
            #expect(settings?.routes.count == 1_000 + over)
        } else {
            #expect(problems.map(\.line) == [1, 2, 3, 4])
        }
    }

    private func loads(fields: String) throws -> Bool {
        let credentials = "credentials: {acme: {username: acme, secret: \"env:HMAC\", fields: {\(fields)}}}\n"
        return try Scratch().load(Fixtures.listeners + credentials + Fixtures.upstreams + Fixtures.routes).0 != nil
    }
}
