// A reader of JSON Schema, as far as ours goes, and the walk over a configuration along its schema.
// Relies on draft 2020-12's meaning of the words below. Refuses a word that it does not know: nothing goes unchecked.

import Foundation

/// What of a configuration a test may change.
struct SchemaPlace: Sendable {
    var path: [JSONData.Step]
    var schema: JSONData
    var value: JSONData
}

struct SchemaReading {
    static let words: Set = [
        "$schema", "title", "description", "type", "enum", "const", "pattern", "minimum", "maximum", "items",
        "minItems",
        "maxItems", "properties", "additionalProperties", "required", "propertyNames", "minProperties", "maxProperties",
        "anyOf", "oneOf",
    ]

    /// Whether a value is valid.
    static func accepts(_ value: JSONData, _ schema: JSONData) -> Bool {
        guard case .object(let words) = schema else { return schema == .flag(true) }
        return words.allSatisfy { word, rule in
            precondition(Self.words.contains(word), "the word \(word) is not known")
            return holds(value, word, rule, words)
        }
    }

    private static func holds(_ value: JSONData, _ word: String, _ rule: JSONData, _ all: [String: JSONData]) -> Bool {
        switch (word, value) {
        case ("type", _): (rule.list.isEmpty ? [rule] : rule.list).contains { isOf(value, $0.text ?? "") }
        case ("enum", _): rule.list.contains(value)
        case ("const", _): rule == value
        case ("anyOf", _): rule.list.contains { accepts(value, $0) }
        case ("oneOf", _): rule.list.filter { accepts(value, $0) }.count == 1
        case ("pattern", .text(let text)): text.range(of: rule.text ?? "", options: .regularExpression) != nil
        case ("minimum", .number(let number)): number >= rule.number ?? 0
        case ("maximum", .number(let number)): number <= rule.number ?? 0
        case ("items", .list(let list)): list.allSatisfy { accepts($0, rule) }
        case ("minItems", .list(let list)): Double(list.count) >= rule.number ?? 0
        case ("maxItems", .list(let list)): Double(list.count) <= rule.number ?? 0
        case ("minProperties", .object(let members)): Double(members.count) >= rule.number ?? 0
        case ("maxProperties", .object(let members)): Double(members.count) <= rule.number ?? 0
        case ("required", .object(let members)): rule.list.allSatisfy { members[$0.text ?? ""] != nil }
        case ("propertyNames", .object(let members)): members.keys.allSatisfy { accepts(.text($0), rule) }
        case ("properties", .object(let members)):
            members.allSatisfy { key, member in rule[key].map { accepts(member, $0) } ?? true }
        case ("additionalProperties", .object(let members)):
            members.allSatisfy { key, member in all["properties"]?[key] != nil || accepts(member, rule) }
        default: true
        }
    }

    private static func isOf(_ value: JSONData, _ type: String) -> Bool {
        switch (type, value) {
        case ("string", .text), ("boolean", .flag), ("array", .list), ("object", .object), ("null", .null),
            ("number", .number):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }

    /// All places of a value, itself first, each with its part of the schema.
    static func places(_ value: JSONData, _ schema: JSONData, _ path: [JSONData.Step] = []) -> [SchemaPlace] {
        let here = [SchemaPlace(path: path, schema: schema, value: value)]
        let fitting = schema["anyOf"]?.list.first { accepts(value, $0) } ?? schema
        switch value {
        case .object(let members):
            return here
                + members.sorted { $0.key < $1.key }.flatMap { key, member in
                    let part = fitting["properties"]?[key] ?? fitting["additionalProperties"] ?? .flag(false)
                    return places(member, part, path + [.key(key)])
                }
        case .list(let list):
            let items = fitting["items"] ?? .flag(false)
            return here + list.enumerated().flatMap { places($1, items, path + [.index($0)]) }
        case .flag, .number, .text, .null: return here
        }
    }
}
