// The clock's difference to an upstream, and what a 401 says of its cause.

import Policy
import Testing

@Suite struct ClockSkewTests {
    @Test func theLargestOfTheLastMinuteCounts() {
        var skew = ClockSkew()
        #expect(skew.largest(at: 0) == 0)
        skew.note(-70, at: 1_000)
        skew.note(10, at: 2_000)
        #expect(skew.largest(at: 2_000) == -70)
        #expect(skew.largest(at: 59_999) == -70)
        #expect(skew.largest(at: 60_000) == 0)
    }

    @Test func anOldBucketIsForgottenWhenItsPlaceIsUsedAgain() {
        var skew = ClockSkew()
        skew.note(300, at: 5_000)
        skew.note(1, at: 65_000)
        #expect(skew.largest(at: 65_000) == 1)
    }

    @Test(arguments: [
        ("Unauthorized", 0, RefusedSignature.credentialsMissing),
        (
            "HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication", 0,
            .clock
        ),
        ("HMAC signature cannot be verified", 0, .headerList), ("HMAC signature does not match", 400, .secret),
        ("", 299, .unknown), ("", 300, .clock), ("no", -300, .clock), ("unauthorized", 0, .unknown),
    ])
    func aRefusalHasItsLikelyCause(_ message: String, _ skew: Int64, _ cause: RefusedSignature) {
        #expect(RefusedSignature(message: message, skew: skew) == cause)
    }
}
