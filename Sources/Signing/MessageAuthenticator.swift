// HMAC (RFC 2104) with a key that is prepared once: per message only two states are copied.
// Relies on `HashContext`. Refuses an empty key, which `SecretBytes` does not hold.

internal import HTTP

/// A keyed HMAC-SHA-512 or HMAC-SHA-256. One per credential and worker; its states are wiped when it ends.
struct MessageAuthenticator: ~Copyable {
    private let algorithm: HashAlgorithm
    private let inner: HashContext
    private let outer: HashContext
    private var work: HashContext
    private var result: [64 of UInt8] = InlineArray(repeating: 0)

    /// Prepares the pads of RFC 2104; a key longer than a block is hashed first.
    init(key: Span<UInt8>, _ name: SigningAlgorithm) {
        switch name {
        case .hmacSHA512: algorithm = .sha512
        case .hmacSHA256: algorithm = .sha256
        }
        work = HashContext(algorithm)
        // A ByteBuffer is wiped when it ends; an Array would not be.
        var block = ByteBuffer(capacity: algorithm.blockLength)
        if key.count > algorithm.blockLength {
            work.update(key)
            var room = block.free
            work.finish(into: &room)
            block.commit(algorithm.digestLength)
        } else {
            block.append(key)
        }
        block.commit(block.room)
        inner = Self.pad(&block, 0x36, algorithm)
        outer = Self.pad(&block, 0x36 ^ 0x5C, algorithm)
    }

    /// Exclusive-ors `block` with `mask` and hashes it. The second call's mask undoes the first's.
    private static func pad(_ block: inout ByteBuffer, _ mask: UInt8, _ algorithm: HashAlgorithm) -> HashContext {
        var bytes = block.mutableBytes
        for index in bytes.indices { bytes[index] ^= mask }
        var context = HashContext(algorithm)
        context.update(block.bytes)
        return context
    }

    /// Computes the MAC of `message`; read it from `code`.
    mutating func authenticate(_ message: Span<UInt8>) {
        begin()
        update(message)
        finish()
    }

    /// Begins a message that comes in parts; what was fed before is forgotten.
    mutating func begin() { work.copy(from: inner) }

    /// Feeds the next part of a message.
    mutating func update(_ part: Span<UInt8>) { work.update(part) }

    /// Feeds the bytes in `part`.
    mutating func update(_ part: borrowing ByteBuffer) { work.update(part.bytes) }

    /// Ends a message; read its MAC from `code`.
    mutating func finish() {
        var output = result.mutableSpan
        work.finish(into: &output)
        work.copy(from: outer)
        work.update(result.span.extracting(first: algorithm.digestLength))
        output = result.mutableSpan
        work.finish(into: &output)
    }

    /// Ends a message whose MAC is itself a key; nothing of it stays here.
    mutating func finishAsSecret() -> SecretBytes {
        finish()
        let secret = SecretBytes(copying: code)
        var output = result.mutableSpan
        HashContext.wipe(&output)
        return secret
    }

    /// Computes the MAC of the bytes in `message`.
    mutating func authenticate(_ message: borrowing ByteBuffer) { authenticate(message.bytes) }

    /// The MAC of the last message: 64 or 32 raw bytes.
    var code: Span<UInt8> {
        @_lifetime(borrow self)
        get { result.span.extracting(first: algorithm.digestLength) }
    }
}
