// Short forms that the tests of this room share.
// Relies on UTF-8 texts. Refuses nothing.

import Foundation
import HTTP
import Signing
import TestSupport

extension Seed {
    /// A generator whose seed is printed, and taken from `COUNTERSIGN_SEED` where that is set.
    static func announced() -> Seed {
        let wanted = ProcessInfo.processInfo.environment["COUNTERSIGN_SEED"].flatMap { UInt64($0) }
        let value = wanted ?? UInt64.random(in: 0...UInt64.max)
        print("COUNTERSIGN_SEED=\(value)")
        return Seed(value)
    }
}

func text(_ bytes: Span<UInt8>) -> String {
    var array: [UInt8] = []
    for index in bytes.indices { array.append(bytes[index]) }
    return String(decoding: array, as: UTF8.self)
}

func hex(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in bytes.indices {
        let digits = String(bytes[index], radix: 16)
        text += digits.count == 1 ? "0" + digits : digits
    }
    return text
}

func unhex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

func secret(_ text: String) -> SecretBytes { secret(Array(text.utf8)) }

func secret(_ bytes: [UInt8]) -> SecretBytes { SecretBytes(copying: bytes.span) }

func base64(_ bytes: [UInt8]) -> String {
    var buffer = ByteBuffer(capacity: 1)
    Base64.append(bytes.span, to: &buffer)
    return text(buffer.bytes)
}

/// A credential `u` whose key is `secret`.
func credential(
    key: [UInt8] = Array("secret".utf8), algorithm: SigningAlgorithm = .hmacSHA512, headers: SignedHeaders = .standard,
    apiKey: APIKeySettings? = nil
) -> CredentialSettings {
    CredentialSettings(
        name: "test", username: "u", secret: secret(key), algorithm: algorithm, signedHeaders: headers, apiKey: apiKey)
}

/// Seals a request to `upstream.test` whose forwarded header lines are `lines`.
func seal(
    _ signer: inout Signer, method: Method = .post, base: String = "", target: String = "/a", lines: String = "",
    body: String = "{}", at seconds: Int64 = 1_579_291_169
) -> SealedRequest {
    var draft = Draft(
        head: ByteBuffer(capacity: 64), method: method, authority: Array("upstream.test".utf8),
        basePath: Array(base.utf8), target: Array(target.utf8).span)
    draft.append(Array(lines.utf8).span)
    let bytes = Array(body.utf8)
    return signer.seal(
        draft, digest: BodyDigest(of: bytes.span), bodyLength: bytes.count, date: HTTPDate(unixSeconds: seconds))
}

/// The head as text. Borrowing the request by a call leaves it free to be consumed afterwards.
func head(_ sealed: borrowing SealedRequest) -> String { text(sealed.head) }
