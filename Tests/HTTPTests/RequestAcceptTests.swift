// Requests that must be read, and what they say.
// Each is also fed in fragments and behind another request.

import HTTP
import Testing

private func post(_ fields: String...) -> String {
    "POST /x HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

private func get(_ target: String, host: String = "h") -> String { "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n" }

private let accepted: [HeadCase] = [
    HeadCase(get("/")), HeadCase(get("/a")), HeadCase(get("/a/")), HeadCase(get("/a/b/c?d=e&f=g")),
    HeadCase(get("/?")), HeadCase(get("/?/../%2e%2f%00//")), HeadCase(get("/a?b?c")), HeadCase(get("/...")),
    HeadCase(get("/.a/..b/c.")), HeadCase(get("/%20%c3%A9")), HeadCase(get("/-._~!$&'()*+,;=:@")),
    HeadCase(get("/a;x=1")), HeadCase(get("/.../;")), HeadCase(get("/%2e%2e%2e")), HeadCase(get("/a%5b%5d")),
    HeadCase(get("http://h/")), HeadCase(get("HTTP://H/a?b")), HeadCase(get("https://h:443/a", host: "H:443")),
    HeadCase(get("/", host: "127.0.0.1:8080")), HeadCase(get("/", host: "[::1]")), HeadCase(get("/", host: "[::]:1")),
    HeadCase(get("/", host: "[2001:db8::1]:65535")), HeadCase(get("/", host: "[1:2:3:4:5:6:7:8]")),
    HeadCase(get("/", host: "[::ffff:10.0.0.1]")), HeadCase(get("/", host: "[1:2:3:4:5:6:1.2.3.4]")),
    HeadCase(get("/", host: "a_b.example-1.com.")), HeadCase(get("/", host: "\t h \t")),
    HeadCase("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), HeadCase("PUT / HTTP/1.1\r\nHost: h\r\n\r\n"),
    HeadCase("PATCH / HTTP/1.1\r\nHost: h\r\n\r\n"), HeadCase("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"),
    HeadCase("OPTIONS /a HTTP/1.1\r\nhOST:h\r\n\r\n"), HeadCase(post()),
    HeadCase(post("Content-Length: 0")), HeadCase(post("Content-Length:5")), HeadCase(post("content-length: \t12 ")),
    HeadCase(post("Transfer-Encoding: chunked")), HeadCase(post("TRANSFER-ENCODING:\tChunKed \t")),
    HeadCase(post("Connection: close")), HeadCase(post("Connection: keep-alive")),
    HeadCase(post("Connection: Keep-Alive, CLOSE")), HeadCase(post("Connection: keep-alive", "Connection: close")),
    HeadCase(post("Connection: x-hop ,\tte", "X-Hop: 1", "TE: trailers")), HeadCase(post("Keep-Alive: timeout=5")),
    HeadCase(post("Proxy-Connection: keep-alive")), HeadCase(post("Trailer: X-Checksum, x-b")),
    HeadCase(post("Expect: 100-continue", "Content-Length: 3")), HeadCase(post("expect: 100-Continue")),
    HeadCase(post("Content-Type: application/json; charset=utf-8")), HeadCase(post("Content-Encoding: gzip")),
    HeadCase(post("X-Empty:")), HeadCase(post("X-Empty: \t ")), HeadCase(post("X-Tab: a\tb")),
    HeadCase(post("!#$%&'*+-.^_`|~09azAZ: ok")), HeadCase(post("api_key: k", "X-Date: d", "request-line: r")),
    HeadCase(post("X-Colon: a:b: c")), HeadCase(post("A: 1", "A: 2")), HeadCase(post("Date: now", "Via: 1.1 x")),
    HeadCase(post("Idempotency-Key: 1", "X-Request-Id: 2", "traceparent: 3", "User-Agent: \"q\" (c)")),
    HeadCase(post("Content_Length: 7")), HeadCase(post("X-Quote: \"a, b\"")), HeadCase(post("Authorization: Bearer x")),
]

@Suite struct RequestAcceptTests {
    @Test(arguments: accepted)
    func isAcceptedInAllFragments(_ example: HeadCase) {
        let bytes = example.bytes
        let whole = readRequest(bytes)
        #expect(whole.progress == .complete)
        #expect(whole.length == bytes.count)
        #expect(agreesInAllFragments(count: bytes.count, seed: 1, expected: whole) { readRequest(bytes, cuts: $0) })
        for cut in 0..<bytes.count {
            #expect(readRequest(Array(bytes[..<cut])).progress == .needMore, "\(cut) bytes are no head yet")
        }
        // Nothing of what follows is looked at.
        #expect(readRequest(bytes + [0, 10, 255]) == whole)
    }

    @Test(arguments: accepted)
    func isAcceptedBehindAnother(_ example: HeadCase) {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let first =
            "PUT /first?q HTTP/1.1\r\nHost: a\r\nConnection: close, x-a\r\nContent-Type: t\r\n"
            + "Expect: 100-continue\r\n\r\n"
        let limits = HTTPLimits()
        let before = readRequest(Array(first.utf8) + example.bytes, cuts: [3], limits: limits, &parser, &head)
        #expect(before.progress == .complete && before.length == first.utf8.count)
        parser.reset()
        head.reset()
        let second = readRequest(example.bytes, cuts: [], limits: limits, &parser, &head)
        #expect(second == readRequest(example.bytes))
    }

    @Test func saysEverythingThatStandsInTheHead() {
        let reading = readRequest(
            Array(
                ("PATCH /users/1?x=%20 HTTP/1.1\r\nHost: h\r\nContent-Type:  a/b \r\nCONTENT-ENCODING: gzip\r\n"
                    + "api_key: k\r\nX-Date: d\r\nContent-SHA512: s\r\nrequest-line: r\r\nX-Other:v\r\n"
                    + "Content-Length: 17\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n").utf8))
        #expect(reading.method == .patch)
        #expect(reading.target == "/users/1?x=%20")
        #expect(reading.path == "/users/1")
        #expect(
            reading.fields == [
                "host|Host|h", "contentType|Content-Type|a/b", "contentEncoding|CONTENT-ENCODING|gzip",
                "apiKey|api_key|k", "xDate|X-Date|d", "contentSHA512|Content-SHA512|s", "requestLine|request-line|r",
                "other|X-Other|v", "contentLength|Content-Length|17", "connection|Connection|close",
                "expect|Expect|100-continue",
            ])
        #expect(reading.framing == .length(17))
        #expect(!reading.keepAlive && reading.expectsContinue)
        #expect(reading.contentType == "a/b" && reading.contentEncoding == "gzip")
    }

    @Test func anAbsoluteTargetIsTakenFromItsPathOn() {
        let reading = readRequest(Array(get("http://H:80/a/b?c", host: "h:80").utf8))
        #expect(reading.target == "/a/b?c" && reading.path == "/a/b")
    }

    @Test func framingAndPersistence() {
        #expect(readRequest(Array(post().utf8)).framing == .none)
        #expect(readRequest(Array(post("Content-Length: 0").utf8)).framing == .length(0))
        #expect(readRequest(Array(post("Transfer-Encoding: chunked").utf8)).framing == .chunked)
        #expect(readRequest(Array(post().utf8)).keepAlive)
        #expect(!readRequest(Array(post("Connection: keep-alive", "Connection: CLOSE").utf8)).keepAlive)
    }

    @Test func valuesAreFoundByName() {
        var parser = RequestHeadParser()
        var head = RequestHead()
        let bytes = Array(post("X-Other: 1", "X-Request-Id: abc", "X-Request-Id: def").utf8)
        #expect(parser.feed(bytes.span, limits: HTTPLimits(), into: &head) == .complete)
        #expect(head.value(.xRequestID).map { text(bytes, $0) } == "abc")
        #expect(head.value(.other) == nil && head.value(.via) == nil)
        head.reset()
        #expect(head.value(.xRequestID) == nil && head.fields.count == 0 && head.length == 0)
    }

    @Test func everyKnownNameIsKnownInAnyCase() {
        let names = [
            "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection",
            "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect", "authorization",
            "proxy-authorization", "proxy-authenticate", "proxy-authentication-info", "api_key", "x-date", "date",
            "content-sha512", "request-line", "idempotency-key", "x-request-id", "traceparent", "tracestate", "via",
            "server", "accept", "accept-encoding", "user-agent", "retry-after", "www-authenticate", "http2-settings",
            "proxy-status", "idempotent-replayed",
        ]
        #expect(names.count + 1 == KnownHeader.allCases.count)
        for (name, known) in zip(names, KnownHeader.allCases.dropFirst()) {
            for spelling in [name, name.uppercased()] {
                let bytes = Array(spelling.utf8)
                #expect(KnownHeader.named(bytes.span, ByteRange(0, bytes.count)) == known)
                for at in bytes.indices {
                    let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[at] | 0x20)
                    for bit in 0..<8 {
                        var other = bytes
                        other[at] ^= 1 << UInt8(bit)
                        // No head holds a control byte (`RequestRefusalTests`), so that none is told from a name's.
                        guard other[at] >= 0x20 && other[at] != 0x7F else { continue }
                        let expected: KnownHeader = bit == 5 && isLetter ? known : .other
                        #expect(KnownHeader.named(other.span, ByteRange(0, other.count)) == expected)
                    }
                }
                let longer = bytes + [UInt8(ascii: "x")]
                #expect(KnownHeader.named(longer.span, ByteRange(0, longer.count)) == .other)
            }
        }
    }
}
