// A configuration file as a tree in which everything knows its place.
// Relies on nothing. Refuses to guess types: a scalar is text, and only whether it was quoted is known.

/// A place in the file; both count from 1, columns in characters.
struct Place: Equatable, Comparable, Sendable {
    var line: Int
    var column: Int

    static func < (left: Place, right: Place) -> Bool { (left.line, left.column) < (right.line, right.column) }
}

/// One value of the file.
struct Node: Sendable {
    /// What stands at a place.
    enum Value: Sendable {
        /// Text as it reads after YAML's own escapes; plain: without quotes.
        case scalar(String, isPlain: Bool)
        case sequence([Node])
        case mapping([Entry])
        /// An alias or another thing that was already reported; readers pass over it in silence.
        case refused
    }

    /// One key of a mapping with its value. Keys may be there twice: the reader of the mapping reports it.
    struct Entry: Sendable {
        let key: String
        let place: Place
        let node: Node
    }

    let place: Place
    let value: Value

    /// What it is, for messages.
    var kind: String {
        switch value {
        case .scalar: "a single value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .refused: "nothing"
        }
    }
}
