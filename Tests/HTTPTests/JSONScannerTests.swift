// The scanner as a whole: depth, truncation, mutation against the reference reader, names that come twice, and that
// its cost stays linear. Random tests print their seed.

import HTTP
import TestSupport
import Testing

/// A body with every construct of the grammar.
let richBody = #"""
    {"api_key" : "k\u00e9y", "amount":-12.50e+3,"ok":true,"no":false, "none":null,
     "ledger":{"api\u005fkey":"x","list":[1,[2,{"deep":[]}],"😀\ud83d\ude00"],"empty":{}},
     "a long name that does not fit into sixteen bytes":"and a value that is longer than sixty-four bytes, é, in all",
     "":0}
    """#

struct JSONScannerTests {
    static func nested(objects: Int, arrays: Int) -> [UInt8] {
        let open = String(repeating: #"{"a":"#, count: objects) + String(repeating: "[", count: arrays)
        let close = String(repeating: "]", count: arrays) + String(repeating: "}", count: objects)
        return Array((open + (arrays > 0 ? "" : "1") + close).utf8)
    }

    @Test(arguments: [1, 2, 7, 64, 512])
    func `nesting is accepted up to the limit`(limit: Int) {
        for arrays in Set([0, 1, limit - 1, limit / 2]) where arrays < limit {
            #expect(scan(Self.nested(objects: limit - arrays, arrays: arrays), maxDepth: limit) == nil)
            let over = scan(Self.nested(objects: limit - arrays, arrays: arrays + 1), maxDepth: limit)
            #expect(over?.problem == .tooDeep)
            if limit > 1 {
                #expect(
                    scan(Self.nested(objects: limit - arrays, arrays: arrays), maxDepth: limit - 1)?.problem == .tooDeep
                )
            }
        }
    }

    @Test func `a very deep body is refused at the limit`() {
        let body = Array(#"{"a":"#.utf8) + [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(scan(body, maxDepth: 64) == JSONFailure(.tooDeep, at: 5 + 63))
    }

    @Test func `a body that is cut off anywhere is refused`() {
        let body = Array(richBody.utf8)
        #expect(scan(body) == nil)
        for length in 0..<body.count {
            let failure = scan(Array(body[..<length]))
            let expected: [JSONProblem] = length == 0 ? [.empty] : [.unterminated, .badUTF8]
            #expect(failure.map { expected.contains($0.problem) } == true, "cut at \(length)")
            #expect(failure.map { $0.offset <= length } == true)
        }
    }

    @Test func `one scanner is reused for good and bad bodies`() {
        var scanner = JSONScanner()
        let query = JSONQuery([JSONPointer("/ledger/api_key")!])
        let good = Array(richBody.utf8)
        for length in stride(from: 0, to: good.count, by: 7) {
            expectRefused(scanner.scan(Array(good[..<length]).span, query: query, maxDepth: 64))
            expectValid(scanner.scan(good.span, query: query, maxDepth: 64))
            #expect(scanner.found(0).state == .present)
        }
    }

    @Test func `mutated bodies are judged as the reference reader judges them`() {
        let number = UInt64.random(in: .min ... .max)
        print("seed \(number)")
        var seed = Seed(number)
        var scanner = JSONScanner(seededBy: &seed)
        let texts = [
            richBody, #"{"a":{"b":{"c":1}},"d":[0,-1,1.5,2e3],"e":"\n\u0041"}"#, #"{"a":1,"b":2,"c":3,"d":4}"#,
            #"{"a":{},"b":[],"c":"","d":{"a":{"a":{"a":0}}}}"#,
        ]
        let alphabet =
            Array(#"{}[]:,"\ aebcdu0123456789.-+EtrufalsnABCDEF/"#.utf8) + [
                0, 9, 10, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF,
            ]
        let query = JSONQuery(["/a", "/a/b", "/a/b/c", "/d", "/ledger/api_key", "/d/a/a/a"].map { JSONPointer($0)! })
        var accepted = 0
        for round in 0..<8_000 {
            var body = Array(texts[round % texts.count].utf8)
            for _ in 0...Int.random(in: 0...1, using: &seed) {
                let place = Int.random(in: 0..<body.count, using: &seed)
                let byte = alphabet.randomElement(using: &seed)!
                switch Int.random(in: 0..<4, using: &seed) {
                case 0: body.remove(at: place)
                case 1: body.insert(byte, at: place)
                case 2: body.swapAt(place, Int.random(in: 0..<body.count, using: &seed))
                default: body[place] = byte
                }
            }
            let failure = scanner.scan(body.span, query: query, maxDepth: 5)
            let tree = referenceParse(body, maxDepth: 5)
            #expect((failure == nil) == (tree != nil), "seed \(number) round \(round)")
            guard failure == nil, let tree else { continue }
            accepted += 1
            for (index, pointer) in query.pointers.enumerated() {
                let found = scanner.found(index)
                let value = tree.at(pointer.names)
                #expect((found.state == .present) == (value != nil), "seed \(number) round \(round)")
                if let value { #expect(found.value.range == value.range, "seed \(number) round \(round)") }
            }
        }
        #expect(accepted > 500)
    }
}

struct JSONDuplicateTests {
    static func object(_ names: [String]) -> [UInt8] {
        Array("{".utf8) + Array(names.map { "\"\($0)\":1" }.joined(separator: ",").utf8) + Array("}".utf8)
    }

    @Test(arguments: [1, 2, 3, 14, 15, 16, 17, 18, 31, 32, 33, 63, 64, 65, 200])
    func `a name that comes twice is seen at every size of an object`(count: Int) {
        let names = (0..<count).map { "name\($0)" }
        #expect(scan(Self.object(names)) == nil)
        for index in 0..<count {
            let body = Self.object(names + [names[index]])
            let offset = Self.object(names).count
            #expect(scan(body) == JSONFailure(.duplicateName, at: offset))
        }
        #expect(scan(Self.object(names + ["name0 "])) == nil)
    }

    @Test(arguments: [
        ("api_key", #"api\u005fkey"#), ("api_key", #"\u0061pi_key"#), ("a/b", #"a\/b"#), ("é", #"\u00e9"#),
        ("😀", #"\ud83d\ude00"#), (#"\n"#, #"\u000a"#), (#"\n"#, #"\u000A"#), (#"\""#, #"\u0022"#),
        (#"\\"#, #"\u005C"#),
        (#"\u0000"#, #"\u0000"#), ("", ""), (#"\ud83d\ude00x"#, #"😀\u0078"#),
        ("a name of more than sixteen bytes, \\u00e9", "a name of more than sixteen bytes, é"),
    ])
    func `names are compared without their escapes`(first: String, second: String) {
        #expect(scan(Self.object([first, second]))?.problem == .duplicateName)
        #expect(scan(Self.object([second, first]))?.problem == .duplicateName)
        let others = (0..<40).map { "n\($0)" }
        #expect(scan(Self.object([first] + others + [second]))?.problem == .duplicateName)
    }

    @Test(arguments: [
        ("a", "A"), ("a", "a "), ("a", #"a\u0000"#), ("é", #"e\u0301"#), ("", " "), (#"\\n"#, #"\n"#), ("ab", "ba"),
        ("1234567", "12345678"), ("12345678", "123456789"), ("0123456789abcdef", "0123456789abcdeg"),
        ("0123456789abcdef", "0123456789abcdef0"), ("0123456789abcdef0", "0123456789abcdef1"),
    ])
    func `names that differ are told apart`(first: String, second: String) {
        #expect(scan(Self.object([first, second])) == nil)
    }

    @Test func `names count per object only`() {
        #expect(scan(Array(#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#.utf8)) == nil)
        #expect(scan(Array(#"{"x":{"a":1,"b":{"a":1},"a":2}}"#.utf8))?.problem == .duplicateName)
        #expect(scan(Array(#"{"a":1,"x":{"a":1},"a":2}"#.utf8))?.problem == .duplicateName)
        #expect(scan(Array(#"{"a":[{"b":1,"b":2}]}"#.utf8))?.problem == .duplicateName)
    }

    @Test func `a large object keeps its names around another large one`() {
        let outer = (0..<40).map { "\"n\($0)\":1" }.joined(separator: ",")
        let inner = (0..<100).map { "\"n\($0)\":1" }.joined(separator: ",")
        let more = (40..<150).map { "\"n\($0)\":1" }.joined(separator: ",")
        let body = "{\(outer),\"x\":[{\(inner)},{\(inner)}],\(more)"
        #expect(scan(Array((body + "}").utf8)) == nil)
        for name in ["n0", "n39", "n40", "n149", "x"] {
            #expect(scan(Array((body + ",\"\(name)\":{}}").utf8))?.problem == .duplicateName)
        }
    }

    @Test func `names with the same hash are still told apart`() {
        struct Zeros: RandomNumberGenerator {
            mutating func next() -> UInt64 { 0 }
        }
        // With keys of zero, names whose first eight bytes are zero all have the hash zero.
        var zeros = Zeros()
        var scanner = JSONScanner(seededBy: &zeros)
        let names = (0..<60).map { String(repeating: #"\u0000"#, count: 8) + "\($0)" }
        for count in [2, 16, 17, 60] {
            let distinct = Array(names[..<count])
            expectValid(scanner.scan(Self.object(distinct).span, query: JSONQuery([]), maxDepth: 1))
            let failure = scanner.scan(Self.object(distinct + [names[1]]).span, query: JSONQuery([]), maxDepth: 1)
            #expect(failure?.problem == .duplicateName)
        }
    }

    @Test(arguments: [16, 17, 1_000, 75_000, 150_000])
    func `the cost of many names is linear`(count: Int) {
        var scanner = JSONScanner()
        let names = (0..<count).map { "k\($0)" }
        expectValid(scanner.scan(Self.object(names).span, query: JSONQuery([]), maxDepth: 1))
        // At most half of the slots are full, and a table grows fourfold: about three looks at each name.
        let probes = scanner.nameProbes
        #expect(probes < count * 8)
        #expect(scan(Self.object(names + ["k\(count / 2)"]))?.problem == .duplicateName)
    }

    @Test func `many small objects cost no more than their names`() {
        var scanner = JSONScanner()
        let objects = [String](repeating: #"{"a":1,"b":2,"c":3,"d":4}"#, count: 10_000).joined(separator: ",")
        let body = member(Array("[\(objects)]".utf8))
        expectValid(scanner.scan(body.span, query: JSONQuery([]), maxDepth: 3))
        let probes = scanner.nameProbes
        #expect(probes <= 10_000 * (1 + 2 + 3))
    }
}
