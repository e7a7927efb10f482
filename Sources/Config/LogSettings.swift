// The key `log`: where the access log goes and what it has.
// Relies on the readers, and on Policy for what of a body may be shown. Refuses nothing of its own.

internal import HTTP
internal import Policy

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

/// What a line says of the ids in both bodies.
package enum LoggedIDs: String, CaseIterable, Sendable {
    /// Nothing: bodies are not read for ids.
    case none
    /// 16 hexadecimal digits of a keyed hash.
    case hashed
    /// The value, where nothing in it can be an account number; its type and length otherwise.
    case plain
}

/// What of bodies the log shows.
package enum LoggedBodies: String, CaseIterable, Sendable {
    case off
    /// What is known to be harmless (`Redactor`).
    case redacted
}

/// The key `log`.
package struct LogSettings: Equatable, Sendable {
    /// The bounds of `buffer`.
    package static let buffers = 64 * 1_024...64 * 1_024 * 1_024

    /// The bounds of `bodyLimit`.
    package static let bodyLimits = 512...64 * 1_024

    /// An absolute path; nil for standard output.
    package var path: String?
    /// Default: all.
    package var requests = LoggedRequests.all
    /// Default: hashed.
    package var correlation = LoggedCorrelation.hashed
    /// Bytes of lines per worker that may wait to be written. Default 1 MiB, range `buffers`. Beyond: lines are dropped
    /// and counted.
    package var buffer = 1_024 * 1_024

    /// What a line says of the ids in both bodies. Default: plain.
    package var ids = LoggedIDs.plain

    /// Default: off.
    package var bodies = LoggedBodies.off
    /// Bytes of a redacted body in a line. Default 4 KiB, range `bodyLimits`. Beyond: it is cut, and says so.
    package var bodyLimit = 4_096

    package init() {}
}

extension Field {
    /// The log's settings; what is absent or wrong keeps its default.
    func log() -> LogSettings {
        var settings = LogSettings()
        guard let keys = mapping(Vocabulary.log) else { return settings }
        if let path = keys["path"], !path.isWord("-") { settings.path = path.absolutePath() }
        if let word = keys["requests"]?.word(LoggedRequests.self) { settings.requests = word }
        if let word = keys["correlation"]?.word(LoggedCorrelation.self) { settings.correlation = word }
        if let word = keys["ids"]?.word(LoggedIDs.self) { settings.ids = word }
        if let bytes = keys["buffer"]?.bytes(LogSettings.buffers) { settings.buffer = bytes }
        if let bodies = keys["bodies"]?.word(LoggedBodies.self) { settings.bodies = bodies }
        if let bytes = keys["body_limit"]?.bytes(LogSettings.bodyLimits) { settings.bodyLimit = bytes }
        return settings
    }

    /// A route's key `redact`: whose fields its bodies have, those of `product` where it does not say, and what it adds
    /// to them.
    func redaction(_ product: Product) -> (preset: RedactionPreset?, settings: RedactionSettings) {
        guard let keys = mapping(Vocabulary.redact) else { return (nil, RedactionSettings()) }
        let preset = keys["as"]?.word(RedactionPreset.self)
        var settings = RedactionSettings()
        settings.show = keys["show"]?.redactedFields() ?? []
        settings.hide = keys["hide"]?.redactedFields() ?? []
        if let ids = keys["ids"] {
            settings.ids = ids.ids(RedactionRules(preset ?? RedactionPreset(product), settings))
        }
        return (preset, settings)
    }

    private func ids(_ rules: RedactionRules) -> [JSONPointer] {
        var pointers: [JSONPointer] = []
        for element in elements(max: CorrelationIDs.maxOwn) ?? [] {
            guard let pointer = element.pointer() else { continue }
            if pointers.contains(pointer) { element.error("is there twice", "Remove one of them") }
            if !pointer.canNameField {
                element.error(
                    "ends with a name that no field of a line can have",
                    "Name a field of at most \(CorrelationIDs.maxName) letters, digits, . - and _")
            } else if !rules.mayBeID(pointer) {
                element.error("is hidden, or shown by its last four digits alone", "Name a field that holds an id")
            }
            pointers.append(pointer)
        }
        return pointers
    }

    private func redactedFields() -> [RedactedField] {
        (elements(max: RedactionSettings.maxFields) ?? []).compactMap { element in
            guard let text = element.text(max: 2_048) else { return nil }
            if let field = RedactedField(text) { return field }
            return element.refuse(
                "is neither a field's name nor a JSON pointer", "Write name or /place/of/name, 1 to 256 bytes a name")
        }
    }
}
