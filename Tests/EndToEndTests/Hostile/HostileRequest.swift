// What a hostile or odd request is: its bytes, and what must become of it. The tables are in the files beside.
// Relies on nothing of the gateway's. Texts stand for bytes: each Unicode scalar up to U+00FF is one byte.

/// What must become of a request. Never may one byte of it reach the upstream.
enum Fate: Equatable, Sendable {
    /// Answered with this status and `Connection: close`; what stands behind it is not looked at.
    case refused(Int)
    /// Read whole and answered with this status; the connection may live on.
    case denied(Int)
    /// Half a request whose caller says that no more comes: the connection ends, whatever is said before.
    case dropped
}

/// One row of a table.
struct HostileRequest: Sendable, CustomStringConvertible {
    /// What is wrong with it, or the bytes that are.
    let name: String
    let bytes: [UInt8]
    let fate: Fate

    init(_ name: String, _ text: String, _ fate: Fate) {
        self.name = name
        bytes = latin1(text)
        self.fate = fate
    }

    var description: String { "\(name) \(fate)" }
}

/// A table with a name.
struct HostileTable: Sendable, CustomStringConvertible {
    let description: String
    let rows: [HostileRequest]

    init(_ name: String, _ rows: [HostileRequest]...) {
        description = name
        self.rows = rows.flatMap { $0 }
    }
}

/// Rows that have their fate and their frame in common; the part that differs is their name.
func rows(_ fate: Fate, _ parts: [String], _ frame: (String) -> String) -> [HostileRequest] {
    parts.map { HostileRequest(visible($0), frame($0), fate) }
}

/// The bytes of a text, one for each scalar.
func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

/// The text of bytes, one scalar for each.
func latin1(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
}

/// A text with what cannot be seen made visible, cut to a line.
func visible(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(80) {
        shown += (0x21...0x7E).contains(scalar.value) || scalar == " " ? String(scalar) : scalar.escaped(asASCII: true)
    }
    return text.unicodeScalars.count > 80 ? shown + "... (\(text.unicodeScalars.count) bytes)" : shown
}

// MARK: - Frames: a good request but for one part

/// This request line.
func withLine(_ line: String) -> String { line + "\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}" }

/// A request to this target.
func withTarget(_ target: String) -> String { withLine("POST \(target) HTTP/1.1") }

/// These lines (without the last CR LF) among the fields.
func withFields(_ lines: String) -> String {
    "POST /api/x HTTP/1.1\r\nHost: gateway\r\n\(lines)\r\nContent-Length: 2\r\n\r\n{}"
}

/// These lines in place of Host.
func withHost(_ lines: String) -> String {
    "POST /api/x HTTP/1.1\r\n\(lines)\r\nContent-Length: 2\r\n\r\n{}"
}

/// These lines in place of the framing, and a body of two bytes.
func withLength(_ lines: String) -> String { "POST /api/x HTTP/1.1\r\nHost: gateway\r\n\(lines)\r\n\r\n{}" }

/// These lines in place of the framing, and a body in chunks.
func withCoding(_ lines: String) -> String {
    "POST /api/x HTTP/1.1\r\nHost: gateway\r\n\(lines)\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
}

/// A chunked body, from its first size line on.
func withChunks(_ body: String) -> String {
    "POST /api/x HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
}

/// So many times the same text.
func run(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
