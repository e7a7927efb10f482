// The key `store`: every bound at its edge, and what is there without a key.
// Relies on the ranges of StoreLimits and on a route that uses the store, without which it would be warned of.

import Config
import Foundation
import Policy
import Signing
import Testing

extension Bound {
    private static func store(
        _ key: String, _ low: Int, _ high: Int, _ unit: String, _ read: @escaping @Sendable (StoreLimits) -> Int
    ) -> Bound {
        Bound(
            name: "store.\(key)", low: low, high: high, unit: unit,
            yaml: { Fixtures.remembering(store: "kind: memory, \(key): \($0)") },
            read: { settings in settings.store.map { read($0.limits) } })
    }

    static let ofStore = [
        store("retention", 60_000, 34_560_000_000, "ms") { Int($0.retentionMilliseconds) },
        store("unknown_retention", 60_000, 34_560_000_000, "ms") { Int($0.unknownRetentionMilliseconds) },
        store("max_keys", 1, 1_000_000_000, "") { $0.maxKeys },
        store("max_size", 1_048_576, 1_099_511_627_776, "B") { $0.maxSize },
        store("max_answer", 0, 16_777_216, "B") { $0.maxAnswer },
        store("max_waiting", 0, 1_000_000, "") { $0.maxWaiting },
        store("max_questions", 1, 1_000_000, "") { $0.maxQuestions },
        store("timeout", 10, 60_000, "ms") { $0.timeoutMilliseconds },
    ]
}

@Suite struct StoreTests {
    @Test func memoryNeedsNothingElse() throws {
        let (settings, problems) = try Scratch().load(Fixtures.remembering())
        #expect(problems.map(\.text) == [])
        let store = try #require(settings?.store)
        #expect(store.kind == .memory && store.path == nil && store.keys.isEmpty && store.limits == StoreLimits())
    }

    @Test func keysAreInTheirOrder() throws {
        let scratch = try Scratch()
        let files = try (16...19).map { count in
            try scratch.write("key\(count)", Array(String(repeating: "k", count: count).utf8) + Array("\n".utf8))
        }
        let previous = files[..<3].map { "\"file:\($0)\"" }.joined(separator: ", ")
        let store = "kind: sqlite, path: /s.db, key: \"file:\(files[3])\", previous_keys: [\(previous)]"
        let (settings, problems) = try scratch.load(Fixtures.remembering(store: store))
        #expect(problems.map(\.text) == [])
        #expect(settings?.store?.path == "/s.db")
        #expect(settings?.store?.keys.map(\.count) == [19, 16, 17, 18])
    }

    @Test(arguments: [(1, true), (15, true), (16, true), (4_096, true), (4_097, false)], ["key", "previous_keys"])
    func lengthOfKeys(_ size: (count: Int, fits: Bool), place: String) throws {
        let environment = Fixtures.variables.merging(["STORE": String(repeating: "s", count: size.count)]) { $1 }
        let keys = place == "key" ? "key: \"env:STORE\"" : "key: \"env:HMAC\", previous_keys: [\"env:STORE\"]"
        let (settings, problems) = try Scratch().load(
            Fixtures.remembering(store: "kind: sqlite, path: /s.db, \(keys)"), environment)
        #expect((settings != nil) == size.fits)
        #expect(problems.isEmpty == (16...4_096).contains(size.count))
        if size.count < 16 { #expect(problems.map(\.remedy) == ["Make one with: openssl rand -base64 32"]) }
    }

    @Test(arguments: [(0, true), (3, true), (4, false)]) func countOfPreviousKeys(count: Int, fits: Bool) throws {
        var environment = Fixtures.variables
        for index in 0..<count { environment["OLD\(index)"] = "old key number \(index) of four" }
        let previous = (0..<count).map { "\"env:OLD\($0)\"" }.joined(separator: ", ")
        let (settings, _) = try Scratch().load(
            Fixtures.remembering(store: "kind: memory, key: \"env:HMAC\", previous_keys: [\(previous)]"), environment)
        #expect(settings?.store?.keys.count == (fits ? count + 1 : nil))
    }

    @Test(arguments: [("1d", 86_400_000), ("24h", 86_400_000), ("400d", 34_560_000_000), ("1m", 60_000)])
    func days(text: String, milliseconds: Int64) throws {
        let (settings, _) = try Scratch().load(Fixtures.remembering(store: "kind: memory, retention: \(text)"))
        #expect(settings?.store?.limits.retentionMilliseconds == milliseconds)
    }

    @Test(arguments: [("1GiB", 1 << 30), ("1024GiB", 1 << 40), ("1024MiB", 1 << 30)])
    func gibibytes(text: String, bytes: Int) throws {
        let (settings, _) = try Scratch().load(Fixtures.remembering(store: "kind: memory, max_size: \(text)"))
        #expect(settings?.store?.limits.maxSize == bytes)
    }

    @Test func rangesAreShownWithTheLargestUnit() throws {
        let store = "kind: memory, retention: 401d, max_size: 1025GiB"
        let (_, problems) = try Scratch().load(Fixtures.remembering(store: store))
        #expect(
            problems.map(\.remedy) == ["Write a value from 1m to 400d", "Write a value from 1MiB to 1024GiB"])
    }
}
