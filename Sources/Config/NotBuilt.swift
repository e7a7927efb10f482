// The one list of what the configuration names and this version does not do. A later version takes its keys from here.
// A key that promises protection is refused, since an operator would rely on it; one without such a promise is checked
// and warned of.

/// Keys whose feature is not in this version.
enum NotBuilt {
    static let rootKeys = ["admin"]

    /// Reads the keys of the file's top level.
    static func read(root: Mapping) {
        if let admin = root["admin"] {
            if let bind = admin.mapping(Vocabulary.admin)?.required("bind", "Write bind: \"127.0.0.1:9901\"") {
                _ = bind.bindAddress()
            }
            withoutEffect(admin)
        }
    }

    private static func withoutEffect(_ field: Field) {
        field.warn("has no effect in this version", "Remove the key, or leave it for a later version")
    }
}
