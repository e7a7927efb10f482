// Every key that a configuration may hold, by the mapping it stands in.
// The readers take their keys from here, and a test holds conf/countersign.yaml to the same list.

/// The keys of each mapping.
package enum Vocabulary {
    package static let root =
        [
            "listeners", "workers", "credentials", "upstreams", "routes", "callers", "quotas", "limits", "store", "log",
            "user", "group", "hardening", "reload_on_change", "admin",
        ]
    package static let listener = ["name", "bind", "mode", "owner", "group", "unsafe_bind", "tls"]
    package static let listenerTLS = ["certificate", "key", "client_ca", "client_certificate"]
    package static let credential = [
        "username", "secret", "next_secret", "algorithm", "signed_headers", "api_key", "fields",
    ]
    package static let apiKey = ["value", "place"]
    package static let upstream = [
        "url", "plain", "product", "tls", "timeouts", "connections", "breaker", "resolve", "pace",
    ]
    package static let tls = ["ca_file", "server_name"]
    package static let timeouts = ["connect", "first_byte", "idle", "total"]
    package static let connections = ["max", "max_waiting", "keep_alive"]
    package static let breaker = ["failures", "open"]
    package static let pace = ["rate", "burst", "concurrency", "queue", "max_wait"]
    package static let route = [
        "name", "methods", "path", "prefix", "upstream", "credential", "strip_prefix", "kind", "lost_answer",
        "product", "idempotency", "redact",
    ]
    package static let idempotency = [
        "key", "required", "volatile", "on_unknown", "repeat_after", "wait", "on_store_failure", "on_error", "code",
        "not_final",
    ]
    package static let caller = ["uid", "gid", "token", "certificate", "routes"]
    package static let quota = ["name", "per", "rate", "burst", "report_only"]
    package static let limits = [
        "max_body", "max_head", "max_line", "max_headers", "max_json_depth", "max_connections", "head_timeout",
        "body_timeout", "keep_alive", "write_timeout", "relay_buffer", "drain", "max_buffered", "quota_headers",
        "quota_keys",
    ]
    package static let admin = ["bind", "mode", "owner", "group", "unsafe_bind"]
    package static let hardening = ["seccomp", "landlock"]
    package static let store = [
        "kind", "path", "key", "previous_keys", "retention", "unknown_retention", "max_keys", "max_size", "max_answer",
        "max_waiting", "max_questions", "timeout",
    ]
    package static let log = ["path", "requests", "correlation", "ids", "buffer", "bodies", "body_limit"]
    package static let redact = ["as", "show", "hide", "ids"]

    /// All of the above.
    package static let all = [
        root, listener, listenerTLS, credential, apiKey, upstream, tls, timeouts, connections, breaker, pace, route,
        idempotency, caller, quota, limits, admin, store, log, redact, hardening,
    ]
}
