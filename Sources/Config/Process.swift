// The keys about the process itself: `user`, `group`, `hardening`, `reload_on_change`.
// Relies on the system's accounts being looked up where they are used, so that `check` runs anywhere. Refuses a group
// without a user: it would leave root's other rights in place.

/// What the process does to itself before it takes calls, and when it reads its files again.
package struct ProcessSettings: Equatable, Sendable {
    /// Which files are read again when they change, without a signal.
    package enum ReloadOnChange: String, CaseIterable, Sendable {
        case none
        /// Secrets, and listeners' certificates, under the configuration in use.
        case secrets
        /// The configuration, too.
        case all
    }

    /// Whom the process becomes once its listeners are bound, by name or number; nil: whoever it is.
    package var user: String?
    /// Its group; nil: the user's own.
    package var group: String?
    /// Only the system calls that a gateway makes are left.
    package var hasSeccomp = true
    /// Only the files that the configuration names are left.
    package var hasLandlock = true
    package var reloadOnChange = ReloadOnChange.secrets

    package init() {}
}

/// Which files a configuration was read from.
package struct ConfigurationFiles: Equatable, Sendable {
    /// The configuration itself; nil where it came from memory.
    package var configuration: String?
    /// Files of secrets and of listeners' certificates and keys.
    package var secrets: [String] = []
    /// Files of trusted authorities.
    package var trust: [String] = []

    package init() {}

    mutating func note(secret path: String) { if !secrets.contains(path) { secrets.append(path) } }
    mutating func note(trust path: String) { if !trust.contains(path) { trust.append(path) } }
}

extension Field {
    /// The keys of the top level that are about the process; what is wrong in them was reported.
    static func process(_ root: Mapping) -> ProcessSettings {
        var settings = ProcessSettings()
        settings.user = root["user"]?.accountName()
        settings.group = root["group"]?.accountName()
        if root["group"] != nil && root["user"] == nil {
            root["group"]?.error("has no effect without user", "Write user as well, or remove the key")
        }
        if let keys = root["hardening"]?.mapping(Vocabulary.hardening) {
            settings.hasSeccomp = keys["seccomp"]?.boolean() ?? true
            settings.hasLandlock = keys["landlock"]?.boolean() ?? true
        }
        if let word = root["reload_on_change"]?.word(ProcessSettings.ReloadOnChange.self) {
            settings.reloadOnChange = word
        }
        return settings
    }

    /// A name of useradd(8), or a number below the one that means "no one".
    private func accountName() -> String? {
        guard let text = text(max: 32) else { return nil }
        let isName = text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "$") }
        let isDigits = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isName, !isDigits || UInt32(text).map({ $0 != .max }) == true else {
            return refuse("is not a user or group", "Write its name or its number")
        }
        return text
    }
}
