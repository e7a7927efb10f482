// The one list of what the configuration names and this version does not do. A later version takes its keys from here.
// A key that promises protection is refused, since an operator would rely on it; one without such a promise is checked
// and warned of.

/// Keys whose feature is not in this version.
enum NotBuilt {
    static let rootKeys = ["admin", "callers", "quotas", "log"]

    /// Refused: the key, and what it would promise.
    private static let promises = [
        "callers": "that only named callers may use a route",
        "quotas": "that no caller sends more than its share",
    ]

    /// Reads the keys of the file's top level.
    static func read(root: Mapping) {
        refuse(root, ["callers", "quotas"])
        if let admin = root["admin"] {
            if let bind = admin.mapping(Vocabulary.admin)?.required("bind", "Write bind: \"127.0.0.1:9901\"") {
                _ = bind.bindAddress()
            }
            withoutEffect(admin)
        }
        if let log = root["log"]?.mapping(Vocabulary.log) { readLog(log) }
    }

    /// Checks an upstream's `pace` and says once that nothing keeps to it. `none` is what is done anyway.
    static func read(pace: Field) {
        if pace.isWord("none") { return }
        if case .scalar = pace.node.value {
            return pace.error("is neither none nor a mapping", "Write none or {rate: 5/s, burst: 5, ...}")
        }
        guard let keys = pace.mapping(Vocabulary.pace) else { return }
        _ = keys["rate"]?.rate()
        _ = keys["burst"]?.integer(1...100_000)
        _ = keys["concurrency"]?.integer(1...10_000)
        _ = keys["queue"]?.integer(0...100_000)
        _ = keys["max_wait"]?.milliseconds(0...600_000)
        pace.report.warnOnce(
            pace.node.place, pace.path, "pace is not enforced by this version", "Bound the rate in the calling programs"
        )
    }

    private enum LoggedBodies: String, CaseIterable { case off, redacted }

    private static func readLog(_ log: Mapping) {
        if let path = log["path"], let text = path.text(), text != "-" {
            path.warn("has no effect in this version: the log goes to standard output", "Write \"-\"")
        }
        if let bodies = log["bodies"], bodies.word(LoggedBodies.self) == .redacted {
            bodies.error("redacted bodies are not built in this version", "Write bodies: \"off\"")
        }
    }

    private static func withoutEffect(_ field: Field) {
        field.warn("has no effect in this version", "Remove the key, or leave it for a later version")
    }

    private static func refuse(_ mapping: Mapping, _ keys: [String]) {
        for key in keys {
            guard let field = mapping[key], let promise = promises[key] else { continue }
            field.error("not built in this version: it would promise \(promise)", "Remove the key")
        }
    }
}
