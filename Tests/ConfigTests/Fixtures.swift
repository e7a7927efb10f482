// What the tests of this room share: the folder of the test files, an environment, a folder that goes away.
// Relies on Foundation for files. Nothing here decides what is right.

import Config
import Foundation

enum Fixtures {
    /// This folder, in the repository.
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    /// What `env:` references of the test files find.
    static let variables = [
        "HMAC": "0123456789abcdef", "SHORT": "0123456789abcde", "KEY": "k-1", "SPACED": "k 1", "EMPTY": "",
        "LONG": String(repeating: "x", count: 4_097), "INGO_API_KEY": "k-2",
    ]
    static var environment: Environment { Environment(variables) }

    /// The four keys that a configuration cannot do without, each on one line.
    static let listeners = "listeners: [{name: apps, bind: \"127.0.0.1:8080\"}]\n"
    static let credentials = "credentials: {acme: {username: acme, secret: \"env:HMAC\"}}\n"
    static let upstreams = "upstreams: {banking: {url: \"https://banking.example/api\"}}\n"
    static let routes = "routes: [{name: all, prefix: /, upstream: banking, credential: acme}]\n"
    static let least = listeners + credentials + upstreams + routes

    /// The least with a Unix socket as well, so that callers may be processes, and with `callers`, without its braces.
    static func called(by callers: String) -> String {
        "listeners: [{name: apps, bind: \"127.0.0.1:8080\"}, {name: local, bind: \"unix:/run/c.sock\"}]\n"
            + credentials + upstreams + routes + "callers: {\(callers)}\n"
    }

    /// The least with `quotas`, without its brackets.
    static func bounded(by quotas: String) -> String { least + "quotas: [\(quotas)]\n" }

    /// A configuration with a store whose one route has `idempotency`, both without their braces.
    static func remembering(store: String = "kind: memory", idempotency: String = "key: /k") -> String {
        let route = "name: all, prefix: /, upstream: banking, credential: acme, idempotency: {\(idempotency)}"
        return listeners + credentials + upstreams + "routes: [{\(route)}]\nstore: {\(store)}\n"
    }
}

/// A folder of its own for one test, removed at its end.
final class Scratch {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "countersign-config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Writes a file with a mode and returns its path.
    func write(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let path = folder.appending(path: name).path
        try FileManager.default.createDirectory(
            at: folder.appending(path: name).deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// Loads `yaml` as a configuration.
    func load(_ yaml: String, _ environment: [String: String] = Fixtures.variables) throws -> (Settings?, [Problem]) {
        SettingsLoader.load(path: try write("c.yaml", Array(yaml.utf8)), environment: Environment(environment))
    }
}
