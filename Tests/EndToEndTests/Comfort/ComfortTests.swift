// The command's comforts: JSON for machines, colours for people at a terminal, completions, the manual, the schema.
// Relies on bash, and on python3 for a terminal. What zsh, fish and mandoc say is scripts/check-packaging's business.

import Foundation
import TestSupport
import Testing

@Suite struct ComfortTests {
    private static let command = Program.buildFolder.appendingPathComponent("countersign").path

    private func bad(_ folder: TemporaryFolder) throws -> String {
        try folder.write("bad.yaml", "listeners: []\nrouts: \"\\\"\"\n")
    }

    @Test func checkSaysWhatIsWrongAsJSON() throws {
        let folder = try TemporaryFolder()
        let program = try Program("countersign", ["check", "--json", "--config", try bad(folder)])
        #expect(program.end() == .code(78))
        #expect(program.errors.isEmpty && program.output.split(separator: "\n").count == 1)
        struct Answer: Decodable {
            struct Problem: Decodable {
                let severity, file, path, message, remedy: String
                let line, column: Int
            }
            let ok: Bool
            let problems: [Problem]
        }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(program.output.utf8))
        #expect(!answer.ok)
        let unknown = try #require(answer.problems.first { $0.path == "routs" })
        #expect(unknown.severity == "error" && unknown.line == 2 && unknown.column == 1)
        #expect(unknown.message == "unknown key" && unknown.remedy == "Did you mean routes?")
        #expect(unknown.file == folder.path + "/bad.yaml")
    }

    @Test func checkSaysOKAsJSON() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("good.yaml", try Setup(url: "http://127.0.0.1:1").text(folder))
        let answer = try Program.run(Self.command, ["check", "--json", "--config", file])
        #expect(answer == "{\"ok\":true,\"problems\":[]}\n")
    }

    @Test func theVersionIsTheSameInWordsAndAsJSON() throws {
        let words = try Program.run(Self.command, ["version"])
        let object = EndToEndTests.json(try Program.run(Self.command, ["version", "--json"]))
        #expect(object["name"] as? String == "countersign")
        #expect(words == "countersign \(object["version"] as? String ?? "")\n")
    }

    /// Runs the command on a terminal of Python's making; what it showed.
    private func shown(_ arguments: [String], _ environment: [String: String]) throws -> String {
        let script = "import pty, sys; pty.spawn(sys.argv[1:])"
        let words = ["python3", "-c", script, Self.command] + arguments
        let program = try Program("/usr/bin/env", words, environment: environment)
        #expect(program.end() == .code(0))
        return program.output
    }

    @Test func coloursAreForTerminalsAndForThoseWhoWantThem() throws {
        let folder = try TemporaryFolder()
        let arguments = ["check", "--config", try bad(folder)]
        let color = "\u{1B}[31m"
        #expect(try shown(arguments, ["TERM": "xterm"]).contains(color))
        #expect(try shown(arguments, ["TERM": "xterm", "NO_COLOR": ""]).contains(color))
        for environment in [["TERM": "xterm", "NO_COLOR": "1"], ["TERM": "dumb"]] {
            let text = try shown(arguments, environment)
            #expect(text.contains("bad.yaml:1:") && !text.contains("\u{1B}"))
        }
        let piped = try Program("countersign", arguments, environment: ["TERM": "xterm"])
        #expect(piped.end() == .code(78) && piped.errors.contains("bad.yaml:1:") && !piped.errors.contains("\u{1B}"))
    }

    /// What bash offers for a line; the last word is the one that is being written.
    private func offered(_ words: String...) throws -> [String] {
        let script = """
            source <("$0" completion bash)
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _countersign
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let program = try Program("/bin/bash", ["-euc", script, Self.command] + words)
        #expect(program.end() == .code(0), "\(program.errors)")
        return program.output.split(separator: "\n").map(String.init)
    }

    @Test func bashCompletesSubcommandsFlagsAndFiles() throws {
        let first = try offered("countersign", "")
        for name in ["run", "check", "keys", "schema", "completion", "man", "--help"] { #expect(first.contains(name)) }
        #expect(!first.contains("list"))
        #expect(try offered("countersign", "ch") == ["check"])
        #expect(try offered("countersign", "keys", "") == ["list", "show", "resolve"])
        #expect(try offered("countersign", "completion", "z") == ["zsh"])
        #expect(try offered("countersign", "keys", "list", "--l") == ["--limit"])
        #expect(try offered("countersign", "version", "--") == ["--json", "--help"])
        #expect(try offered("countersign", "explain", "--route", "") == [])
        let folder = try TemporaryFolder()
        let file = try folder.write("some.yaml", "")
        #expect(try offered("countersign", "run", "--config", folder.path + "/so") == [file])
        #expect(try offered("countersign", "redact", folder.path + "/so") == [file])
    }

    @Test func everySubcommandIsInEachShellsCompletionAndInTheManual() throws {
        let help = try Program.run(Self.command, ["--help"])
        let names = help.split(separator: "\n").filter { $0.hasPrefix("  ") }.map { line in
            line.dropFirst(2).prefix(17).trimmingCharacters(in: .whitespaces)
        }
        #expect(names.count > 10)
        let manual = try Program.run(Self.command, ["man"])
        for shell in ["bash", "zsh", "fish"] {
            let script = try Program.run(Self.command, ["completion", shell])
            for word in names.joined(separator: " ").split(separator: " ") { #expect(script.contains(word)) }
        }
        for name in names {
            #expect(manual.contains("\n.SS countersign \(name)\n"))
            let flags = try Program.run(Self.command, name.split(separator: " ").map(String.init) + ["--help"])
                .split(separator: "\n").filter { $0.hasPrefix("  --") }.compactMap { $0.split(separator: " ").first }
            for flag in flags { #expect(manual.contains(flag.replacing("-", with: "\\-"))) }
        }
        #expect(manual.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func theSchemaIsJSON() throws {
        let object = EndToEndTests.json(try Program.run(Self.command, ["schema"]))
        #expect(object["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    }
}
