// Writing fields into a body: the field is found again with its value, and every other byte is as it was. Relies on the
// scanner to judge the result.

import HTTP
import TestSupport
import Testing

private func buffer(_ bytes: [UInt8], capacity: Int = 8) -> ByteBuffer {
    var buffer = ByteBuffer(capacity: capacity)
    buffer.append(bytes.span)
    return buffer
}

private func array(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }

struct JSONSpliceTests {
    /// Inserts what is absent, replaces what is present, and gives the new body.
    func edited(_ text: String, _ fields: [(pointer: String, value: String)]) throws -> String {
        let query = JSONQuery(try fields.map { try #require(JSONPointer($0.pointer)) })
        var body = buffer(Array(text.utf8))
        var scanner = JSONScanner()
        try requireValid(scanner.scan(body.bytes, query: query, maxDepth: 64))
        var edits = JSONEdits()
        for (index, field) in fields.enumerated() {
            let value = Array(field.value.utf8)
            let found = scanner.found(index)
            switch found.state {
            case .absent: edits.insert(index, of: query, value: value.span, at: found)
            case .present: edits.replace(found, with: value.span)
            case .parentAbsent, .parentNotObject: continue
            }
        }
        edits.apply(to: &body)
        expect(edits.isEmpty)
        return String(decoding: array(body.bytes), as: UTF8.self)
    }

    @Test(
        arguments: [
            ("{}", [("/k", "1")], #"{"k":1}"#),
            ("{ }", [("/k", "1")], #"{"k":1 }"#),
            (" { \"a\" : 1 } ", [("/k", #""v""#)], #" {"k":"v", "a" : 1 } "#),
            ("{}", [("/k", "1"), ("/l", "2")], #"{"k":1,"l":2}"#),
            (#"{"a":1}"#, [("/k", "1"), ("/l", "2"), ("/m", "3")], #"{"k":1,"l":2,"m":3,"a":1}"#),
            (#"{"a":{}}"#, [("/a/k", "1"), ("/a/l", "2")], #"{"a":{"k":1,"l":2}}"#),
            (#"{"a":{}}"#, [("/a/k", "1"), ("/j", "0"), ("/a/l", "2")], #"{"j":0,"a":{"k":1,"l":2}}"#),
            (#"{"a":{"b":{}}}"#, [("/k", "1"), ("/a/b/k", "3"), ("/a/k", "2")], #"{"k":1,"a":{"k":2,"b":{"k":3}}}"#),
            (#"{"a":1,"b":2}"#, [("/b", "22"), ("/a", "11")], #"{"a":11,"b":22}"#),
            (#"{"a":"long","b":[1,2,3]}"#, [("/a", "1"), ("/b", "{}")], #"{"a":1,"b":{}}"#),
            (
                #"{"a":1,"b":{"c":2}}"#, [("/b/c", "3"), ("/k", "0"), ("/b/d", "4")],
                #"{"k":0,"a":1,"b":{"d":4,"c":3}}"#
            ),
            ("{}", [("/a~1b", "1"), ("/a\"b", "2"), ("/é", "3")], #"{"a/b":1,"a\"b":2,"é":3}"#),
            (#"{"a":1}"#, [("/x/y", "1")], #"{"a":1}"#),
        ] as [(String, [(String, String)], String)])
    func `fields are written and nothing else changes`(
        text: String, fields: [(String, String)], expected: String
    ) throws {
        #expect(try edited(text, fields) == expected)
    }

    @Test func `an inserted field is found again and its removal gives the old body`() throws {
        let number = UInt64.random(in: .min ... .max)
        print("seed \(number)")
        var seed = Seed(number)
        let texts = [richBody, "{}", #"{"ledger":{}}"#, #"{"ledger":{"x":1},"a":[]}"#, "{\n  \"ledger\" : {\n  }\n}\n"]
        let query = JSONQuery(["/inserted", "/ledger/inserted"].map { JSONPointer($0)! })
        let name = Array(#""inserted""#.utf8)
        var scanner = JSONScanner()
        for round in 0..<500 {
            let old = Array(texts[round % texts.count].utf8)
            let secret = (0..<Int.random(in: 0...40, using: &seed)).map { _ in UInt8.random(in: 0...127, using: &seed) }
            let text = jsonString(from: secret.span)
            let value = try #require(text)
            expectValid(scanner.scan(old.span, query: query, maxDepth: 64))
            for index in 0..<2 where scanner.found(index).state == .absent {
                let found = scanner.found(index)
                var body = buffer(old)
                body.insertField(name: name.span, value: value.span, at: found)
                var after = JSONScanner()
                expectValid(after.scan(body.bytes, query: query, maxDepth: 64))
                let again = after.found(index)
                let bytes = array(body.bytes)
                #expect(again.state == .present && again.kind == .string)
                #expect(Array(bytes[again.value.range]) == value)
                let added = bytes.count - old.count
                #expect(Array(bytes[..<found.insertAt] + bytes[(found.insertAt + added)...]) == old)
                body.replaceValue(again, with: Array("null".utf8).span)
                expectValid(after.scan(body.bytes, query: query, maxDepth: 64))
                #expect(after.found(index).kind == .null)
            }
        }
    }

    @Test func `offsets count from the first readable byte`() {
        var body = buffer(Array(#"HEAD{"a":1}"#.utf8))
        body.consume(4)
        let query = JSONQuery([JSONPointer("/k")!])
        var scanner = JSONScanner()
        expectValid(scanner.scan(body.bytes, query: query, maxDepth: 1))
        var edits = JSONEdits()
        edits.insert(0, of: query, value: Array("2".utf8).span, at: scanner.found(0))
        edits.apply(to: &body)
        expect(array(body.bytes) == Array(#"{"k":2,"a":1}"#.utf8))
    }

    @Test func `edits that were dropped are not applied`() {
        var body = buffer(Array("{}".utf8))
        let query = JSONQuery([JSONPointer("/k")!])
        var scanner = JSONScanner()
        expectValid(scanner.scan(body.bytes, query: query, maxDepth: 1))
        var edits = JSONEdits()
        edits.insert(0, of: query, value: Array("2".utf8).span, at: scanner.found(0))
        expect(!edits.isEmpty)
        edits.removeAll()
        edits.apply(to: &body)
        expect(array(body.bytes) == Array("{}".utf8))
    }
}

struct JSONValueTests {
    @Test(arguments: [
        ("", #""""#), ("key", #""key""#), ("a\"b\\c", #""a\"b\\c""#), ("a/b", #""a/b""#), ("é😀", #""é😀""#),
        ("\n\u{0}\u{1F}\u{10}", #""\u000a\u0000\u001f\u0010""#), ("\u{7F}", "\"\u{7F}\""),
    ])
    func `bytes are written as a string`(text: String, expected: String) {
        let bytes = Array(text.utf8)
        expect(jsonString(from: bytes.span) == Array(expected.utf8))
        #expect(scan(member(Array(expected.utf8))) == nil)
    }

    @Test func `bytes that are not UTF-8 are no string`() {
        expect(jsonString(from: [0x61, 0xFF].span) == nil)
        expect(jsonString(from: [0xC3].span) == nil)
        var buffer = ByteBuffer(capacity: 8)
        let bytes: [UInt8] = [0x61, 0xED, 0xA0, 0x80]
        #expect(throws: JSONFailure(.badUTF8, at: 1)) { try buffer.appendJSONString(bytes.span) }
        expect(buffer.count == 0)
    }

    @Test(arguments: [
        ("1", "1"), ("12345", "12345"), ("0", "-0"), ("-0", "0"), ("1.5", "1.5"), ("true", "true"), ("null", "null"),
        (#""""#, #""""#), (#""a""#, #""a""#), (#""a""#, #""\u0061""#), (#""/""#, #""\/""#), (#""é""#, #""\u00E9""#),
        (#""😀""#, #""\ud83d\ude00""#), (#""\n""#, #""\u000a""#), (#""\\""#, #""\u005c""#), ("[1]", "[1]"),
    ])
    func `values that mean the same are equal`(a: String, b: String) {
        expect(jsonValuesEqual(Array(a.utf8).span, Array(b.utf8).span))
        expect(jsonValuesEqual(Array(b.utf8).span, Array(a.utf8).span))
    }

    @Test(arguments: [
        ("12345", #""12345""#), ("1", "1.0"), ("1", "1e0"), ("10", "1e1"), ("0", "0.0"), ("1", "-1"), ("1", "11"),
        ("true", "false"), ("null", "false"), ("null", #""null""#), (#""a""#, #""A""#), (#""a""#, #""a ""#),
        (#""""#, #"" ""#), (#""\\n""#, #""\n""#), (#""é""#, #""e\u0301""#), ("[1]", "[1 ]"), (#""a""#, #""a\u0000""#),
        (#"""#, #""""#), ("", "0"), (#""\u004""#, #""\u0041""#),
    ])
    func `values that differ are not equal`(a: String, b: String) {
        expect(!jsonValuesEqual(Array(a.utf8).span, Array(b.utf8).span))
        expect(!jsonValuesEqual(Array(b.utf8).span, Array(a.utf8).span))
    }
}
