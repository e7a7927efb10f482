// The keyed hashes by which the idempotency store knows keys and requests: whoever reads the store learns neither, and
// cannot try guesses. Relies on HMAC-SHA-256 under the store's index key. Every field is preceded by its length, so
// that no two lists of fields are fed as the same bytes.

internal import HTTP

/// Computes key digests and fingerprints. Warm, only OpenSSL allocates (a digest state for each pad). One per worker.
package struct StoreDigester: ~Copyable {
    private enum Kind: UInt8 { case key = 1, fingerprint }

    private var authenticator: MessageAuthenticator
    /// The short fields of the message at hand; they are fed at once.
    private var fields = ByteBuffer(capacity: 1_024)

    package init(_ keys: StoreKeys) {
        authenticator = MessageAuthenticator(key: keys.index.bytes, .hmacSHA256)
    }

    /// The digest of an idempotency key: `key` is its bytes, and it is a caller's own by the names of its credential
    /// and its route.
    package mutating func key(
        _ key: Span<UInt8>, credential: Span<UInt8>, route: Span<UInt8>
    ) -> [32 of UInt8] {
        begin(.key)
        append(credential)
        append(route)
        append(key)
        return finish(Span())
    }

    /// The digest of what makes two requests the same: `method` and `target` as the caller sent them. A request without
    /// a body differs from one whose body is empty; `body` is empty where `isBodyPresent` is false.
    package mutating func fingerprint(
        method: Span<UInt8>, target: Span<UInt8>, canonicalBody body: Span<UInt8>, isBodyPresent: Bool
    ) -> [32 of UInt8] {
        precondition(isBodyPresent || body.isEmpty, "no body has no bytes")
        begin(.fingerprint)
        append(method)
        append(target)
        fields.append(byte: isBodyPresent ? 1 : 0)
        append(length: body.count)
        return finish(body)
    }

    /// The two kinds never have a digest in common.
    private mutating func begin(_ kind: Kind) {
        fields.clear()
        fields.append(byte: kind.rawValue)
    }

    private mutating func append(_ field: Span<UInt8>) {
        append(length: field.count)
        fields.append(field)
    }

    /// Eight bytes, the highest first.
    private mutating func append(length: Int) {
        for shift in stride(from: 56, through: 0, by: -8) {
            fields.append(byte: UInt8(truncatingIfNeeded: length >> shift))
        }
    }

    /// The digest of the fields and the bytes behind them.
    private mutating func finish(_ rest: Span<UInt8>) -> [32 of UInt8] {
        authenticator.begin()
        authenticator.update(fields)
        authenticator.update(rest)
        authenticator.finish()
        // Keys are the caller's own and stay no longer than needed.
        fields.wipe()
        return Self.copy(authenticator.code)
    }

    private static func copy(_ code: Span<UInt8>) -> [32 of UInt8] {
        var bytes: [32 of UInt8] = InlineArray(repeating: 0)
        for index in 0..<32 { bytes[index] = code[index] }
        return bytes
    }
}
