// The one list of what the configuration names and this version does not do. A later version takes its keys from here.
// A key that promises protection is refused, since an operator would rely on it; one without such a promise is checked
// and warned of.

/// Keys whose feature is not in this version.
enum NotBuilt {
    static let rootKeys = ["log"]

    /// Reads the keys of the file's top level.
    static func read(root: Mapping) {
        if let log = root["log"]?.mapping(Vocabulary.log) { readLog(log) }
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
}
