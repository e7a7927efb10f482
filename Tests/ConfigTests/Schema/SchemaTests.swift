// The schema is held to the readers: each place of a whole configuration is changed in many ways, both say the same.
// Relies on Whole.json, which has every key. The readers know more than a schema can say; where, stands in `beyond`.

import Config
import Foundation
import Testing

@Suite struct SchemaTests {
    private static let repository = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()

    private let schema: JSONData
    private let scratch: Scratch
    private let whole: JSONData

    init() throws {
        schema = try JSONDecoder().decode(JSONData.self, from: Data(ConfigSchema.text.utf8))
        scratch = try Scratch()
        for (name, mode) in [("ca.pem", 0o644), ("key.pem", 0o600)] {
            _ = try scratch.write(name, Array("-----BEGIN\n".utf8), mode: mode)
        }
        let text = try String(contentsOf: Fixtures.folder.appending(path: "Whole.json"), encoding: .utf8)
            .replacing("FOLDER", with: scratch.folder.path)
        whole = try JSONDecoder().decode(JSONData.self, from: Data(text.utf8))
    }

    @Test func theFileInConfIsWhatTheCommandPrints() throws {
        let file = Self.repository.appending(path: "conf/countersign.schema.json")
        #expect(try String(contentsOf: file, encoding: .utf8) == ConfigSchema.text, "countersign schema > \(file.path)")
    }

    @Test func eachMappingHasTheKeysOfTheReaders() {
        #expect(ConfigSchema.mappings.count == Vocabulary.all.count)
        for (keys, expected) in ConfigSchema.mappings { #expect(Set(keys) == Set(expected)) }
    }

    @Test func theWholeConfigurationIsAcceptedByBothAndHasEveryKey() throws {
        #expect(SchemaReading.accepts(whole, schema))
        let (settings, problems) = try load(whole)
        #expect(settings != nil, "\(problems.map(\.text))")
        let written = SchemaReading.places(whole, schema).compactMap { place -> String? in
            if case .key(let key)? = place.path.last { key } else { nil }
        }
        #expect(Set(Vocabulary.all.joined()).subtracting(written).isEmpty)
    }

    @Test func everyKeyHasADescription() {
        for place in SchemaReading.places(whole, schema) {
            guard case .key? = place.path.last, place.schema != .flag(false), place.path.count != 2 else { continue }
            guard place.path.first != .key("credentials") || place.path.count != 4 else { continue }
            #expect(place.schema["description"]?.text?.hasSuffix(".") == true, "\(ConfigTests.written(place.path))")
        }
    }

    /// What a key says beside its form: names that must exist, files, rules over several keys, one of two spellings.
    private static let beyond: Set = [
        "bind", "upstream", "credential", "routes", "url", "path", "prefix", "strip_prefix", "signed_headers",
        "server_name", "fields", "certificate", "client_ca", "ca_file", "key", "secret", "next_secret", "value",
        "token",
        "previous_keys", "per", "volatile", "code", "name", "methods", "max_line", "not_final", "place", "burst",
        "rate",
        "/participant_id", "show", "hide", "user", "group",
    ]

    @Test func aChangedValueIsRefusedByBothOrByNeither() throws {
        var count = 0
        for place in SchemaReading.places(whole, schema) where !place.path.isEmpty {
            for candidate in Candidates.of(place) {
                let changed = whole.with(candidate, at: place.path[...])
                let path = ConfigTests.written(place.path)
                let isRefused = try load(changed).1.contains { $0.severity == .error && $0.path.hasPrefix(path) }
                let fits = SchemaReading.accepts(candidate, place.schema)
                count += 1
                if !fits { #expect(isRefused, "\(path): \(candidate) is refused by the schema alone") }
                let isBeyond = place.path.contains { step in
                    if case .key(let key) = step { Self.beyond.contains(key) } else { false }
                }
                if fits && !isBeyond { #expect(!isRefused, "\(path): \(candidate) is refused by the readers alone") }
            }
        }
        #expect(count > 1_000)
    }

    @Test func whatIsMissingOrUnknownIsRefusedByBoth() throws {
        for place in SchemaReading.places(whole, schema) {
            guard case .object(let members) = place.value, place.schema["additionalProperties"] == .flag(false) else {
                continue
            }
            let required = place.schema["required"]?.list.compactMap(\.text) ?? []
            for key in members.keys.sorted() + ["nonsense"] {
                let value: JSONData? = key == "nonsense" ? .number(1) : nil
                let changed = whole.with(value, at: (place.path + [.key(key)])[...])
                let isExpected = key == "nonsense" || required.contains(key)
                let isRefused = !SchemaReading.accepts(changed, schema)
                if isExpected { #expect(isRefused) }
                if isRefused {
                    #expect(try load(changed).0 == nil, "\(ConfigTests.written(place.path)) without \(key)")
                }
            }
        }
    }

    @Test func theExamplesNameTheSchema() throws {
        let folder = Self.repository.appending(path: "conf")
        for (place, schema) in [("", "countersign.schema.json"), ("products", "../countersign.schema.json")] {
            let here = folder.appending(path: place)
            let names = try FileManager.default.contentsOfDirectory(atPath: here.path).filter { $0.hasSuffix(".yaml") }
            #expect(names.count >= 2)
            for name in names where name != "alerts.yaml" {
                let text = try String(contentsOf: here.appending(path: name), encoding: .utf8)
                #expect(text.hasPrefix("# yaml-language-server: $schema=\(schema)\n"), "\(name)")
            }
        }
    }

    private func load(_ value: JSONData) throws -> (Settings?, [Problem]) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try scratch.load(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

/// What a place is changed to.
private enum Candidates {
    static func of(_ place: SchemaPlace) -> [JSONData] {
        let shared: [JSONData] = [.list([]), .object(["nonsense": .number(1)]), .text("nonsense \u{7}")]
        switch place.value {
        case .flag: return shared + [.flag(true), .flag(false), .text("yes")]
        case .number: return shared + numbers(place) + [.text("many")]
        case .text: return shared + texts(place)
        case .list, .null: return [shared[1], shared[2]]
        case .object: return [.text("nonsense"), .number(1), .flag(true), .list([])]
        }
    }

    /// Both ends as the description has them, such as `10ms to 60s.`.
    private static func range(_ place: SchemaPlace) -> (Substring, Substring)? {
        let words = (place.schema["description"]?.text ?? "").dropLast().split(separator: " ")
        guard words.count > 2, words[words.count - 2] == "to" else { return nil }
        return (words[words.count - 3], words[words.count - 1])
    }

    private static func numbers(_ place: SchemaPlace) -> [JSONData] {
        guard let (low, high) = range(place), let low = Double(low), let high = Double(high) else { return [] }
        return [low - 1, low, low + 1, high - 1, high, high + 1].map { .number($0) }
    }

    private static let units: [[(unit: String, factor: Int)]] = [
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)],
        [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)],
    ]

    private static func texts(_ place: SchemaPlace) -> [JSONData] {
        var texts = (place.schema["enum"]?.list ?? []).compactMap(\.text)
        texts += ["", "abc", "5", "1.5s", "-1s", "0s", "0B", "5 s", "/x", "a b", "x:y", "5/s", "0/s", "1000000/h"]
        texts += ["1000001/s", "5/d", "file:/nowhere", "env:", "secret", String(repeating: "x", count: 300)]
        if let (low, high) = range(place) {
            for table in units {
                guard let least = quantity(low, table), let most = quantity(high, table) else { continue }
                for (unit, factor) in table {
                    let ends = [least / factor, least / factor + 1, most / factor, most / factor + 1]
                    texts += (ends + [max(0, least / factor - 1)]).map { "\($0)\(unit)" }
                }
            }
        }
        return texts.map { .text($0) }
    }

    private static func quantity(_ text: Substring, _ table: [(unit: String, factor: Int)]) -> Int? {
        let digits = text.prefix { $0.isNumber }
        guard let value = Int(digits) else { return nil }
        if value == 0 && digits == text { return 0 }
        return table.first { $0.unit == text.dropFirst(digits.count) }.map { value * $0.factor }
    }
}
