// Telling literal IP addresses from names, by the system's own reader.
// Relies on inet_pton. Refuses short forms (127.1), octal parts and zone names, as inet_pton does.

internal import Glibc

/// A literal IP address.
struct AddressLiteral: Equatable {
    /// 4 bytes for IPv4, 16 for IPv6, in network order.
    let bytes: [UInt8]

    /// Reads `127.0.0.1` or `::1`, without brackets; nil for all else.
    init?(_ text: String) {
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var storage = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let family = isIPv6 ? AF_INET6 : AF_INET
        // SAFETY: inet_pton writes 4 bytes for AF_INET and 16 for AF_INET6, as many as there are.
        let result = unsafe storage.withUnsafeMutableBytes { unsafe inet_pton(family, text, $0.baseAddress) }
        guard result == 1 else { return nil }
        bytes = storage
    }

    var isIPv6: Bool { bytes.count == 16 }

    /// 127.0.0.0/8, ::1, and the former mapped into IPv6.
    var isLoopback: Bool {
        guard isIPv6 else { return bytes[0] == 127 }
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 127]
        return bytes == [UInt8](repeating: 0, count: 15) + [1] || bytes.starts(with: mapped)
    }
}
