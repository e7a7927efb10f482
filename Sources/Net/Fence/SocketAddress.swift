// Where a socket can be reached: IPv4, IPv6 or a Unix path, as a value that can be compared, sent and logged.
// Relies on inet_pton for literals. Refuses host names (the resolver's work) and paths that do not fit sockaddr_un.

internal import CShims

/// An address of a stream socket.
package struct SocketAddress: Equatable, Hashable, Sendable, CustomStringConvertible {
    enum Place: Equatable, Hashable, Sendable {
        case ipv4(UInt32)
        case ipv6(UInt64, UInt64, scope: UInt32)
        case unix(String)
    }
    let place: Place
    /// The port; 0 for a Unix path.
    package let port: UInt16

    init(place: Place, port: UInt16) {
        self.place = place
        self.port = port
    }

    /// From an address literal, such as `127.0.0.1`, `::1` or `[::1]`. Nil where it is not one.
    package init?(literal: String, port: UInt16) {
        var text = literal
        if text.hasPrefix("["), text.hasSuffix("]"), text.count > 2 { text = String(text.dropFirst().dropLast()) }
        guard !text.utf8.contains(0) else { return nil }
        var octets: [16 of UInt8] = .init(repeating: 0)
        // SAFETY: 16 octets are room for either form, and the text ends in a zero byte for the length of the call.
        var room = octets.mutableSpan
        let family = unsafe room.withUnsafeMutableBufferPointer { octets in
            guard let base = octets.baseAddress else { return 0 }
            if unsafe cs_ipv4_parse(text, base) == 1 { return 4 }
            return unsafe cs_ipv6_parse(text, base) == 1 ? 6 : 0
        }
        switch family {
        case 4: self.init(ipv4: octets, port: port)
        case 6: self.init(ipv6: octets, scope: 0, port: port)
        default: return nil
        }
    }

    /// A Unix socket's path: 1...107 bytes, none of them zero. Nil where it does not fit.
    package init?(unixPath: String) {
        let bytes = unixPath.utf8
        guard (1...Int(CS_UNIX_PATH_MAX)).contains(bytes.count), !bytes.contains(0) else { return nil }
        self.init(place: .unix(unixPath), port: 0)
    }

    private init(ipv4 octets: [16 of UInt8], port: UInt16) {
        var word: UInt32 = 0
        for i in 0..<4 { word = word << 8 | UInt32(octets[i]) }
        self.init(place: .ipv4(word), port: port)
    }

    private init(ipv6 octets: [16 of UInt8], scope: UInt32, port: UInt16) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for i in 0..<8 {
            high = high << 8 | UInt64(octets[i])
            low = low << 8 | UInt64(octets[i + 8])
        }
        self.init(place: .ipv6(high, low, scope: scope), port: port)
    }

    /// The same address with another port (the resolver's answers carry port 0).
    package func with(port: UInt16) -> SocketAddress { SocketAddress(place: place, port: port) }

    /// The path of a Unix address.
    package var unixPath: String? {
        if case .unix(let path) = place { path } else { nil }
    }

    /// True for `127.0.0.0/8`, `::1`, the IPv4-mapped form of the former, and Unix paths: bytes do not leave the
    /// machine.
    package var isLoopback: Bool {
        switch place {
        case .ipv4(let word): word >> 24 == 127
        case .ipv6(let high, let low, _): high == 0 && (low == 1 || low >> 24 == 0xFFFF7F)
        case .unix: true
        }
    }

    var family: Int32 {
        switch place {
        case .ipv4: CS_FAMILY_IPV4
        case .ipv6: CS_FAMILY_IPV6
        case .unix: CS_FAMILY_UNIX
        }
    }

    /// `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.
    package var description: String {
        switch place {
        case .ipv4: "\(host):\(port)"
        case .ipv6: "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The address without its port: `127.0.0.1`, `::1`, or the path.
    package var host: String {
        switch place {
        case .ipv4(let word): return "\(word >> 24).\(word >> 16 & 255).\(word >> 8 & 255).\(word & 255)"
        case .unix(let path): return path
        case .ipv6:
            let octets = octets
            var text: [46 of CChar] = .init(repeating: 0)
            var room = text.mutableSpan
            // SAFETY: 46 bytes hold the longest form and its zero.
            return unsafe octets.span.withUnsafeBufferPointer { octets in
                unsafe room.withUnsafeMutableBufferPointer { text in
                    guard let from = octets.baseAddress, let to = text.baseAddress else { return "" }
                    return unsafe cs_ipv6_format(from, to) == 1 ? String(cString: to) : ""
                }
            }
        }
    }

    private var octets: [16 of UInt8] {
        var octets: [16 of UInt8] = .init(repeating: 0)
        switch place {
        case .ipv4(let word):
            for i in 0..<4 { octets[i] = UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32(i))) }
        case .ipv6(let high, let low, _):
            for i in 0..<8 {
                octets[i] = UInt8(truncatingIfNeeded: high >> (56 - 8 * UInt64(i)))
                octets[i + 8] = UInt8(truncatingIfNeeded: low >> (56 - 8 * UInt64(i)))
            }
        case .unix: break
        }
        return octets
    }

    /// Calls `body` with a `sockaddr` and its length.
    func withSockaddr<R>(_ body: (UnsafeRawPointer, UInt32) -> R) -> R {
        var storage: [16 of UInt64] = .init(repeating: 0)
        let octets = octets
        // SAFETY: 128 bytes are the size of sockaddr_storage (asserted in shims.c), and a Unix path was checked to fit.
        var room = storage.mutableSpan
        return unsafe room.withUnsafeMutableBufferPointer { storage in
            unsafe octets.span.withUnsafeBufferPointer { octets in
                guard let to = storage.baseAddress, let from = octets.baseAddress else { preconditionFailure("empty") }
                let length =
                    switch place {
                    case .ipv4: unsafe cs_sockaddr_ipv4(to, from, port)
                    case .ipv6(_, _, let scope): unsafe cs_sockaddr_ipv6(to, from, port, scope)
                    case .unix(let path): unsafe cs_sockaddr_unix(to, path, path.utf8.count)
                    }
                return unsafe body(UnsafeRawPointer(to), length)
            }
        }
    }

    /// From a `sockaddr` that the system filled. Nil for families that are not ours, and for unnamed Unix sockets.
    init?(sockaddr: UnsafeRawPointer) {
        let family = unsafe cs_sockaddr_family(sockaddr)
        guard family == CS_FAMILY_IPV4 || family == CS_FAMILY_IPV6 else { return nil }
        var octets: [16 of UInt8] = .init(repeating: 0)
        // SAFETY: the system filled a whole sockaddr of the family that it names.
        var room = octets.mutableSpan
        unsafe room.withUnsafeMutableBufferPointer { octets in
            unsafe cs_sockaddr_octets(sockaddr, octets.baseAddress)
        }
        let port = unsafe cs_sockaddr_port(sockaddr)
        if family == CS_FAMILY_IPV4 {
            self.init(ipv4: octets, port: port)
        } else {
            self.init(ipv6: octets, scope: unsafe cs_sockaddr_scope(sockaddr), port: port)
        }
    }

    /// Asks the system for an address through `call` (getsockname, getpeername).
    static func asked(_ call: (UnsafeMutableRawPointer, UnsafeMutablePointer<UInt32>) -> Int32) -> SocketAddress? {
        var storage: [16 of UInt64] = .init(repeating: 0)
        var length = UInt32(CS_SOCKADDR_SIZE)
        // SAFETY: 128 bytes are room for any address; `length` says so to the system.
        var room = storage.mutableSpan
        return unsafe room.withUnsafeMutableBufferPointer { storage in
            guard let to = storage.baseAddress, unsafe call(UnsafeMutableRawPointer(to), &length) >= 0 else {
                return nil
            }
            return unsafe SocketAddress(sockaddr: UnsafeRawPointer(to))
        }
    }
}
