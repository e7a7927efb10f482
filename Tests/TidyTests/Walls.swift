// The rules about rooms: who may import whom, and that a type's name means one thing in the whole program.
// Relies on the table below, which repeats the design's and Package.swift's arrows. Refuses all other imports.

/// What each room may import beside the standard library: other rooms and C modules.
enum Walls {
    static let allowed: [String: Set<String>] = [
        "HTTP": ["CZlib"],
        "Policy": ["HTTP"],
        "Signing": ["HTTP", "COpenSSL"],
        "Store": ["Policy", "CSQLite"],
        "Exchange": ["HTTP", "Policy", "Signing"],
        "Net": ["CShims", "COpenSSL"],
        "Config": ["HTTP", "Policy", "Signing", "CYAML"],
        "Gateway": ["Exchange", "Net", "Store", "Config", "HTTP", "Policy", "Signing"],
        "countersign": ["Gateway", "Config", "Policy", "Signing", "Store", "HTTP", "Net"],
        "ingo-sandbox": ["CShims", "COpenSSL", "Foundation"],
    ]

    /// Modules of the toolchain that every room may use; Glibc and the instructions of a processor only behind a fence,
    /// which `Rule.fence` sees to.
    static let toolchain: Set<String> = ["Glibc", "Synchronization", "Swift", "_Builtin_intrinsics"]

    /// An import that goes against the arrows, or of a module that is not in the table (Foundation among them).
    static let imports = Rule(name: "imports") { file in
        guard let room = file.room else { return [] }
        guard let allowed = allowed[room] else {
            return [file.finding(1, "the room \(room) is not in the table of imports")]
        }
        return file.findings(in: file.code) { line in
            guard let module = importedModule(line), !allowed.contains(module), !toolchain.contains(module) else {
                return nil
            }
            return "\(room) does not import \(module)"
        }
    }

    /// Types of file scope, not private, with the name's line.
    static func types(of file: SourceFile) -> [(name: String, line: Int)] {
        let keywords: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        var types: [(String, Int)] = []
        var depth = 0
        for (index, line) in file.code.enumerated() {
            let words = line.split { !$0.isWordPart }
            if depth == 0, let at = words.firstIndex(where: keywords.contains), at + 1 < words.count,
                !words.contains("private"), !words.contains("fileprivate"), !words[..<at].contains("import")
            {
                types.append((String(words[at + 1]), index + 1))
            }
            for character in line {
                if character == "{" { depth += 1 }
                if character == "}" { depth -= 1 }
            }
        }
        return types
    }

    /// The same type name in two rooms. The sandbox is a program of its own and may name things as it likes.
    static func sharedNames(_ files: [SourceFile]) -> [Finding] {
        var owners: [String: String] = [:]
        var findings: [Finding] = []
        for file in files {
            guard let room = file.room, room != "ingo-sandbox" else { continue }
            for (name, line) in types(of: file) {
                if let owner = owners[name], owner != room {
                    findings.append(file.finding(line, "\(name) is a type of \(owner) already"))
                }
                owners[name] = owners[name] ?? room
            }
        }
        return findings
    }
}
