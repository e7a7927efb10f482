// The key `limits`: how much is taken before it is refused, and how long is waited.
// Relies on the ranges that HTTPLimits, ConnectionLimits and LimitTable promise to other rooms; this is where they are kept.

internal import HTTP
internal import Policy

extension Field {
    /// Both kinds of limits; what is absent or wrong keeps its default.
    func limits() -> (http: HTTPLimits, connections: ConnectionLimits) {
        guard let keys = mapping(Vocabulary.limits) else { return (HTTPLimits(), ConnectionLimits()) }
        return (httpLimits(keys), connectionLimits(keys))
    }

    private func httpLimits(_ keys: Mapping) -> HTTPLimits {
        var limits = HTTPLimits()
        if let bytes = keys["max_body"]?.bytes(1_024...64 * 1_024 * 1_024) { limits.maxBody = bytes }
        if let bytes = keys["max_head"]?.bytes(1_024...256 * 1_024) { limits.maxHead = bytes }
        // A head that is set smaller takes the default line along; a line that was written must fit by itself.
        limits.maxLine = min(limits.maxLine, limits.maxHead)
        if let bytes = keys["max_line"]?.bytes(256...limits.maxHead) { limits.maxLine = bytes }
        if let count = keys["max_headers"]?.integer(8...1_000) { limits.maxFields = count }
        if let depth = keys["max_json_depth"]?.integer(1...512) { limits.maxJSONDepth = depth }
        return limits
    }

    private func connectionLimits(_ keys: Mapping) -> ConnectionLimits {
        var limits = ConnectionLimits()
        if let count = keys["max_connections"]?.integer(1...1_000_000) { limits.maxConnections = count }
        if let time = keys["head_timeout"]?.milliseconds(10...300_000) { limits.headTimeoutMilliseconds = time }
        if let time = keys["body_timeout"]?.milliseconds(10...1_800_000) { limits.bodyTimeoutMilliseconds = time }
        if let time = keys["keep_alive"]?.milliseconds(0...3_600_000) { limits.keepAliveMilliseconds = time }
        if let time = keys["write_timeout"]?.milliseconds(10...1_800_000) { limits.writeTimeoutMilliseconds = time }
        if let bytes = keys["relay_buffer"]?.bytes(4_096...1_024 * 1_024) { limits.relayBuffer = bytes }
        if let bytes = keys["max_buffered"]?.bytes(1_048_576...64 * 1_073_741_824) { limits.maxBuffered = bytes }
        if let time = keys["drain"]?.milliseconds(0...3_600_000) { limits.drainMilliseconds = time }
        if let word = keys["quota_headers"]?.word(QuotaHeaders.self) { limits.quotaHeaders = word }
        if let count = keys["quota_keys"]?.integer(LimitTable.capacities) { limits.quotaKeys = count }
        return limits
    }
}
