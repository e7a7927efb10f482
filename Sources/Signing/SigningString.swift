// Reading header lines of a finished head: for signed headers of the caller's, and for `verify`, which reads a captured
// request. Relies on lines that end with LF, with or without CR before it. Refuses nothing; what is not there is nil.

internal import HTTP

/// Finds header lines in a head.
package enum HeaderLines {
    /// The value of the first header called `name` (lower case) in a line that begins at `from` or later, without white
    /// space at its ends.
    package static func find(_ name: String, in head: Span<UInt8>, from: Int) -> Range<Int>? {
        var at = from
        while at < head.count {
            var end = at
            while end < head.count && head[end] != UInt8(ascii: "\n") { end += 1 }
            if let value = value(of: name, in: head, line: at..<end) { return value }
            at = end + 1
        }
        return nil
    }

    private static func value(of name: String, in head: Span<UInt8>, line: Range<Int>) -> Range<Int>? {
        var at = line.lowerBound
        for byte in name.utf8 {
            guard at < line.upperBound, lower(head[at]) == byte else { return nil }
            at += 1
        }
        guard at < line.upperBound, head[at] == UInt8(ascii: ":") else { return nil }
        at += 1
        var end = line.upperBound
        while at < end && isSpace(head[at]) { at += 1 }
        while end > at && isSpace(head[end - 1]) { end -= 1 }
        return at..<end
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}

/// The string to sign as a verifier builds it from a request that it received (Kong hmac-auth).
package enum SigningString {
    /// Builds the string for `names` (lower case, `request-line` among them) from a whole head.
    package static func build(_ names: [String], from head: Span<UInt8>) -> [UInt8] {
        var string = ByteBuffer(capacity: 1_024)
        var lineEnd = 0
        while lineEnd < head.count && head[lineEnd] != UInt8(ascii: "\n") { lineEnd += 1 }
        let fieldsStart = min(lineEnd + 1, head.count)
        if lineEnd > 0 && head[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
        for (index, name) in names.enumerated() {
            if index > 0 { string.append(byte: UInt8(ascii: "\n")) }
            if name == "request-line" {
                string.append(head.extracting(0..<lineEnd))
            } else {
                appendLine(name, of: head, from: fieldsStart, to: &string)
            }
        }
        return string.copied()
    }

    /// Appends `name: value`, or `name:` where the header is absent.
    static func appendLine(_ name: String, of head: Span<UInt8>, from: Int, to string: inout ByteBuffer) {
        for byte in name.utf8 { string.append(byte: byte) }
        string.append(byte: UInt8(ascii: ":"))
        guard let value = HeaderLines.find(name, in: head, from: from) else { return }
        string.append(byte: UInt8(ascii: " "))
        string.append(head.extracting(value))
    }
}
