// The keys `pace` and `quotas`: every bound at its edge, every default, and what callers are told.
// Relies on the ranges of PaceSettings, RateLimitSettings and QuotaSettings.

import Config
import Policy
import Testing

extension Bound {
    static let ofPace = [
        upstream(["pace", "burst"], 1, 1_000_000, "") { $0.upstreams[0].pace?.rate.burst ?? -1 },
        upstream(["pace", "concurrency"], 1, 10_000, "") { $0.upstreams[0].pace?.concurrency ?? -1 },
        upstream(["pace", "queue"], 0, 10_000, "") { $0.upstreams[0].pace?.queue ?? -1 },
        upstream(["pace", "max_wait"], 0, 600_000, "ms") { ($0.upstreams[0].pace?.maxWait ?? -1) / 1_000_000 },
        Bound(
            name: "quotas.burst", low: 1, high: 1_000_000, unit: "",
            yaml: { Fixtures.bounded(by: "{name: all, per: [], rate: 5/s, burst: \($0)}") },
            read: { $0.quotas.first?.rate.burst }),
    ]
}

@Suite struct LimitsTests {
    private static let second = 1_000_000_000

    private func pace(_ text: String) throws -> (PaceSettings??, [Problem]) {
        let upstreams = "upstreams: {banking: {url: \"https://banking.example\", pace: \(text)}}\n"
        let (settings, problems) = try Scratch().load(
            Fixtures.listeners + Fixtures.credentials + upstreams + Fixtures.routes)
        return (settings.map { $0.upstreams[0].pace }, problems)
    }

    private func quotas(_ text: String) throws -> ([QuotaSettings]?, [Problem]) {
        let (settings, problems) = try Scratch().load(Fixtures.bounded(by: text))
        return (settings?.quotas, problems)
    }

    @Test func noneSwitchesThePaceOff() throws {
        let (pace, problems) = try pace("none")
        #expect(problems.isEmpty)
        #expect(pace == .some(nil))
    }

    @Test(arguments: ["{}", "{rate: 5/s, burst: 5, concurrency: 5, queue: 100, max_wait: 10s}"])
    func thePaceHasDefaults(text: String) throws {
        let (pace, problems) = try pace(text)
        #expect(problems.map(\.text) == [])
        #expect(pace == .some(PaceSettings()))
    }

    @Test func everyKeyOfAPaceIsRead() throws {
        let (pace, problems) = try pace("{rate: 300/m, burst: 7, concurrency: 8, queue: 9, max_wait: 2s}")
        #expect(problems.map(\.text) == [])
        var expected = PaceSettings()
        expected.rate = RateLimitSettings(count: 300, perNanoseconds: 60 * Self.second, burst: 7)
        expected.concurrency = 8
        expected.queue = 9
        expected.maxWait = 2 * Self.second
        #expect(pace == .some(expected))
    }

    @Test(arguments: [
        ("1/h", 1, 3_600), ("1/m", 1, 60), ("1/s", 1, 1), ("1000000/s", 1_000_000, 1), ("1000000/h", 1_000_000, 3_600),
        ("007/s", 7, 1),
    ])
    func rates(text: String, count: Int, seconds: Int) throws {
        let (pace, problems) = try pace("{rate: \(text)}")
        #expect(problems.map(\.text) == [])
        #expect(pace??.rate == RateLimitSettings(count: count, perNanoseconds: seconds * Self.second, burst: 5))
    }

    @Test(arguments: [
        "0/s", "0/h", "1000001/s", "1000001/h", "5", "5/d", "5/ms", "5/S", "5 /s", "-1/s", "1.5/s", "/s", "5/", "5/s/s",
        "none",
    ])
    func ratesThatAreNone(text: String) throws {
        #expect(try pace("{rate: \(text)}").1.count == 1)
        #expect(try quotas("{name: all, per: [], rate: \(text)}").1.count == 1)
    }

    @Test(arguments: [
        ("1/h", 8_784), ("1/m", 527_040), ("100/h", 878_400), ("7/h", 61_488),
    ])
    func aBurstComesBackWithinAYear(rate: String, most: Int) throws {
        #expect(try pace("{rate: \(rate), burst: \(most)}").0??.rate.burst == most)
        #expect(try quotas("{name: all, per: [], rate: \(rate), burst: \(most)}").0?.first?.rate.burst == most)
        for problems in [
            try pace("{rate: \(rate), burst: \(most + 1)}").1,
            try quotas("{name: all, per: [], rate: \(rate), burst: \(most + 1)}").1,
        ] {
            #expect(problems.map(\.message) == ["takes more than 366 days to come back at this rate"])
            #expect(problems.map(\.remedy) == ["Write a burst of at most \(most)"])
        }
    }

    @Test func theBurstOfAQuotaIsItsCount() throws {
        let (quotas, problems) = try quotas(
            "{name: a, per: [method], rate: 1000000/m}, {name: b, per: [credential, route], rate: 1/h, report_only: true}"
        )
        #expect(problems.map(\.text) == [])
        let most = RateLimitSettings(count: 1_000_000, perNanoseconds: 60 * Self.second, burst: 1_000_000)
        let least = RateLimitSettings(count: 1, perNanoseconds: 3_600 * Self.second, burst: 1)
        #expect(
            quotas == [
                QuotaSettings(name: "a", per: [.method], rate: most),
                QuotaSettings(name: "b", per: [.credential, .route], rate: least, isReportOnly: true),
            ])
    }

    @Test func aQuotaMayCountAllTogetherOrAllApart() throws {
        let words = "[method, credential, route, caller]"
        let yaml = Fixtures.bounded(by: "{name: a, per: [], rate: 1/s}, {name: b, per: \(words), rate: 1/s}")
        let (settings, problems) = try Scratch().load(yaml + "callers: {one: {token: \"env:HMAC\"}}\n")
        #expect(problems.map(\.text) == [])
        #expect(settings?.quotas.map(\.per) == [[], [.caller, .route, .credential, .method]])
    }

    @Test(arguments: [(1, true), (7, true), (8, true), (9, false)]) func countOfQuotas(count: Int, fits: Bool) throws {
        let (quotas, problems) = try quotas(
            (0..<count).map { "{name: q\($0), per: [], rate: 1/s}" }.joined(separator: ", "))
        #expect(quotas?.count == (fits ? count : nil))
        #expect(problems.map(\.message) == (fits ? [] : ["has more than 8 elements"]))
    }

    @Test(arguments: [(63, true), (64, true), (65, false)]) func lengthOfNames(count: Int, fits: Bool) throws {
        let name = String(repeating: "n", count: count)
        let (quotas, _) = try quotas("{name: \(name), per: [], rate: 1/s}")
        #expect(quotas?.map(\.name) == (fits ? [name] : nil))
        if fits { #expect(QuotaSettings.isName(name)) }
    }

    @Test(arguments: [("refusals", QuotaHeaders.refusals), ("always", .always)])
    func answersWithQuotas(word: String, headers: QuotaHeaders) throws {
        let (settings, problems) = try Scratch().load(Fixtures.least + "limits: {quota_headers: \(word)}\n")
        #expect(problems.isEmpty)
        #expect(settings?.connections.quotaHeaders == headers)
    }
}
