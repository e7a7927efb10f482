// The schema's mappings of bounds: limits, and the store.
// Relies on ConfigSchema.swift. Refuses nothing.

internal import Policy

extension ConfigSchema {
    static let limits = SchemaObject(keys: [
        SchemaKey("max_body", .size(1_024...64 << 20), "Bytes of a body. Default 1MiB. Beyond: 413."),
        SchemaKey("max_head", .size(1_024...256 << 10), "Bytes of a head. Default 16KiB. Beyond: 431."),
        SchemaKey("max_line", .size(256...256 << 10), "Bytes of a request line, at most max_head. Default 8KiB."),
        SchemaKey("max_headers", .integer(8...1_000), "Fields of a head. Default 100. Beyond: 431."),
        SchemaKey("max_json_depth", .integer(1...512), "Nesting of a JSON body. Default 64. Beyond: 400."),
        SchemaKey("max_connections", .integer(1...1_000_000), "Inbound connections. Default 10000."),
        SchemaKey("head_timeout", .duration(10...300_000), "For a whole head. Default 10s. Beyond: 408."),
        SchemaKey("body_timeout", .duration(10...1_800_000), "For a whole body. Default 30s. Beyond: 408."),
        SchemaKey("keep_alive", .duration(0...3_600_000), "For a connection without a request. Default 75s."),
        SchemaKey("write_timeout", .duration(10...1_800_000), "For a caller to take some bytes. Default 30s."),
        SchemaKey("relay_buffer", .size(4_096...1 << 20), "Bytes of an answer held for a slow caller. Default 64KiB."),
        SchemaKey("drain", .duration(0...3_600_000), "For calls in flight after the signal to stop. Default 30s."),
        SchemaKey("max_buffered", .size(1 << 20...64 << 30), "Bytes of bodies held. Default 512MiB. Beyond: 503."),
        SchemaKey(
            "quota_headers", .words(["refusals", "always"]), "Which answers carry RateLimit. Default refusals."),
        SchemaKey("quota_keys", .integer(LimitTable.capacities), "Counts of quotas that are kept. Default 100000."),
    ])

    static let store = SchemaObject(keys: [
        .required("kind", .words(["sqlite", "memory"]), "sqlite: a file. memory: for tests."),
        SchemaKey("path", absolutePath, "The file. Required for sqlite, refused for memory."),
        SchemaKey("key", secret, "What hashes and answers depend on. Required for sqlite."),
        SchemaKey("previous_keys", .list(secret, 0...Field.maxPreviousKeys), "Keys of before. Default: none."),
        SchemaKey(
            "retention", .duration(60_000...34_560_000_000), "How long a key with an outcome is kept. Default 24h."),
        SchemaKey(
            "unknown_retention", .duration(60_000...34_560_000_000),
            "How long a key of unknown outcome is kept. Default 30d."),
        SchemaKey("max_keys", .integer(1...1_000_000_000), "Keys that are kept. Default 5000000. Beyond: 503."),
        SchemaKey("max_size", .size(1 << 20...1 << 40), "Bytes of the file. Default 4GiB."),
        SchemaKey("max_answer", .size(0...16 << 20), "Bytes of an answer that is kept. Default 256KiB."),
        SchemaKey("max_waiting", .integer(0...1_000_000), "Equal requests that wait. Default 10000. Beyond: 409."),
        SchemaKey("max_questions", .integer(1...1_000_000), "Questions that wait for the store. Default 65536."),
        SchemaKey("timeout", .duration(10...60_000), "How long an answer of the store is waited for. Default 5s."),
    ])
}
