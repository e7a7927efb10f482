// AES-256-GCM (NIST SP 800-38D) by OpenSSL's EVP interface, for answers that are kept: the algorithm fetched once per
// process, the key schedule made once per owner. Relies on the default provider. Refuses, as a value, whatever was not
// sealed with the same key and associated data; and, by precondition, to go on when OpenSSL fails at anything else.

internal import COpenSSL
package import HTTP

/// The fetched cipher; immutable and shared by all threads.
@safe
private final class CipherAlgorithm: @unchecked Sendable {
    // @unchecked Sendable: an EVP_CIPHER is reference counted and constant after the fetch (EVP_CIPHER_fetch(3)).
    let cipher: OpaquePointer

    static let aes256GCM = CipherAlgorithm("AES-256-GCM")

    private init(_ name: String) {
        // SAFETY: EVP_CIPHER_fetch copies the name; the reference it gives is ours and kept until the process ends.
        guard let fetched = unsafe EVP_CIPHER_fetch(nil, name, nil) else {
            preconditionFailure("OpenSSL offers no AES-256-GCM: look at its configuration file")
        }
        unsafe cipher = fetched
    }

    deinit {
        // SAFETY: the reference that init obtained is given back once.
        unsafe EVP_CIPHER_free(cipher)
    }
}

/// Encrypts and decrypts answers under one key. One per worker: it is not shared between threads. OpenSSL wipes the key
/// schedules when the contexts are freed.
@safe
package struct AnswerCipher: ~Copyable {
    /// Bytes of a key.
    package static let keyLength = 32
    /// Bytes that a sealed answer is longer than its plain bytes: nonce and tag.
    package static let overhead = nonceLength + tagLength

    private static let nonceLength = 12
    private static let tagLength = 16

    private let sealing: OpaquePointer
    private let opening: OpaquePointer

    /// Prepares `key` of `keyLength` bytes. Nonces are random, so that one key is meant for at most 2^32 answers (NIST
    /// SP 800-38D, section 8.3): 49 days at 1,000 each second. Nobody counts them here; the operator renews the secret.
    package init(key: SecretBytes) {
        precondition(key.count == Self.keyLength, "a key has 32 bytes")
        unsafe sealing = Self.context(key, isSealing: true)
        unsafe opening = Self.context(key, isSealing: false)
    }

    deinit {
        // SAFETY: both contexts are ours and not used again; freeing wipes their state.
        unsafe EVP_CIPHER_CTX_free(sealing)
        unsafe EVP_CIPHER_CTX_free(opening)
    }

    private static func context(_ key: SecretBytes, isSealing: Bool) -> OpaquePointer {
        // SAFETY: a fresh context that only the caller will know; OpenSSL reads 32 bytes of the key, which `init`
        // checked that it has, and the standard length of a GCM nonce is 12 bytes.
        guard let context = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("no memory for a cipher") }
        let cipher = unsafe CipherAlgorithm.aes256GCM.cipher
        let done = unsafe key.bytes.withUnsafeBufferPointer {
            unsafe EVP_CipherInit_ex2(context, cipher, $0.baseAddress, nil, isSealing ? 1 : 0, nil)
        }
        precondition(done == 1, "OpenSSL took no key")
        return unsafe context
    }

    /// Encrypts `plain` (at most 1 GiB) and authenticates it together with `associated`, which is not part of the
    /// result: a fresh random nonce, the ciphertext, the tag.
    package mutating func seal(_ plain: Span<UInt8>, associated: Span<UInt8>) -> [UInt8] {
        precondition(plain.count <= 1 << 30 && associated.count <= 1 << 30, "an answer is at most 1 GiB")
        let length = plain.count + Self.overhead
        // SAFETY: the storage has `length` bytes: 12 for the nonce, as many as `plain` has, 16 for the tag. OpenSSL
        // fills exactly those, so that all are initialised.
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { storage, count in
            guard let base = storage.baseAddress else { preconditionFailure("an array of 28 bytes or more") }
            precondition(unsafe RAND_bytes(base, Int32(Self.nonceLength)) == 1, "OpenSSL has no randomness")
            unsafe Self.begin(sealing, nonce: base, associated)
            var written: Int32 = 0
            let body = unsafe base + Self.nonceLength
            if !plain.isEmpty {
                let done = unsafe plain.withUnsafeBufferPointer {
                    unsafe EVP_CipherUpdate(sealing, body, &written, $0.baseAddress, Int32($0.count))
                }
                precondition(done == 1 && Int(written) == plain.count, "OpenSSL encrypted nothing")
            }
            let tag = unsafe body + plain.count
            precondition(unsafe EVP_CipherFinal_ex(sealing, tag, &written) == 1, "OpenSSL ended no ciphertext")
            let tagged = unsafe EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), tag)
            precondition(tagged == 1, "OpenSSL made no tag")
            count = length
        }
    }

    /// Appends the plain bytes of `sealed` to `buffer`; false, with nothing appended and nothing decrypted left behind,
    /// where it was not sealed with this key and `associated`, or was changed since.
    package mutating func open(
        _ sealed: Span<UInt8>, associated: Span<UInt8>, into buffer: inout ByteBuffer
    ) -> Bool {
        let length = sealed.count - Self.overhead
        guard length >= 0, length <= 1 << 30 else { return false }
        buffer.reserve(length)
        var room = buffer.free
        guard decrypt(sealed, length, associated, &room) else { return false }
        buffer.commit(length)
        return true
    }

    private func decrypt(
        _ sealed: Span<UInt8>, _ length: Int, _ associated: Span<UInt8>, _ room: inout MutableSpan<UInt8>
    ) -> Bool {
        precondition(sealed.count == length + Self.overhead && room.count >= length, "an answer needs its whole room")
        // SAFETY: checked above: the nonce is the first 12 bytes, the tag the last 16, and `length` bytes between them
        // are decrypted into at least as much room. OpenSSL copies the tag and does not write through that pointer.
        return unsafe sealed.withUnsafeBufferPointer { source in
            unsafe room.withUnsafeMutableBufferPointer { target in
                guard let base = source.baseAddress else { return false }
                unsafe Self.begin(opening, nonce: base, associated)
                var written: Int32 = 0
                if length > 0 {
                    let done = unsafe EVP_CipherUpdate(
                        opening, target.baseAddress, &written, base + Self.nonceLength, Int32(length))
                    precondition(done == 1 && Int(written) == length, "OpenSSL decrypted nothing")
                }
                let tag = unsafe UnsafeMutableRawPointer(mutating: base + Self.nonceLength + length)
                let taken = unsafe EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), tag)
                precondition(taken == 1, "OpenSSL took no tag")
                // A stream cipher has no last block, so nothing is written here.
                var last: UInt8 = 0
                if unsafe EVP_CipherFinal_ex(opening, &last, &written) == 1 { return true }
                unsafe OPENSSL_cleanse(target.baseAddress, length)
                // TLS on this thread reads the same queue of errors, and must not take this one for its own.
                ERR_clear_error()
                return false
            }
        }
    }

    /// Begins a message under the key that the context has.
    private static func begin(
        _ context: OpaquePointer, nonce: UnsafePointer<UInt8>, _ associated: Span<UInt8>
    ) {
        // SAFETY: the caller's nonce has 12 bytes. -1 keeps the direction. Associated data goes in without an output.
        let begun = unsafe EVP_CipherInit_ex2(context, nil, nil, nonce, -1, nil)
        precondition(begun == 1, "OpenSSL took no nonce")
        guard !associated.isEmpty else { return }
        var written: Int32 = 0
        let fed = unsafe associated.withUnsafeBufferPointer {
            unsafe EVP_CipherUpdate(context, nil, &written, $0.baseAddress, Int32($0.count))
        }
        precondition(fed == 1, "OpenSSL took no associated data")
    }
}
