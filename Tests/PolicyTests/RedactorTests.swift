// What is shown and what is not: treatments, forms, names, pointers, strings that hold JSON, the bound of the output.
// Relies on the presets. Refuses output that depends on how a body is cut.

import HTTP
import Policy
import TestSupport
import Testing

struct RedactorTests {
    @Test(
        "a value is shown where its field is known and its form is safe",
        arguments: [
            (#"{"status":100}"#, #"{"status":100}"#), (#"{"status":"100"}"#, #"{"status":"100"}"#),
            (#"{"status":9999999}"#, #"{"status":9999999}"#), (#"{"status":10000000}"#, #"{"status":"<number:8>"}"#),
            (#"{"status":1e2}"#, #"{"status":"<number:3>"}"#), (#"{"status":"success"}"#, #"{"status":"success"}"#),
            (#"{"status":"in progress"}"#, #"{"status":"<string:11>"}"#), (#"{"status":true}"#, #"{"status":true}"#),
            (#"{"status":null}"#, #"{"status":null}"#), (#"{"status":""}"#, #"{"status":"<string:0>"}"#),
            (#"{"event":"account.issue.created"}"#, #"{"event":"account.issue.created"}"#),
            (#"{"type":"V12"}"#, #"{"type":"V12"}"#), (#"{"type":"aBc"}"#, #"{"type":"<string:3>"}"#),
            (#"{"type":"a1b2"}"#, #"{"type":"<string:4>"}"#), (#"{"type":"a-1234"}"#, #"{"type":"a-1234"}"#),
            (#"{"type":"a-12345"}"#, #"{"type":"<string:7>"}"#), (#"{"amount":1010.5}"#, #"{"amount":1010.5}"#),
            (#"{"amount":"101.96"}"#, #"{"amount":"101.96"}"#), (#"{"amount":-0.5}"#, #"{"amount":-0.5}"#),
            (#"{"amount":9999999.99}"#, #"{"amount":9999999.99}"#),
            (#"{"amount":10000000.00}"#, #"{"amount":"<number:11>"}"#),
            (#"{"amount":999.1234}"#, #"{"amount":999.1234}"#), (#"{"amount":1000.123}"#, #"{"amount":"<number:8>"}"#),
            (#"{"timestamp":1420070400}"#, #"{"timestamp":"2015-01-01T00:00:00Z"}"#),
            (#"{"timestamp":1420070399}"#, #"{"timestamp":"<number:10>"}"#),
            (#"{"timestamp":"2208988799"}"#, #"{"timestamp":"2039-12-31T23:59:59Z"}"#),
            (#"{"timestamp":2208988800}"#, #"{"timestamp":"<number:10>"}"#),
            (#"{"timestamp":1709210096789}"#, #"{"timestamp":"2024-02-29T12:34:56Z"}"#),
            (#"{"created_at":"20-11-2026 10:00 AM"}"#, #"{"created_at":"20-11-2026 10:00 AM"}"#),
            (#"{"created_at":"2026-11-20T10:00:00.123456Z"}"#, #"{"created_at":"2026-11-20T10:00:00Z"}"#),
            (#"{"created_at":"2026-11-20 10:00:00+01:00"}"#, #"{"created_at":"2026-11-20 10:00:00+01:00"}"#),
            (#"{"created_at":"2014-12-31"}"#, #"{"created_at":"<string:10>"}"#),
            (#"{"created_at":"2015-01-01"}"#, #"{"created_at":"2015-01-01"}"#),
            (
                #"{"user_id":"user-9f1a2b3c-12d4-4abc-8def-a123456b789c"}"#,
                #"{"user_id":"user-9f1a2b3c-12d4-4abc-8def-a123456b789c"}"#
            ),
            (
                #"{"user_id":"9f1a2b3c-12d4-4abc-8def-a12345678b9c"}"#,
                #"{"user_id":"9f1a2b3c-12d4-4abc-8def-a********b9c"}"#
            ),
            (#"{"user_id":"9f1a2b3c-12d4-4abc-7def-a123456b789c"}"#, #"{"user_id":"<string:36>"}"#),
            (#"{"request_id":"9f1a2b3c4d5e6f70-12"}"#, #"{"request_id":"9f1a2b3c4d5e6f70-12"}"#),
            (#"{"transaction_id":"order-1234567"}"#, #"{"transaction_id":"order-1234567"}"#),
            (#"{"transaction_id":"order-12345678"}"#, #"{"transaction_id":"<string:14>"}"#),
        ])
    func shown(_ body: String, _ expected: String) { #expect(Redacting().text(body) == expected) }

    @Test(
        "every other value becomes type and length, four digits, or nothing",
        arguments: [
            (#"{"message":"Done"}"#, #"{"message":"<string:4>"}"#), (#"{"zip":30301}"#, #"{"zip":"<number:5>"}"#),
            (#"{"other":true,"x":null}"#, #"{"<name:5>":"<boolean>","<name:1>":null}"#),
            (#"{"account_number":"12345678"}"#, #"{"account_number":"***5678"}"#),
            (#"{"account_number":"1234567"}"#, #"{"account_number":"<string:7>"}"#),
            (#"{"account_number":12345678901234567890}"#, #"{"account_number":"***7890"}"#),
            (#"{"account_number":"123456789012345678901"}"#, #"{"account_number":"<string:21>"}"#),
            (#"{"account":"4111 1111 1111 1234"}"#, #"{"account":"***1234"}"#),
            (#"{"account":"123-45-6789"}"#, #"{"account":"<string:11>"}"#),
            (#"{"account":8.1e9}"#, #"{"account":"<number:5>"}"#), (#"{"last_4":"4567"}"#, #"{"last_4":"***4567"}"#),
            (#"{"account":["12345678"]}"#, #"{"account":["<string:8>"]}"#),
            (
                #"{"ssn":"1","cvv":123,"dob":null,"token":true}"#,
                #"{"ssn":"<hidden>","cvv":"<hidden>","dob":"<hidden>","token":"<hidden>"}"#
            ),
            (#"{"ssn":{"status":[1,{"a":{}}]},"status":1}"#, #"{"ssn":"<hidden>","status":1}"#),
            (#"{"first_name":[["A"],"B"],"status":1}"#, #"{"first_name":"<hidden>","status":1}"#),
            (#"{"STATUS":1,"St\u0061tus":2,"SSN":"x"}"#, #"{"status":1,"status":2,"ssn":"<hidden>"}"#),
            (
                #"{"status":["ok","a1",1,true],"code":[[]]}"#,
                #"{"status":["ok","<string:2>","<number:1>","<boolean>"],"code":[[]]}"#
            ),
            (#""x""#, #""<string:1>""#), ("12", #""<number:2>""#), (" null ", "null"), ("[]", "[]"), ("{}", "{}"),
            (#"{"é":"é"}"#, #"{"<name:2>":"<string:2>"}"#),
        ])
    func notShown(_ body: String, _ expected: String) { #expect(Redacting().text(body) == expected) }

    @Test("of requests less is shown than of answers")
    func directions() {
        let body = #"{"status":1,"amount":2,"message":"a"}"#
        #expect(Redacting(direction: .answer).text(body) == #"{"status":1,"amount":2,"message":"<string:1>"}"#)
        let request = Redacting(direction: .request).text(body)
        #expect(request == #"{"status":"<number:1>","amount":2,"message":"<string:1>"}"#)
    }

    @Test("the operator shows and hides fields by name and by place, and cannot show what the preset hides")
    func settings() throws {
        let pointer = try #require(RedactedField("/data/Items/a~1b"))
        let hidden = try #require(RedactedField("/data/status"))
        let settings = RedactionSettings(
            show: [.name("Mine"), pointer, .name("ssn"), .name("account")], hide: [hidden, .name("zip")])
        let redacting = Redacting(settings: settings)
        let body =
            #"{"mine":"ok","a/b":1,"data":{"a/b":2,"items":[{"a/b":3,"status":4}],"status":5},"zip":6,"status":7}"#
        #expect(
            redacting.text(body)
                == #"{"Mine":"ok","a/b":"<number:1>","data":{"a/b":"<number:1>","items":[{"a/b":3,"status":4}],"#
                + #""status":"<hidden>"},"zip":"<hidden>","status":7}"#)
        #expect(redacting.text(#"{"ssn":1,"account":"12345678"}"#) == #"{"ssn":"<hidden>","account":"***5678"}"#)
        #expect(RedactedField("") == nil && RedactedField("/") == nil && RedactedField("/a//b") == nil)
        #expect(RedactedField(String(repeating: "a", count: 256)) != nil)
        #expect(RedactedField(String(repeating: "a", count: 257)) == nil)
    }

    @Test("as many fields as there may be work, each for itself")
    func manyPointers() {
        let show = (0..<32).compactMap { RedactedField("/p/s\($0)/v") }
        let hide = (0..<32).compactMap { RedactedField("/p/h\($0)/v") }
        let redacting = Redacting(settings: RedactionSettings(show: show, hide: hide))
        for index in 0..<32 {
            #expect(redacting.text(#"{"p":{"s\#(index)":{"v":1}}}"#) == #"{"p":{"s\#(index)":{"v":1}}}"#)
            #expect(redacting.text(#"{"p":{"h\#(index)":{"v":1}}}"#) == #"{"p":{"h\#(index)":{"v":"<hidden>"}}}"#)
            #expect(redacting.text(#"{"s\#(index)":{"v":1}}"#) == #"{"s\#(index)":{"v":"<number:1>"}}"#)
        }
    }

    @Test(
        "a string that holds JSON is read, twice deep, and only where it is whole",
        arguments: [
            (#"{"x":"{\"status\":1}"}"#, #"{"<name:1>":{"status":1}}"#), (#"{"x":" [] "}"#, #"{"<name:1>":[]}"#),
            (#"{"x":"{\"status\":1"}"#, #"{"<name:1>":"<string:11>"}"#),
            (#"{"x":"{\"status\":1}2","status":3}"#, #"{"<name:1>":"<string:13>","status":3}"#),
            (
                #"{"x":"{\"y\":\"[{\\\"z\\\":\\\"[]\\\"}]\"}"}"#,
                #"{"<name:1>":{"<name:1>":[{"<name:1>":"<string:2>"}]}}"#
            ),
            (#"{"x":"{\"y\":\"[1\",\"status\":2}"}"#, #"{"<name:1>":{"<name:1>":"<string:2>","status":2}}"#),
            (#"{"ssn":"{\"status\":1}"}"#, #"{"ssn":"<hidden>"}"#),
            (#"["[1]",["[{}","{}"]]"#, #"[["<number:1>"],["<string:3>",{}]]"#),
            (#"{"x":"{\"ssn\":{\"a\":"}"#, #"{"<name:1>":"<string:12>"}"#),
        ])
    func embedded(_ body: String, _ expected: String) { #expect(Redacting().text(body) == expected) }

    @Test("long strings that hold JSON are read in parts")
    func longEmbedded() {
        let rest = String(repeating: " ", count: 5_000)
        for (inner, expected) in [
            (#"{"status":1\#(rest),"code":2}"#, #"{"status":1,"code":2}"#),
            (#"{"status":1\#(rest),"code":2"#, #""<string:5020>""#),
        ] {
            let body = #"{"data":"# + quoted(inner) + #","status":3}"#
            #expect(Redacting().text(body) == #"{"data":\#(expected),"status":3}"#)
        }
    }

    @Test("the output ends within its bound, says that it is cut, and is JSON at any bound")
    func bound() {
        let items = (0..<500).map { #"{"status":\#($0),"data":["ok",{"x":[{}]}]}"# }.joined(separator: ",")
        let inner = quoted("[\(items)]")
        for body in ["[\(items)]", #"{"data":{"items":[\#(items)]}}"#, #"{"data":[\#(inner)],"status":1}"#] {
            for limit in 512...700 {
                let text = Redacting(limit: limit).text(body)
                expectSafe(text, limit: limit, "\(limit)")
                #expect(text.contains("<cut>") && text.utf8.count > limit - 64)
            }
        }
        let deep = String(repeating: #"{"data":"#, count: 64) + "1" + String(repeating: "}", count: 64)
        #expect(Redacting(limit: 512).text(deep).contains(#"{"...":"<cut>"}}"#))
        #expect(!Redacting().text(deep).contains("cut"))
    }

    @Test("a cut within a string that turns out to be no JSON is taken back")
    func cutIsTakenBack() {
        let words = Array(repeating: #"\"x\""#, count: 1_000).joined(separator: ",")
        #expect(Redacting().text(#"{"x":"[\#(words)","status":1}"#) == #"{"<name:1>":"<string:4000>","status":1}"#)
    }

    @Test("a redactor is reused for good and bad bodies")
    func reuse() {
        let banking = RedactionRules(.banking)
        let other = RedactionRules(.problem, RedactionSettings(show: [.name("x")]))
        var redactor = Redactor(banking)
        for body in [#"{"x":"{\"y\":"#, #"{"x":"#, "x", #"{"ssn":{"a":[{"#, #"{"x":1}"#] {
            redactor.begin(banking, .request)
            redactor.update(Array(body.utf8).span)
            var ignored = ByteBuffer(capacity: 64)
            redactor.finish(to: &ignored)
            redactor.begin(other, .answer)
            redactor.update(Array(#"{"x":1,"status":2}"#.utf8).span)
            var output = ByteBuffer(capacity: 64)
            redactor.finish(to: &output)
            #expect(String(decoding: bytes(output), as: UTF8.self) == #"{"x":1,"status":2}"#)
        }
    }

    @Test("the gateway's own answers can be read in the log", arguments: [Product.problem, .banking, .ingopay])
    func ownAnswers(_ product: Product) {
        var answer = ByteBuffer(capacity: 1_024)
        let id = Array("9f1a2b3c4d5e6f70-12".utf8)
        Refusal.noRoute.write(to: &answer, product: product, requestID: id.span, close: false)
        let text = String(decoding: bytes(answer), as: UTF8.self)
        let body = String(text.drop { $0 != "{" })
        let shown = Redacting(preset: RedactionPreset(product)).text(body)
        #expect(shown.contains(#""request_id":"9f1a2b3c4d5e6f70-12""#) && shown.contains(#""sent":false"#))
        #expect(shown.contains(#""status":"#) && !shown.contains("<name"))
    }

    @Test(
        "of a path the route's pattern is shown, and that there are more segments",
        arguments: [
            ("/users/8001234567/x", PathMatch.prefix("/users"), "/users/*/*"),
            ("/users", .prefix("/users"), "/users"), ("/8001234567/x", .prefix("/"), "/*/*"),
            ("/users/save", .exact("/users/save"), "/users/save"), ("/users/8001234567", nil, "/*/*"),
            ("/a/1/2/3/4/5/6/7/8", .prefix("/a"), "/a/*/*/*/*/*/*/*/*"),
            ("/a/1/2/3/4/5/6/7/8/9", .prefix("/a"), "/a/*/*/*/*/*/*/*/*/..."), ("*", nil, ""),
            ("/8001234567", .prefix("/users"), "/*"), ("8001234567", nil, ""), ("", nil, ""),
        ] as [(String, PathMatch?, String)])
    func paths(_ path: String, _ match: PathMatch?, _ expected: String) {
        var output = ByteBuffer(capacity: 64)
        output.appendRedactedPath(Array(path.utf8).span, match: match)
        #expect(String(decoding: bytes(output), as: UTF8.self) == expected)
    }

    @Test("of any other value the length is shown")
    func values() {
        var output = ByteBuffer(capacity: 64)
        output.appendRedactedValue(length: 10)
        #expect(String(decoding: bytes(output), as: UTF8.self) == #""<string:10>""#)
    }
}
