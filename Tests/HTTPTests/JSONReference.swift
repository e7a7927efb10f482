// A second reader of JSON, slow and written apart from the scanner, to judge the scanner by: recursive descent that
// builds a tree. Relies on the standard library's UTF-8 decoder where the scanner has its own. Nil means refused.

/// A value of the tree and where its text stands.
struct ReferenceValue {
    enum Content {
        case object([(name: [UInt8], value: ReferenceValue)])
        case array([ReferenceValue])
        case string([UInt8])
        case other
    }

    var content: Content
    var range: Range<Int>

    /// The value at the end of `names`, where every name on the way is found.
    func at(_ names: [[UInt8]]) -> ReferenceValue? {
        guard let name = names.first else { return self }
        guard case .object(let members) = content else { return nil }
        return members.first { $0.name == name }?.value.at(Array(names.dropFirst()))
    }
}

/// Reads a whole body as the scanner should; nil where it is to be refused.
func referenceParse(_ body: [UInt8], maxDepth: Int) -> ReferenceValue? {
    guard String(validating: body, as: UTF8.self) != nil else { return nil }
    var reader = ReferenceReader(body: body, maxDepth: maxDepth)
    reader.space()
    guard reader.peek == "{", let value = reader.value(1) else { return nil }
    reader.space()
    return reader.at == body.count ? value : nil
}

private struct ReferenceReader {
    let body: [UInt8]
    let maxDepth: Int
    var at = 0

    init(body: [UInt8], maxDepth: Int) {
        self.body = body
        self.maxDepth = maxDepth
    }

    var peek: Unicode.Scalar? { at < body.count ? Unicode.Scalar(body[at]) : nil }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        at += 1
        return true
    }

    mutating func space() {
        while let next = peek, " \t\r\n".unicodeScalars.contains(next) { at += 1 }
    }

    mutating func value(_ depth: Int) -> ReferenceValue? {
        let start = at
        let content: ReferenceValue.Content?
        switch peek {
        case "{": content = depth > maxDepth ? nil : object(depth)
        case "[": content = depth > maxDepth ? nil : array(depth)
        case "\"": content = string().map { .string($0) }
        case "t": content = literal("true")
        case "f": content = literal("false")
        case "n": content = literal("null")
        default: content = number() ? .other : nil
        }
        return content.map { ReferenceValue(content: $0, range: start..<at) }
    }

    mutating func object(_ depth: Int) -> ReferenceValue.Content? {
        at += 1
        space()
        var members: [(name: [UInt8], value: ReferenceValue)] = []
        var seen: Set<[UInt8]> = []
        if take("}") { return .object([]) }
        while true {
            space()
            guard let name = string(), seen.insert(name).inserted else { return nil }
            space()
            guard take(":") else { return nil }
            space()
            guard let value = value(depth + 1) else { return nil }
            members.append((name, value))
            space()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    mutating func array(_ depth: Int) -> ReferenceValue.Content? {
        at += 1
        space()
        var values: [ReferenceValue] = []
        if take("]") { return .array([]) }
        while true {
            space()
            guard let value = value(depth + 1) else { return nil }
            values.append(value)
            space()
            if take("]") { return .array(values) }
            guard take(",") else { return nil }
        }
    }

    mutating func literal(_ text: String) -> ReferenceValue.Content? {
        for scalar in text.unicodeScalars where !take(scalar) { return nil }
        return .other
    }

    mutating func digits() -> Bool {
        let start = at
        while let next = peek, "0123456789".unicodeScalars.contains(next) { at += 1 }
        return at > start
    }

    mutating func number() -> Bool {
        _ = take("-")
        if !take("0") && !digits() { return false }
        if take(".") && !digits() { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return digits()
        }
        return true
    }

    /// The meaning of the string at hand; UTF-16 code units are collected so that pairs decode by themselves.
    mutating func string() -> [UInt8]? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        var plain: [UInt8] = []
        func flushed() -> [UInt16] { units + Array(String(decoding: plain, as: UTF8.self).utf16) }
        while let next = peek {
            at += 1
            switch next {
            case "\"":
                units = flushed()
                return String(validating: units, as: UTF16.self).map { Array($0.utf8) }
            case "\\":
                units = flushed()
                plain = []
                guard let unit = escape() else { return nil }
                units.append(unit)
            case "\u{0}"..<" ": return nil
            default: plain.append(UInt8(next.value))
            }
        }
        return nil
    }

    mutating func escape() -> UInt16? {
        let simple: [Unicode.Scalar: UInt16] = [
            "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
        ]
        guard let letter = peek else { return nil }
        at += 1
        if let unit = simple[letter] { return unit }
        guard letter == "u", at + 4 <= body.count else { return nil }
        let digits = body[at..<at + 4]
        at += 4
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
