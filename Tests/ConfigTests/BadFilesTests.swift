// Every file of Bad/ against the problems that its first lines expect, all of them and no others.
// Relies on `# expect: line:col: path: message. Remedy.` and `# expect-warning: ...`, in the file's order.

import Config
import Foundation
import Testing

@Suite struct BadFilesTests {
    static let names =
        ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.folder.path + "/Bad")) ?? []).sorted()

    @Test func thereAreFiles() { #expect(Self.names.count > 30) }

    @Test(arguments: names) func problemsAreTheExpectedOnes(name: String) throws {
        let path = Fixtures.folder.path + "/Bad/" + name
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let expected = text.split(separator: "\n").filter { $0.hasPrefix("# expect") }.map(String.init)
        let (settings, problems) = SettingsLoader.load(path: path, environment: Fixtures.environment)
        let found = problems.map { problem in
            (problem.severity == .error ? "# expect: " : "# expect-warning: ") + problem.text.dropFirst(path.count + 1)
        }
        #expect(found == expected)
        #expect((settings == nil) == problems.contains { $0.severity == .error })
        #expect(!problems.contains { $0.text.lowercased().contains("hunter2") })
    }
}
