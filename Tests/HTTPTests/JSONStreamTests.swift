// The reader of JSON texts in fragments: its events, its ends, its bounds, and that it takes what the scanner takes.
// Relies on the scanner as a second reader. Refuses events that depend on the fragments.

import HTTP
import TestSupport
import Testing

struct JSONStreamTests {
    /// The events of a text, one word each, and its end.
    static func events(_ body: [UInt8], cuts: [Int] = []) -> [String] {
        var stream = JSONStream()
        stream.begin()
        var words: [String] = []
        var start = 0
        for cut in cuts + [body.count] {
            let fragment = body.span.extracting(start..<cut)
            var at = 0
            while let event = stream.next(in: fragment, at: &at) { words.append(word(event, stream)) }
            expect(at == fragment.count)
            start = cut
        }
        if let event = stream.finish() { words.append(word(event, stream)) }
        words.append("\(stream.ending)")
        return words
    }

    private static func word(_ event: JSONStream.Event, _ stream: borrowing JSONStream) -> String {
        switch event {
        case .name, .part, .string, .number:
            var text: [UInt8] = []
            for index in stream.text.indices { text.append(stream.text[index]) }
            return "\(event) \(String(decoding: text, as: UTF8.self)) \(stream.length)"
        case .beginObject, .endObject, .beginArray, .endArray, .true, .false, .null: return "\(event)"
        }
    }

    @Test func `events come in the order of the text`() {
        #expect(
            Self.events(Array(#" {"a\u0062":[-1.5e2,"\n\ud83d\ude00é",true,false,null,{}]} "#.utf8)) == [
                "beginObject", "name ab 2", "beginArray", "number -1.5e2 6", "string \n😀é 7", "true", "false", "null",
                "beginObject", "endObject", "endArray", "endObject", "whole",
            ])
        #expect(Self.events(Array("12".utf8)) == ["number 12 2", "whole"])
    }

    @Test(
        arguments: [
            ("", "empty"), (" \n", "empty"), ("{", "cut"), ("[1,", "cut"), ("\"a", "cut"), ("-", "cut"), ("tru", "cut"),
            ("1.", "cut"), ("1e+", "cut"), ("[1", "cut"), ("01", "invalid"), ("-x", "invalid"), ("[1,]", "invalid"),
            ("{\"a\":1,}", "invalid"), ("{1:2}", "invalid"), ("{\"a\" 1}", "invalid"), ("[1}", "invalid"),
            ("1 2", "invalid"), ("nulL", "invalid"), ("\"\\x\"", "invalid"), ("\"\\ud800\"", "invalid"),
            ("\"\\ud800\\u0041\"", "invalid"), ("\"\\udc00\"", "invalid"), ("\"\u{1}\"", "invalid"), ("]", "invalid"),
            ("\u{FEFF}{}", "invalid"), ("1.e1", "invalid"), ("1e", "cut"), ("+1", "invalid"), ("truex", "invalid"),
        ])
    func `a text ends as what it is`(text: String, end: String) {
        #expect(Self.events(Array(text.utf8)).last == end)
    }

    @Test func `malformed UTF-8 is no JSON text`() {
        let sequences: [[UInt8]] = [
            [0x80], [0xC1, 0x80], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xFF],
        ]
        for sequence in sequences {
            #expect(Self.events([0x22] + sequence + [0x22]).last == "invalid", "\(sequence)")
        }
    }

    @Test func `nesting is followed to its limit`() {
        for depth in [JSONStream.maxDepth, JSONStream.maxDepth + 1] {
            let body = [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
            #expect(Self.events(body).last == (depth == JSONStream.maxDepth ? "whole" : "tooDeep"))
        }
    }

    @Test func `long names are counted, long numbers cut, long strings come in parts`() {
        for length in [255, 256, 257, 3_000] {
            let name = String(repeating: "n", count: length)
            #expect(Self.events(Array("{\"\(name)\":1}".utf8))[1] == "name \(name.prefix(256)) \(length)")
        }
        for length in [511, 512, 513, 1_025] {
            let digits = String(repeating: "7", count: length)
            #expect(Self.events(Array(digits.utf8))[0] == "number \(digits.prefix(512)) \(length)")
            let parts = (1...3).filter { $0 * 512 <= length }.map { "part \(digits.prefix(512)) \($0 * 512)" }
            let rest = String(repeating: "7", count: length % 512)
            #expect(Self.events(Array("\"\(digits)\"".utf8)) == parts + ["string \(rest) \(length)", "whole"])
        }
    }

    @Test func `the rest of a string is counted where nobody asks for it`() {
        var stream = JSONStream()
        let body = Array(("\"" + String(repeating: "é\\n", count: 1_000) + "\"").utf8)
        var at = 0
        expect(stream.next(in: body.span, at: &at) == .part)
        stream.passRest()
        expect(stream.next(in: body.span, at: &at) == .string)
        expect(stream.length == 3_000 && stream.text.isEmpty && at == body.count)
    }

    @Test func `the events are the same however the text is cut, and texts are taken as the scanner takes them`() {
        var seed = Seed.chosen(for: "JSON stream")
        let texts = [
            richBody, #"{"a":{"b":{"c":1}},"d":[0,-1,1.5,2e3],"e":"\n\u0041"}"#, #"{"a":"\ud83d\ude00","b":[]}"#,
        ]
        let alphabet =
            Array(#"{}[]:,"\ aebcdu0123456789.-+EtrufalsnABCDEF/"#.utf8) + [0, 9, 10, 0x1F, 0x80, 0xC3, 0xED]
        var scanner = JSONScanner()
        let query = JSONQuery([])
        for round in 0..<3_000 {
            var body = Array(texts[round % texts.count].utf8)
            for _ in 0..<round % 3 {
                let place = Int.random(in: 0..<body.count, using: &seed)
                switch Int.random(in: 0..<3, using: &seed) {
                case 0: body.remove(at: place)
                case 1: body.insert(alphabet.randomElement(using: &seed) ?? 0, at: place)
                default: body[place] = alphabet.randomElement(using: &seed) ?? 0
                }
            }
            let events = Self.events(body)
            let cuts = (0..<4).map { _ in Int.random(in: 0...body.count, using: &seed) }.sorted()
            #expect(Self.events(body, cuts: cuts) == events)
            switch scanner.scan(body.span, query: query, maxDepth: 64)?.problem {
            case nil: #expect(events.last == "whole")
            // The stream lets names come twice, and takes any value for a text.
            case .duplicateName, .notAnObject: break
            case .some: #expect(events.last != "whole", "\(String(decoding: body, as: UTF8.self))")
            }
        }
        let body = Array(richBody.utf8)
        #expect(Self.events(body, cuts: Array(0..<body.count)) == Self.events(body))
    }
}
