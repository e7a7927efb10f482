// Finding fields by pointer: what is found for present, absent and impossible fields, with escaped and nested names.

import HTTP
import Testing

struct JSONQueryTests {
    /// What one pointer finds in a valid body.
    func find(_ pointer: String, _ text: String) throws -> JSONFound {
        var scanner = JSONScanner()
        let body = Array(text.utf8)
        let query = JSONQuery([try #require(JSONPointer(pointer))])
        try requireValid(scanner.scan(body.span, query: query, maxDepth: 64))
        return scanner.found(0)
    }

    @Test(
        arguments: [
            ("/a", #"{"a":1}"#, "1", .number), ("/a", #"{"a":-1.5e3 }"#, "-1.5e3", .number),
            ("/a", #"{ "a" : "x" }"#, #""x""#, .string), ("/a", #"{"a":""}"#, #""""#, .string),
            ("/a", #"{"a":true}"#, "true", .true), ("/a", #"{"a":false}"#, "false", .false),
            ("/a", #"{"a":null}"#, "null", .null), ("/a", #"{"a": {"b":[1]} }"#, #"{"b":[1]}"#, .object),
            ("/a", #"{"a":[ 1, {"a":2} ],"b":3}"#, #"[ 1, {"a":2} ]"#, .array), ("/a", #"{"a":{}}"#, "{}", .object),
            ("/a", #"{"b":{"a":1},"a":2}"#, "2", .number), ("/a", #"{"b":[{"a":1}],"a":2}"#, "2", .number),
            ("/a/b", #"{"a":{"b":1}}"#, "1", .number),
            ("/a/b", #"{"b":0,"a":{"a":1,"b":2},"c":{"b":3}}"#, "2", .number),
            ("/a/a/a", #"{"a":{"a":{"a":"deep"}}}"#, #""deep""#, .string),
            ("/api_key", #"{"api\u005fkey":1}"#, "1", .number), ("/api_key", #"{"\u0061pi_ke\u0079":1}"#, "1", .number),
            ("/a~1b", #"{"a\/b":1}"#, "1", .number), ("/a~0b", #"{"a~b":1}"#, "1", .number),
            ("/é", #"{"\u00e9":1}"#, "1", .number),
            ("/é", #"{"é":1}"#, "1", .number), ("/😀/b", #"{"\ud83d\ude00":{"\u0062":1}}"#, "1", .number),
            ("/a\"b", #"{"a\"b":1}"#, "1", .number), ("/0", #"{"0":1}"#, "1", .number),
            ("/1/2/3/4/5/6/7/8", #"{"1":{"2":{"3":{"4":{"5":{"6":{"7":{"8":{"9":1}}}}}}}}}"#, #"{"9":1}"#, .object),
            (
                "/a name of more than sixty-three bytes, so that its length is the last bit",
                #"{"a name of more than sixty-three bytes, so that its length is the last bit":1}"#, "1", .number
            ),
        ] as [(String, String, String, JSONFound.Kind)])
    func `a present field is found with its value`(pointer: String, text: String, value: String, kind: JSONFound.Kind)
        throws
    {
        let found = try find(pointer, text)
        #expect(found.state == .present)
        #expect(found.kind == kind)
        #expect(Array(text.utf8)[found.value.range].elementsEqual(value.utf8))
    }

    @Test(arguments: [
        ("/a", "{}", 1, true), ("/a", "  { }", 3, true), ("/a", #"{"b":1}"#, 1, false), ("/a", #"{"A":1}"#, 1, false),
        ("/a", #" { "b":{"a":1}}"#, 2, false), ("/a/b", #"{"a":{}}"#, 6, true),
        ("/a/b", #"{"x":1,"a":{"c":1}}"#, 12, false),
        ("/a/b/c", #"{"a":{"b":{"d":{"c":1}}}}"#, 11, false), ("/a", #"{"a\u0000":1}"#, 1, false),
        ("/a/b", #"{"a":{"bb":1}, "b":1}"#, 6, false),
    ])
    func `an absent field is given the place to insert it`(pointer: String, text: String, at: Int, isEmpty: Bool) throws
    {
        let found = try find(pointer, text)
        #expect(found == JSONFound(state: .absent, parentIsEmpty: isEmpty, insertAt: at))
    }

    @Test(
        arguments: [
            ("/a/b", "{}", .parentAbsent), ("/a/b", #"{"b":{"b":1}}"#, .parentAbsent),
            ("/a/b/c", #"{"a":{}}"#, .parentAbsent),
            ("/a/b/c", #"{"a":{"c":{"c":1}}}"#, .parentAbsent), ("/a/b", #"{"x":[{"a":{"b":1}}]}"#, .parentAbsent),
            ("/a/b", #"{"a":1}"#, .parentNotObject), ("/a/b", #"{"a":[{"b":1}]}"#, .parentNotObject),
            ("/a/b", #"{"a":null}"#, .parentNotObject), ("/a/b", #"{"a":"{\"b\":1}"}"#, .parentNotObject),
            ("/a/0", #"{"a":[1]}"#, .parentNotObject), ("/a/b/c", #"{"a":{"b":true}}"#, .parentNotObject),
        ] as [(String, String, JSONFound.State)])
    func `a way that does not lead to an object is told apart`(pointer: String, text: String, state: JSONFound.State)
        throws
    {
        #expect(try find(pointer, text) == JSONFound(state: state))
    }

    @Test func `sixteen pointers are found at once`() {
        let pointers =
            (0..<12).map { JSONPointer("/f\($0)")! }
            + ["/o", "/o/x", "/o/y", "/f0"].map { JSONPointer($0)! }
        let query = JSONQuery(pointers)
        let members = (0..<12).reversed().map { "\"f\($0)\":\($0 * 7)" }.joined(separator: ",")
        let body = Array("{\(members),\"o\":{\"x\":\"y\"}}".utf8)
        var scanner = JSONScanner()
        expectValid(scanner.scan(body.span, query: query, maxDepth: 2))
        for index in 0..<12 {
            #expect(body[scanner.found(index).value.range].elementsEqual("\(index * 7)".utf8))
        }
        #expect(body[scanner.found(12).value.range].elementsEqual(#"{"x":"y"}"#.utf8))
        #expect(body[scanner.found(13).value.range].elementsEqual(#""y""#.utf8))
        #expect(scanner.found(14).state == .absent)
        #expect(scanner.found(15) == scanner.found(0))
    }

    @Test func `results of the scan before do not stay`() {
        var scanner = JSONScanner()
        let query = JSONQuery([JSONPointer("/a/b")!])
        expectValid(scanner.scan(Array(#"{"a":{"b":1}}"#.utf8).span, query: query, maxDepth: 2))
        #expect(scanner.found(0).state == .present)
        expectValid(scanner.scan(Array("{}".utf8).span, query: query, maxDepth: 2))
        #expect(scanner.found(0) == JSONFound(state: .parentAbsent))
    }

    @Test func `a pointer knows the pointers within its value`() {
        let parent = JSONPointer("/a/b")!
        #expect(parent.isAncestor(of: JSONPointer("/a/b/c")!))
        #expect(!parent.isAncestor(of: parent))
        #expect(!parent.isAncestor(of: JSONPointer("/a/bc/c")!))
        #expect(!parent.isAncestor(of: JSONPointer("/a")!))
    }
}
