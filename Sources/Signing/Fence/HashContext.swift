// SHA-2 by OpenSSL's EVP interface: one owner per context, the algorithms fetched once per process.
// Relies on the default provider. Refuses to go on, by precondition, when OpenSSL reports a failure: with a fetched
// algorithm and a kept context that only happens without memory, and a wrong digest must never be sent.

internal import COpenSSL

/// A fetched SHA-2 algorithm; immutable and shared by all threads.
@safe
final class HashAlgorithm: @unchecked Sendable {
    // @unchecked Sendable: an EVP_MD is reference counted and constant after the fetch (OpenSSL, EVP_MD_fetch(3)), and
    // `fresh` is only copied from.
    private let md: OpaquePointer
    /// A computation that no byte was fed to. To begin by a copy of it is cheaper than EVP_DigestInit_ex2, and OpenSSL
    /// wipes the state that the copy takes the place of, its room for the last block of a message included.
    fileprivate let fresh: OpaquePointer
    /// Bytes of a digest.
    let digestLength: Int
    /// Bytes of a block, the unit of HMAC's pads (RFC 2104).
    let blockLength: Int

    static let sha512 = HashAlgorithm("SHA2-512", digestLength: 64, blockLength: 128)
    static let sha256 = HashAlgorithm("SHA2-256", digestLength: 32, blockLength: 64)

    private init(_ name: String, digestLength: Int, blockLength: Int) {
        // SAFETY: EVP_MD_fetch copies the name; the reference it gives is ours and kept until the process ends.
        guard let fetched = unsafe EVP_MD_fetch(nil, name, nil) else {
            preconditionFailure("OpenSSL offers no SHA-2: look at its configuration file")
        }
        // SAFETY: `fetched` is the algorithm that was just obtained.
        precondition(unsafe Int(EVP_MD_get_size(fetched)) == digestLength, "the digest has the length of its standard")
        precondition(unsafe Int(EVP_MD_get_block_size(fetched)) == blockLength, "and so has its block")
        unsafe md = fetched
        // SAFETY: a new context, which is given its algorithm before anything is done with it.
        guard let fresh = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex2(fresh, fetched, nil) == 1 else {
            preconditionFailure("OpenSSL began no digest")
        }
        unsafe self.fresh = fresh
        self.digestLength = digestLength
        self.blockLength = blockLength
    }

    deinit {
        // SAFETY: what init obtained is given back once.
        unsafe EVP_MD_CTX_free(fresh)
        unsafe EVP_MD_free(md)
    }
}

/// One running SHA-2 computation. OpenSSL wipes its state when the context is reset or freed.
@safe
struct HashContext: ~Copyable {
    private let context: OpaquePointer
    private let algorithm: HashAlgorithm

    /// A context ready for the first byte.
    init(_ algorithm: HashAlgorithm) {
        // SAFETY: a fresh context that only this value knows.
        guard let fresh = unsafe EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest") }
        unsafe context = fresh
        self.algorithm = algorithm
        start()
    }

    deinit {
        // SAFETY: `context` is ours and not used again; freeing wipes the state.
        unsafe EVP_MD_CTX_free(context)
    }

    /// Begins anew; what was fed before is forgotten, and nothing of it is left in memory.
    mutating func start() {
        // SAFETY: both handles are alive as long as self, and the fresh one is only read.
        precondition(unsafe EVP_MD_CTX_copy_ex(context, algorithm.fresh) == 1, "OpenSSL began no digest")
    }

    /// Takes over the state of `other`, which may be used again and again.
    mutating func copy(from other: borrowing HashContext) {
        // SAFETY: both contexts are alive, and `other` is only read.
        precondition(unsafe EVP_MD_CTX_copy_ex(context, other.context) == 1, "OpenSSL copied no digest state")
    }

    /// Feeds `bytes`.
    mutating func update(_ bytes: Span<UInt8>) {
        // SAFETY: OpenSSL reads exactly `count` bytes, which the span holds for the length of the call.
        let done = unsafe bytes.withUnsafeBufferPointer { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(done == 1, "OpenSSL took no bytes")
    }

    /// Writes the digest to the front of `output`; afterwards only `start` and `copy` make sense.
    mutating func finish(into output: inout MutableSpan<UInt8>) {
        precondition(output.count >= algorithm.digestLength, "a digest needs its whole room")
        // SAFETY: the room was checked; OpenSSL writes exactly `digestLength` bytes.
        let done = unsafe output.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, nil)
        }
        precondition(done == 1, "OpenSSL finished no digest")
    }

    /// Overwrites bytes that were a key.
    static func wipe(_ bytes: inout MutableSpan<UInt8>) {
        // SAFETY: OPENSSL_cleanse writes exactly `count` bytes, which the span holds, and is not optimised away.
        unsafe bytes.withUnsafeMutableBufferPointer { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
