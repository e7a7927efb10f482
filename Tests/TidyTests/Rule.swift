// What a rule is: a name and a function from a file to findings. The rules are in Rules.swift and Walls.swift.
// Relies on `SourceFile`. Refuses nothing itself.

/// Something that a rule found.
struct Finding: Equatable, CustomStringConvertible, Sendable {
    var path: String
    /// Counted from 1.
    var line: Int
    var what: String

    var description: String { "\(path):\(line): \(what)" }
}

/// A rule about one file at a time.
struct Rule: Sendable, CustomStringConvertible {
    var name: String
    var find: @Sendable (SourceFile) -> [Finding]

    var description: String { name }
}

extension SourceFile {
    /// A finding in this file.
    func finding(_ line: Int, _ what: String) -> Finding { Finding(path: path, line: line, what: what) }

    /// Findings for each line of `lines` in which `test` sees something to say.
    func findings(in lines: [String], _ test: (String) -> String?) -> [Finding] {
        lines.enumerated().compactMap { index, line in test(line).map { finding(index + 1, $0) } }
    }
}

extension String {
    /// Whether `word` stands in the text with no letter, digit or underscore beside it.
    func hasWord(_ word: String) -> Bool {
        var rest = self[...]
        while let range = rest.firstRange(of: word) {
            let before = range.lowerBound > startIndex ? self[index(before: range.lowerBound)] : " "
            let after = range.upperBound < endIndex ? self[range.upperBound] : " "
            if !before.isWordPart && !after.isWordPart { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    /// Whether `name` is called: the name, no word part before it, and an open parenthesis behind it.
    func hasCall(_ name: String) -> Bool {
        var rest = self[...]
        while let range = rest.firstRange(of: name + "(") {
            let before = range.lowerBound > startIndex ? self[index(before: range.lowerBound)] : " "
            if !before.isWordPart { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}

extension Character {
    var isWordPart: Bool { isLetter || isNumber || self == "_" }
}
