// Whether the command line holds a secret: everyone on the machine could read it there.
// Relies on the settings as they were read. Refuses nothing itself.

internal import HTTP
internal import Signing

extension Settings {
    /// Whether one of `words`, or what stands behind its first `=`, is one of the configuration's secrets or tokens.
    package func hasSecret(in words: [String]) -> Bool {
        words.contains { word in
            if isSecret(word.utf8) { return true }
            guard let mark = word.utf8.firstIndex(of: UInt8(ascii: "=")) else { return false }
            return isSecret(word.utf8[word.utf8.index(after: mark)...])
        }
    }

    private func isSecret(_ text: some Collection<UInt8>) -> Bool {
        guard !text.isEmpty else { return false }
        var bytes = ByteBuffer(capacity: text.count)
        for byte in text { bytes.append(byte: byte) }
        return isSecret(bytes)
    }

    private func isSecret(_ bytes: borrowing ByteBuffer) -> Bool {
        for credential in credentials {
            for secret in [credential.secret, credential.nextSecret, credential.apiKey?.value] {
                if let secret, secret.isEqual(to: bytes.bytes) { return true }
            }
        }
        for key in store?.keys ?? [] where key.isEqual(to: bytes.bytes) { return true }
        let digest = BodyDigest(of: bytes.bytes)
        return (callers ?? []).contains { $0.identity == .token(digest) }
    }
}
