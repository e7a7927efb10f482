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

extension SourceFile {
    /// As above, for the words of each line.
    func findings(inWords lines: [[String]], _ test: ([String]) -> String?) -> [Finding] {
        lines.enumerated().compactMap { index, words in
            words.isEmpty ? nil : test(words).map { finding(index + 1, $0) }
        }
    }
}

extension Character {
    var isWordPart: Bool { isLetter || isNumber || self == "_" }
}
