// What a store that failed still has to be told: outcomes that it could not write, and claims that the desk disowned.
// Relies on the desk to write them at the head of the next batch. Refuses to keep more answers than its bounds allow.

internal import Policy

/// Outcomes that are not written yet. Their number is bounded by that of the requests that were on their way when the
/// store began to fail, for a store that fails gives no key; their answers have bounds of their own.
struct PendingOutcomes {
    /// Most answers.
    static let maxAnswers = 1_024
    /// Most bytes of answers.
    static let maxBytes = 64 << 20

    /// What is to be written; nil where the key is to be removed.
    private(set) var outcomes: [KeyDigest: KeyRecord?] = [:]
    /// Keys with answers, the oldest first; those before `head` have none any more.
    private var answered: [KeyDigest] = []
    private var head = 0
    private var bytes = 0

    var count: Int { outcomes.count }
    var isEmpty: Bool { outcomes.isEmpty }

    /// Keeps the outcome. Beyond a bound the oldest answers are dropped, and their keys become unknown; says how many.
    mutating func keep(_ outcome: KeyRecord?, of key: KeyDigest) -> Int {
        outcomes.updateValue(outcome, forKey: key)
        guard let size = outcome?.answerSize else { return 0 }
        answered.append(key)
        bytes += size
        var dropped = 0
        while answered.count - head > Self.maxAnswers || bytes > Self.maxBytes {
            dropOldest()
            dropped += 1
        }
        return dropped
    }

    private mutating func dropOldest() {
        let key = answered[head]
        head += 1
        if var record = outcomes[key] ?? nil {
            bytes -= record.answerSize ?? 0
            record.state = .unknown
            outcomes.updateValue(record, forKey: key)
        }
        guard head > answered.count / 2 else { return }
        answered.removeFirst(head)
        head = 0
    }

    /// The outcome of a claim's key, and the claim's fingerprint under that name.
    func find(_ claim: Claim) -> (record: KeyRecord?, fingerprint: Fingerprint)? {
        for name in claim.names {
            if let record = outcomes[name.key] { return (record, name.fingerprint) }
        }
        return nil
    }

    /// All are written.
    mutating func removeAll() { self = PendingOutcomes() }
}

extension KeyRecord {
    fileprivate var answerSize: Int? {
        if case .answered(let answer) = state { answer.sealed.count } else { nil }
    }
}

/// Claims of batches whose end is not known: refused, so nothing was sent, and taken back where they are found written.
struct DisownedClaims {
    /// Most keys. Beyond, a claim that was written all the same counts as unknown.
    static let maxKeys = 65_536

    /// The keys, and what they were before; nil where they were absent.
    private(set) var keys: [KeyDigest: KeyRecord?] = [:]

    var isEmpty: Bool { keys.isEmpty }

    /// The first word about a key stands: what came later was built on it.
    mutating func add(_ key: KeyDigest, before: KeyRecord?) {
        guard keys.count < Self.maxKeys, keys[key] == nil else { return }
        keys.updateValue(before, forKey: key)
    }

    mutating func removeAll() { keys.removeAll() }
}
