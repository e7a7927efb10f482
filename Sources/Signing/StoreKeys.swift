// The keys of the idempotency store, all derived from one secret of the operator's, so that a file that is carried away
// tells nothing and no two uses share a key. Relies on HMAC-SHA-256. Refuses nothing: `SecretBytes` is never empty.

/// Keys derived from a store secret by HKDF-SHA-256 (RFC 5869); the same for the same secret, for ever. Immutable and
/// shared by all workers.
package struct StoreKeys: Sendable {
    /// Names the secret beside what was encrypted with it; says nothing about it and is no secret.
    package let id: UInt64
    /// 32 bytes: the key of `StoreDigester`.
    package let index: SecretBytes
    /// 32 bytes: the key of `AnswerCipher`.
    package let cipher: SecretBytes

    package init(derivedFrom secret: SecretBytes) {
        var extract = MessageAuthenticator(key: Self.salt.span, .hmacSHA256)
        extract.begin()
        extract.update(secret.bytes)
        let pseudorandom = extract.finishAsSecret()
        var expand = MessageAuthenticator(key: pseudorandom.bytes, .hmacSHA256)
        index = Self.derive("index", &expand)
        cipher = Self.derive("cipher", &expand)
        let name = Self.derive("id", &expand)
        id = Self.number(name.bytes)
    }

    private static let salt = Array("countersign idempotency store 1".utf8)

    /// The first block of HKDF-Expand, which is all that 32 bytes need: HMAC of the label and a byte of 1.
    private static func derive(_ label: String, _ expand: inout MessageAuthenticator) -> SecretBytes {
        let info = Array(label.utf8) + [1]
        expand.begin()
        expand.update(info.span)
        return expand.finishAsSecret()
    }

    /// The first eight bytes, the highest first.
    private static func number(_ bytes: Span<UInt8>) -> UInt64 {
        var number: UInt64 = 0
        for index in 0..<8 { number = number << 8 | UInt64(bytes[index]) }
        return number
    }
}
