// Reading an upstream's URL by hand: scheme, host, port and base path.
// Relies on AddressLiteral. Refuses what a base URL has no use for (userinfo, query, fragment) and paths that the
// upstream might read in another way than we do (dot segments, empty segments).

/// The parts of `https://host:port/path`.
struct UpstreamURL: Equatable {
    var isTLS: Bool
    /// A name in lower case or a literal address, without brackets.
    var host: String
    var port: UInt16
    /// Without a final slash; empty or beginning with `/`.
    var path: String
    /// For `Host`: the host, in brackets if IPv6, and the port where it is not the scheme's.
    var authority: String

    /// Whether plain HTTP cannot leave the machine.
    var isLoopback: Bool { host == "localhost" || AddressLiteral(host)?.isLoopback == true }

    /// What is wrong with a URL, for the operator.
    struct Problem: Error, Equatable {
        var message: String
        var remedy: String

        init(_ message: String, _ remedy: String) {
            self.message = message
            self.remedy = remedy
        }
    }

    init(_ text: String) throws(Problem) {
        let lower = text.prefix(8).lowercased()
        let schemes = ["https://": true, "http://": false]
        guard let scheme = schemes.first(where: { lower.hasPrefix($0.key) }) else {
            throw Problem("has no scheme", "Write https://host/path")
        }
        isTLS = scheme.value
        let rest = text.dropFirst(scheme.key.count)
        guard !rest.contains("?") else { throw Problem("has a query", "Remove everything from the ? on") }
        guard !rest.contains("#") else { throw Problem("has a fragment", "Remove everything from the # on") }
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        guard !rest[..<end].contains("@") else {
            throw Problem("has a user or password", "Remove everything up to the @")
        }
        let (host, port) = try Self.hostAndPort(rest[..<end])
        self.host = host
        self.port = port ?? (isTLS ? 443 : 80)
        var path = String(rest[end...])
        if path.hasSuffix("/") { path.removeLast() }
        if !path.isEmpty, let problem = pathProblem(path, mayEndWithSlash: false) {
            throw Problem(problem.message, problem.remedy)
        }
        self.path = path
        authority = host.contains(":") ? "[\(host)]" : host
        if self.port != (isTLS ? 443 : 80) { authority += ":\(self.port)" }
    }

    private static func hostAndPort(_ text: Substring) throws(Problem) -> (String, UInt16?) {
        var host = text
        var port: UInt16?
        let bracket = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[bracket...].lastIndex(of: ":") {
            port = portNumber(text[text.index(after: colon)...], from: 1)
            guard port != nil else { throw Problem("has a bad port", "Write a port from 1 to 65535") }
            host = text[..<colon]
        }
        if host.hasPrefix("[") && host.hasSuffix("]") {
            let inner = String(host.dropFirst().dropLast())
            guard let literal = AddressLiteral(inner), literal.isIPv6 else {
                throw Problem("has a bad IPv6 address", "Write it as in https://[::1]/path")
            }
            return (inner.lowercased(), port)
        }
        let name = host.lowercased()
        guard isHostName(name) else { throw Problem("has no usable host", "Write https://host/path") }
        return (name, port)
    }
}

/// A DNS name (RFC 1123 section 2.1, and `_`, which container networks use) or an IPv4 literal.
func isHostName(_ name: String) -> Bool {
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...253).contains(name.utf8.count), let last = labels.last else { return false }
    if last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return AddressLiteral(name) != nil }
    return labels.allSatisfy { label in
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy { isNameByte($0) }
    }
}

/// What is wrong with a path in its encoded form; nil for nothing. `/` alone is always accepted.
func pathProblem(_ path: String, mayEndWithSlash: Bool) -> (message: String, remedy: String)? {
    guard path.hasPrefix("/") else { return ("does not begin with /", "Write /path") }
    guard path.utf8.allSatisfy({ isPathByte($0) }), hasWholeEscapes(path) else {
        return ("has a character that no path has", "Write it percent-encoded, without query and fragment")
    }
    var segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    if path == "/" || (mayEndWithSlash && path.hasSuffix("/")) { segments.removeLast() }
    for segment in segments {
        let plain = segment.lowercased().split(separator: "%2e", omittingEmptySubsequences: false).joined(
            separator: ".")
        if plain == "." || plain == ".." { return ("has a dot segment", "Write the path that is meant") }
        if plain.isEmpty { return ("has an empty segment or a final slash", "Write single slashes between segments") }
    }
    return nil
}

/// `pchar` and `/` (RFC 3986 section 3.3).
private func isPathByte(_ byte: UInt8) -> Bool {
    isNameByte(byte) || "/~!$&'()*+,;=:@%".utf8.contains(byte)
}

/// Whether each `%` has its two hexadecimal digits.
private func hasWholeEscapes(_ path: String) -> Bool {
    let parts = path.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false).dropFirst()
    return parts.allSatisfy { part in
        part.count >= 2
            && part.prefix(2).allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
                default: false
                }
            }
    }
}
