// JSON as the schema is written: members in their order, two spaces of indentation.
// Relies on HTTP for strings. Refuses nothing.

internal import HTTP

/// One JSON value.
indirect enum SchemaJSON: ExpressibleByStringLiteral {
    case text(String)
    case number(Int)
    case flag(Bool)
    case array([SchemaJSON])
    case object([(String, SchemaJSON)])

    init(stringLiteral value: String) { self = .text(value) }

    /// The value's text; its own lines after the first are indented by `depth` steps.
    func written(depth: Int = 0) -> String {
        let inner = String(repeating: "  ", count: depth + 1)
        let outer = String(repeating: "  ", count: depth)
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return "\(number)"
        case .flag(let flag): return "\(flag)"
        case .array(let elements):
            let lines = elements.map { $0.written(depth: depth + 1) }
            let short = "[\(lines.joined(separator: ", "))]"
            if short.utf8.count <= 80 && !short.contains("\n") { return short }
            return "[\n" + lines.map { inner + $0 }.joined(separator: ",\n") + "\n\(outer)]"
        case .object(let members):
            guard !members.isEmpty else { return "{}" }
            let lines = members.map { "\(inner)\(Self.quoted($0)): \($1.written(depth: depth + 1))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        guard let json = jsonString(from: Array(text.utf8).span) else { preconditionFailure("a String is UTF-8") }
        return String(decoding: json, as: UTF8.self)
    }
}
