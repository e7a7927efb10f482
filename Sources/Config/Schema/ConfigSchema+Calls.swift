// The schema's mappings that say how a call is signed and where it goes.
// Relies on ConfigSchema.swift. Refuses nothing.

extension ConfigSchema {
    static let credential = SchemaObject(keys: [
        .required("username", .text(pattern: "[ !#-\\[\\]-~]{1,255}"), "The program's name in the signature."),
        .required("secret", secret, "Where the HMAC key is: file:/path, env:NAME or credential:NAME."),
        SchemaKey("next_secret", secret, "For a change of keys: tried when the upstream refuses the first."),
        SchemaKey(
            "algorithm", .words(["hmac-sha512", "hmac-sha256"]),
            "Default hmac-sha512; hmac-sha256 is for programs that were set up with it."),
        SchemaKey(
            "signed_headers", .text(pattern: "[!-~]+(?: [!-~]+)*"),
            "What is signed, in this order. Default: request-line x-date content-type content-sha512 content-length."),
        SchemaKey("api_key", .object(apiKey), "The program's API key. Default: none is added."),
        SchemaKey(
            "fields", .named(pattern: "(?:/(?:[^/~]|~[01])+){1,8}", .scalar, most: Field.maxFields),
            "JSON pointers and their values, spliced into a body where they are absent."),
    ])

    static let apiKey = SchemaObject(keys: [
        .required("value", secret, "Where the key is."),
        .required(
            "place", .either([.words(["header", "body", "both"]), pointer]),
            "header (api_key), body (/api_key), both, or a JSON pointer."),
    ])

    static let upstream = SchemaObject(keys: [
        .required(
            "url", .text(pattern: "[Hh][Tt][Tt][Pp][Ss]?://[^?#@]+"),
            "https://host[:port][/path]; a route's path is appended. http:// is for loopback addresses."),
        SchemaKey("plain", .flag, "Allows http:// to other addresses, with a warning. Default false."),
        SchemaKey(
            "product", .words(["banking", "ingopay", "problem"]),
            "The form of the gateway's own errors. Default problem."),
        SchemaKey("tls", .object(upstreamTLS), "For https only."),
        SchemaKey("timeouts", .object(timeouts), "Each is a bound in time."),
        SchemaKey("connections", .object(connections), "The pool, per worker."),
        SchemaKey("breaker", .object(breaker), "Stops asking an upstream that fails again and again. Default: none."),
        SchemaKey("resolve", .duration(1_000...3_600_000), "How long a resolved name is used. Default 30s."),
        SchemaKey(
            "pace", .either([.words(["none"]), .object(pace)]),
            "How fast calls are sent, per credential; none: as fast as callers send them. Default: 5/s, 5 at once."),
    ])

    static let upstreamTLS = SchemaObject(keys: [
        SchemaKey("ca_file", absolutePath, "The trusted authorities in PEM. Default: the system's."),
        SchemaKey(
            "server_name", .text(pattern: "[A-Za-z0-9._-]{1,253}"),
            "The name for SNI and the check of the certificate. Default: the url's host."),
    ])

    static let timeouts = SchemaObject(keys: [
        SchemaKey("connect", .duration(10...60_000), "Until a connection is there. Default 3s. Beyond: 504, not sent."),
        SchemaKey(
            "first_byte", .duration(10...600_000),
            "From the request's last byte to the answer's first. Default 75s. Beyond: 504 with lost_answer."),
        SchemaKey("idle", .duration(10...600_000), "Between two bytes. Default 30s. Beyond: as for a broken answer."),
        SchemaKey(
            "total", .duration(10...1_800_000),
            "From the request's head to the answer's last byte. Default 90s. Beyond: 504."),
    ])

    static let connections = SchemaObject(keys: [
        SchemaKey("max", .integer(1...10_000), "Connections of each worker. Default 64. Beyond: requests wait."),
        SchemaKey("max_waiting", .integer(0...100_000), "Requests that wait. Default 1024. Beyond: 503."),
        SchemaKey("keep_alive", .duration(0...600_000), "How long an idle connection is kept. Default 30s."),
    ])

    static let breaker = SchemaObject(keys: [
        SchemaKey("failures", .integer(1...10_000), "Failures in a row. Default 5. Then requests get 503 at once."),
        SchemaKey("open", .duration(100...600_000), "Until one request may try again. Default 5s."),
    ])

    static let pace = SchemaObject(keys: [
        SchemaKey("rate", .rate(1...1_000_000), "Calls in each period. Default 5/s."),
        SchemaKey("burst", .integer(1...1_000_000), "Calls at once after a rest. Default 5."),
        SchemaKey("concurrency", .integer(1...10_000), "Calls on their way at once. Default 5."),
        SchemaKey("queue", .integer(0...10_000), "Calls that wait. Default 100. Beyond: one is refused, not sent."),
        SchemaKey("max_wait", .duration(0...600_000), "How long a call waits. Default 10s. Beyond: refused at once."),
    ])

    static let route = SchemaObject(
        keys: [
            .required("name", name, "How log and messages call it; unique."),
            SchemaKey(
                "methods", .list(.words(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]), 1...7),
                "Default [POST]."),
            SchemaKey("path", .text(pattern: "/[^?# ]*"), "The whole path. This or prefix."),
            SchemaKey(
                "prefix", .text(pattern: "/[^?# ]*"), "The path's beginning at a segment's border. This or path."),
            .required("upstream", anyText, "A name from upstreams."),
            .required("credential", anyText, "A name from credentials."),
            SchemaKey("strip_prefix", .text(pattern: "/[^?# ]+"), "Removed from the path's front. Default: nothing."),
            SchemaKey(
                "kind", .words(["read", "tokenise", "create", "push", "pull"]), "What the call does. Default create."),
            SchemaKey(
                "lost_answer", .words(["assume-success", "assume-failure", "unknown"]),
                "What a caller is to assume when the answer was lost. Default: by kind."),
            SchemaKey(
                "product", .words(["banking", "ingopay", "problem"]),
                "The form of the gateway's own errors. Default: the upstream's."),
            SchemaKey(
                "idempotency", .object(idempotency),
                "Keeps a repeat from being carried out twice. Default: none. Needs store."),
            SchemaKey("redact", .object(redact), "What of the route's bodies a log may show."),
        ], alternatives: [["path"], ["prefix"]])

    /// A pointer to the key in a body, or a header's name.
    private static let keySource = SchemaShape.either([pointer, .text(pattern: "[A-Za-z0-9._-]{1,64}")])

    static let idempotency = SchemaObject(keys: [
        .required(
            "key", .either([keySource, .list(keySource, 1...2)]),
            "Where callers put their key: a JSON pointer, a header's name, or a list of at most two."),
        SchemaKey("required", .flag, "A request without a key gets 400. Default true."),
        SchemaKey("volatile", .list(pointer, 0...8), "Fields that may differ between repeats. Default: none."),
        SchemaKey(
            "on_unknown", .words(["resend", "refuse"]),
            "A repeat of a call that may have been carried out. Default refuse."),
        SchemaKey(
            "repeat_after", .duration(0...3_600_000),
            "How long after its loss a call is not sent again. Default 5s. Only with on_unknown: resend."),
        SchemaKey("wait", .duration(0...600_000), "How long an equal request waits for the first. Default 30s."),
        SchemaKey(
            "on_store_failure", .words(["refuse", "forward"]), "While the store cannot be asked. Default refuse."),
        SchemaKey(
            "on_error", .words(["unknown", "free", "final"]), "What a 5xx leaves behind. Default unknown."),
        SchemaKey("code", pointer, "The place of the code in an answer's body. Default: the HTTP status counts."),
        SchemaKey(
            "not_final",
            .list(.either([.integer(-999_999_999...999_999_999), .text(pattern: ".{1,64}")]), 0...32),
            "Codes of answers whose outcome is open: numbers, ranges such as 500-599, or texts. Needs code."),
    ])
}
