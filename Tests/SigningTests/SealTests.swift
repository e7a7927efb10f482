// What stands in a sealed head and in the string to sign beside the vectors: Host, api_key, Date, a caller's headers.
// Relies on `SigningString` as the verifier's view. Refuses a signature that one changed byte leaves as it is.

import HTTP
import Signing
import Testing

@Suite("seal")
struct SealTests {
    private func headers(_ list: String) throws -> SignedHeaders { try SignedHeaders(parsing: list) }

    private func authorization(_ head: Span<UInt8>) -> String {
        guard let range = HeaderLines.find("authorization", in: head, from: 0) else { return "" }
        return text(head.extracting(range))
    }

    @Test("base path and target stand one behind the other, byte for byte")
    func paths() {
        var signer = Signer(credential(), keepsString: true)
        for (base, target, line) in [
            ("", "/", "/"), ("/api/v4", "/user", "/api/v4/user"), ("/api/v4", "", "/api/v4"),
            ("/api", "?a=%2F&&b", "/api?a=%2F&&b"), ("", "", "/"), ("", "?q", "/?q"),
            ("", "/a//b/../c%41", "/a//b/../c%41"),
        ] {
            let sealed = seal(&signer, base: base, target: target)
            #expect(text(sealed.head).hasPrefix("POST \(line) HTTP/1.1\r\nHost: upstream.test\r\nX-Date: "))
            #expect(text(signer.stringToSign).hasPrefix("POST \(line) HTTP/1.1\nx-date: "))
        }
    }

    @Test("every method has its name in the line")
    func methods() {
        var signer = Signer(credential())
        for method in Method.allCases {
            let sealed = seal(&signer, method: method)
            #expect(text(sealed.head).hasPrefix("\(method.name) /a HTTP/1.1\r\n"))
        }
    }

    @Test("forwarded lines stand between Host and the credential's, in their order")
    func forwarded() {
        var signer = Signer(credential())
        let sealed = seal(&signer, lines: "Accept: */*\r\nX-Request-Id: 1\r\n")
        #expect(text(sealed.head).contains("\r\nHost: upstream.test\r\nAccept: */*\r\nX-Request-Id: 1\r\nX-Date: "))
        var draft = Draft(
            head: ByteBuffer(capacity: 1), method: .post, authority: Array("upstream.test".utf8), basePath: [],
            target: Array("/a".utf8).span)
        draft.append(name: Array("Accept".utf8).span, value: Array("*/*".utf8).span)
        draft.append(name: Array("X-Request-Id".utf8).span, value: Array("1".utf8).span)
        let body = Array("{}".utf8)
        let other = signer.seal(
            draft, digest: BodyDigest(of: body.span), bodyLength: 2, date: HTTPDate(unixSeconds: 1_579_291_169))
        #expect(text(other.head) == text(sealed.head))
    }

    @Test("the API key goes into its header where it belongs there, else nowhere")
    func apiKey() throws {
        let pointer = try #require(JSONPointer("/ledger/api_key"))
        for (place, inHeader) in [
            (APIKeyPlace.header, true), (.both, true), (.body, false), (.pointer(pointer), false),
        ] {
            let key = APIKeySettings(value: secret("k-123"), place: place)
            var signer = Signer(credential(apiKey: key))
            let sealed = seal(&signer)
            #expect(text(sealed.head).contains("\r\napi_key: k-123\r\n") == inHeader)
            #expect(text(sealed.head).contains("k-123") == inHeader)
        }
    }

    @Test("Date is sent only where it is signed, and is X-Date's")
    func date() throws {
        var signer = Signer(credential(headers: try headers("request-line date content-sha512")), keepsString: true)
        let sealed = seal(&signer)
        let when = "Fri, 17 Jan 2020 19:59:29 GMT"
        #expect(text(sealed.head).contains("\r\nX-Date: \(when)\r\nDate: \(when)\r\nContent-Type: "))
        #expect(text(signer.stringToSign).hasPrefix("POST /a HTTP/1.1\ndate: \(when)\ncontent-sha512: "))
        var plain = Signer(credential())
        #expect(!text(seal(&plain).head).contains("\r\nDate: "))
    }

    @Test("host, the API key and a caller's headers can be signed; an absent one is signed as its name")
    func otherHeaders() throws {
        let list = "host x-b request-line api_key x-date content-sha512 x-none"
        let key = APIKeySettings(value: secret("k"), place: .header)
        var signer = Signer(credential(headers: try headers(list), apiKey: key), keepsString: true)
        let sealed = seal(&signer, lines: "X-A: 1\r\nX-B:  two words\t\r\nX-Bc: 3\r\n")
        let string = text(signer.stringToSign)
        #expect(string.hasPrefix("host: upstream.test\nx-b: two words\nPOST /a HTTP/1.1\napi_key: k\nx-date: "))
        #expect(string.hasSuffix("==\nx-none:"))
        let names = list.split(separator: " ").map(String.init)
        #expect(text(SigningString.build(names, from: sealed.head).span) == string)
    }

    @Test("a signed header that stands twice is seen before the seal")
    func repeated() throws {
        let signer = Signer(credential(headers: try headers("request-line x-date content-sha512 x-b")))
        let plain = Signer(credential())
        for (lines, isRepeated) in [
            ("", false), ("X-B: 1\r\n", false), ("X-B: 1\r\nx-b: 1\r\n", true),
            ("X-B: 1\r\nX-C: 2\r\nX-b: 3\r\n", true),
            ("X-C: 1\r\nX-C: 2\r\n", false),
        ] {
            var draft = Draft(
                head: ByteBuffer(capacity: 1), method: .get, authority: [1], basePath: [], target: Array("/".utf8).span)
            draft.append(Array(lines.utf8).span)
            let seen = signer.repeatsSignedHeader(draft)
            let seenByPlain = plain.repeatsSignedHeader(draft)
            #expect(seen == isRepeated && !seenByPlain)
            _ = draft.recycle()
        }
    }

    @Test("one changed byte anywhere changes the signature")
    func changedByte() {
        var signer = Signer(credential())
        let reference = authorization(seal(&signer, target: "/path?q=1", body: "{\"a\":1}").head)
        var seen: Set<String> = [reference]
        for (target, body, seconds) in [
            ("/path?q=2", "{\"a\":1}", Int64(1_579_291_169)), ("/Path?q=1", "{\"a\":1}", 1_579_291_169),
            ("/path?q=1", "{\"a\":2}", 1_579_291_169), ("/path?q=1", "{\"a\":1}\n", 1_579_291_169),
            ("/path?q=1", "{\"a\":1}", 1_579_291_170),
        ] { seen.insert(authorization(seal(&signer, target: target, body: body, at: seconds).head)) }
        seen.insert(authorization(seal(&signer, method: .put, target: "/path?q=1", body: "{\"a\":1}").head))
        var otherKey = Signer(credential(key: Array("secreT".utf8)))
        seen.insert(authorization(seal(&otherKey, target: "/path?q=1", body: "{\"a\":1}").head))
        var legacy = Signer(credential(algorithm: .hmacSHA256))
        seen.insert(authorization(seal(&legacy, target: "/path?q=1", body: "{\"a\":1}").head))
        #expect(seen.count == 9)
        #expect(authorization(seal(&signer, target: "/path?q=1", body: "{\"a\":1}").head) == reference)
    }

    @Test("the buffer comes back empty and is used again")
    func recycled() {
        var signer = Signer(credential())
        let sealed = seal(&signer)
        let first = head(sealed)
        let buffer = sealed.recycle()
        #expect(buffer.count == 0)
        let body = Array("{}".utf8)
        let draft = Draft(
            head: buffer, method: .post, authority: Array("upstream.test".utf8), basePath: [],
            target: Array("/a".utf8).span)
        let again = signer.seal(
            draft, digest: BodyDigest(of: body.span), bodyLength: 2, date: HTTPDate(unixSeconds: 1_579_291_169))
        #expect(text(again.head) == first)
    }

    @Test("content lengths from no digit's change to the next", arguments: [0, 9, 10, 99, 100, 1_048_576])
    func lengths(_ length: Int) {
        var signer = Signer(credential())
        let body = String(repeating: "x", count: length)
        let sealed = seal(&signer, body: body)
        #expect(text(sealed.head).contains("\r\nContent-Length: \(length)\r\nAuthorization: hmac username=\"u\""))
        #expect(sealed.bodyLength == length)
    }

    @Test("a secret is never in a description")
    func silent() {
        let settings = credential(key: Array("visible-secret".utf8))
        #expect(!"\(settings)".contains("visible"))
        #expect("\(settings.secret)" == "SecretBytes")
    }
}
