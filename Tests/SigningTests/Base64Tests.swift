// Base64 in both directions: the vectors of RFC 4648, every length around a word, and what the decoder refuses.
// Relies on Foundation's encoder as the other opinion. Refuses a second spelling of the same bytes.

import Foundation
import HTTP
import Signing
import TestSupport
import Testing

@Suite("Base64")
struct Base64Tests {
    @Test(
        "RFC 4648 section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(_ plain: String, _ encoded: String) {
        #expect(base64(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(Array(encoded.utf8).span) == Array(plain.utf8))
        #expect(Base64.encodedCount(plain.utf8.count) == encoded.utf8.count)
    }

    @Test("every length from 0 to 130 agrees with Foundation and comes back")
    func lengths() {
        var seed = Seed.announced()
        for length in 0...130 {
            for _ in 0..<8 {
                let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &seed) }
                let encoded = base64(bytes)
                #expect(encoded == Data(bytes).base64EncodedString())
                #expect(Base64.decode(Array(encoded.utf8).span) == bytes)
            }
        }
    }

    @Test("every value of six bits has its character")
    func alphabet() {
        let every = (UInt8(0)..<64).map { $0 }
        var packed: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 4) {
            packed.append(every[index] << 2 | every[index + 1] >> 4)
            packed.append(every[index + 1] << 4 | every[index + 2] >> 2)
            packed.append(every[index + 2] << 6 | every[index + 3])
        }
        #expect(base64(packed) == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    }

    @Test("64 bytes are 88 characters, appended behind what is there")
    func appended() {
        var buffer = ByteBuffer(capacity: 4)
        buffer.append("key=")
        Base64.append([UInt8](repeating: 0xFF, count: 64).span, to: &buffer)
        #expect(text(buffer.bytes) == "key=" + String(repeating: "/", count: 85) + "w==")
    }

    @Test(
        "what has another spelling is refused",
        arguments: [
            "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm8", "=", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm-_", "Z===", "Zm=v",
            "Zm9vYg==\r\n", "Zg%3",
        ])
    func refused(_ spelling: String) { #expect(Base64.decode(Array(spelling.utf8).span) == nil) }
}
