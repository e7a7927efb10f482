// What a stored state means for a request that comes with the same key, and what an answer leaves behind: the design's
// tables, row by row.

import Policy
import Testing

private func digest(_ byte: UInt8) -> Digest32 {
    let bytes = [UInt8](repeating: byte, count: 32)
    return Digest32(bytes.span)
}

private let own = Fingerprint(digest(1))
private let other = Fingerprint(digest(2))
private let answer = StoredAnswer(status: 200, keyID: 7, sealed: [1, 2, 3])

private func record(_ state: KeyState, changedAt: Int64 = 1_000) -> KeyRecord {
    KeyRecord(fingerprint: own, state: state, route: "pay", claimedAt: 0, changedAt: changedAt, attempts: 1)
}

private func decide(
    _ record: KeyRecord?, _ fingerprint: Fingerprint = own, _ onUnknown: OnUnknown = .resend, now: Int64 = 1_000
) -> IdempotencyRules.Decision {
    IdempotencyRules.decide(record, fingerprint, onUnknown, repeatAfterMilliseconds: 5_000, now: now)
}

@Suite struct IdempotencyTests {
    @Test func aNewKeyIsClaimed() {
        #expect(decide(nil) == .claim && decide(nil, other, .refuse) == .claim)
    }

    @Test func theSameRequestGetsWhatIsKnown() {
        #expect(decide(record(.inFlight)) == .wait)
        #expect(decide(record(.answered(answer))) == .answer(.replay(answer)))
        #expect(decide(record(.done(status: 201))) == .answer(.done(status: 201)))
    }

    @Test func anotherRequestIsRefusedWhateverIsKnown() {
        for state in [KeyState.inFlight, .answered(answer), .done(status: 0), .unknown] {
            for onUnknown in OnUnknown.allCases { #expect(decide(record(state), other, onUnknown) == .answer(.reused)) }
        }
    }

    @Test func anUnknownOutcomeIsAskedForAgainInItsTimeOrNever() {
        let lost = record(.unknown, changedAt: 1_000)
        #expect(decide(lost, own, .refuse, now: .max) == .answer(.unknown(againAfterMilliseconds: nil)))
        #expect(decide(lost, now: 1_000) == .answer(.unknown(againAfterMilliseconds: 5_000)))
        #expect(decide(lost, now: 5_999) == .answer(.unknown(againAfterMilliseconds: 1)))
        #expect(decide(lost, now: 6_000) == .claim)
    }

    @Test func whatAnAnswerLeavesBehindFollowsItsStatus() {
        let free = [401, 403, 407, 408, 425, 429]
        for status in 200...599 {
            for onError in OnError.allCases {
                let expected: IdempotencyRules.Finality =
                    if free.contains(status) {
                        .free
                    } else if status == 409 {
                        .unknown
                    } else if status < 500 || onError == .final {
                        .final
                    } else {
                        onError == .free ? .free : .unknown
                    }
                #expect(IdempotencyRules.finality(status: status, onError) == expected, "\(status) \(onError)")
            }
        }
    }

    @Test func codesThatAreNotFinalAreFoundAsTextAndByRange() {
        var settings = IdempotencySettings(keys: [.header("idempotency-key")])
        settings.notFinal = ["104", "PENDING"]
        settings.notFinalRanges = [500...599]
        for code in ["104", "PENDING", "500", "599"] { #expect(settings.isOpen(code), "\(code)") }
        for code in ["100", "499", "600", "", "0500", "5e2", "-500", "500000000000", "pending", " 500"] {
            #expect(!settings.isOpen(code), "\(code)")
        }
    }

    @Test func aDigestKeepsItsBytes() {
        let bytes = (0..<40).map { UInt8($0) }
        let digest = Digest32(bytes.span)
        let kept = digest.bytes
        for index in 0..<32 { #expect(kept[index] == bytes[index]) }
        let same = Array(bytes[..<32])
        let shifted = Array(bytes[1...])
        let equal = Digest32(same.span)
        let different = Digest32(shifted.span)
        #expect(digest == equal && digest != different)
    }
}
