// Each rule on a snippet that breaks it and on one that does not, so that no rule passes because it sees nothing.
// Relies on nothing of the project. Refuses a rule that has no snippet here.

import Testing

/// A snippet, where it stands, and the lines that the rule must find.
struct Snippet: Sendable, CustomTestStringConvertible {
    var rule: Rule
    var path = "Sources/HTTP/A.swift"
    var text: String
    var lines: [Int] = []

    var testDescription: String { "\(rule.name): \(text.prefix(40))" }
}

@Suite("tidy rules")
struct RuleTests {
    static let body70 = "// A.\nfunc f(a: Int = g { 1 }) {\n" + String(repeating: "x()\n", count: 68) + "}\n"
    static let body71 = "// A.\nfunc f() {\n" + String(repeating: "x()\n", count: 69) + "}\n"

    static let snippets: [Snippet] = [
        Snippet(rule: .fence, text: "// A.\nimport COpenSSL\ninternal import Glibc\nimport Config\n", lines: [2, 3]),
        Snippet(
            rule: .fence, text: "let x = unsafe p[0]\nlet y = \"unsafe\" // unsafe\nlet unsafe_bind = 1\n", lines: [1]),
        Snippet(rule: .fence, text: "let a = \"\\(unsafe p[0])\"\nlet b = #\"\\(unsafe)\"#\n", lines: [1]),
        Snippet(rule: .fence, text: "/* unsafe /* unsafe */ unsafe */\nlet t = \"\"\"\n  \" unsafe\n  \"\"\"\n"),
        Snippet(rule: .fence, path: "Tests/AFence/F.swift", text: "import CShims\n", lines: [1]),
        Snippet(rule: .fence, path: "Sources/HTTP/Fence/A.swift", text: "import COpenSSL\nlet x = unsafe p\n"),
        Snippet(rule: .safetyComment, path: "Sources/A/Fence/A.swift", text: "// A.\nlet x = unsafe p\n", lines: [2]),
        Snippet(rule: .safetyComment, path: "Sources/A/Fence/A.swift", text: "// SAFETY: b.\nlet x = unsafe p\n"),
        Snippet(
            rule: .safetyComment, path: "Sources/A/Fence/A.swift", text: "let s = \"SAFETY:\" + unsafe\n", lines: [1]),
        Snippet(rule: .fileLength, text: String(repeating: "x\n", count: 600)),
        Snippet(rule: .fileLength, text: String(repeating: "x\n", count: 601), lines: [601]),
        Snippet(rule: .lineLength, text: "\n" + String(repeating: "ä", count: 120) + "\n"),
        Snippet(rule: .lineLength, text: "\n" + String(repeating: "ä", count: 121) + "\n", lines: [2]),
        Snippet(rule: .functionLength, text: body70),
        Snippet(rule: .functionLength, text: body71, lines: [2]),
        Snippet(rule: .functionLength, text: body71.replacing("func f", with: "init?"), lines: [2]),
        Snippet(rule: .functionLength, text: "class A {\nlet s = \"}\"\n" + body71 + "}\n", lines: [4]),
        Snippet(rule: .functionLength, text: "protocol P {\nfunc f()\nvar x: Int { get }\n}\n" + body70),
        Snippet(rule: .functionLength, text: body71.replacing("func f()", with: "enum E")),
        Snippet(rule: .openingComment, text: "// A.\n// B.\nimport A\n"),
        Snippet(rule: .openingComment, text: "import A\n", lines: [1]),
        Snippet(rule: .openingComment, text: String(repeating: "// A.\n", count: 7), lines: [1]),
        Snippet(
            rule: .forbiddenCalls,
            text: "try! a()\nfatalError()\n@testable import A\nThread.sleep(1)\nusleep(3)\nsleep(1)\n",
            lines: [1, 2, 3, 4, 5, 6]),
        Snippet(
            rule: .forbiddenCalls,
            text: "@Test(.disabled(\"x\"))\nthrow XCTSkip()\nwithKnownIssue { }\nXCTSkip\n.enabled(if: a)\n",
            lines: [1, 2, 3, 4, 5]),
        Snippet(rule: .forbiddenCalls, text: "\"try!\"\n// fatalError(\nasleep(1)\ntry a()\nfatalErrors()\n"),
        Snippet(rule: .noPrint, text: "print(1)\nself.print (1)\nsprint(1)\n// print(1)\ndump(x)\n", lines: [1, 5]),
        Snippet(rule: .noPrint, path: "Sources/countersign/main.swift", text: "print(1)\n"),
        Snippet(rule: .noPrint, path: "Tests/A/A.swift", text: "print(1)\n"),
        Snippet(
            rule: .leftovers, text: "// TO" + "DO: x\nlet a = \"FIX" + "ME\"\n/* X" + "XX */\n// XXXX", lines: [1, 3]),
        Snippet(rule: .sendableReason, text: "class A: @unchecked Sendable {}\n", lines: [1]),
        Snippet(rule: .sendableReason, text: "// @unchecked Sendable: a lock.\nclass A: @unchecked Sendable {}\n"),
        Snippet(rule: .machinePaths, text: "// see /wo" + "rk/a\n// see work/a\n", lines: [1]),
        Snippet(rule: Walls.imports, text: "import Net\nimport Synchronization\n", lines: [1]),
        Snippet(
            rule: Walls.imports, path: "Sources/Exchange/A.swift", text: "package import HTTP\nimport Store\n",
            lines: [2]),
        Snippet(
            rule: Walls.imports, path: "Sources/Gateway/A.swift", text: "import struct Foundation.Data\n", lines: [1]),
        Snippet(rule: Walls.imports, path: "Sources/ingo-sandbox/A.swift", text: "import Foundation\n"),
        Snippet(rule: Walls.imports, path: "Sources/Other/A.swift", text: "let a = 1\n", lines: [1]),
    ]

    @Test("a rule finds what it is for and nothing else", arguments: snippets)
    func snippet(_ snippet: Snippet) {
        let found = snippet.rule.find(SourceFile(path: snippet.path, text: snippet.text))
        #expect(found.map(\.line) == snippet.lines)
    }

    @Test("every rule has a bad snippet", arguments: Rule.all + [Walls.imports])
    func covered(_ rule: Rule) {
        #expect(Self.snippets.contains { $0.rule.name == rule.name && !$0.lines.isEmpty })
    }

    @Test("a type of two rooms is found; private, nested and the sandbox's are not")
    func names() {
        let one = SourceFile(
            path: "Sources/HTTP/A.swift", text: "package struct A {\nenum N {}\n}\nprivate enum P {}\nclass B {}\n")
        let other = SourceFile(
            path: "Sources/Net/A.swift", text: "enum N {}\nprivate enum P {}\n@safe package final class A {}\n")
        let sandbox = SourceFile(path: "Sources/ingo-sandbox/A.swift", text: "struct A {}\n")
        #expect(Walls.sharedNames([one, other, sandbox]).map(\.line) == [3])
        #expect(Walls.sharedNames([one, one]).isEmpty)
    }
}
