// The corpus: payloads of every product with the line that the log has of each, byte for byte.
// Relies on corpus.txt, which Tests/Verifier/corpus.py makes of the products' fields, and on CorpusJudge, which knows
// nothing of the redactor. Refuses a line that differs, and names it.

import Foundation
import Policy
import TestSupport
import Testing

@Suite struct CorpusTests {
    private struct Pair {
        let number: Int
        let preset: RedactionPreset
        let direction: BodyDirection
        let payload: String
        let expected: String
    }

    private static func pairs() throws -> [Pair] {
        guard let url = Bundle.module.url(forResource: "corpus", withExtension: "txt") else {
            throw SupportFailure("the corpus is not among the resources")
        }
        let text = try String(contentsOf: url, encoding: .utf8)
        return try text.split(separator: "\n").enumerated().map { index, line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard columns.count == 4, let preset = RedactionPreset(rawValue: columns[0]),
                let direction = BodyDirection(rawValue: columns[1])
            else { throw SupportFailure("line \(index + 1) of the corpus is no pair") }
            return Pair(
                number: index + 1, preset: preset, direction: direction, payload: columns[2], expected: columns[3])
        }
    }

    @Test func eachPayloadHasItsLine() throws {
        let pairs = try Self.pairs()
        #expect(pairs.count >= 500)
        for pair in pairs {
            let text = Redacting(preset: pair.preset, direction: pair.direction).text(pair.payload)
            #expect(text == pair.expected, "line \(pair.number): \(pair.payload)")
        }
    }

    @Test func eachLineStandsBeforeAJudgeOfItsOwn() throws {
        for pair in try Self.pairs() {
            let faults = CorpusJudge.faults(of: pair.expected, for: pair.payload)
            #expect(faults.isEmpty, "line \(pair.number): \(faults) in \(pair.expected)")
        }
    }

    /// A judge who finds nothing is to be one who would.
    @Test(
        arguments: [
            (#"{"ssn":"123-45-6789"}"#, #"{"ssn":"***6789"}"#), (#"{"ssn":1}"#, #"{"ssn":"<number:1>"}"#),
            (#"{"account":"8001234567"}"#, #"{"account":"***34567"}"#),
            (#"{"account":"8001234567"}"#, #"{"account":"***1234"}"#),
            (#"{"x":"8001234567"}"#, #"{"<name:1>":"8001-2345"}"#), (#"{"x":"a"}"#, #"{"<name:1>":"a"}"#),
            (#"{"status":"Zebulon"}"#, #"{"status":"Zebulon"}"#), (#"{"y":"1"}"#, #"{}"#), (#"{"y":"1"}"#, "{"),
            (#"{"y":"1""#, #"{"type":"json, cut off","length":7}"#), (#"{"y":"#, #"{"<name:1>":"<hidden>"}"#),
            (#"{"a":"{\"ssn\":1}"}"#, #"{"<name:1>":{"ssn":1}}"#), (#"[{"ssn":1}]"#, #"[{"ssn":1}]"#),
        ])
    func theJudgeFindsFaults(_ payload: String, _ shown: String) {
        #expect(!CorpusJudge.faults(of: shown, for: payload).isEmpty)
    }

    @Test func everyProductBothWaysAndEveryFieldAreInIt() throws {
        let pairs = try Self.pairs()
        let names = pairs.reduce(into: Set<String>()) { $0.formUnion(CorpusJudge.names(in: $1.payload)) }
        let fields = CorpusJudge.nothing.union(CorpusJudge.lastFour).union(CorpusJudge.typeAndLength)
        #expect(fields.subtracting(names).isEmpty)
        #expect(Set(pairs.map(\.preset)) == Set(RedactionPreset.allCases))
        for preset in RedactionPreset.allCases where preset != .problem {
            let directions = Set(pairs.filter { $0.preset == preset }.map(\.direction))
            #expect(directions == Set(BodyDirection.allCases))
        }
    }
}
