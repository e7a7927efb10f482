// What a query finds in a text that comes in fragments: names and ways as the scanner knows them, lists of one, what
// comes twice, lengths at their bound. Relies on the scanner as a second reader. Refuses findings that depend on the
// fragments.

import HTTP
import TestSupport
import Testing

@Suite struct JSONStreamQueryTests {
    /// What is found at one pointer, as a word: `-`, `several`, or kind, length and text.
    private static func find(
        _ reading: inout JSONStreamQuery, _ query: JSONQuery, _ body: [UInt8], cuts: [Int] = []
    ) -> [String] {
        reading.begin()
        var start = 0
        for cut in cuts + [body.count] {
            reading.read(body.span.extracting(start..<cut), query)
            start = cut
        }
        return words(&reading, query)
    }

    /// The same of the text read at once.
    private static func findAtOnce(_ reading: inout JSONStreamQuery, _ query: JSONQuery, _ body: [UInt8]) -> [String] {
        var scanner = JSONScanner()
        reading.begin()
        reading.readWhole(body.span, query, by: &scanner)
        return words(&reading, query)
    }

    private static func words(_ reading: inout JSONStreamQuery, _ query: JSONQuery) -> [String] {
        _ = reading.finish()
        var words: [String] = []
        for index in query.pointers.indices {
            switch reading.found(index) {
            case .nothing: words.append("-")
            case .several: words.append("several")
            case .value(let isNumber, let length):
                var text: [UInt8] = []
                for at in reading.text(index).indices { text.append(reading.text(index)[at]) }
                words.append("\(isNumber ? "number" : "string") \(length) \(String(decoding: text, as: UTF8.self))")
            }
        }
        return words
    }

    private static func find(_ pointer: String, _ text: String) throws -> String {
        var reading = JSONStreamQuery()
        let query = JSONQuery([try #require(JSONPointer(pointer))])
        let body = Array(text.utf8)
        let found = find(&reading, query, body)
        // Bytes one by one, and every single cut.
        #expect(find(&reading, query, body, cuts: Array(0...body.count)) == found)
        for cut in 0...body.count { #expect(find(&reading, query, body, cuts: [cut]) == found, "cut at \(cut)") }
        #expect(findAtOnce(&reading, query, body) == found)
        return found[0]
    }

    @Test(arguments: [
        ("/a", #"{"a":"x1"}"#, "string 2 x1"), ("/a", #"{"a":-1.5e3}"#, "number 6 -1.5e3"),
        ("/a", #"{"a":""}"#, "string 0 "),
        ("/a", #"{"\u0061":"\u0078\u00e9"}"#, "string 3 xé"), ("/a_b", #" { "a\u005fb" : "x" } "#, "string 1 x"),
        ("/a", #"{"A":"x"}"#, "-"), ("/a", #"{"a ":"x","aa":"x"}"#, "-"), ("/a~1b", #"{"a\/b":"x"}"#, "string 1 x"),
        ("/a/b", #"{"b":0,"a":{"a":1,"b":"x"},"c":{"b":3}}"#, "string 1 x"), ("/a", #"{"c":{"a":1}}"#, "-"),
        ("/a/b/c", #"{"a":{"b":{"c":7}}}"#, "number 1 7"), ("/a", #"{"c":[{"a":1}],"a":2}"#, "number 1 2"),
        ("/a", #"{"a":true}"#, "-"), ("/a", #"{"a":null}"#, "-"), ("/a", #"{"a":{"a":"x"}}"#, "-"),
        ("/a", #"{"a":["x"]}"#, "-"), ("/a/b", #"{"a":"{\"b\":1}"}"#, "-"), ("/a", #"["a"]"#, "-"),
        ("/a", #"[{"a":1}]"#, "-"),
        ("/a", "1", "-"), ("/a", #""a""#, "-"),
    ])
    func `a member is found by its way`(pointer: String, text: String, found: String) throws {
        #expect(try Self.find(pointer, text) == found)
    }

    @Test(arguments: [
        ("/a/b", #"{"a":[{"b":"x"}]}"#, "string 1 x"), ("/a/b", #"{"a":[[{"b":"x"}]]}"#, "string 1 x"),
        ("/a/b", #"{"a":[{"b":"x"},{}]}"#, "several"), ("/a/b", #"{"a":[{},{"b":"x"}]}"#, "several"),
        ("/a/b", #"{"a":[1,{"b":"x"}]}"#, "several"), ("/a/b", #"{"a":[{"b":"x"},null]}"#, "several"),
        ("/a/b", #"{"a":[{"b":"x"},{"b":"x"}]}"#, "several"), ("/a/b", #"{"a":[]}"#, "-"),
        ("/a/b", #"{"a":[{"c":1}]}"#, "-"),
    ])
    func `a list on the way has one element`(pointer: String, text: String, found: String) throws {
        #expect(try Self.find(pointer, text) == found)
    }

    @Test(arguments: [
        ("/a", #"{"a":"x","a":"x"}"#), ("/a", #"{"a":"x","\u0061":null}"#), ("/a", #"{"a":{},"a":"x"}"#),
        ("/a/b", #"{"a":{"b":"x"},"a":{}}"#), ("/a/b", #"{"a":1,"a":{"b":"x"}}"#),
        ("/a/b", #"{"a":{"b":"x","b":"y"}}"#),
    ])
    func `what comes twice has no value`(pointer: String, text: String) throws {
        #expect(try Self.find(pointer, text) == "several")
    }

    @Test(arguments: [
        "", " ", "{", #"{"a":"x""#, #"{"a":"x"}}"#, #"{"a":"x"} x"#, #"{"a":"x",}"#, #"{"a":"x"}{"a":"x"}"#,
        #"{"a":"\x"}"#,
        #"{"a":"x","b":01}"#, "<a>x</a>",
    ])
    func `a text that is not whole has nothing`(text: String) throws {
        #expect(try Self.find("/a", text) == "-")
    }

    @Test(arguments: [127, 128, 129, 511, 512, 513, 1_030]) func `lengths are bounded`(length: Int) throws {
        let text = String(repeating: "7", count: length)
        let shown = length <= JSONStreamQuery.maxValue ? text : ""
        #expect(try Self.find("/a", "{\"a\":\"\(text)\"}") == "string \(length) \(shown)")
        #expect(try Self.find("/a", "{\"a\":\(text)}") == "number \(length) \(shown)")
        #expect(try Self.find("/b", "{\"a\":\"\(text)\",\"b\":\"x\"}") == "string 1 x")
        let name = String(repeating: "n", count: min(length, JSONStream.maxName + 1))
        let isKept = name.utf8.count <= JSONStream.maxName
        #expect(try Self.find("/\(name)", "{\"\(name)\":\"x\"}") == (isKept ? "string 1 x" : "-"))
    }

    @Test func `sixteen values of full length are kept, as deep as pointers go`() throws {
        let value = String(repeating: "v", count: JSONStreamQuery.maxValue)
        let names = (0..<16).map { "n\($0)" }
        let query = JSONQuery(try names.map { try #require(JSONPointer("/1/2/3/4/5/6/7/\($0)")) })
        let members = names.map { "\"\($0)\":\"\(value)\"" }.joined(separator: ",")
        let deep = (1...7).reduce("{\(members)}") { text, level in "{\"\(8 - level)\":\(text)}" }
        var reading = JSONStreamQuery()
        for _ in 0..<2 {
            let found = Self.find(&reading, query, Array(deep.utf8))
            #expect(found.allSatisfy { $0 == "string 128 \(value)" })
        }
        let tooDeep = String(repeating: "{\"1\":", count: 65) + "1" + String(repeating: "}", count: 65)
        let none = Self.find(&reading, query, Array(tooDeep.utf8))
        #expect(none.allSatisfy { $0 == "-" })
    }

    /// Whatever the scanner takes and finds is found here, too; lists are passed through here alone.
    @Test func `it finds what the scanner finds`() throws {
        var seed = Seed.chosen(for: "JSON stream query")
        let texts = [
            #"{"a":"x","b":{"c":"y","d":12},"e":{"f":{"a":1}}}"#, #"{"b":{"\u0063":1,"d":"\n"},"a":-1.50}"#,
            #"{"b":[{"c":1,"d":"x"}],"e":[{"f":[{"a":1}]}]}"#,
        ]
        let query = JSONQuery(try ["/a", "/b/c", "/b/d", "/e/f/a"].map { try #require(JSONPointer($0)) })
        let alphabet = Array(#"{}:,"\ abcdefu0123456789.-"#.utf8)
        var reading = JSONStreamQuery()
        var scanner = JSONScanner()
        var taken = 0
        for round in 0..<4_500 {
            var body = Array(texts[round % texts.count].utf8)
            for _ in 0..<round % 4 {
                body[Int.random(in: 0..<body.count, using: &seed)] = alphabet.randomElement(using: &seed) ?? 0
            }
            let cuts = (0..<3).map { _ in Int.random(in: 0...body.count, using: &seed) }.sorted()
            let found = Self.find(&reading, query, body, cuts: cuts)
            #expect(Self.findAtOnce(&reading, query, body) == found, "\(String(decoding: body, as: UTF8.self))")
            // The scanner does not look into lists.
            guard round % texts.count < 2 else { continue }
            guard scanner.scan(body.span, query: query, maxDepth: 64) == nil else { continue }
            taken += 1
            for index in query.pointers.indices {
                let other = scanner.found(index)
                let isValue = other.state == .present && (other.kind == .string || other.kind == .number)
                #expect((found[index] != "-") == isValue, "\(String(decoding: body, as: UTF8.self))")
                if isValue { #expect(found[index].hasPrefix("\(other.kind)")) }
            }
        }
        #expect(taken > 800)
    }
}
