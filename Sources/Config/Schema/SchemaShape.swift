// What a value of the configuration may look like, in terms of JSON Schema (draft 2020-12).
// Relies on the units of Units.swift. Refuses nothing itself: it describes what the readers refuse, and a test holds it
// to them.

/// The form of one value.
indirect enum SchemaShape: Sendable {
    /// Text that the whole of a regular expression (ECMA-262) matches.
    case text(pattern: String)
    /// One of these words.
    case words([String])
    case flag
    /// A whole number.
    case integer(ClosedRange<Int>)
    /// A duration in milliseconds.
    case duration(ClosedRange<Int>)
    /// A size in bytes.
    case size(ClosedRange<Int>)
    /// Calls in each second, minute or hour.
    case rate(ClosedRange<Int>)
    /// A list of so many elements.
    case list(SchemaShape, ClosedRange<Int>)
    /// A mapping from names that the pattern matches, so many of them.
    case named(pattern: String, SchemaShape, most: Int)
    case object(SchemaObject)
    case either([SchemaShape])
    /// Any single value that JSON has: a text, a number, true, false, null.
    case scalar
}

/// A mapping with known keys.
struct SchemaObject: Sendable {
    var keys: [SchemaKey]
    /// Of each of these groups exactly one key is there; of a group in a group, at least one.
    var alternatives: [[String]] = []
}

/// One key of a mapping.
struct SchemaKey: Sendable {
    var name: String
    var shape: SchemaShape
    var help: String
    var isRequired = false

    init(_ name: String, _ shape: SchemaShape, _ help: String) {
        self.name = name
        self.shape = shape
        self.help = help
    }

    /// A key that must be there.
    static func required(_ name: String, _ shape: SchemaShape, _ help: String) -> SchemaKey {
        var key = SchemaKey(name, shape, help)
        key.isRequired = true
        return key
    }
}

extension SchemaShape {
    /// The shape as a schema.
    var json: SchemaJSON {
        switch self {
        case .text(let pattern): .object([("type", "string"), ("pattern", .text("^(?:\(pattern))$"))])
        case .words(let words): .object([("enum", .array(words.map { .text($0) }))])
        case .flag: .object([("type", "boolean")])
        case .integer(let range):
            .object([
                ("type", "integer"), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound)),
            ])
        case .duration(let range): Self.quantity(range, durationUnits)
        case .size(let range): Self.quantity(range, sizeUnits)
        case .rate(let range):
            .object([("type", "string"), ("pattern", .text("^(?:\(digitsPattern(range)))/[smh]$"))])
        case .list(let element, let count):
            .object([
                ("type", "array"), ("items", element.json), ("minItems", .number(count.lowerBound)),
                ("maxItems", .number(count.upperBound)),
            ])
        case .named(let pattern, let value, let most):
            .object([
                ("type", "object"), ("propertyNames", .object([("pattern", .text("^(?:\(pattern))$"))])),
                ("additionalProperties", value.json), ("minProperties", .number(1)), ("maxProperties", .number(most)),
            ])
        case .object(let object): object.json
        case .either(let shapes): .object([("anyOf", .array(shapes.map(\.json)))])
        case .scalar: .object([("type", .array(["string", "number", "boolean", "null"]))])
        }
    }

    /// A whole number with a unit, and 0 without one where that is in the range.
    private static func quantity(_ range: ClosedRange<Int>, _ units: [(unit: String, factor: Int)]) -> SchemaJSON {
        let forms = units.compactMap { unit, factor -> String? in
            let low = (range.lowerBound + factor - 1) / factor
            let high = range.upperBound / factor
            return low <= high ? "(?:\(digitsPattern(low...high)))\(unit)" : nil
        }
        let text = SchemaJSON.object([
            ("type", "string"), ("pattern", .text("^(?:\(forms.joined(separator: "|")))$")),
        ])
        guard range.contains(0) else { return text }
        return .object([("anyOf", .array([text, .object([("const", .number(0))])]))])
    }

    /// What the operator reads behind the help: the range with units.
    var range: String? {
        switch self {
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .duration(let range): Self.shown(range, durationUnits)
        case .size(let range): Self.shown(range, sizeUnits)
        case .rate(let range): "\(range.lowerBound)/h to \(range.upperBound)/s"
        case .text, .words, .flag, .list, .named, .object, .either, .scalar: nil
        }
    }

    private static func shown(_ range: ClosedRange<Int>, _ units: [(unit: String, factor: Int)]) -> String {
        "\(shownQuantity(range.lowerBound, units)) to \(shownQuantity(range.upperBound, units))"
    }
}

extension SchemaObject {
    var json: SchemaJSON {
        let properties = keys.map { key in (key.name, key.json) }
        var members: [(String, SchemaJSON)] = [
            ("type", "object"), ("additionalProperties", .flag(false)), ("properties", .object(properties)),
        ]
        let required = keys.filter(\.isRequired).map { SchemaJSON.text($0.name) }
        if !required.isEmpty { members.append(("required", .array(required))) }
        if !alternatives.isEmpty {
            let each = alternatives.map { group in
                SchemaJSON.object([("anyOf", .array(group.map { .object([("required", .array([.text($0)]))]) }))])
            }
            members.append(("oneOf", .array(each)))
        }
        return .object(members)
    }
}

extension SchemaKey {
    fileprivate var json: SchemaJSON {
        guard case .object(let members) = shape.json else { preconditionFailure("a schema is an object") }
        let text = help + (shape.range.map { " \($0)." } ?? "")
        return .object([("description", .text(text))] + members)
    }
}
