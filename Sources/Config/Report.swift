// Where all readers put what they find, so that the operator sees every problem at once.
// Relies on one loader at a time using it: it lives for one call of `SettingsLoader.load`.

/// The findings on one file, and what its references may be resolved with.
final class Report {
    /// The file as the operator named it.
    let file: String
    /// The process's environment, for `env:` and `credential:`.
    let environment: Environment
    private(set) var problems: [Problem] = []
    /// What was read so far, or looked at for others to read.
    var files = ConfigurationFiles()

    init(file: String, environment: Environment) {
        self.file = file
        self.environment = environment
    }

    /// Whether the configuration must be refused.
    var hasErrors: Bool { problems.contains { $0.severity == .error } }

    func error(_ place: Place?, _ path: String, _ message: String, _ remedy: String) {
        add(.error, place, path, message, remedy)
    }

    func warn(_ place: Place?, _ path: String, _ message: String, _ remedy: String) {
        add(.warning, place, path, message, remedy)
    }

    /// All findings in the file's order; those of one place in the order in which they were found.
    var sorted: [Problem] {
        problems.enumerated()
            .sorted {
                ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
            }
            .map(\.element)
    }

    private func add(_ severity: Problem.Severity, _ place: Place?, _ path: String, _ message: String, _ remedy: String)
    {
        problems.append(
            Problem(
                severity: severity, file: file, line: place?.line ?? 0, column: place?.column ?? 0, path: path,
                message: message, remedy: remedy))
    }
}
