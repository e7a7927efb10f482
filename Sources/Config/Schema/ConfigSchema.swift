// The schema of a configuration: what `countersign schema` prints and editors check and complete by.
// Relies on SchemaShape for the forms; the keys of each mapping are those of Vocabulary, which a test compares. Refuses
// nothing: what keys say together (references, files, overlaps) is found by `countersign check` only.

/// The configuration's JSON Schema (draft 2020-12).
package enum ConfigSchema {
    /// The schema as JSON text, with a newline at its end.
    package static var text: String {
        let head: [(String, SchemaJSON)] = [
            ("$schema", "https://json-schema.org/draft/2020-12/schema"),
            ("title", "Countersign's configuration"),
            ("description", "Checked in full by: countersign check --config FILE"),
        ]
        guard case .object(let members) = root.json else { preconditionFailure("a schema is an object") }
        return SchemaJSON.object(head + members).written() + "\n"
    }

    /// All mappings by the list of Vocabulary that they are to have the keys of.
    package static var mappings: [(keys: [String], expected: [String])] {
        [
            (root, Vocabulary.root), (listener, Vocabulary.listener), (listenerTLS, Vocabulary.listenerTLS),
            (credential, Vocabulary.credential), (apiKey, Vocabulary.apiKey), (upstream, Vocabulary.upstream),
            (upstreamTLS, Vocabulary.tls), (timeouts, Vocabulary.timeouts), (connections, Vocabulary.connections),
            (breaker, Vocabulary.breaker), (pace, Vocabulary.pace), (route, Vocabulary.route),
            (idempotency, Vocabulary.idempotency), (caller, Vocabulary.caller), (quota, Vocabulary.quota),
            (limits, Vocabulary.limits), (admin, Vocabulary.admin), (store, Vocabulary.store), (log, Vocabulary.log),
            (redact, Vocabulary.redact), (hardening, Vocabulary.hardening),
        ].map { ($0.0.keys.map(\.name), $0.1) }
    }

    private static let address = "unix:/.{0,106}|[0-9.]+:[0-9]{1,5}|\\[[0-9a-fA-F:.]+\\]:[0-9]{1,5}"
    static let name = SchemaShape.text(pattern: "[A-Za-z0-9._-]{1,64}")
    static let anyText = SchemaShape.text(pattern: "[^\\u0000-\\u001f\\u007f]+")
    static let absolutePath = SchemaShape.text(pattern: "/[^\\u0000-\\u001f\\u007f]*")
    private static let account = SchemaShape.text(pattern: "[A-Za-z0-9._$-]{1,32}")
    static let secret = SchemaShape.text(pattern: "file:/.*|env:.+|credential:[A-Za-z0-9._-]+")
    /// RFC 6901; at most eight names.
    static let pointer = SchemaShape.text(pattern: "(?:/(?:[^/~]|~[01])+){1,8}")

    static let root = SchemaObject(keys: [
        .required("listeners", .list(.object(listener), 1...64), "Where callers reach the gateway."),
        SchemaKey("workers", .integer(1...256), "Threads that serve requests. Default: one per core."),
        .required(
            "credentials", .named(pattern: "[A-Za-z0-9._-]{1,64}", .object(credential), most: 256),
            "What calls are signed with, by a name that routes refer to."),
        .required(
            "upstreams", .named(pattern: "[A-Za-z0-9._-]{1,64}", .object(upstream), most: 256),
            "Where signed calls go, by a name that routes refer to."),
        .required(
            "routes", .list(.object(route), 1...Field.maxRoutes),
            "Which call goes where; the first that matches wins."),
        SchemaKey(
            "callers", .named(pattern: "[A-Za-z0-9._-]{1,64}", .object(caller), most: CallerSettings.maxCallers),
            "Who may call, by name. Default: whoever reaches a listener."),
        SchemaKey("quotas", .list(.object(quota), 1...8), "How much callers may send. Beyond: 429, nothing sent."),
        SchemaKey("limits", .object(limits), "How much is taken, and how long is waited."),
        SchemaKey("store", .object(store), "Where idempotency keys and answers are kept."),
        SchemaKey("admin", .object(admin), "The listener for health, metrics and state."),
        SchemaKey("log", .object(log), "The log, one line per call."),
        SchemaKey(
            "user", account, "Whom the process becomes once its listeners are bound. Default: whoever starts it."),
        SchemaKey("group", account, "Its group; only with user. Default: the user's own."),
        SchemaKey("hardening", .object(hardening), "What the process gives up before it takes calls."),
        SchemaKey(
            "reload_on_change", .words(["none", "secrets", "all"]),
            "Which files are read again when they change. Default secrets."),
    ])

    static let listener = SchemaObject(keys: [
        .required("name", name, "How log and messages call it; unique."),
        .required(
            "bind", .text(pattern: address + "|fd:[A-Za-z0-9._-]{1,64}"),
            "127.0.0.1:8080, [::1]:8080, unix:/path, or fd:NAME for a socket that systemd passes."),
        SchemaKey("mode", .text(pattern: "0[0-7]{3}"), "A Unix socket's file mode, in quotes. Default: the umask's."),
        SchemaKey(
            "owner", .text(pattern: "[^\\u0000-\\u001f\\u007f]{1,64}"),
            "Who a Unix socket is given to. Default: the gateway's user."),
        SchemaKey(
            "group", .text(pattern: "[^\\u0000-\\u001f\\u007f]{1,64}"),
            "The group of a Unix socket. Default: the gateway's."),
        SchemaKey("unsafe_bind", .flag, "An address that others on the network can reach is meant. Default false."),
        SchemaKey("tls", .object(listenerTLS), "Callers speak TLS 1.2 or 1.3 to this listener. Default: without."),
    ])

    static let listenerTLS = SchemaObject(keys: [
        .required("certificate", absolutePath, "The gateway's certificate chain in PEM, its own first."),
        .required(
            "key", .text(pattern: "/.*|file:/.*|credential:[A-Za-z0-9._-]+"),
            "The certificate's private key in PEM; nobody else may read the file."),
        SchemaKey("client_ca", absolutePath, "The authorities of callers' certificates. Default: none is asked for."),
        SchemaKey(
            "client_certificate", .words(["required", "optional"]),
            "What becomes of a caller without a certificate. Default required: its connection ends."),
    ])

    static let caller = SchemaObject(
        keys: [
            SchemaKey("uid", .integer(0...4_294_967_294), "The process's user on a Unix socket."),
            SchemaKey("gid", .integer(0...4_294_967_294), "The process's group on a Unix socket."),
            SchemaKey("token", secret, "Where the bearer token is."),
            SchemaKey(
                "certificate", .text(pattern: "spki:[A-Za-z0-9+/]{43}=|cn:.{1,64}|[^:]{1,64}"),
                "Of a client certificate: spki: and the SHA-256 of its key in Base64, or its common name."),
            SchemaKey("routes", .list(anyText, 1...Field.maxRoutes), "Routes that it may use. Default: all."),
        ], alternatives: [["uid", "gid"], ["token"], ["certificate"]])

    static let quota = SchemaObject(keys: [
        .required("name", name, "Callers see it in RateLimit-Policy; unique."),
        .required(
            "per", .list(.words(["caller", "route", "credential", "method"]), 0...4),
            "What has a count of its own; [] for one count of all requests."),
        .required("rate", .rate(1...1_000_000), "Requests in each period."),
        SchemaKey("burst", .integer(1...1_000_000), "Requests at once after a rest. Default: the number in rate."),
        SchemaKey("report_only", .flag, "Counts and says what it would have refused. Default false."),
    ])

    static let admin = SchemaObject(keys: [
        .required("bind", .text(pattern: address), "127.0.0.1:9901, [::1]:9901 or unix:/path."),
        SchemaKey("mode", .text(pattern: "0[0-7]{3}"), "Octal mode of a Unix socket. Default 0660."),
        SchemaKey(
            "owner", .text(pattern: "[^\\u0000-\\u001f\\u007f]{1,64}"),
            "Who a Unix socket is given to. Default: the gateway's user."),
        SchemaKey(
            "group", .text(pattern: "[^\\u0000-\\u001f\\u007f]{1,64}"),
            "The group of a Unix socket. Default: the gateway's."),
        SchemaKey("unsafe_bind", .flag, "An address that others on the network can reach is meant. Default false."),
    ])

    static let log = SchemaObject(keys: [
        SchemaKey(
            "path", .either([.words(["-"]), absolutePath]), "\"-\" for standard output, or a file. Default \"-\"."),
        SchemaKey("requests", .words(["all", "errors", "off"]), "Which requests have a line. Default all."),
        SchemaKey(
            "correlation", .words(["hashed", "plain"]),
            "How a line names the caller's idempotency key. Default hashed."),
        SchemaKey(
            "ids", .words(["none", "hashed", "plain"]),
            "How a line shows the ids in both bodies. Default plain: where they are known to be harmless."),
        SchemaKey(
            "buffer", .size(64 << 10...64 << 20),
            "Bytes of lines per worker that may wait. Default 1MiB. Beyond: lines are dropped and counted."),
        SchemaKey("bodies", .words(["off", "redacted"]), "Whether lines have bodies, redacted. Default off."),
        SchemaKey("body_limit", .size(512...64 << 10), "Bytes of a redacted body in a line. Default 4KiB."),
    ])

    static let redact = SchemaObject(keys: [
        SchemaKey(
            "as", .words(["banking", "ingopay", "notify", "iframe", "problem"]),
            "Whose fields the bodies have. Default: the product's."),
        SchemaKey("show", .list(redacted, 0...32), "Further fields that are shown: names, or JSON pointers."),
        SchemaKey("hide", .list(redacted, 0...32), "Fields of which nothing is shown."),
        SchemaKey("ids", .list(pointer, 1...4), "Further fields that are ids: JSON pointers."),
    ])
    private static let redacted = SchemaShape.text(pattern: "[^\\u0000-\\u001f\\u007f]+")

    static let hardening = SchemaObject(keys: [
        SchemaKey("seccomp", .flag, "Only the system calls that a gateway makes are left. Default true."),
        SchemaKey("landlock", .flag, "Only the files that the configuration names are left. Default true."),
    ])
}
