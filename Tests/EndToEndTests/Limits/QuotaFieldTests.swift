// What callers are told of their quotas: RateLimit-Policy, RateLimit and Retry-After, on which answers, and in which
// form (draft-ietf-httpapi-ratelimit-headers-11).

import TestSupport
import Testing

@Suite struct QuotaFieldTests {
    /// The items of a field, each a name and its two parameters; nil where the text has another form.
    private func items(_ text: String?, _ first: String, _ second: String) -> [(name: String, Int, Int)]? {
        var items: [(name: String, Int, Int)] = []
        for item in text?.split(separator: ", ") ?? [] {
            let parts = item.split(separator: ";", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].count > 2, parts[0].hasPrefix("\""), parts[0].hasSuffix("\""),
                parts[1].hasPrefix(first + "="), parts[2].hasPrefix(second + "="),
                let one = Int(parts[1].dropFirst(2)), let two = Int(parts[2].dropFirst(2)), one >= 0, two >= 0
            else { return nil }
            items.append((String(parts[0].dropFirst().dropLast()), one, two))
        }
        return items
    }

    private static let quotas =
        "  - {name: per-minute, per: [], rate: 3/m, burst: 2}\n"
        + "  - {name: \"a.b_c-d\", per: [route], rate: 100/h, burst: 100}\n"

    @Test func refusalsCarryThem() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.quotas = Self.quotas
        let caller = try GatewayUnderTest(setup).caller()
        for _ in 0..<2 {
            let answer = try caller.ask(post("/x", "{}"))
            #expect(answer.status == 200 && answer.all("RateLimit").isEmpty && answer.all("RateLimit-Policy").isEmpty)
        }
        let refused = try caller.ask(post("/x", "{}"))
        #expect(refused.status == 429)
        #expect(refused["RateLimit-Policy"] == "\"per-minute\";q=3;w=60, \"a.b_c-d\";q=100;w=3600")
        let limits = try #require(items(refused["RateLimit"], "r", "t"))
        #expect(limits.map(\.name) == ["per-minute", "a.b_c-d"] && limits.map(\.1) == [0, 98])
        // With nothing left, the reset is the same point in time as Retry-After, 20 s after the first.
        #expect(refused["Retry-After"] == "\(limits[0].2)" && (10...20).contains(limits[0].2))
        #expect((1...36).contains(limits[1].2))
        // What is refused for another reason says nothing of quotas.
        #expect(try caller.ask(post("/x", "{")).status == 429)
        let other = try caller.ask("BREW /x HTTP/1.1\r\nHost: gateway\r\n\r\n")
        #expect(other.status == 501 && other.all("RateLimit").isEmpty)
    }

    @Test func alwaysMeansAnswersReplaysAndRefusals() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(headers: "RateLimit: \"theirs\";r=1;t=1\r\n") }
        }
        var setup = Setup(upstream, .memory)
        setup.quotas = "  - {name: q, per: [], rate: 4/h}\n"
        setup.limits = "  quota_headers: always\n"
        let caller = try GatewayUnderTest(setup).caller()
        let answers = [
            try caller.ask(post("/pay", "{\"key\":\"k\"}")), try caller.ask(post("/pay", "{\"key\":\"k\"}")),
            try caller.ask(post("/pay", "{")), try caller.ask(post("/open", "{}")), try caller.ask(post("/open", "{}")),
        ]
        #expect(answers.map(\.status) == [200, 200, 400, 200, 429])
        #expect(answers[1].isReplay)
        for (index, answer) in answers.enumerated() {
            #expect(answer["RateLimit-Policy"] == "\"q\";q=4;w=3600")
            let own = answer.all("RateLimit").filter { $0.hasPrefix("\"q\"") }
            let told = try #require(own.count == 1 ? items(own[0], "r", "t")?.first : nil, "\(answer.whole)")
            #expect(told.1 == max(0, 3 - index) && (1...900).contains(told.2))
        }
    }

    /// What is left is never said to be more than the policy's number, whatever the burst.
    @Test func whatIsLeftIsAtMostThePolicy() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.quotas = "  - {name: q, per: [], rate: 2/h, burst: 10}\n"
        setup.limits = "  quota_headers: always\n"
        let caller = try GatewayUnderTest(setup).caller()
        let left = try (0..<10).map { _ in items(try caller.ask(post("/x", "{}"))["RateLimit"], "r", "t")?.first?.1 }
        #expect(left == [2, 2, 2, 2, 2, 2, 2, 2, 1, 0])
    }
}
