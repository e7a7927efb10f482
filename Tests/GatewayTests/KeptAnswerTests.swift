// The form in which answers are kept, and idempotency keys in header fields.
// Relies on the parsers of HTTP for heads as the gateway has them.

import Gateway
import HTTP
import TestSupport
import Testing

/// An answer's head, read by our parser, and what is kept of it with this body.
private func kept(_ head: String, _ body: String) -> [UInt8] {
    let bytes = Array(head.utf8)
    var parser = ResponseHeadParser()
    var read = ResponseHead()
    precondition(parser.feed(bytes.span, to: .post, limits: HTTPLimits(), into: &read) == .complete)
    var buffer = ByteBuffer(capacity: 16)
    KeptAnswer.begin(read, from: bytes.span, in: &buffer)
    let rest = Array(body.utf8)
    buffer.append(rest.span)
    return array(buffer)
}

private func array(_ buffer: borrowing ByteBuffer) -> [UInt8] { (0..<buffer.count).map { buffer.bytes[$0] } }

private func written(
    _ bytes: [UInt8], own: String = "", to method: Method = .post, isReplay: Bool = false, closes: Bool = false
) -> String {
    let lines = Array(own.utf8)
    guard let answer = KeptAnswer(bytes.span) else { return "not of this form" }
    var output = ByteBuffer(capacity: 16)
    answer.write(
        of: bytes.span, own: lines.span, to: method, isReplay: isReplay, closes: closes, to: &output)
    return String(decoding: array(output), as: UTF8.self)
}

private func status(_ bytes: [UInt8]) -> Int? { KeptAnswer(bytes.span)?.status }

private let head =
    "HTTP/1.1 201 Made So\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-B: two\r\n\r\n"

@Suite struct KeptAnswerTests {
    @Test func anAnswerIsGivenWithAFramingOfOurs() {
        let bytes = kept(head, "{\"a\":1}")
        #expect(
            written(bytes)
                == "HTTP/1.1 201 Made So\r\nX-A: 1\r\nX-B: two\r\nContent-Length: 7\r\n\r\n{\"a\":1}")
        #expect(
            written(bytes, isReplay: true, closes: true)
                == "HTTP/1.1 201 Made So\r\nX-A: 1\r\nX-B: two\r\nIdempotent-Replayed: true\r\nContent-Length: 7\r\n"
                + "Connection: close\r\n\r\n{\"a\":1}")
        #expect(
            written(bytes, own: "RateLimit: \"q\";r=1;t=2\r\n")
                == "HTTP/1.1 201 Made So\r\nX-A: 1\r\nX-B: two\r\nRateLimit: \"q\";r=1;t=2\r\nContent-Length: 7\r\n"
                + "\r\n{\"a\":1}")
    }

    @Test func whereAnAnswerHasNoBodyNoneIsAnnounced() {
        let none = kept("HTTP/1.1 204 \r\nX-A: 1\r\n\r\n", "")
        #expect(written(none) == "HTTP/1.1 204 \r\nX-A: 1\r\n\r\n")
        #expect(written(kept(head, ""), to: .head) == "HTTP/1.1 201 Made So\r\nX-A: 1\r\nX-B: two\r\n\r\n")
        #expect(written(kept(head, "")).hasSuffix("Content-Length: 0\r\n\r\n"))
    }

    @Test func bytesOfAnotherFormAreRefused() {
        let bytes = kept(head, "{}")
        for count in 0..<bytes.count - 2 { #expect(status(Array(bytes[..<count])) == nil, "\(count) bytes") }
        #expect(status(bytes) == 201)
        for (index, value) in [(0, UInt8(2)), (2, 0), (1, 9), (5, 255), (6, 1)] {
            var damaged = bytes
            damaged[index] = value
            #expect(status(damaged) == nil, "byte \(index)")
        }
    }
}

@Suite struct HeaderKeyTests {
    /// What a head's `Idempotency-Key` is read as.
    private func find(_ fields: String) -> (HeaderKey.Finding, String) {
        let text = Array("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var input = ByteBuffer(capacity: 64)
        input.append(text.span)
        var parser = RequestHeadParser()
        var head = RequestHead()
        guard parser.feed(input.bytes, limits: HTTPLimits(), into: &head) == .complete else {
            return (.malformed, "head")
        }
        var key = ByteBuffer(capacity: 8)
        let finding = HeaderKey.find(Array("x-key".utf8), in: head, input, into: &key)
        return (finding, String(decoding: array(key), as: UTF8.self))
    }

    @Test func bothSpellingsAreTheSameKey() {
        for value in ["abc-1", "\"abc-1\"", "\t abc-1 "] {
            #expect(find("x-KEY: \(value)\r\n") == (.found, "abc-1"), "\(value)")
        }
        #expect(find("X-Key: \"a\\\"b\\\\c\"\r\n") == (.found, "a\"b\\c"))
        #expect(find("X-Key: a \"b\" c\r\n") == (.found, "a \"b\" c"))
    }

    @Test func whatIsNoKeyIsRefused() {
        #expect(find("") == (.absent, ""))
        #expect(find("X-Keys: a\r\nX-Ke: b\r\n") == (.absent, ""))
        for value in ["", "\"\"", "\"", "\"a", "\"a\\\"", "\"a\"b\"", "\"a\\b\"", "\"a\tb\"", "a\tb"] {
            #expect(find("X-Key: \(value)\r\n") == (.malformed, ""), "\(value)")
        }
        #expect(find("X-Key: a\r\nX-Key: a\r\n") == (.malformed, ""))
    }

    @Test func aKeyHasAtMost255Bytes() {
        let longest = String(repeating: "k", count: 255)
        #expect(find("X-Key: \(longest)\r\n") == (.found, longest))
        #expect(find("X-Key: \"\(longest)\"\r\n") == (.found, longest))
        #expect(find("X-Key: \(longest)k\r\n") == (.malformed, ""))
    }
}
