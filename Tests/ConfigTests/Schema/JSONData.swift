// JSON as the tests of the schema look at it: values whose kinds are told apart, paths into them, changes to them.
// Relies on Foundation's decoder. Refuses nothing.

import Foundation

indirect enum JSONData: Codable, Equatable, Sendable {
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONData])
    case object([String: JSONData])
    case null

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSONData].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSONData].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .flag(let flag): try value.encode(flag)
        case .number(let number):
            if let whole = Int(exactly: number) { try value.encode(whole) } else { try value.encode(number) }
        case .text(let text): try value.encode(text)
        case .list(let list): try value.encode(list)
        case .object(let members): try value.encode(members)
        case .null: try value.encodeNil()
        }
    }

    /// One step into a value.
    enum Step: Equatable, Sendable {
        case key(String)
        case index(Int)
    }

    subscript(key: String) -> JSONData? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var list: [JSONData] {
        if case .list(let list) = self { list } else { [] }
    }

    var text: String? {
        if case .text(let text) = self { text } else { nil }
    }

    var number: Double? {
        if case .number(let number) = self { number } else { nil }
    }

    /// The same with another value at a place; nil takes the place away.
    func with(_ value: JSONData?, at path: ArraySlice<Step>) -> JSONData {
        guard let step = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        switch (self, step) {
        case (.object(var members), .key(let key)):
            members[key] = rest.isEmpty ? value : (members[key] ?? .object([:])).with(value, at: rest)
            return .object(members)
        case (.list(var list), .index(let index)):
            list[index] = list[index].with(value, at: rest)
            return .list(list)
        default: return self
        }
    }
}

/// A path as messages of the loader have it: `routes[0].path`.
func written(_ path: [JSONData.Step]) -> String {
    path.reduce("") { text, step in
        switch step {
        case .key(let key): text.isEmpty ? key : "\(text).\(key)"
        case .index(let index): "\(text)[\(index)]"
        }
    }
}
