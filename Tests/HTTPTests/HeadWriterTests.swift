// What goes over to the other side: numbers, copies, and the fields that may pass.
// Relies on the parsers for heads to forward.

import HTTP
import Testing

private func forwarded(request fields: String..., hasTrace: Bool = true) -> String {
    let bytes = Array(("POST /x HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    var parser = RequestHeadParser()
    var head = RequestHead()
    let progress = parser.feed(bytes.span, limits: HTTPLimits(), into: &head)
    #expect(progress == .complete)
    var buffer = ByteBuffer(capacity: 1)
    buffer.appendForwardedFields(of: head, from: bytes.span, hasTrace: hasTrace)
    return String(decoding: (0..<buffer.count).map { buffer.bytes[$0] }, as: UTF8.self)
}

private func forwarded(response fields: String...) -> String {
    let bytes = Array(("HTTP/1.1 200 OK\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    var parser = ResponseHeadParser()
    var head = ResponseHead()
    let progress = parser.feed(bytes.span, to: .post, limits: HTTPLimits(), into: &head)
    #expect(progress == .complete)
    var buffer = ByteBuffer(capacity: 1)
    buffer.appendForwardedFields(of: head, from: bytes.span)
    return String(decoding: (0..<buffer.count).map { buffer.bytes[$0] }, as: UTF8.self)
}

@Suite struct HeadWriterTests {
    @Test func numbers() {
        for number in [0, 1, 9, 10, 11, 99, 100, 215, 1_048_576, Int.max] {
            #expect(written { $0.appendDecimal(number) } == String(number))
            #expect(written { $0.appendChunkSize(number) } == String(number, radix: 16) + "\r\n")
        }
    }

    @Test func partsOfOtherBytes() {
        let bytes = Array("abcdef".utf8)
        #expect(written { $0.append(bytes: bytes.span, range: ByteRange(2, 4)) } == "cd")
        #expect(written { $0.append(bytes: bytes.span, range: ByteRange(6, 6)) } == "")
        #expect(written { $0.append(bytes: bytes.span, range: ByteRange(0, 6)) } == "abcdef")
    }

    @Test func otherFieldsPassByteForByte() {
        #expect(forwarded(request: "X-A: 1", "Accept: */*", "x-b: \"q\"") == "X-A: 1\r\nAccept: */*\r\nx-b: \"q\"\r\n")
        #expect(forwarded(request: "A:1", "B: \t2 \t", "C:", "D: ") == "A: 1\r\nB: 2\r\nC: \r\nD: \r\n")
        #expect(forwarded(request: "A:\t1", "B: 2 ", "C: 3") == "A: 1\r\nB: 2\r\nC: 3\r\n")
        #expect(
            forwarded(request: "Idempotency-Key: k", "X-Request-Id: r") == "Idempotency-Key: k\r\nX-Request-Id: r\r\n")
        #expect(forwarded(request: "A: 1", "Date: d", "B: 2", "A: 3") == "A: 1\r\nB: 2\r\nA: 3\r\n")
    }

    @Test func aTraceIsWrittenAfresh() {
        let fields = ["TraceParent: 00-x", "tracestate: a=1", "TraceState: b=2", "X: 1"]
        #expect(
            forwarded(request: fields[0], fields[1], fields[2], fields[3])
                == "tracestate: a=1\r\nTraceState: b=2\r\nX: 1\r\n")
        #expect(forwarded(request: fields[0], fields[1], fields[2], fields[3], hasTrace: false) == "X: 1\r\n")
    }

    @Test(arguments: [
        "Connection: close", "Keep-Alive: 5", "Proxy-Connection: close", "TE: trailers", "Trailer: x",
        "Transfer-Encoding: chunked", "Content-Length: 1", "Content-Type: a", "Content-Encoding: a",
        "Expect: 100-continue", "Authorization: a", "Proxy-Authorization: a", "api_key: a", "API-KEY: a", "X-Date: a",
        "x_date: a", "Date: a", "Content-Sha512: a", "content_sha512: a", "request-line: a", "Request_Line: a",
        "Content_Length: 1", "Transfer_Encoding: a", "Content_Type: a", "Content_Encoding: a", "Proxy_Authorization: a",
        "Keep_Alive: a", "proxy_connection: a", "HTTP2_Settings: a",
    ])
    func isNeverSentUpstream(_ field: String) {
        #expect(forwarded(request: "A: 1", field, "B: 2") == "A: 1\r\nB: 2\r\n")
    }

    @Test(arguments: [
        "X-Dates: a", "apikey: a", "api_keys: a", "Content-Sha51: a", "Content-Sha5122: a", "Xdate: a",
        "X-Dat\u{65}s: a",
        "Request-Lines: a", "Hosts: a", "Author: a", "X-Content-Length: 1", "Content-Lengthx: 1", "Cookie: a=b",
    ])
    func similarNamesPass(_ field: String) {
        #expect(forwarded(request: "A: 1", field, "B: 2") == "A: 1\r\n\(field)\r\nB: 2\r\n")
    }

    @Test func whatConnectionNamesIsDropped() {
        #expect(
            forwarded(
                request: "X-Hop: 1", "X-Hops: 2", "Connection: close, X-HOP", "x-b: 3", "Connection: x-b, accept",
                "Accept: a", "X-C: 4") == "X-Hops: 2\r\nX-C: 4\r\n")
        #expect(forwarded(response: "X-Hop: 1", "Connection: x-hop", "X-C: 4") == "X-C: 4\r\n")
    }

    @Test func responsesKeepWhatTheCallerNeeds() {
        let kept = ["Date: d", "Content-Type: a", "Content-Encoding: gzip", "Retry-After: 5", "Server: s", "X: é"]
        #expect(
            forwarded(
                response: kept[0], kept[1], "Content-Length: 1", kept[2], "Keep-Alive: 1", "Connection: close", kept[3],
                "Proxy-Authenticate: a", kept[4], "Proxy-Authentication-Info: a", "Trailer: x", kept[5],
                "Upgrade: h2c", "Content_Length: 7", "Idempotent-Replayed: true") == kept.map { $0 + "\r\n" }.joined())
        #expect(forwarded(response: "Transfer-Encoding: chunked", "A: b") == "A: b\r\n")
    }

    @Test func everyRefusalSaysWhatToDo() {
        for refusal in HTTPRefusal.allCases {
            let sentences = refusal.explanation.description.split(separator: ". ")
            #expect(sentences.count >= 2 && refusal.explanation.description.hasSuffix("."), "\(refusal)")
            #expect((400...599).contains(refusal.status))
        }
        let status: [(HTTPRefusal, Int)] = [
            (.badStartLine, 400), (.bodyTooLarge, 413), (.lineTooLong, 414), (.unsupportedExpectation, 417),
            (.headTooLarge, 431), (.tooManyFields, 431), (.unsupportedMethod, 501), (.unsupportedVersion, 505),
            (.upgradeRefused, 400), (.noHost, 400),
        ]
        for (refusal, expected) in status { #expect(refusal.status == expected) }
    }
}
