// Random JSON values, many spellings of each, and a canonical form written apart from the room's, to judge it by.
// Relies on the reference reader. Names and strings are bytes: Swift's own String equality would see é in two ways.

import TestSupport

/// A value without its spelling.
indirect enum JSONTree: Equatable {
    case object([[UInt8]: JSONTree])
    case array([JSONTree])
    case string([UInt8])
    case other(String)

    private static let texts = [
        "", "a", "b", "ab", "a\u{0}", "api_key", "é", "e\u{301}", "😀", "\"", "\\", "/", "\n", "\u{8}\u{c}\r\t\u{1F}",
        "\u{7F}", "12345678", "123456789", "123456780", "a/b~c", "a long name that has more than sixteen bytes",
        "a long name that has more than sixteen bytes, é", "\u{FFFD}\u{10FFFF}",
    ].map { Array($0.utf8) }
    private static let others = ["0", "-0", "1", "1.0", "1e0", "10", "1E0", "-1.5e+3", "true", "false", "null"]

    static func text(_ seed: inout Seed) -> [UInt8] { texts[Int.random(in: 0..<texts.count, using: &seed)] }

    /// A random value with at most `depth` levels.
    static func random(_ depth: Int, _ seed: inout Seed) -> JSONTree {
        switch Int.random(in: 0..<(depth > 0 ? 6 : 2), using: &seed) {
        case 0: return .string(text(&seed))
        case 1: return .other(others[Int.random(in: 0..<others.count, using: &seed)])
        case 2: return .array((0..<Int.random(in: 0...4, using: &seed)).map { _ in random(depth - 1, &seed) })
        default: return object(depth, &seed)
        }
    }

    static func object(_ depth: Int, _ seed: inout Seed) -> JSONTree {
        var members: [[UInt8]: JSONTree] = [:]
        for _ in 0..<Int.random(in: 0...6, using: &seed) { members[text(&seed)] = random(depth - 1, &seed) }
        return .object(members)
    }

    /// The value without what stands at `names`.
    func without(_ names: ArraySlice<[UInt8]>) -> JSONTree {
        guard case .object(var members) = self, let name = names.first else { return self }
        if names.count == 1 {
            members[name] = nil
        } else {
            members[name] = members[name]?.without(names.dropFirst())
        }
        return .object(members)
    }

    /// The value with one of its parts replaced by another.
    func changed(_ seed: inout Seed) -> JSONTree {
        switch self {
        case .object(var members):
            guard let name = members.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }).randomElement(using: &seed)
            else { return .object([JSONTree.text(&seed): .other("0")]) }
            switch Int.random(in: 0..<4, using: &seed) {
            case 0: members[name] = nil
            case 1: members[JSONTree.text(&seed)] = members.removeValue(forKey: name)
            default: members[name] = members[name]?.changed(&seed)
            }
            return .object(members)
        case .array(var values):
            guard !values.isEmpty else { return .array([.other("0")]) }
            let index = Int.random(in: 0..<values.count, using: &seed)
            switch Int.random(in: 0..<4, using: &seed) {
            case 0: values.remove(at: index)
            case 1: values.swapAt(index, 0)
            default: values[index] = values[index].changed(&seed)
            }
            return .array(values)
        case .string, .other: return JSONTree.random(1, &seed)
        }
    }

    /// One spelling: members in any order, white space and escapes anywhere.
    func spelt(_ seed: inout Seed) -> [UInt8] {
        let space = Self.space(&seed)
        switch self {
        case .string(let bytes): return space + Self.spelt(bytes, &seed)
        case .other(let text): return space + Array(text.utf8)
        case .array(let values):
            let texts = values.map { $0.spelt(&seed) + Self.space(&seed) }
            return space + [0x5B] + Self.space(&seed) + Array(texts.joined(separator: [0x2C])) + [0x5D]
        case .object(let members):
            let texts = members.sorted { $0.key.lexicographicallyPrecedes($1.key) }.shuffled(using: &seed).map {
                let name = Self.space(&seed) + Self.spelt($0.key, &seed) + Self.space(&seed)
                return name + [0x3A] + $0.value.spelt(&seed) + Self.space(&seed)
            }
            return space + [0x7B] + Self.space(&seed) + Array(texts.joined(separator: [0x2C])) + [0x7D]
        }
    }

    private static func space(_ seed: inout Seed) -> [UInt8] {
        guard Int.random(in: 0..<3, using: &seed) == 0 else { return [] }
        return (0..<Int.random(in: 1...9, using: &seed)).map { _ in
            [0x20, 0x20, 0x09, 0x0A, 0x0D].randomElement(using: &seed)!
        }
    }

    private static func spelt(_ bytes: [UInt8], _ seed: inout Seed) -> [UInt8] {
        var text = "\""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let short: [Unicode.Scalar: String] = [
                "\"": "\\\"", "\\": "\\\\", "/": "\\/", "\u{8}": "\\b", "\u{c}": "\\f", "\n": "\\n", "\r": "\\r",
                "\t": "\\t",
            ]
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if !mustEscape && Bool.random(using: &seed) {
                text.unicodeScalars.append(scalar)
            } else if let escape = short[scalar], Bool.random(using: &seed) {
                text += escape
            } else {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: Bool.random(using: &seed))
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            }
        }
        return Array(text.utf8) + [0x22]
    }
}

/// The canonical form of a value of the reference reader's, without the fields at `left`.
func referenceCanonical(_ value: ReferenceValue, of body: [UInt8], without left: [ArraySlice<[UInt8]>]) -> [UInt8] {
    switch value.content {
    case .other: return Array(body[value.range])
    case .string(let bytes): return referenceString(bytes)
    case .array(let values):
        let texts = values.map { referenceCanonical($0, of: body, without: []) }
        return [0x5B] + Array(texts.joined(separator: [0x2C])) + [0x5D]
    case .object(let members):
        let kept = members.filter { member in !left.contains { $0.elementsEqual([member.name]) } }
        let texts = kept.sorted { $0.name.lexicographicallyPrecedes($1.name) }.map { member in
            let within = left.filter { $0.first == member.name }.map { $0.dropFirst() }
            return referenceString(member.name) + [0x3A]
                + referenceCanonical(member.value, of: body, without: within)
        }
        return [0x7B] + Array(texts.joined(separator: [0x2C])) + [0x7D]
    }
}

private func referenceString(_ bytes: [UInt8]) -> [UInt8] {
    var text = "\""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
        switch scalar {
        case "\"", "\\": text += "\\" + String(scalar)
        case "\u{8}": text += "\\b"
        case "\u{9}": text += "\\t"
        case "\u{A}": text += "\\n"
        case "\u{C}": text += "\\f"
        case "\u{D}": text += "\\r"
        case "\u{0}"..."\u{F}": text += "\\u000" + String(scalar.value, radix: 16)
        case "\u{10}"..."\u{1F}": text += "\\u00" + String(scalar.value, radix: 16)
        default: text.unicodeScalars.append(scalar)
        }
    }
    return Array(text.utf8) + [0x22]
}
