// SHA-512 of a body, whole or while it arrives.
// Relies on `HashContext`. Refuses nothing: a body of no bytes has a digest too.

/// The raw SHA-512 of the body's bytes as they are sent (FIPS 180-4).
package struct BodyDigest: Equatable, Sendable {
    private var storage: [64 of UInt8]

    /// The digest of `body`.
    package init(of body: Span<UInt8>) {
        var hasher = BodyHasher()
        hasher.update(body)
        self = hasher.finish()
    }

    fileprivate init(finishing context: inout HashContext) {
        storage = InlineArray(repeating: 0)
        var output = storage.mutableSpan
        context.finish(into: &output)
    }

    /// The 64 bytes.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span }
    }

    package static func == (one: BodyDigest, other: BodyDigest) -> Bool {
        var difference: UInt8 = 0
        for index in 0..<64 { difference |= one.storage[index] ^ other.storage[index] }
        return difference == 0
    }
}

/// Computes a `BodyDigest` while the body arrives. Kept and used again: after `finish` it is ready for the next body.
package struct BodyHasher: ~Copyable {
    private var context = HashContext(.sha512)
    private var isFresh = true

    package init() {}

    /// Feeds the next bytes of the body.
    package mutating func update(_ bytes: Span<UInt8>) {
        isFresh = false
        context.update(bytes)
    }

    /// The digest of all bytes since the last `finish` or `reset`.
    package mutating func finish() -> BodyDigest {
        let digest = BodyDigest(finishing: &context)
        context.start()
        isFresh = true
        return digest
    }

    /// Forgets the bytes of a body that will not be finished.
    package mutating func reset() {
        if !isFresh { context.start() }
        isFresh = true
    }

    /// The digest of a body that is whole already; what was fed before is forgotten.
    package mutating func digest(_ body: Span<UInt8>) -> BodyDigest {
        reset()
        update(body)
        return finish()
    }
}
