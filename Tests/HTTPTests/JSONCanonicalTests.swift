// The canonical form: one for all spellings of the same values, another for every other value, fields left out, and
// its cost for bodies that somebody chose to be dear. Random tests print their seed.

import HTTP
import TestSupport
import Testing

/// A scanner and a writer of canonical forms, used for one body after the other as a worker does.
struct CanonicalReader: ~Copyable {
    private var scanner = JSONScanner()
    private var canonical = JSONCanonical()
    private var output = ByteBuffer(capacity: 16)

    /// The canonical form; nil where the scanner refuses the body.
    mutating func read(_ body: [UInt8], without query: JSONQuery, maxDepth: Int = 512) -> [UInt8]? {
        guard scanner.scan(body.span, query: query, maxDepth: maxDepth) == nil else { return nil }
        output.clear()
        canonical.append(body.span, leavingOut: query, to: &output)
        let bytes = output.bytes
        return bytes.indices.map { bytes[$0] }
    }
}

private func canonical(_ text: String, without pointers: [String] = []) throws -> String {
    var reader = CanonicalReader()
    let query = JSONQuery(try pointers.map { try #require(JSONPointer($0)) })
    let form = reader.read(Array(text.utf8), without: query)
    return String(decoding: try #require(form), as: UTF8.self)
}

struct JSONCanonicalTests {
    @Test(arguments: [
        ("{}", "{}"), (" { } ", "{}"), (#"{ "b" : 1 , "a" : [ 1 , 2 ] }"#, #"{"a":[1,2],"b":1}"#),
        (#"{"b":{"d":1,"c":[{"f":1,"e":2},[]]},"a":{}}"#, #"{"a":{},"b":{"c":[{"e":2,"f":1},[]],"d":1}}"#),
        (#"{"a":1.0,"b":1,"c":1E2,"d":-0}"#, #"{"a":1.0,"b":1,"c":1E2,"d":-0}"#),
        (
            #"{"\u0062":"\/\u0041\u00e9\ud83d\ude00","a":"\u0022\u005C\u000a\u0000"}"#,
            #"{"a":"\"\\\n\u0000","b":"/Aé😀"}"#
        ),
        (#"{"é":1,"\ud83d\ude00":2,"\uffff":3,"z":4}"#, "{\"z\":4,\"é\":1,\"\u{FFFF}\":3,\"😀\":2}"),
        (#"{"ab":1,"a":2,"":3,"a\u0000":4,"A":5}"#, #"{"":3,"A":5,"a":2,"a\u0000":4,"ab":1}"#),
        (#"{"a":[[[{"b":[true,false,null]}]]]}"#, #"{"a":[[[{"b":[true,false,null]}]]]}"#),
        (#"{"a":"\b\f\n\r\t\u001f\u007f"}"#, "{\"a\":\"\\b\\f\\n\\r\\t\\u001f\u{7F}\"}"),
    ])
    func `a body has its canonical form`(text: String, expected: String) throws {
        #expect(try canonical(text) == expected)
        #expect(try canonical(expected) == expected)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2}"#, ["/a"], #"{"b":2}"#), (#"{"a":1}"#, ["/a"], "{}"), (#"{"b":1}"#, ["/a"], #"{"b":1}"#),
        (#"{"a":{"b":1,"c":2},"b":3}"#, ["/a/b"], #"{"a":{"c":2},"b":3}"#), (#"{"a":{"b":1}}"#, ["/a/b"], #"{"a":{}}"#),
        (#"{"\u0061":[1,{"x":"]}"},[[]]],"c":0}"#, ["/a"], #"{"c":0}"#),
        (#"{"a":[{"b":1}]}"#, ["/a/b"], #"{"a":[{"b":1}]}"#),
        (#"{"a":[{"a":1}],"x":{"a":2}}"#, ["/a/a"], #"{"a":[{"a":1}],"x":{"a":2}}"#),
        (
            #"{"z":{"y":{"x":[{"k":1}],"k":{"k":{}}}},"k":[{"j":{"i":1}}]}"#, ["/z/y/k"],
            #"{"k":[{"j":{"i":1}}],"z":{"y":{"x":[{"k":1}]}}}"#
        ),
        (#"{"a":{"b":1},"c":1,"a/b":2,"a~b":3}"#, ["/a", "/a/b", "/a~1b", "/a~0b"], #"{"c":1}"#),
        (#"{"a":1,"b":2,"é":3}"#, ["/a", "/é", "/b"], "{}"),
        (
            #"{"1":{"2":{"3":{"4":{"5":{"6":{"7":{"8":9}}}}}}}}"#, ["/1/2/3/4/5/6/7/8"],
            #"{"1":{"2":{"3":{"4":{"5":{"6":{"7":{}}}}}}}}"#
        ),
    ])
    func `fields are left out wherever they stand`(text: String, pointers: [String], expected: String) throws {
        #expect(try canonical(text, without: pointers) == expected)
    }

    @Test func `the form is appended behind what the buffer holds`() throws {
        var scanner = JSONScanner()
        let body = Array(#"{"b":1, "a":2}"#.utf8)
        let query = JSONQuery([])
        try requireValid(scanner.scan(body.span, query: query, maxDepth: 1))
        var canonical = JSONCanonical()
        var output = ByteBuffer(capacity: 1)
        output.append("before")
        canonical.append(body.span, leavingOut: query, to: &output)
        let text = String(decoding: output.bytes.indices.map { output.bytes[$0] }, as: UTF8.self)
        #expect(text == #"before{"a":2,"b":1}"#)
    }

    @Test func `spellings of one value have one form, that of the reference, and other values another`() throws {
        var seed = Seed.chosen(for: "canonical forms")
        let pointers = ["/a", "/b/a", "/api_key/é/ab", "/a~1b~0c", "/b/b"].map { JSONPointer($0)! }
        let left = pointers.map { $0.names[...] }
        let queries = [JSONQuery([]), JSONQuery(pointers)]
        var reader = CanonicalReader()
        var same = 0
        for round in 0..<1_000 {
            let leavesOut = round % 2
            let tree = JSONTree.object(3, &seed)
            let body = tree.spelt(&seed)
            let read = reader.read(body, without: queries[leavesOut])
            let form = try #require(read)
            let value = try #require(referenceParse(body, maxDepth: 512))
            #expect(form == referenceCanonical(value, of: body, without: leavesOut == 1 ? left : []))
            #expect(form.count <= body.count)
            let again = reader.read(tree.spelt(&seed), without: queries[leavesOut])
            #expect(again == form)
            let ofForm = reader.read(form, without: queries[leavesOut])
            #expect(ofForm == form)
            let other = tree.changed(&seed)
            func rest(_ tree: JSONTree) -> JSONTree { leavesOut == 1 ? left.reduce(tree) { $0.without($1) } : tree }
            let isSame = rest(tree) == rest(other)
            if isSame { same += 1 }
            let otherForm = reader.read(other.spelt(&seed), without: queries[leavesOut])
            #expect((otherForm == form) == isSame)
        }
        #expect(same > 10 && same < 500)
    }

    @Test(arguments: [0, 1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 511, 512, 513, 2_000])
    func `members are in order at every size of an object`(count: Int) {
        var seed = Seed.chosen(for: "order of \(count) members")
        let prefixes = ["", "12345678", "a prefix of more than sixteen bytes ", "\\u0061\\n"]
        let names = (0..<count).map { prefixes[$0 % prefixes.count] + "\($0 / 3 * 7 % 1_009)-\($0)" }
        var reader = CanonicalReader()
        for order in [names, names.reversed(), names.shuffled(using: &seed)] {
            let body = Array(("{" + order.map { "\"\($0)\":{\"v\":[\"\($0)\"]}" }.joined(separator: ",") + "}").utf8)
            let expected = referenceParse(body, maxDepth: 4).map { referenceCanonical($0, of: body, without: []) }
            let form = reader.read(body, without: JSONQuery([]))
            #expect(form != nil && form == expected)
        }
    }

    @Test(arguments: [1, 2, 512, 50_000])
    func `depth costs no stack`(depth: Int) {
        let opening = String(repeating: #"{"b":["#, count: depth)
        let closing = String(repeating: #"],"a":1}"#, count: depth)
        var reader = CanonicalReader()
        let form = reader.read(Array((opening + closing).utf8), without: JSONQuery([]), maxDepth: 2 * depth)
        let expected = String(repeating: #"{"a":1,"b":["#, count: depth) + String(repeating: "]}", count: depth)
        #expect(form.map { $0.elementsEqual(expected.utf8) } == true)
    }
}

struct JSONCanonicalCostTests {
    /// The least of some runs, in processor time.
    private func cost(_ body: [UInt8]) throws -> Double {
        var scanner = JSONScanner()
        let query = JSONQuery([])
        try requireValid(scanner.scan(body.span, query: query, maxDepth: 512))
        var canonical = JSONCanonical()
        var output = ByteBuffer(capacity: body.count)
        let rounds = (0..<3).map { _ in
            output.clear()
            let start = threadCPUNanoseconds()
            canonical.append(body.span, leavingOut: query, to: &output)
            return threadCPUNanoseconds() - start
        }
        return Double(rounds.min()!)
    }

    @Test func `many members in the worst order cost little more than linear time`() throws {
        func body(_ count: Int) -> [UInt8] {
            Array(
                ("{"
                    + (0..<count).reversed().map { "\"the same beginning \($0 + 1_000_000)\":0" }.joined(separator: ",")
                    + "}").utf8)
        }
        let ratio = try cost(body(32_000)) / cost(body(4_000))
        #expect(ratio < 20, "eight times the members took \(ratio) times as long; quadratic would be 64")
    }

    @Test func `a large value costs the same in the deepest object, with every object in the wrong order`() throws {
        func body(_ depth: Int) -> [UInt8] {
            let value = String(repeating: "x", count: 1 << 20)
            let opening = String(repeating: #"{"b":"#, count: depth)
            return Array((opening + "\"\(value)\"" + String(repeating: #","a":0}"#, count: depth)).utf8)
        }
        let ratio = try cost(body(512)) / cost(body(1))
        #expect(ratio < 10, "512 levels took \(ratio) times as long as one; moving each level's text would take 500")
    }
}

struct JSONKeyTests {
    /// The un-escaped bytes of a value, or why it is no key. What stands before them must stay.
    private func key(_ value: String) throws -> Result<String, JSONKeyProblem> {
        var output = ByteBuffer(capacity: 1)
        output.append("before")
        let result: Result<Void, JSONKeyProblem>
        do throws(JSONKeyProblem) {
            try output.appendJSONKey(Array(value.utf8).span)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        let text = String(decoding: output.bytes.indices.map { output.bytes[$0] }, as: UTF8.self)
        try #require(text.hasPrefix("before"))
        let rest = String(text.dropFirst(6))
        if case .failure = result { #expect(rest.isEmpty) }
        return result.map { rest }
    }

    @Test(arguments: [
        (#""a""#, "a"), (#""order 1/2""#, "order 1/2"), (#""\u0061\/\"\\""#, "a/\"\\"),
        (#""\u00e9😀\ud83d\ude00""#, "é😀😀"),
        (#""~""#, "~"), (#"" ""#, " "), (#""\u0080""#, "\u{80}"),
    ])
    func `a string gives its bytes without escapes`(value: String, expected: String) throws {
        #expect(try key(value) == .success(expected))
    }

    @Test(
        arguments: [
            (#""""#, .empty), ("1", .notAString), ("12", .notAString), ("true", .notAString), ("null", .notAString),
            ("{}", .notAString), (#"["a"]"#, .notAString), (#""a\n""#, .controlByte), (#""\u0000""#, .controlByte),
            (#""\u001f""#, .controlByte), ("\"a\u{7F}\"", .controlByte), (#""\u007f""#, .controlByte),
            ("", .notAString),
        ] as [(String, JSONKeyProblem)])
    func `what is no key is refused`(value: String, problem: JSONKeyProblem) throws {
        #expect(try key(value) == .failure(problem))
    }

    @Test(arguments: ["x", #"\u0078"#, "é", #"\u00e9"#])
    func `a key has up to 255 bytes, counted without escapes`(unit: String) throws {
        let length = unit == "x" || unit == #"\u0078"# ? 1 : 2
        let most = String(repeating: unit, count: 255 / length) + (length == 2 ? "y" : "")
        let bytes = try key("\"\(most)\"").get().utf8.count
        #expect(bytes == ByteBuffer.maxJSONKeyLength && bytes == 255)
        #expect(try key("\"\(most)z\"") == .failure(.tooLong))
        #expect(try key("\"\(String(repeating: unit, count: 300))\"") == .failure(.tooLong))
    }
}
