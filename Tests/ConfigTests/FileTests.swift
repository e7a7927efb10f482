// The file itself: missing, unreadable as text, too large; and files at random, which must never stop the program.
// Relies on a seed that is printed, so that a failure can be repeated.

import Config
import Foundation
import TestSupport
import Testing

@Suite struct FileTests {
    @Test func filesThatCannotBeRead() throws {
        let scratch = try Scratch()
        let missing = scratch.folder.path + "/none.yaml"
        #expect(
            SettingsLoader.load(path: missing, environment: Environment([:])).1.map(\.text) == [
                "\(missing): the configuration does not exist. Correct the path or the file."
            ])
        let folder = scratch.folder.path
        #expect(
            SettingsLoader.load(path: folder, environment: Environment([:])).1.map(\.message) == [
                "the configuration is not a regular file"
            ])
    }

    @Test(arguments: [Fixtures.least, "workers: 0\n" + Fixtures.least, "a: [", ""])
    func aTextIsReadAsItsFileIs(text: String) throws {
        let bytes = Array(text.utf8)
        let path = try Scratch().write("c.yaml", bytes)
        let file = try Scratch().load(text).1
        let memory = SettingsLoader.load(text: bytes.span, name: path, environment: Fixtures.environment)
        #expect(memory.1.map(\.message) == file.map(\.message) && memory.1.allSatisfy { $0.file == path })
        #expect((memory.0 == nil) == (text != Fixtures.least))
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)]) func size(over: Int, fits: Bool) throws {
        let count = 1_048_576 + over - Fixtures.least.utf8.count
        let yaml = Fixtures.least + String(repeating: "#", count: count)
        #expect(try (Scratch().load(yaml).0 != nil) == fits)
    }

    @Test(arguments: ["", "# nothing\n", "---\n...\n", "{}", "null", "\u{FEFF}"]) func nothingIsRefused(text: String)
        throws
    {
        let (settings, problems) = try Scratch().load(text)
        #expect(settings == nil && !problems.isEmpty)
    }

    @Test func aByteOrderMarkIsPassedOver() throws {
        #expect(try Scratch().load("\u{FEFF}" + Fixtures.least).0 != nil)
    }

    @Test func windowsLineEndsAreAccepted() throws {
        let (settings, problems) = try Scratch().load(Fixtures.least.replacingOccurrences(of: "\n", with: "\r\n"))
        #expect(problems.map(\.text) == [])
        #expect(settings != nil)
    }

    @Test func badBytesHaveAPlace() throws {
        let scratch = try Scratch()
        // The second: the byte that should have gone on is the one that is named.
        let cases: [([UInt8], Int)] = [([0xFF], 4), ([0xC3, 0x28], 5), ([0x01], 4), ([0xED, 0xA0, 0x80], 4)]
        for (bytes, column) in cases {
            let path = try scratch.write("c.yaml", Array(Fixtures.least.utf8) + Array("# \u{e9}".utf8) + bytes)
            let (settings, problems) = SettingsLoader.load(path: path, environment: Fixtures.environment)
            #expect(settings == nil)
            #expect(problems.map(\.line) == [5], "\(bytes)")
            #expect(problems.map(\.column) == [column], "\(bytes)")
        }
    }

    @Test func deepNestingEnds() throws {
        for text in [String(repeating: "[", count: 200_000), String(repeating: "{a: ", count: 100_000)] {
            let (settings, problems) = try Scratch().load(text)
            #expect(settings == nil && problems.count == 1)
        }
    }

    @Test func filesAtRandomNeverStopTheProgram() throws {
        let value =
            ProcessInfo.processInfo.environment["COUNTERSIGN_SEED"].flatMap { UInt64($0) }
            ?? .random(in: 0...UInt64.max)
        print("COUNTERSIGN_SEED=\(value)")
        var seed = Seed(value)
        let scratch = try Scratch()
        let commented = Fixtures.folder.appending(path: "../../conf/countersign.yaml").standardized
        let whole = try String(contentsOf: commented, encoding: .utf8).split(separator: "\n")
        let original = Array(whole.filter { !$0.contains("# ") }.joined(separator: "\n").utf8)
        let splices = [
            "\n", "  ", "- ", ": ", "{", "}", "[", "]", "\"", "'", "&a ", "*a ", "!", "|", "#", "\0", "\u{e9}", "~",
        ]
        for _ in 0..<300 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &seed) {
                let at = Int.random(in: 0..<bytes.count, using: &seed)
                switch Int.random(in: 0..<4, using: &seed) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &seed)
                case 1: bytes.removeSubrange(at..<min(at + Int.random(in: 1...20, using: &seed), bytes.count))
                case 2: bytes.insert(contentsOf: Array(splices.randomElement(using: &seed)!.utf8), at: at)
                default: bytes.removeSubrange(at...)
                }
                if bytes.isEmpty { bytes = original }
            }
            let path = try scratch.write("c.yaml", bytes)
            let (settings, problems) = SettingsLoader.load(path: path, environment: Fixtures.environment)
            #expect((settings == nil) == problems.contains { $0.severity == .error })
            #expect(problems.allSatisfy { $0.line > 0 && $0.column > 0 && !$0.message.isEmpty })
        }
    }
}
