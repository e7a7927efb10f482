// What the operator is told on stderr: one JSON object per line, fixed words and typed fields only. There is no way to
// hand it bytes of a request, a header or a secret.

internal import HTTP
internal import Net

/// The operator's log. Written from the main thread at start, at signals and at the end; never on the request path.
package struct OperatorLog: Sendable {
    package enum Level: Sendable { case info, warning, error }

    /// A value that is safe by its type: numbers, flags, and words of the operator's own configuration.
    package enum Field: Sendable {
        case number(Int)
        case flag(Bool)
        /// Names from the configuration: listeners, addresses, paths.
        case words([String])
        /// A sentence of the program's own.
        case text(String)
    }

    private let descriptor: Int32

    /// Writes to stderr, or to another descriptor in tests.
    package init(descriptor: Int32 = 2) { self.descriptor = descriptor }

    package func write(_ level: Level, _ message: StaticString, _ fields: (StaticString, Field)...) {
        var line = ByteBuffer(capacity: 256)
        line.append("{\"time\":")
        line.appendDecimal(Int(Clock.realtimeSeconds()))
        line.append(",\"level\":")
        switch level {
        case .info: line.append("\"info\"")
        case .warning: line.append("\"warning\"")
        case .error: line.append("\"error\"")
        }
        line.append(",\"message\":\"")
        line.append(message)
        line.append("\"")
        for (name, field) in fields {
            line.append(",\"")
            line.append(name)
            line.append("\":")
            append(field, &line)
        }
        line.append("}\n")
        // A log that cannot be written has nobody to tell.
        _ = ProcessControl.writeAll(line.bytes, to: descriptor)
    }

    private func append(_ field: Field, _ line: inout ByteBuffer) {
        switch field {
        case .number(let number): line.append(Array(String(number).utf8).span)
        case .flag(let flag): if flag { line.append("true") } else { line.append("false") }
        case .text(let text): append(text, &line)
        case .words(let words):
            line.append("[")
            for index in words.indices {
                if index > 0 { line.append(",") }
                append(words[index], &line)
            }
            line.append("]")
        }
    }

    private func append(_ text: String, _ line: inout ByteBuffer) {
        let bytes = Array(text.utf8)
        if let json = jsonString(from: bytes.span) { line.append(json.span) } else { line.append("\"\"") }
    }
}
