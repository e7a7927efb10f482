// The key `fields` of a credential: values spliced into bodies where they are absent.
// Relies on JSONPointer. Refuses pointers that overlap each other or the API key, and plain words that are no JSON; the
// values may be account numbers, so that no message repeats them.

internal import HTTP
internal import Signing

extension Field {
    /// Most fields of a credential; one scan of a body looks for them, the API key and what a route needs.
    static let maxFields = 12
    /// Longest value, as JSON.
    static let maxFieldValue = 1_024

    /// The mapping from JSON pointers to values.
    func productFields(apiKey: APIKeyPlace?) -> [FieldSettings] {
        guard let named = named(max: Self.maxFields) else { return [] }
        var taken: [[[UInt8]]] = []
        switch apiKey {
        case .body, .both: taken = [[Array("api_key".utf8)]]
        case .pointer(let pointer): taken = [pointer.names]
        case .header, nil: break
        }
        var fields: [FieldSettings] = []
        for (name, field) in named {
            guard let pointer = JSONPointer(name) else {
                field.error(
                    "is not the name of a field", "Write a JSON pointer of at most \(JSONPointer.maxDepth) names: /name"
                )
                continue
            }
            if taken.contains(where: { $0.starts(with: pointer.names) || pointer.names.starts(with: $0) }) {
                field.error("overlaps another field or the API key", "Name each place in the body once")
            }
            taken.append(pointer.names)
            if let json = field.json() { fields.append(FieldSettings(pointer: pointer, json: json)) }
        }
        return fields
    }

    /// The value as JSON text: plain numbers, true, false and null as they stand, quoted text as a string.
    private func json() -> [UInt8]? {
        switch node.value {
        case .scalar(let text, let isPlain):
            let json = isPlain ? Array(text.utf8) : quoted(text)
            guard !isPlain || isLiteral(json) else {
                return refuse("is neither a JSON number nor true, false or null", "Put texts in quotes")
            }
            guard json.count <= Self.maxFieldValue else {
                return refuse("is longer than \(Self.maxFieldValue) bytes", "Shorten it")
            }
            return json
        case .refused: return nil
        case .sequence, .mapping:
            return refuse("is \(node.kind), not a single value", "Name each member by its pointer")
        }
    }

    /// A JSON string (RFC 8259 section 7).
    private func quoted(_ text: String) -> [UInt8] {
        let hex = Array("0123456789abcdef".utf8)
        var json = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                json += [UInt8(ascii: "\\"), byte]
            } else if byte < 0x20 {
                json += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            } else {
                json.append(byte)
            }
        }
        return json + [UInt8(ascii: "\"")]
    }

    /// true, false, null, or a number (RFC 8259 section 6).
    private func isLiteral(_ json: [UInt8]) -> Bool {
        if [Array("true".utf8), Array("false".utf8), Array("null".utf8)].contains(json) { return true }
        var rest = json[...]
        func digits() -> Int {
            let run = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(run.count)
            return run.count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let hasZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole == 1 || (whole > 1 && !hasZero) else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
