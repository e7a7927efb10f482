// Lines of the access log on their way from a worker to the writer: whole JSON objects, each with its line end.
// Relies on types for what may stand in a line: names and words are literals of this program, numbers are numbers, and
// texts are the operator's (ConfiguredFields) or of a form in which no account number fits (SafeKey, CorrelationIDs,
// Redactor). There is no other way to put bytes of a request, an answer or a secret into a line.

package import HTTP
package import Policy

/// Members of a line that are the operator's own words, as JSON, escaped when the configuration is read.
package struct ConfiguredFields: Sendable {
    fileprivate let json: [UInt8]

    /// Names and texts of the configuration.
    package init(_ members: [(name: StaticString, text: String)]) {
        var json: [UInt8] = []
        for (name, text) in members {
            let bytes = Array(text.utf8)
            guard let escaped = jsonString(from: bytes.span) else { continue }
            json += Array(",\"\(name)\":".utf8) + escaped
        }
        self.json = json
    }

    /// No members.
    package static let none = ConfiguredFields([])
}

/// How much a line matters.
package enum LogLevel: Sendable {
    case info, warning, error
}

/// Some whole lines. It has one owner, who writes to it or gives it away.
package struct LogLines: ~Copyable, @unchecked Sendable {
    // @unchecked Sendable: noncopyable, and so never in two threads; what it points to is its own.
    private var buffer: ByteBuffer
    /// Where the line that is being written begins.
    private var start = 0

    /// Grows from `capacity` bytes (at least 1).
    package init(capacity: Int) { buffer = ByteBuffer(capacity: capacity) }

    /// Bytes of all lines.
    package var count: Int { buffer.count }

    /// Bytes that fit without another allocation.
    package var capacity: Int { buffer.capacity }

    /// All lines.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { buffer.bytes }
    }

    /// Forgets all lines.
    package mutating func clear() { buffer.clear() }

    /// Appends the lines of another.
    package mutating func append(_ other: borrowing LogLines) { buffer.append(other.buffer.bytes) }

    // MARK: - One line

    package mutating func begin(_ time: LogTime, _ level: LogLevel, _ message: StaticString) {
        start = buffer.count
        // Most lines find room for all that follows.
        buffer.reserve(1_024)
        buffer.write(atMost: Self.room) { line in
            line.append("{\"time\":\"")
            time.append(to: &line)
            switch level {
            case .info: line.append("\",\"level\":\"info\",\"message\":\"")
            case .warning: line.append("\",\"level\":\"warning\",\"message\":\"")
            case .error: line.append("\",\"level\":\"error\",\"message\":\"")
            }
            line.append(message)
            line.append("\"")
        }
    }

    /// Bytes of the members that are added at once: ten with the longest numbers.
    static let room = 640

    /// Adds members by `LogMembers`.
    @inline(__always)
    package mutating func add(_ write: (inout LogMembers) -> Void) {
        buffer.write(atMost: Self.room, write)
    }

    package mutating func add(_ fields: ConfiguredFields) { buffer.append(fields.json.span) }

    package mutating func add(_ name: StaticString, _ key: SafeKey) {
        add { members in
            members.begin(name)
            members.append("\"")
        }
        key.append(to: &buffer)
        buffer.append("\"")
    }

    /// What the redactor shows of the body that it has read.
    package mutating func add(_ name: StaticString, _ redactor: inout Redactor, isComplete: Bool) {
        add { $0.begin(name) }
        redactor.finish(isComplete: isComplete, to: &buffer)
    }

    /// The ids that were found in a body, each as a field of its own: hashed, or of a form in which no account number
    /// fits, or as type and length.
    package mutating func add(
        _ ids: CorrelationIDs, _ direction: BodyDirection, _ reading: borrowing JSONStreamQuery,
        hash: (Span<UInt8>) -> UInt64
    ) {
        ids.append(reading, direction, to: &buffer, hash: hash)
    }

    /// Ends the line; it stays only where all lines then have at most `limit` bytes.
    package mutating func end(limit: Int) -> Bool {
        buffer.append("}\n")
        guard buffer.count > limit else { return true }
        buffer.truncate(to: start)
        return false
    }
}

/// Members of a line, written one behind another: at most `LogLines.room` bytes.
package typealias LogMembers = ByteCursor

extension LogMembers {
    /// `,"name":`. Inlined, with all that calls it: of a literal whose length is known the copy is a few stores.
    @inline(__always)
    fileprivate mutating func begin(_ name: StaticString) {
        append(",\"")
        append(name)
        append("\":")
    }

    /// A number that is not negative.
    @inline(__always)
    package mutating func add(_ name: StaticString, _ number: Int) {
        begin(name)
        append(decimal: number)
    }

    @inline(__always)
    package mutating func add(_ name: StaticString, _ flag: Bool) {
        begin(name)
        append(flag ? "true" : "false")
    }

    /// The word is a literal without quotes, backslashes and control characters.
    @inline(__always)
    package mutating func add(_ name: StaticString, word: StaticString) {
        addText(name) { $0.append(word) }
    }

    /// 16 hexadecimal digits.
    @inline(__always)
    package mutating func add(_ name: StaticString, hex: UInt64) {
        addText(name) { $0.append(hex: hex) }
    }

    /// 32 hexadecimal digits.
    @inline(__always)
    package mutating func add(_ name: StaticString, hex high: UInt64, _ low: UInt64) {
        addText(name) { text in
            text.append(hex: high)
            text.append(hex: low)
        }
    }

    /// Nanoseconds, shown as milliseconds with three decimals, rounded to the nearest.
    @inline(__always)
    package mutating func add(_ name: StaticString, nanoseconds: UInt64) {
        begin(name)
        append(thousandths: Int(truncatingIfNeeded: (nanoseconds &+ 500) / 1_000))
    }

    @inline(__always)
    package mutating func add(_ name: StaticString, _ id: RequestID) {
        addText(name) { id.append(to: &$0) }
    }

    @inline(__always)
    private mutating func addText(_ name: StaticString, _ write: (inout ByteCursor) -> Void) {
        begin(name)
        append("\"")
        write(&self)
        append("\"")
    }
}
