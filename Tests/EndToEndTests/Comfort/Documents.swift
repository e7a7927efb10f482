// The documents of the repository, and the command lines in their blocks.
// Relies on blocks being fenced at the beginning of a line. Refuses nothing.

import Foundation

enum Documents {
    /// The documents beside the sources, those of docs/ and the decisions.
    static func all() throws -> [URL] {
        let docs = Fixtures.repository.appending(path: "docs")
        let folders = [Fixtures.repository, docs, docs.appending(path: "decisions")]
        return try folders.flatMap { folder in
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "md" }
        }
    }

    /// The lines of blocks marked `sh`, and those behind a prompt of blocks marked `console`: continued ones joined,
    /// each row of blanks made one, without comments.
    static func commandLines(_ text: String) -> [String] {
        var lines: [String] = []
        var block: Substring?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                block = block == nil ? line.dropFirst(3) : nil
            } else if let last = lines.last, last.hasSuffix("\\"), block != nil {
                lines[lines.count - 1] = String(last.dropLast()) + String(line)
            } else if block == "sh" {
                lines.append(String(line))
            } else if block == "console", line.hasPrefix("$ ") {
                lines.append(String(line.dropFirst(2)))
            }
        }
        return lines.map { line in
            let words = line.split(separator: " ")
            return words.prefix { $0 != "#" }.joined(separator: " ")
        }.filter { !$0.isEmpty }
    }
}
