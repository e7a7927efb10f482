// The key `idempotency` of a route: every bound at its edge, and what each key becomes.
// Relies on the ranges of IdempotencySettings and on a store in memory.

import Config
import HTTP
import Policy
import Testing

extension Bound {
    private static func idempotency(
        _ key: String, _ high: Int, _ read: @escaping @Sendable (IdempotencySettings) -> Int
    ) -> Bound {
        Bound(
            name: "idempotency.\(key)", low: 0, high: high, unit: "ms",
            yaml: { Fixtures.remembering(idempotency: "key: /k, on_unknown: resend, \(key): \($0)") },
            read: { settings in settings.routes[0].idempotency.map(read) })
    }

    static let ofIdempotency = [
        idempotency("repeat_after", 3_600_000) { $0.repeatAfterMilliseconds },
        idempotency("wait", 600_000) { $0.waitMilliseconds },
    ]
}

@Suite struct IdempotencyTests {
    private func load(_ idempotency: String) throws -> (IdempotencySettings?, [Problem]) {
        let (settings, problems) = try Scratch().load(Fixtures.remembering(idempotency: idempotency))
        return (settings?.routes[0].idempotency, problems)
    }

    @Test func aKeyIsEnough() throws {
        let (settings, problems) = try load("key: /idempotent_key")
        #expect(problems.map(\.text) == [])
        #expect(settings == IdempotencySettings(keys: [.pointer(JSONPointer("/idempotent_key")!)]))
    }

    @Test func everyKeyIsRead() throws {
        let (settings, problems) = try load(
            """
            key: [/a/b, X-Key], required: false, volatile: [/t, /u/v], on_unknown: resend, repeat_after: 64s, wait: 0,
            on_store_failure: forward, on_error: final, code: /response/status, not_final: [104, "104a", "-5"]
            """)
        #expect(problems.map(\.text) == [])
        var expected = IdempotencySettings(keys: [.pointer(JSONPointer("/a/b")!), .header("x-key")])
        expected.required = false
        expected.volatile = [JSONPointer("/t")!, JSONPointer("/u/v")!]
        expected.onUnknown = .resend
        expected.repeatAfterMilliseconds = 64_000
        expected.waitMilliseconds = 0
        expected.onStoreFailure = .forward
        expected.onError = .final
        expected.code = JSONPointer("/response/status")!
        expected.notFinal = ["104", "104a", "-5"]
        #expect(settings == expected)
    }

    @Test(arguments: [
        ("Idempotency-Key", "idempotency-key"), ("idempotency_key", "idempotency_key"), ("X-PAY.id", "x-pay.id"),
        ("contents", "contents"), ("date-of-payment", "date-of-payment"),
    ])
    func headersAreLowerCased(text: String, name: String) throws {
        #expect(try load("key: \(text)").0?.keys == [.header(name)])
        #expect(try load("key: [\(text)]").0?.keys == [.header(name)])
    }

    @Test(arguments: KnownHeader.allCases.filter { $0 != .other && $0 != .idempotencyKey })
    func aHeaderWithAnotherMeaningIsRefused(header: KnownHeader) throws {
        // Names in Swift are those of the fields without hyphens, but for two.
        let names = [
            "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection",
            "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect", "authorization",
            "proxy-authorization", "proxy-authenticate", "proxy-authentication-info", "api_key", "x-date", "date",
            "content-sha512", "request-line", "x-request-id", "traceparent", "tracestate", "via", "server",
            "accept",
            "accept-encoding", "user-agent", "retry-after", "www-authenticate", "http2-settings", "proxy-status",
            "idempotent-replayed",
        ]
        let bytes = names.map { Array($0.utf8) }
        let index = bytes.firstIndex { KnownHeader.mistakable($0.span) == header }
        let name = names[try #require(index)]
        for spelling in [name, name.uppercased(), String(name.map { $0 == "-" ? "_" : $0 })] {
            let (settings, problems) = try load("key: \(spelling)")
            #expect(settings == nil, "\(spelling)")
            #expect(problems.map(\.message) == ["this header has another meaning"])
        }
    }

    @Test(arguments: [(1, true), (2, true), (3, false)]) func countOfKeys(count: Int, fits: Bool) throws {
        let keys = (0..<count).map { "/k\($0)" }.joined(separator: ", ")
        #expect(try load("key: [\(keys)]").0?.keys.count == (fits ? count : nil))
    }

    @Test(arguments: [(63, true), (64, true), (65, false)]) func lengthOfHeaders(count: Int, fits: Bool) throws {
        #expect(try (load("key: \(String(repeating: "k", count: count))").0 != nil) == fits)
    }

    @Test(arguments: [(1_023, true), (1_024, true), (1_025, false)]) func lengthOfPointers(count: Int, fits: Bool)
        throws
    {
        let pointer = "/" + String(repeating: "p", count: count - 1)
        #expect(try (load("key: \(pointer)").0 != nil) == fits)
        #expect(try (load("key: /k, volatile: [\(pointer)]").0 != nil) == fits)
        #expect(try (load("key: /k, code: \(pointer)").0 != nil) == fits)
    }

    @Test(arguments: [(7, true), (8, true), (9, false)]) func depthOfPointers(count: Int, fits: Bool) throws {
        let pointer = String(repeating: "/p", count: count)
        #expect(try (load("key: \(pointer)").0 != nil) == fits)
    }

    @Test(arguments: [(0, true), (1, true), (8, true), (9, false)]) func countOfVolatileFields(count: Int, fits: Bool)
        throws
    {
        let fields = (0..<count).map { "/v\($0)" }.joined(separator: ", ")
        #expect(try load("key: /k, volatile: [\(fields)]").0?.volatile.count == (fits ? count : nil))
    }

    @Test(arguments: [(0, true), (1, true), (32, true), (33, false)]) func countOfCodes(count: Int, fits: Bool) throws {
        let codes = (0..<count).map { "\($0)" }.joined(separator: ", ")
        #expect(try load("key: /k, code: /c, not_final: [\(codes)]").0?.notFinal.count == (fits ? count : nil))
    }

    @Test(arguments: [(63, true), (64, true), (65, false)]) func lengthOfCodes(count: Int, fits: Bool) throws {
        let code = String(repeating: "c", count: count)
        #expect(try load("key: /k, code: /c, not_final: [\"\(code)\"]").0?.notFinal == (fits ? [code] : nil))
    }

    @Test(arguments: [
        ("0", true), ("-1", true), ("999999999999999999", true), ("1000000000000000000", false), ("00", false),
        ("-0", false), ("-", false), ("+1", false), ("1.0", false), ("1e3", false), ("true", false),
    ])
    func plainCodesAreWholeNumbers(code: String, isAccepted: Bool) throws {
        #expect(try load("key: /k, code: /c, not_final: [\(code)]").0?.notFinal == (isAccepted ? [code] : nil))
        #expect(try load("key: /k, code: /c, not_final: [\"\(code)\"]").0?.notFinal == [code])
    }

    @Test(arguments: [
        ("500-599", 500...599), ("0-999999999", 0...999_999_999), ("0-1000000000", nil), ("599-500", nil),
        ("500-500", nil), ("1-", nil), ("-1--1", nil), ("01-2", nil),
    ])
    func rangesOfCodes(text: String, range: ClosedRange<Int>?) throws {
        #expect(try load("key: /k, code: /c, not_final: [\(text)]").0?.notFinalRanges == range.map { [$0] })
        #expect(try load("key: /k, code: /c, not_final: [\"\(text)\"]").0?.notFinal == [text])
        #expect(try load("key: /k, not_final: [\(text)]").0 == nil)
    }

    @Test(arguments: [("/k/t", "/k", true), ("/kt", "/k", true), ("/k", "/k", false), ("/k", "/k/t", false)])
    func aKeyIsNotVolatile(volatile: String, key: String, isAccepted: Bool) throws {
        #expect(try (load("key: \(key), volatile: [\(volatile)]").0 != nil) == isAccepted)
    }

    @Test(arguments: [(11, 2, true), (12, 1, true), (12, 2, false)])
    func oneScanFindsAllPlaces(fields: Int, keys: Int, fits: Bool) throws {
        let set = (0..<fields).map { "/f\($0): 1" }.joined(separator: ", ")
        let credential = """
            {username: acme, secret: "env:HMAC", api_key: {value: "env:KEY", place: /own/key}, fields: {\(set)}}
            """
        let places = (0..<keys).map { "/k\($0)" }.joined(separator: ", ")
        let yaml = Fixtures.remembering(idempotency: "key: [\(places)]")
            .replacing("{username: acme, secret: \"env:HMAC\"}", with: credential)
        let (settings, problems) = try Scratch().load(yaml)
        #expect((settings != nil) == fits)
        #expect(problems.count == (fits ? 0 : 1))
    }
}
