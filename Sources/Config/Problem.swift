// What is wrong with a configuration, where, and what to do about it.
// Relies on nothing. Refuses to carry values: a message names keys, units and bounds, never what a secret key held.

/// One finding in a configuration file.
package struct Problem: Equatable, Sendable {
    /// Whether the configuration can be used all the same.
    package enum Severity: Equatable, Sendable {
        case error, warning
    }

    package var severity: Severity
    /// The file as the operator named it.
    package var file: String
    /// From 1; 0 where the file as a whole is meant (it cannot be read).
    package var line: Int
    /// From 1, in characters; 0 where the file as a whole is meant.
    package var column: Int
    /// The key's path, for example `routes[2].methods`; empty for the file as a whole.
    package var path: String
    /// What is wrong, without a full stop.
    package var message: String
    /// What to do, without a full stop; empty where the message says it.
    package var remedy: String

    package init(
        severity: Severity, file: String, line: Int, column: Int, path: String, message: String, remedy: String
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
        self.remedy = remedy
    }

    /// `file:line:col: `, with which `text` begins.
    package var place: String { line > 0 ? "\(file):\(line):\(column): " : "\(file): " }

    /// `file:line:col: path: message. Remedy.`, the form editors jump to.
    package var text: String {
        var text = place
        if !path.isEmpty { text += "\(path): " }
        text += "\(message)."
        if !remedy.isEmpty { text += remedy.hasSuffix("?") ? " \(remedy)" : " \(remedy)." }
        return text
    }
}
