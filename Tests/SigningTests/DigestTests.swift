// SHA-512 and HMAC against their published vectors, in pieces and at the edges of a block.
// Relies on FIPS 180-4's examples and RFC 4231. Refuses a state that outlives its message.

import HTTP
import Signing
import TestSupport
import Testing

@Suite("digests")
struct DigestTests {
    static let known: [(String, String)] = [
        (
            "",
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        ),
        (
            "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
                + "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
                + "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
        ),
    ]

    @Test("SHA-512 of a known message", arguments: known)
    func message(_ message: String, _ expected: String) {
        let bytes = Array(message.utf8)
        #expect(hex(BodyDigest(of: bytes.span).bytes) == expected)
        var hasher = BodyHasher()
        #expect(hex(hasher.digest(bytes.span).bytes) == expected)
    }

    @Test("a body in pieces has the digest of the whole, and the next body starts anew")
    func pieces() {
        var seed = Seed.announced()
        var hasher = BodyHasher()
        for _ in 0..<200 {
            let body = (0..<Int.random(in: 0...600, using: &seed)).map { _ in UInt8.random(in: 0...255, using: &seed) }
            var at = 0
            while at < body.count {
                let end = min(body.count, at + Int.random(in: 1...140, using: &seed))
                hasher.update(body.span.extracting(at..<end))
                at = end
            }
            #expect(hasher.finish() == BodyDigest(of: body.span))
        }
        hasher.update([1, 2, 3].span)
        hasher.reset()
        #expect(hasher.finish() == BodyDigest(of: [UInt8]().span))
    }

    @Test("digests of bodies that differ in one bit differ")
    func bit() {
        let digest = BodyDigest(of: [0x40].span)
        #expect(digest != BodyDigest(of: [0x41].span))
        #expect(digest == BodyDigest(of: [0x40].span))
    }
}

/// One case of RFC 4231 section 4.
struct MACVector: Sendable {
    var key: [UInt8]
    var message: [UInt8]
    var sha256: String
    var sha512: String

    static let all: [MACVector] = [
        MACVector(
            key: [UInt8](repeating: 0x0B, count: 20), message: Array("Hi There".utf8),
            sha256: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            sha512: "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"),
        MACVector(
            key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8),
            sha256: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            sha512: "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"),
        MACVector(
            key: [UInt8](repeating: 0xAA, count: 20), message: [UInt8](repeating: 0xDD, count: 50),
            sha256: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            sha512: "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
                + "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"),
        MACVector(
            key: (1...25).map { $0 }, message: [UInt8](repeating: 0xCD, count: 50),
            sha256: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            sha512: "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
                + "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"),
        MACVector(
            key: [UInt8](repeating: 0xAA, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            sha256: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            sha512: "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"),
    ]
}

@Suite("HMAC")
struct MACTests {
    @Test("RFC 4231", arguments: MACVector.all)
    func vector(_ vector: MACVector) {
        for (algorithm, expected) in [(SigningAlgorithm.hmacSHA256, vector.sha256), (.hmacSHA512, vector.sha512)] {
            var signer = Signer(credential(key: vector.key, algorithm: algorithm))
            for _ in 0..<2 {
                let signature = signer.signature(of: vector.message.span)
                #expect(String(decoding: signature, as: UTF8.self) == base64(unhex(expected)))
            }
        }
    }

    @Test("a key longer than a block is hashed first, one as long as a block is not (RFC 2104)")
    func blockEdges() {
        let message = Array("message".utf8)
        for length in [1, 63, 64, 127, 128, 129, 255, 4_096] {
            let key = [UInt8](repeating: 0x5A, count: length)
            var signer = Signer(credential(key: key))
            let signature = signer.signature(of: message.span)
            // A key is the same as itself with zeros up to the block, and one that is too long as its digest.
            let digest = BodyDigest(of: key.span)
            let same = length > 128 ? unhex(hex(digest.bytes)) : key + [UInt8](repeating: 0, count: 128 - length)
            var other = Signer(credential(key: same))
            #expect(other.signature(of: message.span) == signature)
        }
    }
}
