// Secrets: compared whole, never described, and where they lie.

import Signing
import Testing

@Suite(.serialized) struct SecretBytesTests {
    private func secret(_ text: String) -> SecretBytes { SecretBytes(copying: Array(text.utf8).span) }

    @Test(arguments: [("abc", true), ("abd", false), ("ab", false), ("abcd", false), ("bbc", false)])
    func equalMeansEveryByte(_ other: String, _ isEqual: Bool) {
        #expect(secret("abc").isEqual(to: Array(other.utf8).span) == isEqual)
    }

    /// Two that share the bytes of one that is gone when this returns.
    private func sharing(_ text: String) -> (SecretBytes, SecretBytes) {
        let owner = secret(text)
        let shared = SecretBytes(sharing: owner)
        let again = SecretBytes(sharing: shared)
        #expect(shared.bytes.isIdentical(to: owner.bytes) && again.bytes.isIdentical(to: owner.bytes))
        return (shared, again)
    }

    /// The bytes lie where they lay, and live as long as anybody has them: memory that was given back is wiped.
    @Test func aSharedOneIsNoCopyAndOutlivesItsOwner() {
        let (shared, again) = sharing("a shared secret")
        let text = Array("a shared secret".utf8)
        #expect(shared.isEqual(to: text.span) && again.isEqual(to: text.span) && again.count == 15)
    }

    @Test func nothingOfItIsDescribed() {
        let one = secret("hunter2")
        #expect("\(one)" == "SecretBytes" && String(reflecting: one) == "SecretBytes")
        var text = ""
        dump(one, to: &text)
        #expect(!text.contains("hunter2"))
    }

    /// Secrets beyond half of the heap still work; they are counted. The other half is for handshakes of TLS.
    @Test func whatHasNoRoomIsCounted() {
        guard case .locked(let bytes) = SecretMemory.open() else {
            #expect(SecretMemory.state != .absent)
            return
        }
        let before = SecretMemory.overflows
        let large = String(repeating: "s", count: 4_096)
        var kept: [SecretBytes] = []
        for _ in 0...bytes / 2 / 4_096 { kept.append(secret(large)) }
        #expect(SecretMemory.overflows > before)
        #expect(kept.allSatisfy { $0.isEqual(to: Array(large.utf8).span) })
        kept.removeAll()
        let after = SecretMemory.overflows
        #expect(secret("small").count == 5 && SecretMemory.overflows == after)
    }
}
