// Random bodies with marked values in random places, in random fragments. Relies on printed seeds. Refuses a marked
// number in the output, output that is no JSON, and output that depends on the fragments.

import HTTP
import Policy
import TestSupport
import Testing

struct RedactionPropertyTests {
    @Test("the same bytes give the same text at every cut")
    func everyCut() {
        let body = Array(
            #"""
            {"st\u0061tus" : "success","é\ud83d\ude00":"😀\ud83d\ude00\n","n":[-1.5e+3,true,false,null],
            "x":"{\"account\":\"8001234567\",\"x\":\"[\\u0031,{\\\"code\\\":7}]\",\"u\":\"\\u00e9é\"}"}
            """#.utf8)
        for body in [body, Array("-12.5".utf8), Array(body.dropLast(3)), body + [0xC3, 0x28]] {
            let whole = Redacting().text(body)
            for cut in 0...body.count { #expect(Redacting().text(body, cuts: [cut]) == whole, "\(cut)") }
            #expect(Redacting().text(body, cuts: Array(0..<body.count)) == whole)
        }
    }

    @Test("no marked number gets out of random bodies in random fragments")
    func randomBodies() {
        var seed = Seed.chosen(for: "random bodies")
        var shown = 0
        let all = BodyDirection.allCases.flatMap { direction in
            RedactionPreset.allCases.map { Redacting(preset: $0, direction: direction) }
        }
        for round in 0..<2_000 {
            var body = Array(value(&seed, depth: 0).utf8)
            if round % 4 == 3, let place = body.indices.randomElement(using: &seed) {
                switch Int.random(in: 0..<3, using: &seed) {
                case 0: body.remove(at: place)
                case 1: body[place] = UInt8.random(in: 0...255, using: &seed)
                default: body.insert(UInt8.random(in: 0...255, using: &seed), at: place)
                }
            }
            let redacting = all[round % 10]
            let whole = redacting.text(body)
            expectSafe(whole, "\(String(decoding: body, as: UTF8.self))")
            let cuts = (0..<Int.random(in: 1...8, using: &seed)).map { _ in Int.random(in: 0...body.count, using: &seed)
            }
            #expect(redacting.text(body, cuts: cuts.sorted()) == whole)
            if whole.contains("status") { shown += 1 }
        }
        #expect(shown > 200, "the bodies have fields that are shown")
    }

    @Test("a body of 1 MiB gives a line, whatever is long in it")
    func hugeBodies() {
        let rules = RedactionRules(.banking)
        var redactor = Redactor(rules)
        let block = [UInt8](repeating: UInt8(ascii: "8"), count: 1 << 16)
        for (start, end, expected) in [
            (#"{"status":""#, #""}"#, #"{"status":"<string:1048576>"}"#),
            (#"{"amount":"#, "}", #"{"amount":"<number:1048576>"}"#),
            (#"{""#, #"":1}"#, #"{"<name:1048576>":"<number:1>"}"#),
            (#"{"x":"["#, #"]"}"#, #"{"<name:1>":["<number:1048576>"]}"#),
        ] {
            redactor.begin(rules, .answer)
            redactor.update(Array(start.utf8).span)
            for _ in 0..<16 { redactor.update(block.span) }
            redactor.update(Array(end.utf8).span)
            var output = ByteBuffer(capacity: 64)
            redactor.finish(to: &output)
            #expect(String(decoding: bytes(output), as: UTF8.self) == expected)
        }
    }

    private static let names = [
        "status", "account_number", "ssn", "amount", "type", "id", "created_at", "timestamp", "message", "x", "STATUS",
        "st\\u0061tus", "data", "items", "8001234567", "api_key", "idempotent_key", "account", "code",
    ]

    private func value(_ seed: inout Seed, depth: Int) -> String {
        switch Int.random(in: 0..<(depth < 5 ? 10 : 6), using: &seed) {
        case 0, 1, 2, 3: return RedactionLeakTests.spellings.randomElement(using: &seed) ?? ""
        case 4: return ["\"ok\"", "100", "true", "null", "\"100.00\"", "[]", "{}"].randomElement(using: &seed) ?? ""
        case 5:
            let inner = depth < 3 ? value(&seed, depth: depth + 1) : "8001234567"
            return quoted(inner)
        case 6:
            let elements = (0..<Int.random(in: 0...4, using: &seed)).map { _ in value(&seed, depth: depth + 1) }
            return "[" + elements.joined(separator: " , ") + "]"
        default:
            let members = (0..<Int.random(in: 0...5, using: &seed)).map { _ in
                let name = Self.names.randomElement(using: &seed) ?? ""
                return "\"\(name)\": " + value(&seed, depth: depth + 1)
            }
            return "{" + members.joined(separator: ",\n") + "}"
        }
    }
}
