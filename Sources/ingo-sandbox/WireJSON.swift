// A small JSON reader and writer that keeps numbers as the text they were written in.
// Relies on RFC 8259. Refuses duplicate member names, invalid UTF-8, lone surrogates, trailing bytes and deep nesting.

/// One JSON value.
enum WireJSON: Equatable, Sendable {
    case null
    case bool(Bool)
    /// As written.
    case number(Bytes)
    /// Decoded UTF-8.
    case string(Bytes)
    case array([WireJSON])
    case object([JSONMember])

    /// The member of that name, if this is an object that has it.
    subscript(_ name: String) -> WireJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.spells(name) }?.value
    }

    /// The text, if this is a string.
    var string: Bytes? {
        guard case .string(let bytes) = self else { return nil }
        return bytes
    }

    /// The number's text, if this is a number.
    var number: Bytes? {
        guard case .number(let bytes) = self else { return nil }
        return bytes
    }

    var isObject: Bool {
        guard case .object = self else { return false }
        return true
    }

    /// Without the member of that name.
    func without(_ name: String) -> WireJSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !$0.name.spells(name) })
    }

    /// Reads one value that takes all of `bytes`; nil if it is not JSON.
    static func parse(_ bytes: Bytes) -> WireJSON? {
        var parser = JSONParser(bytes: bytes)
        return parser.document()
    }

    /// Compact JSON.
    var bytes: Bytes {
        var output: Bytes = []
        write(to: &output, sorted: false)
        return output
    }

    /// Compact JSON with members sorted by name: equal values of different spelling and order come out equal.
    var canonical: Bytes {
        var output: Bytes = []
        write(to: &output, sorted: true)
        return output
    }

    private func write(to output: inout Bytes, sorted: Bool) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .number(let text): output += text
        case .string(let text): Self.quote(text, to: &output)
        case .array(let items):
            output.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                item.write(to: &output, sorted: sorted)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            let ordered = sorted ? members.sorted { $0.name.lexicographicallyPrecedes($1.name) } : members
            output.append(UInt8(ascii: "{"))
            for (index, member) in ordered.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.quote(member.name, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output, sorted: sorted)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func quote(_ text: Bytes, to output: inout Bytes) {
        output.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<32: output += "\\u00\([byte].hex)".utf8
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

/// A name and its value.
struct JSONMember: Equatable, Sendable {
    var name: Bytes
    var value: WireJSON
}

extension WireJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .string(Bytes(value.utf8)) }
    init(integerLiteral value: Int) { self = .int(value) }
    init(arrayLiteral elements: WireJSON...) { self = .array(elements) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(nilLiteral: ()) { self = .null }
    init(dictionaryLiteral elements: (String, WireJSON)...) {
        self = .object(elements.map { JSONMember(name: Bytes($0.0.utf8), value: $0.1) })
    }

    static func text(_ value: String) -> WireJSON { .string(Bytes(value.utf8)) }
    static func int(_ value: Int) -> WireJSON { .number(Bytes(String(value).utf8)) }
}

/// Reads JSON by recursive descent; every method leaves `at` behind what it read, or gives nil for good.
private struct JSONParser {
    let bytes: Bytes
    var at = 0
    var depth = 0

    init(bytes: Bytes) { self.bytes = bytes }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    mutating func document() -> WireJSON? {
        guard let value = value() else { return nil }
        skipSpace()
        return at == bytes.count ? value : nil
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func word(_ text: String, _ value: WireJSON) -> WireJSON? {
        guard bytes[at...].starts(with: text.utf8) else { return nil }
        at += text.utf8.count
        return value
    }

    private mutating func value() -> WireJSON? {
        skipSpace()
        guard let byte = next else { return nil }
        switch byte {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string().map(WireJSON.string)
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func nested(_ read: (inout JSONParser) -> WireJSON?) -> WireJSON? {
        guard depth < 64 else { return nil }
        depth += 1
        at += 1
        defer { depth -= 1 }
        return read(&self)
    }

    private mutating func object() -> WireJSON? {
        var members: [JSONMember] = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard let name = string(), !members.contains(where: { $0.name == name }) else { return nil }
            skipSpace()
            guard take(":"), let value = value() else { return nil }
            members.append(JSONMember(name: name, value: value))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array() -> WireJSON? {
        var items: [WireJSON] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            guard let value = value() else { return nil }
            items.append(value)
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { return nil }
        }
    }

    private mutating func digits() -> Bool {
        let start = at
        while let byte = next, byte >= 48, byte <= 57 { at += 1 }
        return at > start
    }

    private mutating func number() -> WireJSON? {
        let start = at
        _ = take("-")
        if !take("0") { guard digits() else { return nil } }
        if take(".") { guard digits() else { return nil } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { return nil }
        }
        return .number(Bytes(bytes[start..<at]))
    }

    private mutating func string() -> Bytes? {
        guard take("\"") else { return nil }
        var output: Bytes = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: output, as: UTF8.self) == nil ? nil : output
            case UInt8(ascii: "\\"): guard escape(&output) else { return nil }
            case 0..<32: return nil
            default: output.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(_ output: inout Bytes) -> Bool {
        guard let byte = next else { return false }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(8)
        case UInt8(ascii: "f"): output.append(12)
        case UInt8(ascii: "n"): output.append(10)
        case UInt8(ascii: "r"): output.append(13)
        case UInt8(ascii: "t"): output.append(9)
        case UInt8(ascii: "u"):
            guard var code = hexUnit() else { return false }
            if code >= 0xd800, code < 0xdc00 {
                guard take("\\"), take("u"), let low = hexUnit(), low >= 0xdc00, low < 0xe000 else { return false }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { return false }
            output += String(Character(scalar)).utf8
        default: return false
        }
        return true
    }

    private mutating func hexUnit() -> UInt32? {
        guard at + 4 <= bytes.count else { return nil }
        defer { at += 4 }
        let digits = bytes[at..<at + 4]
        guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else { return nil }
        return UInt32(Bytes(digits).text, radix: 16)
    }
}
