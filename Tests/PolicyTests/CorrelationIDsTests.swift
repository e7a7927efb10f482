// Ids as a line has them: whose they are, what is shown of a value, what is hidden, and that no marked number gets out.
// Relies on the redactor's tests for the forms. Refuses fields of bodies that are not whole.

import Foundation
import HTTP
import Policy
import Testing

@Suite struct CorrelationIDsTests {
    /// The members that a line gets from `body`, without the comma in front; hashes are the value's length.
    private static func members(
        _ body: String, _ preset: RedactionPreset = .ingopay, _ direction: BodyDirection = .answer,
        own: [String] = [], hide: [String] = [], isHashed: Bool = false
    ) throws -> String {
        let settings = RedactionSettings(hide: hide.compactMap { RedactedField($0) })
        let pointers = try own.map { try #require(JSONPointer($0)) }
        guard let ids = CorrelationIDs(preset, own: pointers, RedactionRules(preset, settings), isHashed: isHashed)
        else { return "" }
        var reading = JSONStreamQuery()
        reading.begin()
        let bytes = Array(body.utf8)
        reading.read(bytes.span, ids.query)
        guard reading.finish() == .whole else { return "" }
        var output = ByteBuffer(capacity: 64)
        ids.append(reading, direction, to: &output) { UInt64($0.count) }
        return String(decoding: PolicyTests.bytes(output).dropFirst(), as: UTF8.self)
    }

    private static func transaction(
        _ value: String, isHashed: Bool = false
    ) throws -> String {
        let members = try members("{\"data\":{\"transaction_id\":\(value)}}", isHashed: isHashed)
        return String(members.dropFirst("\"response.ids.transaction_id\":".utf8.count))
    }

    @Test func theIDsOfAProductAreThoseOfItsPages() throws {
        let id = "user-1b4e28ba-2fa1-41d2-a83f-0016d3ccab7e"
        let v11 = "{\"participant_unique_id1\":\"order-17\",\"participant_id\":12345,\"amount\":1.5}"
        #expect(try Self.members(v11, .ingopay, .request) == "\"request.ids.participant_unique_id1\":\"order-17\"")
        let v12 =
            "{\"transaction\":{\"participant_unique_ids\":{\"participant_unique_id1\":\"o-1\"},"
            + "\"transaction_id\":\"77\"}}"
        #expect(
            try Self.members(v12)
                == "\"response.ids.participant_unique_id1\":\"o-1\",\"response.ids.transaction_id\":\"77\"")
        #expect(
            try Self.members("{\"user_id\":\"\(id)\",\"ssn\":\"1\"}", .banking, .request)
                == "\"request.ids.user_id\":\"\(id)\"")
        let page = "{\"status\":\"success\",\"data\":{\"items\":[{\"id\":\"\(id)\"}]}}"
        #expect(try Self.members(page, .banking) == "\"response.ids.id\":\"\(id)\"")
        #expect(try Self.members(page.replacing("}]", with: "},{}]"), .banking).isEmpty)
        #expect(try Self.members(v11 + page, .iframe).isEmpty && Self.members(page, .problem).isEmpty)
        // Some fields are ids in answers alone.
        #expect(try Self.members(page, .banking, .request).isEmpty)
    }

    @Test func everyIDOfAPresetHasItsPlace() {
        for preset in RedactionPreset.allCases {
            let rules = RedactionRules(preset)
            guard let ids = CorrelationIDs(preset, own: [], rules, isHashed: false) else { continue }
            #expect(ids.query.pointers.count <= JSONQuery.maxPointers - CorrelationIDs.maxOwn)
            #expect(Set(ids.query.pointers).count == ids.query.pointers.count)
            #expect(ids.query.pointers.allSatisfy { $0.canNameField && rules.mayBeID($0) })
        }
    }

    @Test(arguments: [
        ("\"order-17\"", "\"order-17\""), ("100042", "\"100042\""), ("-7", "\"-7\""), ("\"1234567\"", "\"1234567\""),
        ("12345678", "\"<number:8>\""), ("\"12345678\"", "\"<string:8>\""), ("1e5", "\"<number:3>\""),
        ("\"4929 1234 5678 1234\"", "\"<string:19>\""), ("\"4929-1234-5678-1234\"", "\"<string:19>\""),
        ("\"219-45-8763\"", "\"<string:11>\""), ("\"NDkyOTEyMzQ1Njc4MTIzNA==\"", "\"<string:24>\""),
        ("\"\\u0034929123456781234\"", "\"<string:16>\""), ("\"{\\\"a\\\":1}\"", "\"<string:7>\""),
        ("\"a\\\"b\"", "\"<string:3>\""), ("\"a\\u000ab\"", "\"<string:3>\""), ("\"é\"", "\"<string:2>\""),
        ("\"\"", "\"<string:0>\""),
        ("\"12345678-abcd-4bcd-8bcd-abcdefabcdef\"", "\"********-abcd-4bcd-8bcd-abcdefabcdef\""),
    ])
    func aValueIsShownWhereItIsHarmless(_ value: String, _ shown: String) throws {
        #expect(try Self.transaction(value) == shown)
    }

    @Test(arguments: ["null", "true", "{}", "[\"order-17\"]", "\"a\",\"transaction_id\":\"b\""])
    func whatIsNoSingleValueIsNoField(_ value: String) throws {
        #expect(try Self.transaction(value).isEmpty && Self.transaction(value, isHashed: true).isEmpty)
    }

    @Test func hashesAreOfTheTextAndBounded() throws {
        let text = String(repeating: "7", count: 128)
        for value in [text, "\"\(text)\""] {
            #expect(try Self.transaction(value, isHashed: true) == "\"0000000000000080\"")
        }
        #expect(try Self.transaction("\"\(text)7\"", isHashed: true) == "\"<string:129>\"")
        #expect(try Self.transaction("\"\"", isHashed: true) == "\"<string:0>\"")
    }

    @Test func aRoutesOwnIDsComeFirstAndHidingWins() throws {
        let body = "{\"batch\":\"b-1\",\"data\":{\"transaction_id\":\"t-1\",\"x\":{\"transaction_id\":\"t-2\"}}}"
        #expect(
            try Self.members(body, own: ["/batch", "/data/x/transaction_id"])
                == "\"response.ids.batch\":\"b-1\",\"response.ids.transaction_id\":\"t-2\"")
        #expect(try Self.members(body, own: ["/batch"], hide: ["Transaction_ID"]) == "\"response.ids.batch\":\"b-1\"")
        for hidden in ["data", "/data", "/data/transaction_id"] {
            #expect(try Self.members(body, hide: [hidden]).isEmpty)
        }
        // The first place of a name that is there counts, whatever it holds.
        let twice = "{\"transaction_id\":\"a\",\"transaction_id\":\"b\",\"data\":{\"transaction_id\":\"t-1\"}}"
        #expect(try Self.members(twice).isEmpty)
    }

    @Test(arguments: [
        ("/batch", true), ("/memo", true), ("/account_number", false), ("/data/Account_Number", false),
        ("/a/ssn", false),
        ("/token/id", false), ("/data/first_name", false), ("/no/id", false),
    ])
    func secretsAreNoIDs(_ text: String, _ may: Bool) throws {
        let rules = RedactionRules(.banking, RedactionSettings(hide: [.name("no")]))
        #expect(rules.mayBeID(try #require(JSONPointer(text))) == may)
    }

    @Test(arguments: [("/a.b-c_9", true), ("/a b", false), ("/a\"", false), ("/é", false), ("/a~1b", false)])
    func aFieldHasAPlainName(_ text: String, _ can: Bool) throws {
        #expect(try #require(JSONPointer(text)).canNameField == can)
    }

    @Test(arguments: [(64, true), (65, false)]) func aFieldsNameIsBounded(_ count: Int, _ can: Bool) throws {
        #expect(try #require(JSONPointer("/" + String(repeating: "n", count: count))).canNameField == can)
    }

    /// Numbers that must not get out, in whatever disguise, at each place that is looked at.
    @Test func noMarkedNumberGetsOut() throws {
        for number in markedNumbers {
            let digits = number.filter(\.isNumber)
            let disguises =
                [number, digits, digits.map(String.init).joined(separator: "-"), "acct-\(digits)", "\(digits)x"]
                + [digits.map { "\($0)." }.joined(), "user-\(digits.prefix(8))-\(digits.suffix(8))", " \(number) "]
                + [digits.map { "\\u003\($0)" }.joined(), digits.map { "a\($0)" }.joined()] + encodings(of: number)
            for value in disguises.map({ "\"\($0)\"" }) + [digits, "\(digits).0", "\(digits)e0", "-\(digits)"] {
                let body = "{\"data\":{\"transaction_id\":\(value)},\"participant_unique_id1\":\(value)}"
                let line = "{\(try Self.members(body))}"
                #expect(line.contains("transaction_id") && line.contains("participant_unique_id1"))
                expectSafe(line, "\(value)")
            }
        }
    }
}
