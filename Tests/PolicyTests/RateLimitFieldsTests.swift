// What callers are told of quotas, and what an upstream's Retry-After says.

import HTTP
import Policy
import Testing

@Suite struct RateLimitFieldsTests {
    private let quota = QuotaSettings(
        name: "per-caller", per: [.caller, .route],
        rate: RateLimitSettings(count: 100, perNanoseconds: 60_000_000_000, burst: 120))

    private func text(_ write: (inout ByteBuffer) -> Void) -> String {
        var out = ByteBuffer(capacity: 128)
        write(&out)
        return String(decoding: out.bytes.indices.map { out.bytes[$0] }, as: UTF8.self)
    }

    @Test func aPolicyIsAnItemWithQuotaAndWindow() {
        #expect(text { quota.writePolicy(to: &$0) } == "\"per-caller\";q=100;w=60")
        var short = quota
        short.rate.perNanoseconds = 1_000_000
        #expect(text { short.writePolicy(to: &$0) } == "\"per-caller\";q=100;w=1")
    }

    @Test func aStandingIsAnItemWithTheRestAndTheSecondsToTheNext() {
        #expect(
            text { quota.write(QuotaStanding(remaining: 50, untilNext: 600_000_000), to: &$0) }
                == "\"per-caller\";r=50;t=1")
        #expect(
            text { quota.write(QuotaStanding(remaining: 0, untilNext: 2_000_000_001), to: &$0) }
                == "\"per-caller\";r=0;t=3")
    }

    @Test func theRestIsNeverMoreThanTheQuota() {
        #expect(
            text { quota.write(QuotaStanding(remaining: 120, untilNext: 0), to: &$0) } == "\"per-caller\";r=100;t=0")
    }

    @Test func retryAfterIsRoundedUpAndNeverZero() {
        let seconds = [0, 1, 999_999_999, 1_000_000_000, 1_000_000_001].map { FieldSeconds.retryAfter($0) }
        #expect(seconds == [1, 1, 1, 1, 2])
        #expect(FieldSeconds.retryAfter(.max) == 18_446_744_074)
    }

    @Test func aRefusedQuotasTimeIsThatOfRetryAfter() {
        let limit = RateLimit(quota.rate)
        var state = RateState.unused
        for _ in 0..<120 { state = limit.charged(state, at: 0) }
        #expect(limit.standing(state, at: 0).untilNext == limit.wait(state, at: 0))
    }

    @Test func namesStandInQuotesAsTheyAre() {
        #expect(QuotaSettings.isName("per-caller") && QuotaSettings.isName(String(repeating: "a", count: 64)))
        for name in ["", "a b", "a\"b", "a\\b", "é", "a\n", String(repeating: "a", count: 65)] {
            #expect(!QuotaSettings.isName(name))
        }
    }

    private func seconds(_ value: String, at now: Int64 = 1_000) -> Int? {
        let bytes = Array(value.utf8)
        // A calendar that knows one date: second 1600.
        return RetryAfter.seconds(bytes.span, unixSeconds: now) { text in
            text.count == 29 && text[0] == UInt8(ascii: "T") ? 1_600 : nil
        }
    }

    @Test func retryAfterIsReadAsSeconds() {
        #expect(seconds("0") == 0 && seconds("1") == 1 && seconds("0120") == 120)
        #expect(seconds("3600") == 3_600 && seconds("3601") == 3_600)
        #expect(seconds("99999999999999999999999999999999") == 3_600)
    }

    @Test func retryAfterIsReadAsADate() {
        let date = "Thu, 01 Jan 1970 00:26:40 GMT"
        #expect(seconds(date) == 600)
        #expect(seconds(date, at: 1_600) == 0 && seconds(date, at: 1_601) == 0 && seconds(date, at: .max) == 0)
        #expect(seconds(date, at: -2_000) == 3_600 && seconds(date, at: -2_001) == 3_600)
    }

    @Test func otherRetryAftersAreIgnored() {
        for value in ["", "-1", "+1", "1.5", "1s", "soon", "1 ", "0x10", "Sunday, 06-Nov-94 08:49:37 GMT"] {
            #expect(seconds(value) == nil, "\(value)")
        }
    }
}
