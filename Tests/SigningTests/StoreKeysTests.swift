// Keys, digests and fingerprints of the idempotency store, and the same computed by python's hmac.
// Relies on the python3 command. Refuses agreement by shared code: the script builds every message itself.

import Foundation
import HTTP
import Signing
import TestSupport
import Testing

private func bytes(_ array: [32 of UInt8]) -> [UInt8] { array.indices.map { array[$0] } }

private func bytes(_ secret: SecretBytes) -> [UInt8] {
    let span = secret.bytes
    return span.indices.map { span[$0] }
}

/// One digester whose answers are arrays, for calls within expectations.
private final class Digests {
    private var digester: StoreDigester

    init(_ secret: SecretBytes) { digester = StoreDigester(StoreKeys(derivedFrom: secret)) }

    func key(_ key: String, _ credential: String = "c", _ route: String = "r") -> [UInt8] {
        let (key, credential, route) = (Array(key.utf8), Array(credential.utf8), Array(route.utf8))
        return bytes(digester.key(key.span, credential: credential.span, route: route.span))
    }

    func fingerprint(_ method: String, _ target: String, _ body: String?) -> [UInt8] {
        let (method, target, text) = (Array(method.utf8), Array(target.utf8), Array((body ?? "").utf8))
        return bytes(
            digester.fingerprint(
                method: method.span, target: target.span, canonicalBody: text.span, isBodyPresent: body != nil))
    }
}

@Suite("keys of the store")
struct StoreKeysTests {
    /// Derives and digests as the room's comments say, by another library.
    private static let script = """
        import hashlib, hmac, sys
        def mac(key, text): return hmac.new(key, text, hashlib.sha256).digest()
        def field(text): return len(text).to_bytes(8, "big") + text
        secret, key, credential, route, method, target, body = (bytes.fromhex(a) for a in sys.argv[1:])
        prk = mac(b"countersign idempotency store 1", secret)
        index = mac(prk, b"index" + b"\\x01")
        print(mac(prk, b"id" + b"\\x01")[:8].hex())
        print(index.hex())
        print(mac(prk, b"cipher" + b"\\x01").hex())
        print(mac(index, b"\\x01" + field(credential) + field(route) + field(key)).hex())
        print(mac(index, b"\\x02" + field(method) + field(target) + b"\\x01" + field(body)).hex())
        print(mac(index, b"\\x02" + field(method) + field(target) + b"\\x00" + field(b"")).hex())
        """

    private func python(_ arguments: [String]) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try #require(try output.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("keys, digests and fingerprints are those that python computes")
    func python() throws {
        var seed = Seed.announced()
        for length in [1, 16, 32, 64, 65, 200] {
            func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &seed) } }
            let key = random(length)
            let fields = [3, 1, length, 4, 60, 5_000].map { random($0) }
            let keys = StoreKeys(derivedFrom: secret(key))
            let (name, credential, route) = (fields[0], fields[1], fields[2])
            let (method, target, body) = (fields[3], fields[4], fields[5])
            var digester = StoreDigester(keys)
            let digest = digester.key(name.span, credential: credential.span, route: route.span)
            let whole = digester.fingerprint(
                method: method.span, target: target.span, canonicalBody: body.span, isBodyPresent: true)
            let bare = digester.fingerprint(
                method: method.span, target: target.span, canonicalBody: Span(), isBodyPresent: false)
            let id = String(keys.id, radix: 16)
            let expected = try python(([key] + fields).map { hex($0.span) })
            #expect(
                [
                    String(repeating: "0", count: 16 - id.count) + id, hex(keys.index.bytes), hex(keys.cipher.bytes),
                    hex(digest.span), hex(whole.span), hex(bare.span),
                ] == expected)
        }
    }

    @Test("a secret gives the same keys each time, and another secret others")
    func secrets() {
        let one = StoreKeys(derivedFrom: secret("one"))
        let again = StoreKeys(derivedFrom: secret("one"))
        let other = StoreKeys(derivedFrom: secret("onf"))
        #expect(one.id == again.id && bytes(one.index) == bytes(again.index))
        #expect(bytes(one.cipher) == bytes(again.cipher))
        #expect(one.id != other.id && bytes(one.index) != bytes(other.index))
        #expect(bytes(one.cipher) != bytes(other.cipher) && bytes(one.cipher) != bytes(one.index))
        #expect(one.cipher.count == AnswerCipher.keyLength && one.index.count == 32)
        #expect(Digests(secret("one")).key("k") != Digests(secret("onf")).key("k"))
    }

    @Test("every field counts, and bytes that move from one to the next make another digest")
    func fields() {
        let digests = Digests(secret("s"))
        #expect(digests.key("k") == digests.key("k"))
        let keys = [
            digests.key("k", "c", "r"), digests.key("l", "c", "r"), digests.key("k", "d", "r"),
            digests.key("k", "c", "s"), digests.key("k", "cr", ""), digests.key("k", "", "cr"),
            digests.key("", "c", "rk"), digests.key("rk", "c", ""), digests.key("", "", ""),
        ]
        let prints = [
            digests.fingerprint("POST", "/a", "{}"), digests.fingerprint("PUT", "/a", "{}"),
            digests.fingerprint("POST", "/b", "{}"), digests.fingerprint("POST", "/a", "[]"),
            digests.fingerprint("POST", "/a", ""), digests.fingerprint("POST", "/a", nil),
            digests.fingerprint("POST/", "a", "{}"), digests.fingerprint("POST", "/a{", "}"),
            digests.fingerprint("c", "r", "k"), digests.fingerprint("", "", nil),
        ]
        #expect(Set(keys + prints).count == keys.count + prints.count)
    }

    @Test("long fields and bodies are digested whole")
    func long() {
        let digests = Digests(secret("s"))
        let text = String(repeating: "x", count: 100_000)
        #expect(digests.key(text) != digests.key(text + "x"))
        #expect(digests.key(text) == digests.key(text))
        #expect(digests.fingerprint("GET", text, text) != digests.fingerprint("GET", text, text.dropLast() + "y"))
    }
}
