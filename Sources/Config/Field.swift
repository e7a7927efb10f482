// Typed reading of the tree: each reader returns the value, or nil after saying what is wrong and where.
// Relies on Report. Refuses wrong kinds, unknown and duplicate keys, control characters; never repeats a value, since
// any scalar may be a secret in the wrong place.

/// One value with its path, and the readers for the kinds of value there are.
struct Field {
    let node: Node
    let path: String
    let report: Report

    func error(_ message: String, _ remedy: String) { report.error(node.place, path, message, remedy) }
    func warn(_ message: String, _ remedy: String) { report.warn(node.place, path, message, remedy) }

    /// Whether the value is this one word.
    func isWord(_ word: String) -> Bool {
        if case .scalar(let text, _) = node.value { return text == word }
        return false
    }

    /// Any text of 1 ... `max` bytes without control characters.
    func text(max: Int = 4_096) -> String? {
        guard let text = scalar(expected: "a text") else { return nil }
        guard text.utf8.count <= max else { return refuse("longer than \(max) bytes", "Shorten it") }
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return refuse("has control characters", "Write it on one line of printable characters")
        }
        return text
    }

    /// `true` or `false`.
    func boolean() -> Bool? {
        guard let text = scalar(expected: "true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default: return refuse("is neither true nor false", "Write true or false")
        }
    }

    /// One of the raw values of `Word`.
    func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> Word? where Word.RawValue == String {
        let words = type.allCases.map(\.rawValue)
        guard let text = scalar(expected: "one of \(words.joined(separator: ", "))") else { return nil }
        if let word = type.init(rawValue: text) { return word }
        return refuse("is not a known word", "Write one of \(words.joined(separator: ", "))")
    }

    /// The elements of a list of 1 ... `max`, or none where that `mayBeEmpty`.
    func elements(max: Int, mayBeEmpty: Bool = false) -> [Field]? {
        switch node.value {
        case .sequence(let nodes):
            guard mayBeEmpty || !nodes.isEmpty else { return refuse("is an empty list", "Write at least one element") }
            guard nodes.count <= max else { return refuse("has more than \(max) elements", "Remove some") }
            return nodes.enumerated().map { Field(node: $1, path: "\(path)[\($0)]", report: report) }
        case .refused: return nil
        case .scalar, .mapping: return refuse("is \(node.kind), not a list", "Write [ ... ] or lines that begin with -")
        }
    }

    /// A mapping whose keys are the operator's own names; duplicates are reported and dropped. 1 ... `max` entries.
    func named(max: Int) -> [(name: String, field: Field)]? {
        guard let entries = entries() else { return nil }
        guard !entries.isEmpty else { return refuse("is empty", "Write at least one entry") }
        guard entries.count <= max else { return refuse("has more than \(max) entries", "Remove some") }
        return entries.map { ($0.key, child($0)) }
    }

    /// A mapping with known keys. Unknown and duplicate keys are reported here.
    func mapping(_ keys: [String]) -> Mapping? {
        guard let entries = entries() else { return nil }
        var fields: [String: Field] = [:]
        for entry in entries {
            if keys.contains(entry.key) {
                fields[entry.key] = child(entry)
            } else {
                let near = nearest(to: entry.key, among: keys)
                let remedy = near.map { "Did you mean \($0)?" } ?? "Known keys: \(keys.joined(separator: ", "))"
                report.error(entry.place, join(entry.key), "unknown key", remedy)
            }
        }
        return Mapping(field: self, fields: fields)
    }

    /// The first value of each key; the others are reported.
    private func entries() -> [Node.Entry]? {
        switch node.value {
        case .mapping(let entries):
            var first: [String: Place] = [:]
            return entries.filter { entry in
                guard let place = first[entry.key] else {
                    first[entry.key] = entry.place
                    return true
                }
                report.error(
                    entry.place, join(entry.key), "the key is there twice, first on line \(place.line)",
                    "Remove one of them")
                return false
            }
        case .refused: return nil
        case .scalar, .sequence: return refuse("is \(node.kind), not a mapping", "Write {key: value} or indented keys")
        }
    }

    private func child(_ entry: Node.Entry) -> Field {
        Field(node: entry.node, path: join(entry.key), report: report)
    }

    /// Keys may be long or odd where a file went wrong; a path stays readable.
    private func join(_ key: String) -> String {
        let shown = key.count > 64 ? String(key.prefix(61)) + "..." : key
        let clean = String(shown.map { $0.unicodeScalars.allSatisfy(isPrintable) ? $0 : "?" })
        return path.isEmpty ? clean : "\(path).\(clean)"
    }

    /// Whether a terminal shows it and does nothing else: no control, and nothing that breaks or turns lines round.
    private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: false
        default: true
        }
    }

    /// The text of a scalar that is not empty.
    func scalar(expected: String) -> String? {
        switch node.value {
        case .scalar(let text, _):
            return text.isEmpty ? refuse("has no value", "Write \(expected) or remove the key") : text
        case .refused: return nil
        case .sequence, .mapping: return refuse("is \(node.kind), not \(expected)", "Write \(expected)")
        }
    }

    /// Reports and returns nil, for the ends of readers.
    func refuse<Value>(_ message: String, _ remedy: String) -> Value? {
        error(message, remedy)
        return nil
    }
}

/// A mapping with known keys.
struct Mapping {
    let field: Field
    private let fields: [String: Field]

    init(field: Field, fields: [String: Field]) {
        self.field = field
        self.fields = fields
    }

    subscript(key: String) -> Field? { fields[key] }

    /// The value of a key that must be there; reports at the mapping where it is not.
    func required(_ key: String, _ remedy: String) -> Field? {
        if let field = fields[key] { return field }
        field.error("the key \(key) is missing", remedy)
        return nil
    }
}

/// The name that was probably meant: at most a third of its letters differ.
package func nearest(to word: String, among names: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let best = names.map { (name: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
        .min { $0.distance < $1.distance }
    guard let best, best.distance <= max(1, best.name.utf8.count / 3) else { return nil }
    return best.name
}

/// How many letters must be inserted, removed or replaced (Levenshtein 1966).
private func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
            diagonal = above
        }
    }
    return row[right.count]
}
