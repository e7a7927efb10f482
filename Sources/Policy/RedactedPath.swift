// Paths and single values as a log may show them. Callers write paths, and account numbers stand in some of them, so
// only what the configuration wrote itself is shown. Relies on the route's own pattern. Refuses everything else.

package import HTTP

extension ByteBuffer {
    /// Segments behind a route's prefix of which at least the existence is shown. Beyond: `/...`.
    package static let maxShownSegments = 8

    /// Appends the route's pattern, and `/*` for each segment of `path` behind a prefix. `path`: the target without its
    /// query, which is never shown. `match`: nil where no route took it.
    package mutating func appendRedactedPath(_ path: Span<UInt8>, match: PathMatch?) {
        var start = 0
        switch match {
        case .exact(let pattern):
            append(Array(pattern.utf8).span)
            return
        case .prefix(let pattern):
            let prefix = Array(pattern.utf8)
            // A prefix of `/` alone is the first slash of the path.
            let shown = prefix.last == UInt8(ascii: "/") ? prefix.count - 1 : prefix.count
            if spanHasPrefix(path, prefix.span) {
                append(prefix.span.extracting(0..<shown))
                start = shown
            }
        case nil: break
        }
        let segments = path.count(of: UInt8(ascii: "/"), from: start)
        for _ in 0..<min(segments, Self.maxShownSegments) { append("/*") }
        if segments > Self.maxShownSegments { append("/...") }
    }

    /// Appends what is shown of any other value that a caller wrote, such as a header's: its length, as a JSON string.
    package mutating func appendRedactedValue(length: Int) {
        append("\"<string:")
        appendDecimal(length)
        append(">\"")
    }
}
