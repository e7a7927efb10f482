// The callers of a gateway under test: names, what each is known by, and its routes.
// Relies on Setup for the rest of the configuration. Refuses nothing: wrong settings are for the gateway to refuse.

import TestSupport

/// One caller of the key `callers`.
struct CallerSetup {
    enum Identity {
        /// A bearer token, which goes to a file as an operator's would.
        case token(String)
        /// YAML of the other kinds, such as `uid: 0`.
        case written(String)
    }

    var name: String
    var identity: Identity
    /// Names of routes; none: all routes.
    var routes: [String] = []

    /// The whole key, empty for no callers.
    static func text(_ callers: [CallerSetup], _ folder: TemporaryFolder) throws -> String {
        if callers.isEmpty { return "" }
        return try "callers:\n" + callers.map { try $0.text(folder) }.joined()
    }

    private func text(_ folder: TemporaryFolder) throws -> String {
        let known: String
        switch identity {
        case .token(let token): known = "token: \"file:\(try folder.write("token-" + name, token + "\n"))\""
        case .written(let text): known = text
        }
        let allowed = routes.isEmpty ? "" : "    routes: [\(routes.joined(separator: ", "))]\n"
        return "  \(name):\n    \(known)\n\(allowed)"
    }

    /// A caller with the token that `bearer` shows.
    static func withToken(_ name: String, routes: [String] = []) -> CallerSetup {
        CallerSetup(name: name, identity: .token(token(name)), routes: routes)
    }

    static func token(_ name: String) -> String { "test-token-of-\(name)-0123456789" }
}

/// The header line with the token of a caller made by `withToken`.
func bearer(_ name: String) -> String { "Authorization: Bearer \(CallerSetup.token(name))" }
