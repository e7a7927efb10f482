// What is JSON and what is not: tables over RFC 8259's grammar, each case with the problem that is reported. Relies on
// the reference reader for a second opinion on every case.

import HTTP
import Testing

/// Scans with a fresh scanner and no pointers.
func scan(_ body: [UInt8], maxDepth: Int = 64) -> JSONFailure? {
    var scanner = JSONScanner()
    return scanner.scan(body.span, query: JSONQuery([]), maxDepth: maxDepth)
}

// The macros of Testing take no spans and no noncopyable values; these functions stand between.

func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(condition, sourceLocation: sourceLocation)
}

func expectValid(_ failure: JSONFailure?, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(failure == nil, sourceLocation: sourceLocation)
}

func expectRefused(_ failure: JSONFailure?, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(failure != nil, sourceLocation: sourceLocation)
}

func requireValid(_ failure: JSONFailure?, sourceLocation: SourceLocation = #_sourceLocation) throws {
    try #require(failure == nil, sourceLocation: sourceLocation)
}

/// `{"a":` + value + `}`.
func member(_ value: [UInt8]) -> [UInt8] { Array(#"{"a":"#.utf8) + value + Array("}".utf8) }

/// A string value with raw bytes between its quotes.
func quoted(_ bytes: [UInt8]) -> [UInt8] { [0x22] + bytes + [0x22] }

struct JSONGrammarTests {
    @Test(arguments: [
        "0", "-0", "1", "-1", "9", "10", "1234567890", "0.0", "0.5", "-0.5", "1.0", "10.01", "0e0", "0E0", "1e5", "1E5",
        "1e+5", "1e-5", "1E+05", "1E-00", "1.5e300", "-1.5E-300", "123456789012345678901234567890", "1e999999",
        "0.000000000000000000000000000000000001",
        "true", "false", "null", "[]", "{}", "[ ]", "{ }", "[1]", "[1,2]", "[[],[[]]]", "[{},{}]", #"{"b":{"c":{}}}"#,
        "[true,false,null]", #"["",""]"#, #"[{"x":1},{"x":1}]"#, #"{"":1}"#, #"{"":{"":1}}"#,
        #""""#, #""plain""#, #""\"""#, #""\\""#, #""\/""#, #""\b\f\n\r\t""#, #""/""#, #""\u0000""#, #""\u001f""#,
        #""\u00e9""#, #""\uABCD""#, #""\uabcd""#, #""\ud83d\ude00""#, #""\uD800\uDC00""#, #""\uDBFF\uDFFF""#,
        #""\uD7FF""#, #""\uE000""#, #""\uFFFF""#, #""\\u12""#, #""\\""#, #""é""#, #""日本語""#, #""😀""#,
        "\"\u{7F}\"", "\"\u{80}\"", "\"\u{7FF}\"", "\"\u{800}\"", "\"\u{FFFF}\"", "\"\u{10000}\"", "\"\u{10FFFF}\"",
        "\"\u{FEFF}\"", "\"\u{2028}\u{2029}\"", #""exactly fifteen""#, #""exactly sixteen!""#,
        #""a string that is longer than sixty-four bytes, so that every block size is met by it, twice""#,
        " 1", "1 ", "\t\r\n 1\n", "[ 1 , 2 ]", "{ \"b\" : 1 , \"c\" : 2 }", "                  1", "[1        ,2]",
    ])
    func `a value of the grammar is accepted`(value: String) {
        let body = member(Array(value.utf8))
        #expect(scan(body) == nil)
        #expect(referenceParse(body, maxDepth: 64) != nil)
    }

    @Test(
        arguments: [
            ("00", .badNumber), ("01", .badNumber), ("-01", .badNumber), ("-", .badNumber), ("--1", .badNumber),
            ("1.", .badNumber), ("1.e5", .badNumber), ("1e", .badNumber), ("1e+", .badNumber), ("1E-", .badNumber),
            ("1ee5", .badNumber), ("1e+-5", .badNumber), ("-a", .badNumber), ("-.5", .badNumber), ("0.", .badNumber),
            ("-Infinity", .badNumber), ("1.5.5", .badSyntax), ("1-2", .badSyntax), ("0x10", .badSyntax),
            ("1_0", .badSyntax),
            ("1e5.5", .badSyntax), ("0e0e0", .badSyntax), ("1a", .badSyntax), ("1 2", .badSyntax),
            ("+1", .badSyntax), (".5", .badSyntax), ("NaN", .badSyntax), ("Infinity", .badSyntax), ("１", .badSyntax),
            ("True", .badSyntax), ("TRUE", .badSyntax), ("tru", .badSyntax), ("truE", .badSyntax),
            ("truee", .badSyntax),
            ("nul", .badSyntax), ("nulL", .badSyntax), ("nill", .badSyntax), ("fals", .badSyntax),
            ("falsE", .badSyntax),
            ("false1", .badSyntax), ("undefined", .badSyntax), ("", .badSyntax), (" ", .badSyntax),
            ("[", .badSyntax), ("]", .badSyntax), ("[1", .badSyntax), ("[1,", .badSyntax), ("[1,]", .badSyntax),
            ("[,1]", .badSyntax), ("[,]", .badSyntax), ("[1,,2]", .badSyntax), ("[1 2]", .badSyntax),
            ("[1:2]", .badSyntax),
            ("[1}", .badSyntax), ("{", .unterminated), (#"{"b"}"#, .badSyntax), (#"{"b":}"#, .badSyntax),
            (#"{"b":1,}"#, .badSyntax), ("{,}", .badSyntax), (#"{,"b":1}"#, .badSyntax),
            (#"{"b":1,,"c":2}"#, .badSyntax),
            (#"{"b" 1}"#, .badSyntax), (#"{"b"::1}"#, .badSyntax), (#"{"b":1 "c":2}"#, .badSyntax),
            ("{b:1}", .badSyntax),
            (#"{'b':1}"#, .badSyntax), ("{1:1}", .badSyntax), ("{null:1}", .badSyntax), (#"{"b":1]"#, .badSyntax),
            (#"{["b"]:1}"#, .badSyntax), (#"{"b":1"#, .unterminated), (#"{"b"=1}"#, .badSyntax),
            (#"{"b",1}"#, .badSyntax),
            ("'b'", .badSyntax), ("\"a\" \"b\"", .badSyntax), ("/**/1", .badSyntax), ("1//", .badSyntax),
            ("#", .badSyntax),
            ("\u{B}1", .badSyntax), ("\u{C}1", .badSyntax), ("\u{A0}1", .badSyntax), ("\u{0}", .badSyntax),
            ("1\u{0}", .badSyntax), ("\u{FEFF}1", .badSyntax), ("\u{2028}1", .badSyntax), ("\u{7F}1", .badSyntax),
            (#""\a""#, .badEscape), (#""\x41""#, .badEscape), (#""\0""#, .badEscape), (#""\'""#, .badEscape),
            (#""\U0041""#, .badEscape), (#""\u""#, .badEscape), (#""\u0""#, .badEscape), (#""\u00""#, .badEscape),
            (#""\u004""#, .badEscape), (#""\u004g""#, .badEscape), (#""\uG041""#, .badEscape),
            (#""\u 041""#, .badEscape),
            (#""\u+041""#, .badEscape), (#""\ ""#, .badEscape), ("\"\\\n\"", .badEscape), (#""\é""#, .badEscape),
            (#""\ud800""#, .badEscape), (#""\udc00""#, .badEscape), (#""\uDBFF""#, .badEscape),
            (#""\uDFFF""#, .badEscape),
            (#""\ud83d\ud83d""#, .badEscape), (#""\ude00\ud83d""#, .badEscape), (#""\ud83dx""#, .badEscape),
            (#""\ud83d\n""#, .badEscape), (#""\ud83d\u0041""#, .badEscape), (#""\ud83d\uE000""#, .badEscape),
            (#""\ud83d\u""#, .badEscape), (#""\ud83d\\ude00""#, .badEscape), (#""\ud83d😀""#, .badEscape),
            ("\"\u{0}\"", .badString), ("\"\u{1}\"", .badString), ("\"\n\"", .badString), ("\"\t\"", .badString),
            ("\"\u{1F}\"", .badString), ("\"0123456789abcdef\u{1F}\"", .badString), ("\"é\n\"", .badString),
            (#"{"b":1,"b":2}"#, .duplicateName), (#"{"b":1,"\u0062":2}"#, .duplicateName),
            (#"{"":1,"":2}"#, .duplicateName),
        ] as [(String, JSONProblem)])
    func `what the grammar does not have is refused`(value: String, problem: JSONProblem) {
        let body = member(Array(value.utf8))
        #expect(scan(body)?.problem == problem)
        #expect(referenceParse(body, maxDepth: 64) == nil)
    }

    @Test(
        arguments: [
            ("", .empty), ("  \n", .empty), ("\t\r\n ", .empty), ("[]", .notAnObject), ("1", .notAnObject),
            (#""a""#, .notAnObject), ("null", .notAnObject), ("true", .notAnObject), ("}", .notAnObject),
            ("\u{0}", .notAnObject), ("x{}", .notAnObject), ("\u{FEFF}{}", .byteOrderMark),
            ("\u{FEFF}", .byteOrderMark),
            ("{", .unterminated), (#"{"a"#, .unterminated), (#"{"a":tr"#, .unterminated), (#"{"a":1.}"#, .badNumber),
            (#"{"a":1."#, .unterminated), ("{}{}", .trailingBytes), ("{},", .trailingBytes), ("{}]", .trailingBytes),
            ("{}}", .trailingBytes), ("{}\u{0}", .trailingBytes), ("{} x", .trailingBytes),
            ("{}\u{FEFF}", .trailingBytes),
            ("{]", .badSyntax), ("{{}}", .badSyntax), ("{[]}", .badSyntax), ("{\u{0}}", .badSyntax),
        ] as [(String, JSONProblem)])
    func `a body that is not one object is refused`(text: String, problem: JSONProblem) {
        #expect(scan(Array(text.utf8))?.problem == problem)
        #expect(referenceParse(Array(text.utf8), maxDepth: 64) == nil)
    }

    @Test(arguments: ["{}", " {}", "{} ", "\r\n\t {\r\n\t }\r\n\t ", #"{"a":1}"#, "{}                       "])
    func `white space around the object is accepted`(text: String) {
        #expect(scan(Array(text.utf8)) == nil)
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xC2, 0xC2], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF], [0xE0, 0xA0], [0xE0, 0xA0, 0x41], [0xE1, 0x80], [0xE1, 0x80, 0xC0], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80],
            [0xF0, 0x90, 0x80, 0x41], [0xF0, 0x90, 0x41, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFC], [0xFE], [0xFF], [0xC3, 0xA9, 0x80],
        ] as [[UInt8]])
    func `malformed UTF-8 is refused wherever it stands`(bytes: [UInt8]) {
        for padding in [0, 1, 15, 16, 17, 63, 64, 80] {
            let plain = [UInt8](repeating: 0x61, count: padding)
            #expect(scan(member(quoted(plain + bytes)))?.problem == .badUTF8)
            #expect(scan(member(quoted(plain + bytes + plain)))?.problem == .badUTF8)
        }
        #expect(scan(Array("{".utf8) + quoted(bytes) + Array(":1}".utf8))?.problem == .badUTF8)
    }

    @Test(
        arguments: [
            [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xE1, 0x80, 0x80], [0xEC, 0xBF, 0xBF], [0xED, 0x80, 0x80],
            [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBF], [0xF0, 0x90, 0x80, 0x80],
            [0xF3, 0xBF, 0xBF, 0xBF],
            [0xF4, 0x80, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
        ] as [[UInt8]])
    func `the first and last sequences of each length are accepted`(bytes: [UInt8]) {
        for padding in [0, 1, 15, 16, 17, 63, 64, 80] {
            let plain = [UInt8](repeating: 0x61, count: padding)
            #expect(scan(member(quoted(plain + bytes + plain))) == nil)
        }
    }

    @Test func `every byte is judged alike at every place of a string`() {
        for place in 0..<150 {
            for byte in UInt8.min...UInt8.max {
                var content = [UInt8](repeating: 0x61, count: 150)
                content[place] = byte
                let failure = scan(member(quoted(content)))
                switch byte {
                case 0..<0x20: #expect(failure == JSONFailure(.badString, at: 6 + place))
                case 0x22: #expect(failure == JSONFailure(.badSyntax, at: 7 + place))
                case 0x5C: #expect(failure?.problem == (place == 149 ? .unterminated : .badEscape))
                case 0x80...: #expect(failure == JSONFailure(.badUTF8, at: 6 + place))
                default: #expect(failure == nil)
                }
            }
        }
    }

    @Test func `every problem has an explanation`() {
        for problem in JSONProblem.allCases { #expect(problem.explanation.utf8CodeUnitCount > 20) }
    }
}
