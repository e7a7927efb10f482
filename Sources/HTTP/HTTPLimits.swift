// How much of a message is taken before it is refused. Config fills this from the key `limits`.

/// Bounds on one HTTP/1.1 message. Every count is in bytes unless it says otherwise; what happens at each bound is said
/// beside it.
package struct HTTPLimits: Equatable, Sendable {
    /// Whole request or response head with its final CRLF. Default 16 KiB, range 1 KiB ... 256 KiB. Beyond: 431 to a
    /// caller, 502 for an upstream.
    package var maxHead = 16 * 1024
    /// Start line without CRLF. Default 8 KiB, range 256 B ... `maxHead`. Beyond: 414.
    package var maxLine = 8 * 1024
    /// Number of fields in a head, and of fields in a trailer. Default 100, range 8 ... 1000. Beyond: 431 / 502.
    package var maxFields = 100
    /// Body after removal of the transfer coding. Default 1 MiB, range 1 KiB ... 64 MiB. Beyond: 413.
    package var maxBody = 1024 * 1024
    /// Depth of nesting of a JSON body. Default 64, range 1 ... 512. Beyond: 400.
    package var maxJSONDepth = 64
    /// Bytes of a chunk-size line with its extension (without CR LF), and of all trailer lines together (with theirs).
    /// Default 256 B, range 16 B ... 4 KiB. Beyond: 400 / 502.
    package var maxChunkLine = 256

    package init() {}
}
