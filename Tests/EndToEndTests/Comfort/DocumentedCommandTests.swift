// Every command of ours that the documents name exists as they write it: subcommand, flags and script, and the files
// of conf/ that it is given. Relies on the commands' own help, which is run for each. Refuses nothing else: the lines
// of blocks are carried out by DocumentedRunTests.

import Foundation
import TestSupport
import Testing

@Suite struct DocumentedCommandTests {
    /// A command as a document has it.
    struct Written: CustomStringConvertible {
        let file: String
        let words: [String]
        var description: String { "\(file): \(words.joined(separator: " "))" }

        /// The name of the program, without its folder.
        var program: Substring { words[0].split(separator: "/").last ?? "" }
        var flags: [String] {
            words.dropFirst().filter { $0.hasPrefix("--") && $0.count > 2 }.map { String($0.prefix { $0 != "=" }) }
        }
    }

    /// The lines of blocks, and what stands in single backquotes elsewhere.
    private static func commands(_ text: String) -> [String] {
        var spans: [String] = []
        var isBlock = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isBlock.toggle()
            } else if !isBlock {
                spans += line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                    .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            }
        }
        return Documents.commandLines(text)
            + spans.filter { span in ["countersign ", "ingo-sandbox ", "scripts/"].contains { span.hasPrefix($0) } }
    }

    /// The commands of one line, without quotes, comments and what is set before them.
    private static func split(_ line: String) -> [[String]] {
        var commands: [[String]] = [[]]
        var word = ""
        var quote: Character?
        func end() {
            if !word.isEmpty { commands[commands.count - 1].append(word) }
            word = ""
        }
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "#" && word.isEmpty {
                break
            } else {
                switch character {
                case "'", "\"": quote = character
                case " ": end()
                case "|", "&", ";", "<", ">", "(", ")":
                    end()
                    commands.append([])
                default: word.append(character)
                }
            }
        }
        end()
        return commands.map { Array($0.drop { $0.contains("=") }) }.filter { !$0.isEmpty }
    }

    private static func written() throws -> [Written] {
        try Documents.all().flatMap { file in
            let text = try String(contentsOf: file, encoding: .utf8)
            return commands(text).flatMap { split($0) }.map { Written(file: file.lastPathComponent, words: $0) }
        }
    }

    private static func help(_ program: String, _ words: [String]) throws -> String {
        let path = Program.buildFolder.appendingPathComponent(program).path
        return try Program.run(path, words + ["--help"])
    }

    @Test func subcommandsAndFlagsExist() throws {
        let usage = try Self.help("countersign", [])
        let names = usage.split(separator: "\n").filter { $0.hasPrefix("  ") }.map { line in
            line.dropFirst(2).prefix(17).split(separator: " ").map(String.init)
        }
        let commands = try Self.written().filter { $0.program == "countersign" && $0.words.count > 1 }
        #expect(commands.count > 20)
        for command in commands where command.words[1] != "--help" {
            let words = command.words.dropFirst().map { $0 }
            let isGroup = words.count == 1 && names.contains { $0.first == words[0] }
            guard !isGroup else { continue }
            guard let name = names.first(where: { words.starts(with: $0) }) else {
                Issue.record("there is no such subcommand: \(command)")
                continue
            }
            let known = try Self.help("countersign", name)
            for flag in command.flags where flag != "--help" {
                #expect(known.contains("  \(flag) "), "\(command) has no \(flag)")
            }
        }
    }

    @Test func theSandboxHasItsFlags() throws {
        let known = try Self.help("ingo-sandbox", [])
        for command in try Self.written() where command.program == "ingo-sandbox" {
            for flag in command.flags { #expect(known.contains(flag), "\(command) has no \(flag)") }
        }
    }

    @Test func scriptsExistAndHaveTheirFlags() throws {
        let commands = try Self.written().filter { $0.words[0].hasPrefix("scripts/") }
        #expect(Set(commands.map { $0.words[0] }).count > 6)
        for command in commands {
            let file = Fixtures.repository.appending(path: command.words[0])
            #expect(FileManager.default.isExecutableFile(atPath: file.path), "\(command)")
            let script = try String(contentsOf: file, encoding: .utf8)
            let python = script.split { " \"\n".contains($0) }.filter { $0.hasSuffix(".py") }
            let all = try python.reduce(script) { text, name in
                text + (try String(contentsOf: Fixtures.repository.appending(path: String(name)), encoding: .utf8))
            }
            for flag in command.flags { #expect(all.contains(flag), "\(command) has no \(flag)") }
        }
    }

    @Test func filesOfTheRepositoryExist() throws {
        for command in try Self.written() {
            for word in command.words where word.hasPrefix("conf/") || word.hasPrefix("docs/") {
                let path = Fixtures.repository.appending(path: word).path
                #expect(FileManager.default.fileExists(atPath: path), "\(command): \(word)")
            }
        }
    }
}
