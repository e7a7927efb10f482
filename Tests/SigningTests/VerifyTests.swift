// A recorded request that verifies, and one per usual mistake, each recognised as what it is.
// Relies on sealed requests, rewritten as text. Refuses a verdict that blames the wrong part.

import HTTP
import Signing
import Testing

/// A recorded request with a mistake, and what must be said of it.
struct Mistake: Sendable, CustomTestStringConvertible {
    var name: String
    var part: VerificationFinding.Part
    /// A piece of the finding's text.
    var says: String
    /// Makes the recording out of a right one.
    var make: @Sendable (Recording) -> Recording

    var testDescription: String { name }
}

/// A request that is put together by hand, so that any part can be wrong.
struct Recording: Sendable {
    var line = "POST /api/v4/user%20s?a=1 HTTP/1.1"
    var signedLine: String?
    var date = "Fri, 17 Jan 2020 19:59:29 GMT"
    var body = "{\"a\":1}"
    var digest: String?
    var length: String?
    var type = "application/json"
    var list = "request-line x-date content-type content-sha512 content-length"
    var signedList: String?
    var join = "\n"
    var end = ""
    var separator = ": "
    var key = "secret"
    var algorithm = SigningAlgorithm.hmacSHA512
    var extra = ""
    var authorization = "hmac username=\"u\", algorithm=\"hmac-sha512\", headers=\"LIST\", signature=\"SIGNATURE\""

    /// The bytes as they may have been recorded.
    var bytes: [UInt8] {
        let raw = Array(body.utf8)
        let digest = digest ?? base64(unhex(hex(BodyDigest(of: raw.span).bytes)))
        let length = length ?? "\(raw.count)"
        let values = ["x-date": date, "content-type": type, "content-sha512": digest, "content-length": length]
        let lines = (signedList ?? list).split { $0 == " " || $0 == "," }.map { name in
            name == "request-line" ? signedLine ?? line : "\(name)\(separator)\(values[String(name)] ?? "")"
        }
        let signature = Self.sign(lines.joined(separator: join) + end, key, algorithm)
        let value = authorization.replacing("LIST", with: list).replacing("SIGNATURE", with: signature)
            .replacing("ENCODED", with: signature.replacing("=", with: "%3D").replacing("+", with: "%2B"))
        let head =
            "\(line)\r\nHost: upstream.test\r\nX-Date: \(date)\r\nContent-Type: \(type)\r\n"
            + "Content-sha512: \(digest)\r\nContent-Length: \(length)\r\n\(extra)Authorization: \(value)\r\n\r\n"
        return Array(head.utf8) + raw
    }

    static func sign(_ string: String, _ key: String, _ algorithm: SigningAlgorithm) -> String {
        var signer = Signer(credential(key: Array(key.utf8), algorithm: algorithm))
        return String(decoding: signer.signature(of: Array(string.utf8).span), as: UTF8.self)
    }

    func with(_ change: (inout Recording) -> Void) -> Recording {
        var copy = self
        change(&copy)
        return copy
    }
}

private func mistake(
    _ name: String, _ part: VerificationFinding.Part, _ says: String,
    _ change: @escaping @Sendable (inout Recording) -> Void
) -> Mistake { Mistake(name: name, part: part, says: says) { $0.with(change) } }

private let body = Array("{\"a\":1}".utf8)

@Suite("verify")
struct VerifyTests {
    static let now: Int64 = 1_579_291_169

    static let mistakes: [Mistake] = [
        mistake("fast clock", .clock, "X-Date is 301 s ahead") { $0.date = "Fri, 17 Jan 2020 20:04:30 GMT" },
        mistake("slow clock", .clock, "X-Date is 301 s behind") { $0.date = "Fri, 17 Jan 2020 19:54:28 GMT" },
        mistake("other date form", .clock, "not a date like") { $0.date = "2020-01-17T19:59:29Z" },
        mistake("hexadecimal digest in Base64", .digest, "hexadecimal digest in Base64") {
            $0.digest = base64(Array(hex(BodyDigest(of: body.span).bytes).utf8))
        },
        mistake("hexadecimal digest", .digest, "in hexadecimal") { $0.digest = hex(BodyDigest(of: body.span).bytes) },
        mistake("digest with a newline", .digest, "with a newline added") {
            $0.digest = base64(unhex(hex(BodyDigest(of: (body + [10]).span).bytes)))
        },
        mistake("digest without the newline", .digest, "without its last newline") {
            $0.body = "{\"a\":1}\n"
            $0.digest = base64(unhex(hex(BodyDigest(of: body.span).bytes)))
        },
        mistake("HMAC for a digest", .digest, "HMAC of the body") {
            $0.digest = Recording.sign("{\"a\":1}", "secret", .hmacSHA512)
        },
        mistake("the documentation's placeholder", .digest, "32 bytes, not 64") {
            $0.digest = base64([UInt8](repeating: 7, count: 32))
        },
        mistake("another body's digest", .digest, "not the one that was digested") {
            $0.digest = base64([UInt8](repeating: 7, count: 64))
        },
        mistake("digest over two lines", .digest, "not Base64 on one line") { $0.digest = "AAAA AAAA" },
        mistake("a fixed length", .length, "which has 7 bytes") { $0.length = "398" },
        mistake("an editor's newline", .length, "an editor may have added") {
            $0.body = "{\"a\":1}\n"
            $0.length = "7"
        },
        mistake("charset", .type, "not exactly application/json") { $0.type = "application/json; charset=utf-8" },
        mistake("another order signed", .signature, "which is not the list it carries") {
            $0.signedList = "request-line x-date content-type content-length content-sha512"
        },
        mistake("commas in the list", .headers, "commas") { $0.list = "request-line,x-date,content-sha512" },
        mistake("capitals in the list", .headers, "not in lower case") {
            $0.list = "request-line X-Date content-sha512"
        },
        mistake("signed but not sent", .headers, "x-id is signed but not sent") { $0.list += " x-id" },
        mistake("body not signed", .headers, "content-sha512 is not signed") { $0.list = "request-line x-date" },
        mistake("HTTP/2", .signature, "signed with HTTP/2.0") { $0.signedLine = "POST /api/v4/user%20s?a=1 HTTP/2.0" },
        mistake("HTTP/1.0", .signature, "signed with HTTP/1.0") {
            $0.signedLine = "POST /api/v4/user%20s?a=1 HTTP/1.0"
        },
        mistake("no base path", .signature, "signed without /api/v4") { $0.signedLine = "POST /user%20s?a=1 HTTP/1.1" },
        mistake("base path only signed", .signature, "with /api/v4 and sent without it") {
            $0.line = "POST /users HTTP/1.1"
            $0.signedLine = "POST /api/v4/users HTTP/1.1"
        },
        mistake("decoded path", .signature, "a decoded path") { $0.signedLine = "POST /api/v4/user s?a=1 HTTP/1.1" },
        mistake("no query", .signature, "without the query") { $0.signedLine = "POST /api/v4/user%20s HTTP/1.1" },
        mistake("no version", .signature, "without its version") { $0.signedLine = "POST /api/v4/user%20s?a=1" },
        mistake("newline at the end", .signature, "ends with a newline") { $0.end = "\n" },
        mistake("CRLF between lines", .signature, "joined by CRLF") { $0.join = "\r\n" },
        mistake("no space", .signature, "lack the space") { $0.separator = ":" },
        mistake("two mistakes", .signature, "ends with a newline") {
            $0.end = "\n"
            $0.signedLine = "POST /user%20s?a=1 HTTP/1.1"
        },
        mistake("secret with a newline", .signature, "secret ends with a newline") { $0.key = "secret\n" },
        mistake("another secret", .signature, "secret or altered bytes") { $0.key = "Secret" },
        mistake("another algorithm", .signature, "made with hmac-sha256") { $0.algorithm = .hmacSHA256 },
        mistake("MD5", .algorithm, "never accepted") { $0.authorization.replace("hmac-sha512", with: "hmac-md5") },
        mistake("another user", .username, "not the credential's") { $0.authorization.replace("\"u\"", with: "\"v\"") },
        mistake("request_headers", .authorization, "called request_headers") {
            $0.authorization.replace("headers", with: "request_headers")
        },
        mistake("no scheme", .authorization, "scheme word hmac is missing") {
            $0.authorization.replace("hmac user", with: "user")
        },
        mistake("another scheme", .authorization, "not hmac") {
            $0.authorization.replace("hmac user", with: "Bearer user")
        },
        mistake("capital scheme", .authorization, "neither hmac nor Hmac") {
            $0.authorization.replace("hmac user", with: "HMAC user")
        },
        mistake("order of parameters", .authorization, "not in the order") {
            $0.authorization =
                "hmac algorithm=\"hmac-sha512\", username=\"u\", headers=\"LIST\", signature=\"SIGNATURE\""
        },
        mistake("no signature", .authorization, "signature is missing") {
            $0.authorization = "hmac username=\"u\", algorithm=\"hmac-sha512\", headers=\"LIST\""
        },
        mistake("no quotes", .authorization, "not in quotes") { $0.authorization.replace("\"u\"", with: "u") },
        mistake("URL-encoded signature", .signature, "URL-encoded") {
            $0.authorization.replace("SIGNATURE", with: "ENCODED")
        },
        mistake("no authorization", .authorization, "no Authorization header") { $0.extra = "X-A: 1\r\n\r\n" },
        mistake("proxy authorization", .authorization, "reads before Authorization") {
            $0.extra = "Proxy-Authorization: x\r\n"
        },
        mistake("two dates", .format, "x-date stands more than once") { $0.extra = "x-date: x\r\n" },
        mistake("a header request-line", .format, "takes it for the request line") { $0.extra = "request-line: x\r\n" },
        mistake("chunked", .format, "transfer coding") { $0.extra = "Transfer-Encoding: chunked\r\n" },
        mistake("a broken line", .format, "line 7 is not a header line") { $0.extra = "nothing\r\n" },
        mistake("a broken request line", .format, "not METHOD TARGET VERSION") { $0.line = "POST /a" },
    ]

    private func verify(_ bytes: [UInt8], _ settings: CredentialSettings = credential()) -> [VerificationFinding] {
        var verifier = RequestVerifier(settings, basePaths: ["/api/v4"])
        return verifier.verify(bytes, now: Self.now)
    }

    @Test("a mistake is recognised", arguments: mistakes)
    func recognised(_ mistake: Mistake) {
        let findings = verify(mistake.make(Recording()).bytes)
        #expect(
            findings.contains { $0.part == mistake.part && $0.state == .wrong && $0.text.contains(mistake.says) },
            "\(findings.filter { $0.state == .wrong }.map { "\($0.part): \($0.text)" })")
    }

    @Test("what is right verifies, at both ends of the clock's tolerance")
    func right() {
        for date in ["19:59:29", "20:04:29", "19:54:29"] {
            let findings = verify(Recording(date: "Fri, 17 Jan 2020 \(date) GMT").bytes)
            #expect(!findings.contains { $0.state == .wrong }, "\(findings)")
            #expect(Set(findings.filter { $0.state == .right }.map(\.part)).count == 9)
        }
    }

    @Test("every vector verifies as it is sealed, and with LF for line ends", arguments: Vector.all)
    func sealed(_ vector: Vector) throws {
        let settings = try vector.settings
        var signer = Signer(settings)
        let method = try #require(Method.allCases.first { "\($0.name)" == vector.method })
        let request = seal(&signer, method: method, target: vector.target, body: vector.body, at: vector.unix_time)
        for end in ["\r\n", "\n"] {
            let bytes = Array((head(request).replacing("\r\n", with: end) + vector.body).utf8)
            var verifier = RequestVerifier(settings, basePaths: [])
            let findings = verifier.verify(bytes, now: vector.unix_time)
            #expect(!findings.contains { $0.state == .wrong }, "\(findings)")
            #expect(findings.contains { $0.state == .note && $0.part == .format } == (end == "\n"))
        }
    }

    @Test("no finding holds the secret or a signature")
    func silent() {
        for mistake in Self.mistakes {
            for finding in verify(
                mistake.make(Recording(key: "secret-key-1")).bytes, credential(key: Array("secret-key-1".utf8)))
            {
                #expect(!finding.text.contains("secret-key-1") && !finding.text.contains("=="))
            }
        }
    }
}
