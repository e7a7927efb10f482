// The house rules over every Swift file of the project.
// Relies on the rules beside this file, each of which RuleTests.swift tries on a bad snippet. Refuses any finding.

import Testing

@Suite("tidy")
struct TidyTests {
    @Test("there are files to look at")
    func files() {
        #expect(SourceFile.all.contains { $0.path == "Sources/HTTP/Fence/ByteBuffer.swift" })
        #expect(SourceFile.all.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
    }

    @Test("every file keeps the rule", arguments: Rule.all + [Walls.imports])
    func rule(_ rule: Rule) {
        for file in SourceFile.all {
            for finding in rule.find(file) { Issue.record("\(rule.name): \(finding)") }
        }
    }

    @Test("a type's name belongs to one room")
    func names() {
        for finding in Walls.sharedNames(SourceFile.all) { Issue.record("type names: \(finding)") }
    }
}
