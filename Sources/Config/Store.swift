// The key `store`: where idempotency keys and answers are kept, and for how long.
// Relies on Secrets.swift for its keys and on the ranges that StoreLimits promises to other rooms; this is where they
// are kept. Warns of keys that may be guessed; refuses a path where nothing would be written.

internal import Policy
internal import Signing

extension Field {
    /// A key of the store of fewer bytes may be guessed: 128 bits, if they are random.
    static let shortStoreKey = 16
    /// Most keys of before.
    static let maxPreviousKeys = 3

    /// The store's settings; what is wrong in them was reported, and keeps its default.
    func store() -> StoreSettings? {
        guard let keys = mapping(Vocabulary.store) else { return nil }
        guard let kind = keys.required("kind", "Write kind: sqlite")?.storeKind() else { return nil }
        let path = storePath(keys, kind)
        return StoreSettings(kind: kind, path: path, keys: storeKeys(keys, kind), limits: storeLimits(keys))
    }

    private func storeKind() -> StoreKind? {
        guard !isWord("redis") else {
            return refuse("redis is not built in this version", "Write sqlite, or memory for tests")
        }
        return word(StoreKind.self)
    }

    private func storePath(_ keys: Mapping, _ kind: StoreKind) -> String? {
        switch kind {
        case .sqlite:
            return keys.required("path", "Write path: /var/lib/countersign/idempotency.db")?.absolutePath()
        case .memory:
            keys["path"]?.error("has no meaning for memory", "Remove the key, or write kind: sqlite")
            return nil
        }
    }

    /// The current key first. Memory may do without: its keys need not outlive the process.
    private func storeKeys(_ keys: Mapping, _ kind: StoreKind) -> [SecretBytes] {
        let current: Field?
        switch kind {
        case .sqlite: current = keys.required("key", "Write key: \"file:/path\". \(Self.howToMakeOne)")
        case .memory: current = keys["key"]
        }
        let previous = keys["previous_keys"]?.elements(max: Self.maxPreviousKeys, mayBeEmpty: true) ?? []
        if let first = previous.first, keys["key"] == nil, kind == .memory {
            first.error("there is no key that came after it", "Write key as well, or remove previous_keys")
        }
        var secrets: [SecretBytes] = []
        for field in [current].compactMap({ $0 }) + previous {
            guard let secret = field.storeKey() else { continue }
            if secrets.contains(where: { $0.isEqual(to: secret.bytes) }) {
                field.error("is the same key as one before it", "Name each key once, the current one as key")
            }
            secrets.append(secret)
        }
        return secrets
    }

    private func storeKey() -> SecretBytes? {
        guard let secret = secret() else { return nil }
        if secret.count < Self.shortStoreKey {
            warn("the key is shorter than \(Self.shortStoreKey) bytes and may be guessed", Self.howToMakeOne)
        }
        return secret
    }

    private static let howToMakeOne = "Make one with: openssl rand -base64 32"

    private func storeLimits(_ keys: Mapping) -> StoreLimits {
        let kept = 60_000...400 * 86_400_000
        var limits = StoreLimits()
        if let time = keys["retention"]?.milliseconds(kept) { limits.retentionMilliseconds = Int64(time) }
        if let time = keys["unknown_retention"]?.milliseconds(kept) {
            limits.unknownRetentionMilliseconds = Int64(time)
        }
        if let count = keys["max_keys"]?.integer(1...1_000_000_000) { limits.maxKeys = count }
        if let bytes = keys["max_size"]?.bytes(1 << 20...1 << 40) { limits.maxSize = bytes }
        if let bytes = keys["max_answer"]?.bytes(0...16 << 20) { limits.maxAnswer = bytes }
        if let count = keys["max_waiting"]?.integer(0...1_000_000) { limits.maxWaiting = count }
        if let count = keys["max_questions"]?.integer(1...1_000_000) { limits.maxQuestions = count }
        if let time = keys["timeout"]?.milliseconds(10...60_000) { limits.timeoutMilliseconds = time }
        return limits
    }
}
