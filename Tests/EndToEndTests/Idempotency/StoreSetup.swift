// The store of a gateway under test: which kind, where, and with which keys.
// Relies on Setup for the rest of the configuration. Refuses nothing: wrong settings are for the gateway to refuse.

import TestSupport

/// The kinds of store: every behaviour that is not about a file is the same in both.
enum StoreUnderTest: String, CaseIterable, Sendable { case memory, sqlite }

/// The key `store` of a configuration.
struct StoreSetup {
    var kind: StoreUnderTest
    /// Where the file is; nil for the folder of the configuration, which goes with its gateway.
    var path: String?
    /// The store's keys, the current one first.
    var keys = ["the-current-key-of-the-store"]
    /// More keys, each line indented by two.
    var more = ""

    init(_ kind: StoreUnderTest) { self.kind = kind }

    func text(_ folder: TemporaryFolder) throws -> String {
        var references: [String] = []
        for (index, key) in keys.enumerated() {
            references.append("\"file:\(try folder.write("store-key-\(index)", key + "\n"))\"")
        }
        var text = "store:\n  kind: \(kind.rawValue)\n  key: \(references[0])\n"
        text += "  previous_keys: [\(references.dropFirst().joined(separator: ", "))]\n"
        switch kind {
        case .memory: break
        case .sqlite: text += "  path: \"\(path ?? folder.path + "/keys.db")\"\n"
        }
        return text + more
    }
}

extension Setup {
    /// A gateway with one route that has keys, `/pay`, and one that has none, `/open`. `idempotency` is YAML within
    /// braces.
    init(_ upstream: FakeUpstream, _ kind: StoreUnderTest, _ idempotency: String = "key: /key") {
        self.init(upstream)
        store = StoreSetup(kind)
        // A connection that is used again may have been closed a moment ago: another test's matter.
        self.upstream = "    connections: {keep_alive: 0}\n"
        routes = Self.route("pay", idempotency) + Self.route("open", nil)
    }

    /// YAML of a route for a path and all below it.
    static func route(_ name: String, _ idempotency: String?, credential: String = "program") -> String {
        let keys = idempotency.map { ", idempotency: {\($0)}" } ?? ""
        return "  - {name: \(name), methods: [POST, PUT, GET, HEAD], prefix: /\(name), upstream: up,"
            + " credential: \(credential)\(keys)}\n"
    }
}
