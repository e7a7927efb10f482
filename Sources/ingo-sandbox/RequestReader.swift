// A small strict HTTP/1.1 request reader over one connection: lines end with CRLF, names are tokens, lengths are plain.
// Relies on RFC 9112. Refuses HTTP/1.0, bare LF, folded lines, Transfer-Encoding and repeated Content-Length.

/// One header field as received.
struct ReceivedField: Sendable {
    var name: Bytes
    /// Without spaces and tabs at its ends.
    var value: Bytes
}

/// One request as received.
struct ReceivedRequest: Sendable {
    var line: Bytes
    var method: Bytes
    var target: Bytes
    var fields: [ReceivedField]
    var body: Bytes = []

    /// The target without its query.
    var path: String { Bytes(target.prefix { $0 != UInt8(ascii: "?") }).text }

    /// All values of a header; `name` is lower case.
    func values(_ name: String) -> [Bytes] {
        fields.filter { $0.name.count == name.utf8.count && $0.name.lowercased.spells(name) }.map(\.value)
    }

    /// The value of a header that occurs exactly once.
    func single(_ name: String) -> Bytes? {
        let found = values(name)
        return found.count == 1 ? found[0] : nil
    }

    /// The value of a parameter in the query, not decoded.
    func parameter(_ name: String) -> Bytes? {
        let query = target.drop { $0 != UInt8(ascii: "?") }.dropFirst()
        for pair in query.split(separator: UInt8(ascii: "&")) where pair.starts(with: "\(name)=".utf8) {
            return Bytes(pair.dropFirst(name.utf8.count + 1))
        }
        return nil
    }

    /// True if the peer will close after this request.
    var asksToClose: Bool { values("connection").contains { $0.lowercased.spells("close") } }
}

/// What came of reading.
enum Arrival<Content> {
    case content(Content)
    /// The peer closed between requests, or was silent for too long.
    case ended
    /// Nothing behind this can be trusted; the status says how to refuse it.
    case malformed(status: Int, why: String)
}

/// Reads the requests of one connection; bytes behind a request stay for the next.
struct RequestReader {
    static let maxHead = 64 * 1024
    static let maxBody = 16 * 1024 * 1024

    private let wire: Wire
    private var buffer: Bytes = []
    private var searched = 0

    init(_ wire: Wire) { self.wire = wire }

    private mutating func more() -> Bool {
        guard let bytes = wire.read() else { return false }
        buffer += bytes
        return true
    }

    /// The next request line and header fields.
    mutating func head() -> Arrival<ReceivedRequest> {
        searched = 0
        while true {
            if let end = endOfHead() {
                let head = Bytes(buffer[..<end])
                buffer.removeFirst(end + 4)
                return head.count > Self.maxHead ? .malformed(status: 431, why: "head too long") : Self.parse(head)
            }
            if buffer.count > Self.maxHead { return .malformed(status: 431, why: "head too long") }
            if !more() {
                return buffer.isEmpty ? .ended : .malformed(status: 400, why: "connection ended inside a head")
            }
        }
    }

    private mutating func endOfHead() -> Int? {
        var at = searched
        while at + 3 < buffer.count {
            if buffer[at] == 13, buffer[at + 1] == 10, buffer[at + 2] == 13, buffer[at + 3] == 10 { return at }
            at += 1
        }
        searched = at
        return nil
    }

    /// The body of `request`, as its Content-Length says.
    mutating func body(of request: ReceivedRequest) -> Arrival<Bytes> {
        guard request.values("transfer-encoding").isEmpty else {
            return .malformed(status: 411, why: "transfer-encoding: the length is signed, so it must be given")
        }
        let lengths = request.values("content-length")
        guard lengths.count <= 1 else { return .malformed(status: 400, why: "content-length occurs more than once") }
        var length = 0
        if let text = lengths.first {
            guard let number = text.decimal, String(number).utf8.elementsEqual(text) else {
                return .malformed(status: 400, why: "content-length is not a plain number")
            }
            length = number
        }
        guard length <= Self.maxBody else { return .malformed(status: 413, why: "body too long") }
        if length > buffer.count, !request.values("expect").isEmpty {
            wire.write(Bytes("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        while buffer.count < length {
            guard more() else { return .malformed(status: 400, why: "connection ended inside a body") }
        }
        defer { buffer.removeFirst(length) }
        return .content(Bytes(buffer[..<length]))
    }

    /// Waits until the peer closes, throwing away whatever it sends.
    mutating func drain() {
        buffer = []
        while wire.read() != nil {}
    }

    private static func parse(_ head: Bytes) -> Arrival<ReceivedRequest> {
        var lines: [Bytes] = []
        for line in head.split(separator: 10, omittingEmptySubsequences: false) {
            lines.append(Bytes(line))
        }
        for index in lines.indices.dropLast() {
            guard lines[index].last == 13 else { return .malformed(status: 400, why: "a line ends with a bare LF") }
            lines[index].removeLast()
        }
        guard let line = lines.first, let request = requestLine(line) else {
            return .malformed(status: 400, why: "request line")
        }
        var result = request
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
                line[..<colon].allSatisfy(isToken), line[colon...].allSatisfy(isFieldByte)
            else { return .malformed(status: 400, why: "header line") }
            result.fields.append(
                ReceivedField(name: Bytes(line[..<colon]), value: Bytes(line[(colon + 1)...]).trimmed))
        }
        return .content(result)
    }

    private static func requestLine(_ line: Bytes) -> ReceivedRequest? {
        let parts = line.split(separator: 32, omittingEmptySubsequences: false).map { Bytes($0) }
        guard parts.count == 3, parts[2].spells("HTTP/1.1"), !parts[0].isEmpty, parts[0].allSatisfy(isToken),
            parts[1].first == UInt8(ascii: "/"), parts[1].allSatisfy({ $0 > 32 && $0 < 127 })
        else { return nil }
        return ReceivedRequest(line: line, method: parts[0], target: parts[1], fields: [])
    }

    private static func isFieldByte(_ byte: UInt8) -> Bool { byte == 9 || (byte >= 32 && byte != 127) }
}

/// A byte of an RFC 9110 token.
func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
