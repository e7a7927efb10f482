// Hashing, MACs, random bytes and constant-time comparison through OpenSSL's one-shot calls.
// Relies on libcrypto. Shares nothing with the gateway's own signer, so that a mistake made there cannot hide here.

import COpenSSL

/// The two MACs that a program may be registered with.
enum MACAlgorithm: Equatable {
    case hmacSHA512
    case hmacSHA256

    /// The word used in the `algorithm` parameter.
    var word: String {
        switch self {
        case .hmacSHA512: "hmac-sha512"
        case .hmacSHA256: "hmac-sha256"
        }
    }
}

/// Digest functions over whole byte arrays.
enum Digests {
    /// Raw HMAC of `message` under `key`: 64 or 32 bytes.
    static func mac(_ algorithm: MACAlgorithm, key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        // SAFETY: key and message are passed with their own lengths; the output has room for the largest digest.
        let result = unsafe HMAC(
            algorithm == .hmacSHA512 ? EVP_sha512() : EVP_sha256(), key, Int32(key.count), message, message.count,
            &output, &length)
        precondition(unsafe result != nil, "HMAC over memory cannot fail")
        return Array(output[..<Int(length)])
    }

    /// Raw SHA-512, 64 bytes.
    static func sha512(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(EVP_sha512(), bytes) }

    /// Raw SHA-256, 32 bytes.
    static func sha256(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(EVP_sha256(), bytes) }

    private static func digest(_ type: OpaquePointer?, _ bytes: [UInt8]) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        // SAFETY: the input is passed with its own length; the output has room for the largest digest.
        let result = unsafe EVP_Digest(bytes, bytes.count, &output, &length, type, nil)
        precondition(result == 1, "a digest over memory cannot fail")
        return Array(output[..<Int(length)])
    }

    /// True if both have the same bytes; the time taken depends on the lengths only.
    static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        // SAFETY: both arrays have at least the length that is compared.
        return unsafe CRYPTO_memcmp(left, right, left.count) == 0
    }

    /// Random bytes from the system's generator.
    static func random(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the array has `count` bytes.
        let result = unsafe RAND_bytes(&bytes, Int32(count))
        precondition(result == 1, "the system's random generator works")
        return bytes
    }
}
