// The words of the idempotency store and the rules about them: what a stored state means for a request that comes with
// the same key, and what an answer leaves behind. Pure; times come in as arguments, in milliseconds of the store's
// clock.

/// 32 bytes of a keyed hash.
package struct Digest32: Hashable, Sendable, BitwiseCopyable {
    package static let count = 32

    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    private var fourth: UInt64 = 0

    /// The first 32 of `bytes`, of which there are at least as many.
    package init(_ bytes: Span<UInt8>) {
        first = Self.word(bytes, 0)
        second = Self.word(bytes, 8)
        third = Self.word(bytes, 16)
        fourth = Self.word(bytes, 24)
    }

    private static func word(_ bytes: Span<UInt8>, _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
        return word
    }

    /// The first 8 bytes, as a number: their 16 hexadecimal digits name it where that is enough.
    package var prefix: UInt64 { first }

    /// The bytes.
    package var bytes: [32 of UInt8] {
        var bytes: [32 of UInt8] = InlineArray(repeating: 0)
        for index in 0..<8 {
            let shift = UInt64(56 - 8 * index)
            bytes[index] = UInt8(truncatingIfNeeded: first >> shift)
            bytes[8 + index] = UInt8(truncatingIfNeeded: second >> shift)
            bytes[16 + index] = UInt8(truncatingIfNeeded: third >> shift)
            bytes[24 + index] = UInt8(truncatingIfNeeded: fourth >> shift)
        }
        return bytes
    }
}

/// The keyed hash of credential, route and idempotency key: the name under which the store knows a request.
package struct KeyDigest: Hashable, Sendable, BitwiseCopyable {
    package let value: Digest32
    package init(_ value: Digest32) { self.value = value }
}

/// The keyed hash of what makes two requests the same: method, target and body without its volatile fields.
package struct Fingerprint: Hashable, Sendable, BitwiseCopyable {
    package let value: Digest32
    package init(_ value: Digest32) { self.value = value }
}

/// An answer as it is kept: encrypted, and useless without the key that `keyID` names.
package struct StoredAnswer: Equatable, Sendable {
    /// HTTP status, 200 ... 599.
    package let status: Int
    /// Which of the store's keys it is encrypted with.
    package let keyID: UInt64
    /// Nonce, ciphertext and tag.
    package let sealed: [UInt8]

    package init(status: Int, keyID: UInt64, sealed: [UInt8]) {
        self.status = status
        self.keyID = keyID
        self.sealed = sealed
    }
}

/// What the store knows of a key.
package enum KeyState: Equatable, Sendable {
    /// A request with it is on its way, and the process that sent it lives.
    case inFlight
    /// It has its answer.
    case answered(StoredAnswer)
    /// It was carried out, and its answer is not there: too large to be kept, or settled by an operator. `status` is 0
    /// where it is not known.
    case done(status: Int)
    /// It may have been carried out.
    case unknown
}

/// One key of the store.
package struct KeyRecord: Equatable, Sendable {
    package var fingerprint: Fingerprint
    package var state: KeyState
    /// The name of the route, for the operator.
    package var route: String
    /// When the key was first claimed.
    package var claimedAt: Int64
    /// When the state was last changed.
    package var changedAt: Int64
    /// How often a request with it was let go.
    package var attempts: Int

    package init(
        fingerprint: Fingerprint, state: KeyState, route: String, claimedAt: Int64, changedAt: Int64, attempts: Int
    ) {
        self.fingerprint = fingerprint
        self.state = state
        self.route = route
        self.claimedAt = claimedAt
        self.changedAt = changedAt
        self.attempts = attempts
    }
}

/// Why the store cannot be asked.
package enum StoreFailure: String, Error, CaseIterable, Sendable {
    /// The file, or the folder it is in, cannot be opened.
    case cannotOpen = "cannot-open"
    /// Another process holds it.
    case locked
    case readOnly = "read-only"
    /// The disk, or the size that the operator allows, is full.
    case full
    /// It is no store of ours, or its pages are damaged. It is never made anew: that would forget payments.
    case corrupt
    /// It was written by a later version.
    case newer
    /// The system failed to read or write.
    case inputOutput = "input-output"
    /// As many keys are kept as may be; none is forgotten before its time.
    case tooManyKeys = "too-many-keys"
    /// More questions wait than may.
    case overloaded
    /// It did not answer in time.
    case timeout
}

/// What the store says to a request that wants its key.
package enum ClaimVerdict: Equatable, Sendable {
    /// The key is the request's, durably: it may be sent.
    case claimed
    /// An equal request is on its way; another verdict comes once that one has its outcome.
    case waiting
    case replay(StoredAnswer)
    /// Carried out, and the answer is not there.
    case done(status: Int)
    /// The key belongs to another request.
    case reused
    /// More equal requests wait than may.
    case busy
    /// The outcome of the first is not known; nil where it is not sent again at all, else how long it is not.
    case unknown(againAfterMilliseconds: Int?)
    case failed(StoreFailure)
}

/// What becomes of a key when its request has ended.
package enum ClaimEnd: Equatable, Sendable {
    case answered(StoredAnswer)
    case done(status: Int)
    case unknown
    /// Nothing was sent, or nothing was carried out.
    case free
}

/// The rules.
package enum IdempotencyRules {
    /// What a stored state means for a request (design, section 5): one row each.
    package enum Decision: Equatable, Sendable {
        /// Take the key: it is new, or its outcome is unknown and may be asked for again.
        case claim
        case wait
        case answer(ClaimVerdict)
    }

    package static func decide(
        _ record: KeyRecord?, _ fingerprint: Fingerprint, _ onUnknown: OnUnknown, repeatAfterMilliseconds: Int,
        now: Int64
    ) -> Decision {
        guard let record else { return .claim }
        guard record.fingerprint == fingerprint else { return .answer(.reused) }
        switch record.state {
        case .inFlight: return .wait
        case .answered(let answer): return .answer(.replay(answer))
        case .done(let status): return .answer(.done(status: status))
        case .unknown:
            guard onUnknown == .resend else { return .answer(.unknown(againAfterMilliseconds: nil)) }
            let left = record.changedAt + Int64(repeatAfterMilliseconds) - now
            return left <= 0 ? .claim : .answer(.unknown(againAfterMilliseconds: Int(left)))
        }
    }

    /// What a whole answer leaves behind, by its status and, where the route names one, its code.
    package enum Finality: Equatable, Sendable { case final, unknown, free }

    /// By HTTP status alone. What says that the request was not looked at leaves the key free: 401 and 403 (signature,
    /// API key), 407, 408, 425, 429. 409 speaks of a request that is still on its way.
    package static func finality(status: Int, _ onError: OnError) -> Finality {
        switch status {
        case 401, 403, 407, 408, 425, 429: .free
        case 409: .unknown
        case 500...:
            switch onError {
            case .unknown: .unknown
            case .free: .free
            case .final: .final
            }
        default: .final
        }
    }
}
