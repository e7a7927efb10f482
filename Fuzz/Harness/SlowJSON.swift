// A slow reader of JSON (RFC 8259) that builds a tree, to judge the scanner and the splice by. Relies on the standard
// library's decoders of UTF-8 and UTF-16. Refuses as the scanner is to: names that come twice, half surrogate pairs,
// whatever is not one object.

/// A value and where its text stands.
package struct SlowJSON: Equatable {
    package indirect enum Content: Equatable {
        case object([Member])
        case array([SlowJSON])
        case string([UInt8])
        /// A number, `true`, `false` or `null`, as its text.
        case word([UInt8])
    }

    package struct Member: Equatable {
        package var name: [UInt8]
        package var value: SlowJSON
    }

    package var content: Content
    package var range: Range<Int>

    /// Nil where the body is refused. The object itself is depth 1.
    package init?(_ body: [UInt8], maxDepth: Int) {
        guard String(validating: body, as: UTF8.self) != nil else { return nil }
        var reader = SlowJSONReader(body, maxDepth)
        guard let value = reader.value(1), case .object = value.content, reader.isAtEnd else { return nil }
        self = value
    }

    init(_ content: Content, _ range: Range<Int>) {
        self.content = content
        self.range = range
    }

    /// The members of an object; nil for other values.
    package var members: [Member]? {
        guard case .object(let members) = content else { return nil }
        return members
    }

    /// The same tree without places.
    package var meaning: SlowJSON {
        switch content {
        case .object(let members):
            SlowJSON(.object(members.map { Member(name: $0.name, value: $0.value.meaning) }), 0..<0)
        case .array(let values): SlowJSON(.array(values.map(\.meaning)), 0..<0)
        case .string, .word: SlowJSON(content, 0..<0)
        }
    }

    /// The value at the end of a path of names.
    package func at(_ names: [[UInt8]]) -> SlowJSON? {
        guard let name = names.first else { return self }
        return members?.first { $0.name == name }?.value.at(Array(names.dropFirst()))
    }
}

private struct SlowJSONReader {
    private let body: [UInt8]
    private let maxDepth: Int
    private var at = 0

    init(_ body: [UInt8], _ maxDepth: Int) {
        self.body = body
        self.maxDepth = maxDepth
    }

    private var next: UInt8 { at < body.count ? body[at] : 0 }

    var isAtEnd: Bool { at == body.count }

    private mutating func take(_ text: String) -> Bool {
        guard body[at...].starts(with: text.utf8) else { return false }
        at += text.utf8.count
        return true
    }

    private mutating func space() { while [0x20, 0x09, 0x0A, 0x0D].contains(next) { at += 1 } }

    /// A value with the white space around it.
    mutating func value(_ depth: Int) -> SlowJSON? {
        space()
        let start = at
        guard let content = content(depth) else { return nil }
        let end = at
        space()
        return SlowJSON(content, start..<end)
    }

    private mutating func content(_ depth: Int) -> SlowJSON.Content? {
        if next == UInt8(ascii: "{") || next == UInt8(ascii: "[") {
            guard depth <= maxDepth else { return nil }
            return take("{") ? object(depth) : take("[") ? array(depth) : nil
        }
        if next == UInt8(ascii: "\"") { return string().map { .string($0) } }
        let start = at
        let isWord = take("true") || take("false") || take("null") || number()
        return isWord ? .word(Array(body[start..<at])) : nil
    }

    private mutating func object(_ depth: Int) -> SlowJSON.Content? {
        var members: [SlowJSON.Member] = []
        var names: Set<[UInt8]> = []
        space()
        if take("}") { return .object([]) }
        repeat {
            space()
            guard let name = string(), names.insert(name).inserted else { return nil }
            space()
            guard take(":"), let value = value(depth + 1) else { return nil }
            members.append(SlowJSON.Member(name: name, value: value))
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> SlowJSON.Content? {
        var values: [SlowJSON] = []
        space()
        if take("]") { return .array([]) }
        repeat {
            guard let value = value(depth + 1) else { return nil }
            values.append(value)
        } while take(",")
        return take("]") ? .array(values) : nil
    }

    private mutating func digits() -> Bool {
        let start = at
        while (0x30...0x39).contains(next) { at += 1 }
        return at > start
    }

    private mutating func number() -> Bool {
        _ = take("-")
        let start = at
        guard digits(), at == start + 1 || body[start] != 0x30 else { return false }
        if take("."), !digits() { return false }
        guard take("e") || take("E") else { return true }
        if !take("+") { _ = take("-") }
        return digits()
    }

    /// What a string means, collected as UTF-16, so that a half pair shows.
    private mutating func string() -> [UInt8]? {
        guard take("\"") else { return nil }
        var units: [UInt16] = []
        while !take("\"") {
            guard next >= 0x20 else { return nil }
            if take("\\") {
                guard let unit = escape() else { return nil }
                units.append(unit)
            } else {
                let start = at
                repeat { at += 1 } while next & 0xC0 == 0x80
                units += String(decoding: body[start..<at], as: UTF8.self).utf16
            }
        }
        return String(validating: units, as: UTF16.self).map { Array($0.utf8) }
    }

    private mutating func escape() -> UInt16? {
        let letter = next
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return UInt16(letter)
        case UInt8(ascii: "b"): return 8
        case UInt8(ascii: "f"): return 12
        case UInt8(ascii: "n"): return 10
        case UInt8(ascii: "r"): return 13
        case UInt8(ascii: "t"): return 9
        case UInt8(ascii: "u"): break
        default: return nil
        }
        guard at + 4 <= body.count else { return nil }
        let digits = body[at..<at + 4]
        at += 4
        guard digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
