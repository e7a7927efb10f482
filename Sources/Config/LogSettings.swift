// The key `log`: where the access log goes and what it has.
// Relies on nothing but the readers. Refuses bodies in the log: nothing in this version takes secrets out of them.

/// Which requests have a line.
package enum LoggedRequests: String, CaseIterable, Sendable {
    case all
    /// Those that were not carried through, or whose answer's status is 400 or more.
    case errors
    case off
}

/// How the log names a caller's idempotency key.
package enum LoggedCorrelation: String, CaseIterable, Sendable {
    /// By the beginning of the store's keyed hash.
    case hashed
    /// As it is, where nothing in it can be an account number; by the hash otherwise.
    case plain
}

/// The key `log`.
package struct LogSettings: Equatable, Sendable {
    /// The bounds of `buffer`.
    package static let buffers = 64 * 1_024...64 * 1_024 * 1_024

    /// An absolute path; nil for standard output.
    package var path: String?
    /// Default: all.
    package var requests = LoggedRequests.all
    /// Default: hashed.
    package var correlation = LoggedCorrelation.hashed
    /// Bytes of lines per worker that may wait to be written. Default 1 MiB, range `buffers`. Beyond: lines are dropped
    /// and counted.
    package var buffer = 1_024 * 1_024

    package init() {}
}

extension Field {
    private enum LoggedBodies: String, CaseIterable { case off, redacted }

    /// The log's settings; what is absent or wrong keeps its default.
    func log() -> LogSettings {
        var settings = LogSettings()
        guard let keys = mapping(Vocabulary.log) else { return settings }
        if let path = keys["path"], !path.isWord("-") { settings.path = path.absolutePath() }
        if let word = keys["requests"]?.word(LoggedRequests.self) { settings.requests = word }
        if let word = keys["correlation"]?.word(LoggedCorrelation.self) { settings.correlation = word }
        if let bytes = keys["buffer"]?.bytes(LogSettings.buffers) { settings.buffer = bytes }
        if let bodies = keys["bodies"], bodies.word(LoggedBodies.self) == .redacted {
            bodies.error("redacted bodies are not built in this version", "Write bodies: \"off\"")
        }
        return settings
    }
}
