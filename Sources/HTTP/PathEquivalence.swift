// Paths that differ in bytes and mean the same (RFC 3986 section 6.2.2.2): `%75sers` is `users` to most upstreams.
// The gateway sends bytes as they came, but must not let the spelling choose the route.

/// The path with percent-encoded unreserved characters decoded; nil where it has none. Allocates; called only for paths
/// that have a `%`.
package func decodingUnreserved(_ path: Span<UInt8>) -> [UInt8]? {
    guard path.first(UInt8(ascii: "%"), from: 0, to: path.count) != nil else { return nil }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(path.count)
    var changed = false
    var at = 0
    while at < path.count {
        if path[at] == UInt8(ascii: "%"), at + 2 < path.count, let high = ASCII.hexValue(path[at + 1]),
            let low = ASCII.hexValue(path[at + 2]), ByteSet.hostName.contains(high << 4 | low)
        {
            decoded.append(high << 4 | low)
            changed = true
            at += 3
        } else {
            decoded.append(path[at])
            at += 1
        }
    }
    return changed ? decoded : nil
}
