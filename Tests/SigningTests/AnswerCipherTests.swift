// Sealed answers: published vectors, round trips, and that nothing comes out of what was changed in any bit.
// Relies on the test vectors of the GCM specification (McGrew and Viega, appendix B, cases 13 to 16). Refuses a plain
// byte of a message that is not authentic.

import HTTP
import Signing
import TestSupport
import Testing

private func array(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }

/// A cipher whose answers are arrays, for calls within expectations.
private final class Box {
    private var cipher: AnswerCipher

    init(_ key: [UInt8]) { cipher = AnswerCipher(key: secret(key)) }

    func seal(_ plain: [UInt8], _ associated: [UInt8] = []) -> [UInt8] {
        cipher.seal(plain.span, associated: associated.span)
    }

    /// The plain bytes; nil where the message is refused. Either way nothing else is in the buffer, nor behind it.
    func open(_ sealed: [UInt8], _ associated: [UInt8] = []) -> [UInt8]? {
        var buffer = ByteBuffer(capacity: 8)
        buffer.append("before")
        let isOpen = cipher.open(sealed.span, associated: associated.span, into: &buffer)
        let text = array(buffer.bytes)
        #expect(text.starts(with: "before".utf8) && (isOpen || text.count == 6))
        if !isOpen {
            buffer.commit(buffer.room)
            #expect(array(buffer.bytes).dropFirst(6).allSatisfy { $0 == 0 })
        }
        return isOpen ? Array(text.dropFirst(6)) : nil
    }
}

@Suite("sealed answers")
struct AnswerCipherTests {
    struct Vector {
        var key: String
        var nonce: String
        var plain: String
        var associated: String
        var ciphertext: String
        var tag: String
    }

    private static let zeroKey = String(repeating: "0", count: 64)
    private static let key = String(repeating: "feffe9928665731c6d6a8f9467308308", count: 2)
    private static let plain =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
        + "b16aedf5aa0de657ba637b391aafd255"
    private static let ciphertext =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
        + "c5f61e6393ba7a0abcc9f662898015ad"

    static let vectors = [
        Vector(
            key: zeroKey, nonce: "000000000000000000000000", plain: "", associated: "", ciphertext: "",
            tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            key: zeroKey, nonce: "000000000000000000000000", plain: "00000000000000000000000000000000",
            associated: "", ciphertext: "cea7403d4d606b6e074ec5d3baf39d18", tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            key: key, nonce: "cafebabefacedbaddecaf888", plain: plain, associated: "", ciphertext: ciphertext,
            tag: "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            key: key, nonce: "cafebabefacedbaddecaf888", plain: String(plain.dropLast(8)),
            associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2", ciphertext: String(ciphertext.dropLast(8)),
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test("published messages are opened", arguments: vectors)
    func published(_ vector: Vector) {
        let sealed = unhex(vector.nonce + vector.ciphertext + vector.tag)
        #expect(Box(unhex(vector.key)).open(sealed, unhex(vector.associated)) == unhex(vector.plain))
    }

    @Test("what is sealed is opened, at any length, and no two seals are equal")
    func roundTrip() {
        var seed = Seed.announced()
        let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &seed) }
        let one = Box(key)
        let other = Box(key)
        for length in Array(0...70) + [255, 256, 600, 4_096, 65_537, 262_144] {
            let plain = (0..<length).map { _ in UInt8.random(in: 0...255, using: &seed) }
            let associated = (0..<length % 50).map { _ in UInt8.random(in: 0...255, using: &seed) }
            let sealed = one.seal(plain, associated)
            #expect(sealed.count == length + AnswerCipher.overhead)
            #expect(other.open(sealed, associated) == plain)
            #expect(one.seal(plain, associated) != sealed)
        }
    }

    @Test("a message with any bit changed is refused, and the next good one opened")
    func flippedBits() {
        let box = Box([UInt8](repeating: 7, count: 32))
        let plain = Array(#"{"status":"paid"}"#.utf8)
        let associated: [UInt8] = [1, 2, 3]
        let sealed = box.seal(plain, associated)
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(box.open(changed, associated) == nil, "bit \(bit)")
        }
        for bit in 0..<associated.count * 8 {
            var changed = associated
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(box.open(sealed, changed) == nil, "associated bit \(bit)")
        }
        #expect(box.open(sealed, associated) == plain)
    }

    @Test("a message that is cut, prolonged or sealed for something else is refused")
    func otherMessages() {
        let box = Box([UInt8](repeating: 7, count: 32))
        let sealed = box.seal(Array("paid".utf8), [1])
        for length in 0..<sealed.count { #expect(box.open(Array(sealed[..<length]), [1]) == nil) }
        #expect(box.open(sealed + [0], [1]) == nil)
        #expect(box.open(Array(sealed.dropFirst()), [1]) == nil)
        #expect(box.open(sealed, []) == nil)
        #expect(box.open(sealed, [1, 0]) == nil)
        #expect(Box([UInt8](repeating: 8, count: 32)).open(sealed, [1]) == nil)
        #expect(box.open(sealed, [1]) == Array("paid".utf8))
        let empty = box.seal([], [1])
        #expect(box.open(empty, [1]) == [])
        #expect(box.open(empty, [2]) == nil)
    }

    @Test("the derived key seals what that key opens")
    func derived() {
        let keys = StoreKeys(derivedFrom: secret("a secret of the store"))
        var cipher = AnswerCipher(key: keys.cipher)
        let plain = Array("answer".utf8)
        let sealed = cipher.seal(plain.span, associated: [UInt8]().span)
        #expect(Box(array(keys.cipher.bytes)).open(sealed) == plain)
        #expect(Box(array(keys.index.bytes)).open(sealed) == nil)
    }
}
