// Where a running gateway has its configuration from, and has it from again: the file, the environment, the secrets.
// Relies on SettingsLoader. Refuses to take an edited configuration up when only secrets are to be read again: that is
// the operator's to say.

internal import HTTP

/// The source of a configuration and of its reloads. Used by one thread.
package final class ConfigurationSource {
    /// What is read again.
    package enum Scope: Sendable {
        case all
        /// Secrets and certificates, under the configuration that is in use.
        case secrets
    }

    /// The configuration's file, as the operator named it.
    package let path: String
    private let environment: Environment
    /// The text that is in use, and the one that was loaded last. It names secrets and holds none.
    private var used: [UInt8]?
    private var loaded: [UInt8]?

    package init(path: String, environment: Environment) {
        self.path = path
        self.environment = environment
    }

    /// Reads and checks it; settings only where nothing is wrong.
    package func load(_ scope: Scope = .all) -> (settings: Settings?, problems: [Problem]) {
        switch (scope, used) {
        case (.secrets, let text?): return load(text)
        case (.secrets, nil), (.all, _):
            guard let text = try? SettingsLoader.text(path: path) else {
                return SettingsLoader.load(path: path, environment: environment)
            }
            return load(Self.array(text.bytes))
        }
    }

    /// What was loaded last is in use.
    package func keep() { used = loaded }

    private static func array(_ text: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        for index in text.indices { bytes.append(text[index]) }
        return bytes
    }

    private func load(_ text: [UInt8]) -> (settings: Settings?, problems: [Problem]) {
        var (settings, problems) = SettingsLoader.load(text: text.span, name: path, environment: environment)
        settings?.files.configuration = path
        loaded = text
        return (settings, problems)
    }
}
