// A path to a field of a JSON body (RFC 6901), restricted to object members: array indexes have no use here.

/// A JSON pointer (RFC 6901) such as `/ledger/api_key`: one or more member names, compared un-escaped.
package struct JSONPointer: Equatable, Hashable, Sendable {
    /// The member names as UTF-8, with `~0` and `~1` resolved. 1 ... 8 of them.
    package let names: [[UInt8]]
    /// The pointer as the operator wrote it; safe to log.
    package let text: String

    /// Deepest pointer that is accepted.
    package static let maxDepth = 8

    /// Reads a pointer; nil where it does not begin with `/`, has an empty name, a bad `~` escape or more than
    /// `maxDepth` names.
    package init?(_ text: String) {
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var names: [[UInt8]] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let name = Self.unescape(part), !name.isEmpty else { return nil }
            names.append(name)
        }
        guard names.count <= Self.maxDepth else { return nil }
        self.names = names
        self.text = text
    }

    private static func unescape(_ part: Substring.UTF8View) -> [UInt8]? {
        var name: [UInt8] = []
        var bytes = part.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "~") else {
                name.append(byte)
                continue
            }
            switch bytes.next() {
            case UInt8(ascii: "0"): name.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): name.append(UInt8(ascii: "/"))
            default: return nil
            }
        }
        return name
    }
}
