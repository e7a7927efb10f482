// The rules about one file: fences, sizes, words that must not appear, and what comments must say.
// Relies on `SourceFile` for what is code and what is not. Refuses by finding; TidyTests.swift fails on every finding.

extension Rule {
    /// Rules for every Swift file of the project.
    static let all: [Rule] = [
        fence, safetyComment, fileLength, lineLength, functionLength, openingComment, forbiddenCalls, noPrint,
        leftovers,
        sendableReason, machinePaths,
    ]

    /// C, Glibc and unsafe code live behind a fence.
    static let fence = Rule(name: "fence") { file in
        guard !file.isFence else { return [] }
        let imports = file.findings(in: file.code) { line in
            importedModule(line).flatMap { isCModule($0) ? "import of \($0) outside Fence" : nil }
        }
        return imports
            + file.findings(inWords: file.codeWords) { $0.contains("unsafe") ? "unsafe code outside Fence" : nil }
    }

    /// A fence says what it relies on.
    static let safetyComment = Rule(name: "safety comment") { file in
        guard file.isFence, let first = file.codeWords.firstIndex(where: { $0.contains("unsafe") }),
            !file.comments.contains(where: { $0.contains("SAFETY:") })
        else { return [] }
        return [file.finding(first + 1, "unsafe code in a file without a SAFETY comment")]
    }

    static let fileLength = Rule(name: "file length") { file in
        let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
        return count > 600 ? [file.finding(601, "\(count) lines; 600 at most")] : []
    }

    static let lineLength = Rule(name: "line length") { file in
        file.findings(in: file.lines) { $0.count > 120 ? "\($0.count) columns; 120 at most" : nil }
    }

    static let functionLength = Rule(name: "function length") { file in
        functions(of: file).compactMap { function in
            let count = function.upperBound - function.lowerBound + 1
            return count > 70 ? file.finding(function.lowerBound, "a function of \(count) lines; 70 at most") : nil
        }
    }

    /// A file opens with what lives in it. Package.swift's tool line is not among the files looked at.
    static let openingComment = Rule(name: "opening comment") { file in
        let count = file.lines.prefix { $0.hasPrefix("//") && !$0.hasPrefix("///") }.count
        return (1...6).contains(count) ? [] : [file.finding(1, "\(count) opening comment lines; 2 to 5 are meant")]
    }

    static let forbiddenCalls = Rule(name: "forbidden calls") { file in
        // Words as they stand in front of `(` and `!`; the traits of tests only behind a point.
        let words: Set<String> = [
            "try!", "testable", "fatalError(", "sleep(", "usleep(", "nanosleep(", "XCTSkip", "withKnownIssue",
        ]
        let traits = ["disabled(", "enabled("]
        return file.codeWords.indices.compactMap { index in
            let line = file.codeWords[index]
            if let word = line.first(where: words.contains) {
                return file.finding(index + 1, "\(word) is not used here")
            }
            let trait = traits.first { line.contains($0) && file.code[index].contains("." + $0) }
            return trait.map { file.finding(index + 1, ".\($0) is not used here") }
        }
    }

    /// Only the two commands write to standard output; tests print their seeds.
    static let noPrint = Rule(name: "print") { file in
        guard let room = file.room, room != "countersign", room != "ingo-sandbox" else { return [] }
        let calls: Set<String> = ["print(", "debugPrint(", "dump("]
        return file.findings(inWords: file.codeWords) {
            $0.contains(where: calls.contains) ? "output from a room" : nil
        }
    }

    static let leftovers = Rule(name: "leftovers") { file in
        let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
        return file.findings(inWords: file.commentWords) { line in
            marks.first { line.contains($0) }.map { "a mark of unfinished work: \($0)" }
        }
    }

    /// A promise that the compiler cannot check is explained beside it.
    static let sendableReason = Rule(name: "reason for unchecked sharing") { file in
        file.code.indices.compactMap { index in
            let words = file.codeWords[index]
            guard words.contains("unchecked") || words.contains("nonisolated(") && words.contains("unsafe") else {
                return nil
            }
            let near = file.comments[max(0, index - 10)..<min(file.comments.count, index + 10)]
            let isExplained = near.contains {
                $0.contains("Sendable") || $0.contains("isolated") || $0.contains("SAFETY:")
            }
            return isExplained ? nil : file.finding(index + 1, "unchecked sharing without a reason beside it")
        }
    }

    /// Nothing that holds only on one machine.
    static let machinePaths = Rule(name: "paths of one machine") { file in
        let paths = ["/wo" + "rk/", "/tmp" + "/wt", "/opt/" + "swift", "/ro" + "ot/"]
        return file.findings(in: file.lines) { line in
            line.utf8.contains(UInt8(ascii: "/")) ? paths.first { line.contains($0) }.map { "path \($0)" } : nil
        }
    }
}

/// The module that a line imports; nil where it imports none.
func importedModule(_ line: String) -> String? {
    guard line.utf8.contains(UInt8(ascii: "i")), line.contains("import ") else { return nil }
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ";" })
    guard let at = words.firstIndex(of: "import") else { return nil }
    let modifiers: Set<Substring> = ["package", "internal", "private", "fileprivate", "public"]
    guard words[..<at].allSatisfy({ modifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    var rest = words[(at + 1)...]
    if let first = rest.first, kinds.contains(first) { rest = rest.dropFirst() }
    return rest.first.map { String($0.prefix { $0 != "." }) }
}

/// Whether a module is C's: ours begin with `C` and a capital letter. So are the functions that stand for instructions
/// of a processor.
func isCModule(_ module: String) -> Bool {
    let second = module.dropFirst().first
    if module == "Glibc" || module == "Musl" || module == "_Builtin_intrinsics" { return true }
    return module.hasPrefix("C") && second?.isUppercase == true
}

/// The first and last line (from 1) of every function, initialiser, deinitialiser and subscript with a body.
func functions(of file: SourceFile) -> [ClosedRange<Int>] {
    var ranges: [ClosedRange<Int>] = []
    var braces: [(start: Int?, parentheses: Int)] = []
    var pending: Int?
    var parentheses = 0
    for (index, line) in file.code.enumerated() {
        var word = ""
        var last: Character = " "
        for character in line + "\n" {
            if character.isWordPart {
                word.append(character)
                continue
            }
            if ["func", "init", "deinit", "subscript"].contains(word) && last != "." && parentheses == 0 {
                pending = index + 1
            } else if ["var", "let", "case", "struct", "class", "enum", "extension"].contains(word) && parentheses == 0
            {
                pending = nil
            }
            if !word.isEmpty { last = "a" }
            word = ""
            switch character {
            case "(", "[": parentheses += 1
            case ")", "]": parentheses -= 1
            case "{":
                // A closure in an argument list begins a count of parentheses of its own.
                braces.append((pending, parentheses))
                pending = nil
                parentheses = 0
            case "}":
                let opened = braces.popLast()
                if let start = opened?.start { ranges.append(start...(index + 1)) }
                parentheses = opened?.parentheses ?? 0
                pending = nil
            default: break
            }
            if character != " " { last = character }
        }
    }
    return ranges
}
