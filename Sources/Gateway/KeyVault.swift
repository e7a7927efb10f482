// A worker's hold of the store's keys: names for requests, and answers sealed and opened.
// Relies on Signing for all of it. Refuses to keep a caller's key or body longer than a name takes to make.

internal import HTTP
internal import Policy
internal import Signing
internal import Store

/// One worker's. A class, since routes share it; only its worker touches it.
final class KeyVault {
    /// One of the store's keys, as it is used.
    private final class Entry {
        let id: UInt64
        var digester: StoreDigester
        var cipher: AnswerCipher

        init(_ secret: SecretBytes) {
            let keys = StoreKeys(derivedFrom: secret)
            id = keys.id
            digester = StoreDigester(keys)
            cipher = AnswerCipher(key: keys.cipher)
        }

        func digest(_ key: borrowing ByteBuffer, _ credential: [UInt8], _ route: [UInt8]) -> KeyDigest {
            let digest = digester.key(key.bytes, credential: credential.span, route: route.span)
            return KeyDigest(Digest32(digest.span))
        }

        func fingerprint(
            _ method: [UInt8], _ input: borrowing ByteBuffer, _ target: ByteRange, _ hasBody: Bool,
            _ body: borrowing ByteBuffer
        ) -> Fingerprint {
            let digest = digester.fingerprint(
                method: method.span, target: input.bytes.slice(target), canonicalBody: body.bytes,
                isBodyPresent: hasBody)
            return Fingerprint(Digest32(digest.span))
        }
    }

    private static let methods = Method.allCases.map { Array("\($0.name)".utf8) }

    /// The current one first.
    private let entries: [Entry]
    private var canonical = JSONCanonical()
    /// The idempotency key at hand, without escapes or quotes.
    private var key = ByteBuffer(capacity: 256)
    /// The canonical form of the body at hand.
    private var body = ByteBuffer(capacity: 1_024)
    private var hasBody = false

    /// `secrets`: 1 or more.
    init(_ secrets: [SecretBytes]) { entries = secrets.map { Entry($0) } }

    /// For the time in which some workers have only `old`: its current key stays the current one, and those of `new`
    /// are known.
    private init(_ old: KeyVault, before new: KeyVault) {
        let current = old.entries[0]
        entries = Array(([current] + new.entries.filter { $0.id != current.id }).prefix(Claim.maxNames))
    }

    /// What a worker that has had `self` goes by until every worker knows the keys of `next`.
    func passing(to next: KeyVault) -> KeyVault {
        entries[0].id == next.entries[0].id ? next : KeyVault(self, before: next)
    }

    // MARK: - Names

    /// Takes the key out of a header field.
    func takeKey(
        called name: [UInt8], in head: borrowing RequestHead, _ input: borrowing ByteBuffer
    ) -> HeaderKey.Finding {
        HeaderKey.find(name, in: head, input, into: &key)
    }

    /// Takes the key out of a body, where `value` is what a scan of it has found.
    func takeKey(_ body: borrowing ByteBuffer, _ value: ByteRange) -> HeaderKey.Finding {
        take(body.bytes.slice(value))
    }

    /// As above; `body` is a part of `input`.
    func takeKey(_ input: borrowing ByteBuffer, _ body: ByteRange, _ value: ByteRange) -> HeaderKey.Finding {
        take(input.bytes.slice(body).slice(value))
    }

    private func take(_ value: Span<UInt8>) -> HeaderKey.Finding {
        do throws(JSONKeyProblem) {
            try key.appendJSONKey(value)
            return .found
        } catch {
            return .malformed
        }
    }

    /// The key at hand, where it may be shown.
    func safeKey() -> SafeKey? { Self.safeKey(key) }

    private static func safeKey(_ key: borrowing ByteBuffer) -> SafeKey? { SafeKey(key.bytes) }

    /// The key was looked for; whatever was found is used.
    func forgetKey() {
        key.wipe()
        body.wipe()
    }

    /// Takes the body, as far as it makes a request what it is.
    func canonicalise(_ buffer: borrowing ByteBuffer, _ range: ByteRange, _ idempotency: ServedIdempotency) {
        hasBody = !range.isEmpty
        if hasBody { canonical.append(buffer.bytes.slice(range), leavingOut: idempotency.leftOut, to: &body) }
    }

    /// What the request is called under each of the store's keys.
    func names(
        _ route: ServedRoute, _ method: Method, _ input: borrowing ByteBuffer, _ target: ByteRange
    ) -> [ClaimName] {
        var names: [ClaimName] = []
        names.reserveCapacity(entries.count)
        for entry in entries {
            names.append(
                ClaimName(
                    key: entry.digest(key, route.credential, route.name),
                    fingerprint: entry.fingerprint(Self.methods[Int(method.rawValue)], input, target, hasBody, body)))
        }
        return names
    }

    /// The beginning of the keyed hash of an id: the same on all routes of a credential. It is not that of any key, for
    /// no route has an empty name.
    func hash(id: Span<UInt8>, _ credential: [UInt8]) -> UInt64 {
        KeyDigest(Digest32(entries[0].digester.key(id, credential: credential.span, route: Span()).span)).value.prefix
    }

    // MARK: - Answers

    /// Seals an answer under the current key; it can be opened as the answer of `name` and with this status only.
    func seal(_ held: borrowing ByteBuffer, status: Int, _ name: ClaimName) -> StoredAnswer {
        let entry = entries[0]
        let associated = Self.associated(name.key, status)
        return StoredAnswer(
            status: status, keyID: entry.id, sealed: entry.cipher.seal(held.bytes, associated: associated.span))
    }

    /// Appends the answer to `held`; false where it is none of ours, or its key is not there any more. `names` are
    /// those of the request that it is for.
    func open(_ answer: StoredAnswer, _ names: [ClaimName], into held: inout ByteBuffer) -> Bool {
        for (entry, name) in zip(entries, names) where entry.id == answer.keyID {
            let associated = Self.associated(name.key, answer.status)
            guard entry.cipher.open(answer.sealed.span, associated: associated.span, into: &held) else { return false }
            return KeptAnswer(held.bytes)?.status == answer.status
        }
        return false
    }

    /// Name and status: what an answer is bound to.
    private static func associated(_ key: KeyDigest, _ status: Int) -> [34 of UInt8] {
        var bytes: [34 of UInt8] = InlineArray(repeating: 0)
        let name = key.value.bytes
        for index in 0..<Digest32.count { bytes[index] = name[index] }
        bytes[32] = UInt8(truncatingIfNeeded: status >> 8)
        bytes[33] = UInt8(truncatingIfNeeded: status)
        return bytes
    }
}
