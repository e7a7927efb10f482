// One source file as the rules see it: its lines, and the same lines with comments or texts blanked out.
// Relies on Swift's lexical structure without regular-expression literals. Refuses nothing.

import Foundation

/// A file of the project, split into lines three ways. All three have the same number of lines.
struct SourceFile: Sendable {
    /// Path from the project's folder, such as `Sources/HTTP/Method.swift`.
    var path: String
    /// As written.
    var lines: [String]
    /// Without comments and without what stands in string literals.
    var code: [String]
    /// Comments only.
    var comments: [String]
    /// The words of each line of `code` and of `comments`. A word with `(` or `!` behind it is listed with that too.
    var codeWords: [[String]]
    var commentWords: [[String]]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var masker = Masker(text)
        masker.run()
        let codeLines = masker.code.split(separator: 10, omittingEmptySubsequences: false)
        let commentLines = masker.comments.split(separator: 10, omittingEmptySubsequences: false)
        code = codeLines.map { String(decoding: $0, as: UTF8.self) }
        comments = commentLines.map { String(decoding: $0, as: UTF8.self) }
        codeWords = codeLines.map(Self.words)
        commentWords = commentLines.map(Self.words)
    }

    private static func words(_ line: ArraySlice<UInt8>) -> [String] {
        var words: [String] = []
        var start: Int?
        for index in line.startIndex...line.endIndex {
            let byte = index < line.endIndex ? line[index] : 32
            let isLetter = byte | 0x20 >= 97 && byte | 0x20 <= 122
            if isLetter || byte >= 48 && byte <= 57 || byte == 95 || byte >= 128 {
                start = start ?? index
            } else if let first = start {
                words.append(String(decoding: line[first..<index], as: UTF8.self))
                if byte == UInt8(ascii: "(") || byte == UInt8(ascii: "!") {
                    words.append(String(decoding: line[first...index], as: UTF8.self))
                }
                start = nil
            }
        }
        return words
    }

    /// Whether unsafe code and C may stand here.
    var isFence: Bool { path.split(separator: "/").dropLast().contains("Fence") }

    /// The room: `HTTP` of `Sources/HTTP/Fence/ByteBuffer.swift`; nil for tests.
    var room: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    /// The folder that holds Package.swift.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every Swift file under Sources, Tests, Fuzz and loadtest, read once.
    static let all: [SourceFile] = ["Sources", "Tests", "Fuzz", "loadtest"].flatMap { folder -> [SourceFile] in
        let base = root.appendingPathComponent(folder)
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
            guard let text = try? String(contentsOf: base.appendingPathComponent(name), encoding: .utf8) else {
                return nil
            }
            return SourceFile(path: folder + "/" + name, text: text)
        }
    }
}

/// Separates code, comments and texts. What belongs elsewhere becomes a space, so that columns stay.
private struct Masker {
    private enum Mode {
        /// Code; inside an interpolation the number of its open parentheses, else nil.
        case code(parentheses: Int?)
        case text(hashes: Int, isMultiline: Bool)
    }

    private let bytes: [UInt8]
    private var at = 0
    private var modes: [Mode] = [.code(parentheses: nil)]
    var code: [UInt8] = []
    var comments: [UInt8] = []

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func run() {
        while at < bytes.count {
            switch modes[modes.count - 1] {
            case .code(let parentheses): readCode(parentheses)
            case .text(let hashes, let isMultiline): readText(hashes, isMultiline)
            }
        }
    }

    private func looking(at text: String, from offset: Int = 0) -> Bool {
        var index = at + offset
        for byte in text.utf8 {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
        }
        return true
    }

    private mutating func take(_ count: Int, toCode: Bool = false, toComments: Bool = false) {
        for byte in bytes[at..<min(bytes.count, at + count)] {
            let blank: UInt8 = byte == 10 ? 10 : 32
            code.append(toCode ? byte : blank)
            comments.append(toComments ? byte : blank)
        }
        at = min(bytes.count, at + count)
    }

    private mutating func readCode(_ parentheses: Int?) {
        if looking(at: "//") {
            while at < bytes.count && bytes[at] != 10 { take(1, toComments: true) }
        } else if looking(at: "/*") {
            readBlockComment()
        } else if bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "#") {
            openText()
        } else {
            if let parentheses { count(parentheses) }
            take(1, toCode: true)
        }
    }

    /// Follows the parentheses of an interpolation, and leaves it behind its last one.
    private mutating func count(_ parentheses: Int) {
        if bytes[at] == UInt8(ascii: "(") { modes[modes.count - 1] = .code(parentheses: parentheses + 1) }
        if bytes[at] == UInt8(ascii: ")") {
            modes[modes.count - 1] = .code(parentheses: parentheses - 1)
            if parentheses == 1 { modes.removeLast() }
        }
    }

    private mutating func readBlockComment() {
        var depth = 0
        repeat {
            if looking(at: "/*") {
                depth += 1
                take(2, toComments: true)
            } else if looking(at: "*/") {
                depth -= 1
                take(2, toComments: true)
            } else {
                take(1, toComments: true)
            }
        } while depth > 0 && at < bytes.count
    }

    private mutating func openText() {
        var hashes = 0
        while at + hashes < bytes.count && bytes[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard looking(at: "\"", from: hashes) else {
            take(max(hashes, 1), toCode: true)
            return
        }
        let isMultiline = looking(at: "\"\"\"", from: hashes)
        modes.append(.text(hashes: hashes, isMultiline: isMultiline))
        take(hashes + (isMultiline ? 3 : 1))
    }

    private mutating func readText(_ hashes: Int, _ isMultiline: Bool) {
        let marks = String(repeating: "#", count: hashes)
        if looking(at: (isMultiline ? "\"\"\"" : "\"") + marks) {
            modes.removeLast()
            take((isMultiline ? 3 : 1) + hashes)
        } else if looking(at: "\\" + marks + "(") {
            modes.append(.code(parentheses: 1))
            take(2 + hashes)
        } else if looking(at: "\\" + marks) {
            take(2 + hashes)
        } else if bytes[at] == 10 && !isMultiline {
            modes.removeLast()
        } else {
            take(1)
        }
    }
}
