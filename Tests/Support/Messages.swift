// HTTP/1.1 messages as tests read them: strictly, by their own framing, every header line kept as it came. Shares no
// code with the gateway. Refuses what could be read in two ways, since a test must not be satisfied with it.

/// A message's head and body, byte for byte.
package struct Message: Sendable {
    /// Request line or status line.
    package var startLine: String
    /// The header lines in order, name and value as they came.
    package var fields: [(name: String, value: String)]
    /// Without transfer coding.
    package var body: [UInt8] = []
    /// It came in chunks.
    package var chunked = false
    /// 1xx answers that came before.
    package var interims: [String] = []

    /// The status of an answer.
    package var status: Int { startLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// All values of a field, whatever the case of its name.
    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The value of a field that stands once; nil where it is absent or repeated.
    package subscript(_ name: String) -> String? {
        let values = all(name)
        return values.count == 1 ? values[0] : nil
    }
}

/// What messages are read from.
package protocol ByteSource: AnyObject {
    /// One read of at most `limit` bytes.
    func receive(upTo limit: Int, within milliseconds: Int) -> Wire.Got
}

extension Wire: ByteSource {}

/// Reads messages from a wire, one after the other.
package final class MessageReader {
    package enum Problem: Error, Equatable {
        /// The stream ended; `reset` or orderly, with so many bytes of an unfinished message.
        case ended(reset: Bool, bytes: Int)
        case late(bytes: Int)
        case malformed(String)
    }

    private let wire: any ByteSource
    package private(set) var buffer: [UInt8] = []
    /// At most this many bytes are taken per read.
    package var portion = 65_536
    private let milliseconds: Int

    package init(_ wire: any ByteSource, within milliseconds: Int = 20_000) {
        self.wire = wire
        self.milliseconds = milliseconds
    }

    private func more() throws {
        switch wire.receive(upTo: portion, within: milliseconds) {
        case .bytes(let bytes): buffer += bytes
        case .end: throw Problem.ended(reset: false, bytes: buffer.count)
        case .reset: throw Problem.ended(reset: true, bytes: buffer.count)
        case .nothing: throw Problem.late(bytes: buffer.count)
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { try more() }
        let taken = Array(buffer.prefix(count))
        buffer.removeFirst(count)
        return taken
    }

    private func line() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                let bytes = try take(end + 1)
                guard bytes.count >= 2, bytes[end - 1] == 13 else { throw Problem.malformed("a line without CRLF") }
                return String(decoding: bytes.dropLast(2), as: UTF8.self)
            }
            try more()
        }
    }

    /// A head, without its body.
    package func head() throws -> Message {
        var message = Message(startLine: try line(), fields: [])
        while true {
            let text = try line()
            if text.isEmpty { return message }
            guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
                throw Problem.malformed("a header without a colon: \(text)")
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            message.fields.append((String(text[..<colon]), String(value)))
        }
    }

    /// A whole request.
    package func request() throws -> Message {
        var message = try head()
        try body(of: &message, untilClose: false)
        return message
    }

    /// A whole answer; 1xx answers before it are counted.
    package func answer(toHead: Bool = false) throws -> Message {
        var interims: [String] = []
        while true {
            var message = try head()
            guard message.startLine.hasPrefix("HTTP/1.1 ") else { throw Problem.malformed(message.startLine) }
            if (100..<200).contains(message.status) {
                interims.append(message.startLine)
                continue
            }
            message.interims = interims
            if toHead || message.status == 204 || message.status == 304 { return message }
            try body(of: &message, untilClose: true)
            return message
        }
    }

    /// Reads the body that belongs to a head.
    package func body(of message: inout Message, untilClose: Bool) throws {
        let lengths = message.all("content-length")
        let codings = message.all("transfer-encoding")
        guard lengths.count + codings.count <= 1 else { throw Problem.malformed("more than one framing") }
        if let text = lengths.first {
            guard let length = Int(text), length >= 0 else { throw Problem.malformed("Content-Length: \(text)") }
            message.body = try take(length)
        } else if let coding = codings.first {
            guard coding == "chunked" else { throw Problem.malformed("Transfer-Encoding: \(coding)") }
            message.chunked = true
            try chunks(of: &message)
        } else if untilClose {
            try rest(of: &message)
        }
    }

    private func chunks(of message: inout Message) throws {
        while true {
            guard let size = Int(try line(), radix: 16) else { throw Problem.malformed("a chunk's size") }
            if size == 0 { break }
            message.body += try take(size)
            guard try take(2) == [13, 10] else { throw Problem.malformed("a chunk's end") }
        }
        guard try line().isEmpty else { throw Problem.malformed("a trailer") }
    }

    private func rest(of message: inout Message) throws {
        do {
            while true { try more() }
        } catch Problem.ended(reset: false, _) {
            message.body = buffer
            buffer = []
        }
    }

    /// Whether nothing but the end comes; throws where bytes come, a reset, or nothing in time.
    package func expectEnd() throws {
        guard buffer.isEmpty else { throw Problem.malformed("\(buffer.count) bytes before the end") }
        switch wire.receive(upTo: portion, within: milliseconds) {
        case .end: return
        case .reset: throw Problem.ended(reset: true, bytes: 0)
        case .bytes(let bytes): throw Problem.malformed("\(bytes.count) bytes before the end")
        case .nothing: throw Problem.late(bytes: 0)
        }
    }
}

/// A caller's connection.
package final class Caller {
    package let wire: Wire
    package let reader: MessageReader
    /// The program behind the address, kept running while the connection is in use.
    private let program: AnyObject?

    package init(
        _ address: WireAddress, receiveBuffer: Int32 = 0, within milliseconds: Int = 20_000,
        keeping program: AnyObject? = nil
    ) throws {
        self.program = program
        wire = try Wire.connect(to: address, receiveBuffer: receiveBuffer)
        reader = MessageReader(wire, within: milliseconds)
    }

    package func send(_ text: String) throws { try wire.send(Array(text.utf8)) }
    package func send(_ bytes: [UInt8]) throws { try wire.send(bytes) }
    package func answer(toHead: Bool = false) throws -> Message { try reader.answer(toHead: toHead) }

    /// Sends a request and reads its answer.
    package func ask(_ text: String) throws -> Message {
        try send(text)
        return try answer(toHead: text.hasPrefix("HEAD "))
    }
}
