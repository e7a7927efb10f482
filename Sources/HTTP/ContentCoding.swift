// Which content codings a request body may have (RFC 9110 section 8.4.1). What is signed and sent is the JSON itself.

/// A coding that the gateway takes off a request body.
package enum ContentCoding: Equatable, Sendable {
    case gzip
    /// The zlib format (RFC 1950), as RFC 9110 defines the word; bare DEFLATE data is refused.
    case deflate

    /// The coding that a Content-Encoding names, in any case of letters; nil for all others, and for lists.
    package init?(_ value: Span<UInt8>) {
        if value.count == 4 && spanHasPrefix(value, ignoringCase: "gzip") {
            self = .gzip
        } else if value.count == 7 && spanHasPrefix(value, ignoringCase: "deflate") {
            self = .deflate
        } else {
            return nil
        }
    }
}

/// Why a compressed body cannot be taken.
package enum InflateFailure: Error, Equatable, Sendable {
    /// The body is longer than the limit; no byte beyond it was inflated.
    case tooLarge
    /// Not the announced format, a wrong checksum, an early end, or bytes behind the end (a second member included).
    case broken
}
