// Disguises of an account number, a card number and a Social Security number, in every kind of place of a body: none of
// them gets out. Relies on `expectSafe`. Refuses more than four digits of a marked number.

import Foundation
import HTTP
import Policy
import Testing

struct RedactionLeakTests {
    /// Spellings of the marked numbers as JSON values.
    static let spellings: [String] = [
        #""8001234567""#, #"8001234567"#, #"-8001234567"#, #"8001234567.0"#, #"8001234567.00"#, #"8.001234567e9"#,
        #"8.001234567E+9"#, #"80012345.67e2"#, #"0.8001234567e10"#, #"80012345670e-1"#, #""8001234567.00""#,
        #""$8001234567.00""#, #""8,001,234,567""#, #""8 001 234 567""#, #""80-01-23-45-67""#, #""80.01.23.45.67""#,
        #""80/01/23/45/67""#, #""80_01_23_45_67""#, #""8-0-0-1-2-3-4-5-6-7""#, #""800-123-4567""#, #""(800) 123-4567""#,
        #""+8001234567""#, #""008001234567""#, #""No#8001234567""#, #""acct8001234567""#, #""8001234567USD""#,
        #""acct_8001_2345_67""#, #""8e9001234567""#, #""800\u200b123\u200b4567""#, #""800\u00a0123\u00a04567""#,
        #""80\u00301234567""#, #""\u0038\u0030\u0030\u0031\u0032\u0033\u0034\u0035\u0036\u0037""#,
        #""８００１２３４５６７""#, #""٨٠٠١٢٣٤٥٦٧""#, #""۸۰۰۱۲۳۴۵۶۷""#, #""८००१२३४५६७""#,
        #""\uff18\uff10\uff10\uff11\uff12\uff13""#,
        #""𝟖𝟎𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕""#, #""\ud835\udfd6\ud835\udfce\ud835\udfce\ud835\udfcf""#, #""⁸⁰⁰¹²³⁴⁵⁶⁷""#,
        #""8001234567\r\n{\"status\":\"forged\"}""#, #""8001234567\u0000""#, #""\n8001234567\n""#,
        #""ODAwMTIzNDU2Nw==""#, #""ODAwMTIzNDU2Nw""#, #""38303031323334353637""#, #""0x1dce65ac7""#, #""7654321008""#,
        #""%38%30%30%31%32%33%34%35%36%37""#, #""account%3D8001234567""#, #""account=8001234567&x=1""#,
        #""&#56;&#48;&#48;1234567""#, #""<a>8001234567</a>""#, #""//8001234567""#, #""/*8001234567*/""#,
        #""4111111111111111""#, #"4111111111111111"#, #"4.111111111111111e15"#, #""4111 1111 1111 1111""#,
        #""4111-1111-1111-1111""#, #""4111.1111.1111.1111""#, #""4111111111111111=2512101""#,
        #""%B4111111111111111^DOE/J^2512""#, #""41111111-1111-4111-8111-111111111111""#,
        #""4111-1111-1111-1111-ab""#, #""abcdefab-4111-4111-8111-111111111111""#,
        #""user-80012345-6700-4000-8000-000000000000""#, #""user-8001234567""#, #""idp-8001234567-abcd""#,
        #""rbac-abcdabcd-abcd-4bcd-8bcd-ab8001234567""#, #""80012345-67ab-4bcd-8bcd-abcdefabcdef""#,
        #""123-45-6789""#, #""123 45 6789""#, #""123.45.6789""#, #""123/45/6789""#, #""123456789""#, #"123456789"#,
        #"1.23456789e8"#, #"123456789.0"#, #""XXX-XX-6789 123-45-6789""#, #""123‑45‑6789""#, #""123–45–6789""#,
        #"[8,0,0,1,2,3,4,5,6,7]"#, #"["8001","2345","67"]"#, #"[["800",123],[4567]]"#, #"[800,1234,567]"#,
        #"[{"a":"8001234567"},8001234567,"8001234567"]"#, #"{"value":"8001234567","8001234567":8001234567}"#,
        #""{\"account_number\":8001234567,\"x\":\"8001234567\"}""#, #""[8001234567,[\"8001234567\"]]""#,
        #""{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"c\\\\\\\":\\\\\\\"8001234567\\\\\\\"}\\\"}\"}""#,
        #""{\"account\":\"8001234567\"""#, #"" { \"status\" : \"8001234567\" } x""#, #""{8001234567}""#,
        #""2026-11-20T10:00:00.8001234567Z""#, #""2026-11-20T10:00:00.800123456+45:67""#, #""8001-23-45""#,
        #""01-02-8001 23:45 PM""#, #""1985-03-07""#, #""8001-12-34T56:78:90""#,
    ]

    /// Places of a body for a spelling; the last two are keys, and take strings only.
    static let places: [String] = [
        #"{"account_number":@}"#, #"{"status":@}"#, #"{"STATUS":@,"Code":@}"#, #"{"amount":@,"currency":@}"#,
        #"{"idempotent_key":@,"transaction_id":@,"id":@}"#, #"{"timestamp":@,"created_at":@,"time":@}"#,
        #"{"anything":@}"#, #"{"data":{"items":[{"type":@,"page":@}]}}"#, #"{"status":[@,[@]]}"#,
        #"{"ssn":@,"cvv":@,"first_name":@}"#, #"{"account_n\u0075mber":@,"st\u0061tus":@}"#, #"@"#, #"[@,@]"#,
        #"{"message":@,"status":1,"status":@}"#, #"{"shown":@,"data":{"status":@}}"#,
        #"{@:1}"#, #"{"status":"ok","data":{@:{"status":"ok"}}}"#,
    ]

    @Test("there are at least 80 spellings")
    func number() { #expect(Self.spellings.count >= 80) }

    @Test("no disguise gets out of any place, of any product's body", arguments: RedactionPreset.allCases)
    func disguises(_ preset: RedactionPreset) throws {
        let shown = try #require(JSONPointer("/data/status"))
        let settings = RedactionSettings(show: [.name("shown"), .name("message"), .pointer(shown)])
        for direction in BodyDirection.allCases {
            let redacting = Redacting(preset: preset, direction: direction, settings: settings)
            for (index, place) in Self.places.enumerated() {
                let isKey = index >= Self.places.count - 2
                for spelling in Self.spellings where !isKey || spelling.first == "\"" {
                    let body = place.replacingOccurrences(of: "@", with: spelling)
                    expectSafe(redacting.text(body), "\(preset) \(direction) \(body)")
                }
            }
        }
    }

    @Test("no disguise gets out of a string that holds JSON, or one in such a string")
    func embedded() {
        for spelling in Self.spellings {
            var body = #"{"account_number":@,"status":@,"x":@,"data":[@]}"#.replacingOccurrences(
                of: "@", with: spelling)
            for depth in 1...4 {
                body = #"{"open_banking_response":"# + quoted(body) + "}"
                expectSafe(Redacting(preset: .ingopay).text(body), "depth \(depth) \(body)")
            }
        }
    }

    /// Bodies that are no JSON, or not all of it.
    static let broken: [(String, [UInt8])] = [
        ("empty", []), ("space", Array(" \r\n".utf8)), ("text", Array("8001234567".utf8) + Array(" 8001234567".utf8)),
        ("form", Array("account=8001234567&ssn=123-45-6789".utf8)), ("xml", Array("<a>8001234567</a>".utf8)),
        ("cut in the value", Array(#"{"status":"success","account_number":"8001234567"#.utf8)),
        ("cut in a number", Array(#"{"status":8001234567"#.utf8)),
        ("cut in an escape", Array(#"{"status":"80012345\u00"#.utf8)),
        ("cut in a key", Array(#"{"status":100,"8001234567"#.utf8)),
        ("garbage behind", Array(#"{"status":100} 8001234567"#.utf8)),
        ("two bodies", Array(#"{"status":100}{"status":8001234567}"#.utf8)),
        ("comment", Array(#"{"status":100 /* 8001234567 */}"#.utf8)),
        ("line comment", Array("{\"status\":100} // 8001234567\n".utf8)),
        ("single quotes", Array("{'status':'8001234567'}".utf8)), ("bare key", Array("{8001234567:1}".utf8)),
        ("bare word", Array(#"{"status":A8001234567}"#.utf8)),
        ("trailing comma", Array(#"{"status":8001234567,}"#.utf8)),
        ("leading zero", Array(#"{"status":08001234567}"#.utf8)), ("plus", Array(#"{"status":+8001234567}"#.utf8)),
        ("hexadecimal", Array(#"{"status":0x8001234567}"#.utf8)),
        ("underscores", Array(#"{"status":8_001_234_567}"#.utf8)),
        ("byte order mark", [0xEF, 0xBB, 0xBF] + Array(#"{"account_number":"8001234567"}"#.utf8)),
        (
            "UTF-16",
            [0xFF, 0xFE] + #"{"account_number":"8001234567"}"#.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        ),
        ("UTF-16 without mark", #"{"status":"8001234567"}"#.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }),
        ("UTF-32", #"{"status":8001234567}"#.unicodeScalars.flatMap { [0, 0, 0, UInt8($0.value)] }),
        ("gzip", [0x1F, 0x8B, 8, 0] + Array("8001234567".utf8)), ("NUL", Array("{\"status\":\"8001234567\0\"}".utf8)),
        ("NUL behind", Array("{\"status\":100}\0 8001234567".utf8)),
        ("raw line break", Array("{\"status\":\"8001234567\r\n{}\"}".utf8)),
        ("invalid UTF-8", Array("{\"status\":\"8001234567".utf8) + [0xFF] + Array("\"}".utf8)),
        ("overlong UTF-8", Array("{\"status\":\"800123".utf8) + [0xC0, 0xB4] + Array("567\"}".utf8)),
        ("half a pair", Array(#"{"status":"\ud8008001234567"}"#.utf8)),
        ("bad escape", Array(#"{"status":"\x38001234567"}"#.utf8)),
        ("unclosed", Array(#"[[[["8001234567"]]]"#.utf8)), ("closed too often", Array(#"["8001234567"]]"#.utf8)),
        ("other bracket", Array(#"{"status":8001234567]"#.utf8)),
        ("too deep", Array(String(repeating: #"{"status":"#, count: 65).utf8) + Array("8001234567".utf8)),
        ("far too deep", [UInt8](repeating: UInt8(ascii: "["), count: 100_000) + Array("8001234567".utf8)),
        ("lines", Array("{\"status\":100}\n{\"account_number\":8001234567}\n".utf8)),
        ("event stream", Array("data: {\"account_number\":8001234567}\n\n".utf8)),
        ("multipart", Array("--8001234567\r\n\r\n{\"a\":8001234567}\r\n".utf8)),
    ]

    @Test("a body that is no JSON text shows its type and length only", arguments: broken.map(\.0))
    func brokenBody(_ name: String) throws {
        let body = try #require(Self.broken.first { $0.0 == name }).1
        for settings in [RedactionSettings(), RedactionSettings(show: [.name("status"), .name("account_number")])] {
            let text = Redacting(settings: settings).text(body)
            expectSafe(text, "\(name)")
            let kinds = ["empty", "not json", "json, cut off", "json, too deep"]
            #expect(kinds.contains { text == "{\"type\":\"\($0)\",\"length\":\(body.count)}" }, "\(text)")
        }
    }

    @Test("a body that is cut anywhere shows its type and length only")
    func truncation() {
        let body = Array(#"{"status":"success","data":{"account_number":"8001234567","x":[1,true,null]}}"#.utf8)
        for length in 0..<body.count {
            let text = Redacting().text(Array(body[..<length]))
            #expect(text == "{\"type\":\"\(length == 0 ? "empty" : "json, cut off")\",\"length\":\(length)}")
        }
        #expect(Redacting(isComplete: false).text(body) == "{\"type\":\"json, cut off\",\"length\":\(body.count)}")
        #expect(Redacting(isEncoded: true).text(body) == "{\"type\":\"encoded\",\"length\":\(body.count)}")
    }

    @Test("names that are as long as they like show their length")
    func longNames() {
        for length in [255, 256, 257, 10_000] {
            let name = String(repeating: "8001234567", count: 1_000).prefix(length)
            let text = Redacting().text("{\"\(name)\":{\"\(name)\":\"\(name)\"},\"status\":\"\(name)\"}")
            let inner = "{\"<name:\(length)>\":\"<string:\(length)>\"}"
            #expect(text == "{\"<name:\(length)>\":\(inner),\"status\":\"<string:\(length)>\"}")
        }
    }
}
