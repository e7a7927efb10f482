// Responses: what is read, what is refused, and where the body ends.
// Each is also fed in fragments.

import HTTP
import TestSupport
import Testing

private func answer(_ status: String, _ fields: String...) -> String {
    "HTTP/1.1 \(status)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

private let cases: [HeadCase] = [
    HeadCase(answer("200 OK", "Content-Length: 5")), HeadCase(answer("200 ")), HeadCase(answer("599 \tx y")),
    HeadCase(answer("100 Continue")), HeadCase(answer("103 Early Hints", "Link: </a>")), HeadCase(answer("204 ")),
    HeadCase(answer("204 ", "Content-Length: 0")), HeadCase(answer("304 ", "Content-Length: 5")),
    HeadCase(answer("304 ", "Transfer-Encoding: chunked")), HeadCase(answer("200 grün", "X: é")),
    HeadCase("HTTP/1.0 200 OK\r\n\r\n"), HeadCase(answer("200 ", "Content-Length: 4611686018427387")),
    HeadCase(answer("200 ", "Content-Length: 999999999999999999")),
    HeadCase(answer("200 ", "Upgrade: h2c", "Connection: Upgrade")),
    HeadCase(answer("200 ", "Transfer-Encoding: Chunked")),
    HeadCase(answer("200 ", "X:", "Set-Cookie: a=b", "Set-Cookie: c")),
    HeadCase("\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{50}", .badVersion), HeadCase("{\"status\":\"ok\"}", .badVersion),
    HeadCase("<html>", .badVersion), HeadCase("\r\nHTTP/1.1 200 OK\r\n\r\n", .badVersion),
    HeadCase("http/1.1 200 OK\r\n\r\n", .badVersion),
    HeadCase("HTTP/2 200\r\n\r\n", .badVersion), HeadCase("HTTP/2.0 200 OK\r\n\r\n", .badVersion),
    HeadCase("HTTP/1.2 200 OK\r\n\r\n", .unsupportedVersion), HeadCase("HTTP/1.10 200 OK\r\n\r\n", .badVersion),
    HeadCase("HTTP/1.x 200 OK\r\n\r\n", .badVersion), HeadCase("HTTP/1.1\r\n\r\n", .badStatus),
    HeadCase("HTTP/1. 200 OK\r\n\r\n", .badVersion),
    HeadCase("HTTP/1.1\t200 OK\r\n\r\n", .badVersion), HeadCase(answer("200"), .badStatus),
    HeadCase(answer(" 200 OK"), .badStatus),
    HeadCase(answer("20 OK"), .badStatus), HeadCase(answer("2000 OK"), .badStatus),
    HeadCase(answer("20x OK"), .badStatus),
    HeadCase(answer("-20 OK"), .badStatus), HeadCase(answer("+20 OK"), .badStatus),
    HeadCase(answer("099 OK"), .badStatus),
    HeadCase(answer("600 OK"), .badStatus), HeadCase(answer("999 OK"), .badStatus),
    HeadCase(answer("000 OK"), .badStatus),
    HeadCase(answer("200\tOK"), .badStatus), HeadCase(answer("200OK"), .badStatus), HeadCase(answer(""), .badStatus),
    HeadCase(answer("101 Switching Protocols", "Upgrade: h2c"), .badStatus), HeadCase("HTTP/1.1 200 OK\n\n", .bareLF),
    HeadCase("HTTP/1.1 200 OK\rX: y\r\n\r\n", .bareCR), HeadCase("HTTP/1.1 200 O\0K\r\n\r\n", .badStartLine),
    HeadCase("HTTP/1.1 200 \u{7f}\r\n\r\n", .badStartLine), HeadCase(answer("200 OK", "X: a", " b"), .obsFold),
    HeadCase("HTTP/1.1 200 OK\r\n X: a\r\n\r\n", .obsFold), HeadCase(answer("200 OK", "X: \0"), .badFieldValue),
    HeadCase(answer("200 OK", "X: \u{7f}"), .badFieldValue), HeadCase(answer("200 OK", "X: \u{1b}[0m"), .badFieldValue),
    HeadCase(answer("200 OK", "X : a"), .badFieldName), HeadCase(answer("200 OK", ": a"), .badFieldName),
    HeadCase(answer("200 OK", "é: a"), .badFieldName), HeadCase(answer("200 OK", "nocolon"), .badFieldName),
    HeadCase(answer("200 OK", "X\u{1}: a"), .badFieldName), HeadCase(answer("200 OK", "X: a\nY: b"), .bareLF),
    HeadCase(answer("200 OK", "X: a\rY: b"), .bareCR),
    HeadCase(answer("200 OK", "Content-Length: 5", "Content-Length: 5"), .differingContentLengths),
    HeadCase(answer("200 OK", "Content-Length: 5", "Content-Length: 6"), .differingContentLengths),
    HeadCase(answer("200 OK", "Content-Length: 5, 5"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: -1"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: +1"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: 01"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: 1000000000000000000"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: 18446744073709551616"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length:"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: 0x1"), .badContentLength),
    HeadCase(answer("200 OK", "Content-Length: 5", "Transfer-Encoding: chunked"), .bothFramings),
    HeadCase(answer("200 OK", "Transfer-Encoding: chunked", "Content-Length: 5"), .bothFramings),
    HeadCase(answer("200 OK", "Transfer-Encoding: gzip, chunked"), .badTransferCoding),
    HeadCase(answer("200 OK", "Transfer-Encoding: identity"), .badTransferCoding),
    HeadCase(answer("200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .badTransferCoding),
    HeadCase("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferCoding),
    HeadCase(answer("204 ", "Transfer-Encoding: chunked"), .framingNotAllowed),
    HeadCase(answer("204 ", "Content-Length: 5"), .framingNotAllowed),
    HeadCase(answer("100 ", "Transfer-Encoding: chunked"), .framingNotAllowed),
    HeadCase(answer("100 ", "Content-Length: 5"), .framingNotAllowed),
    HeadCase(answer("200 ", "Connection: close,"), .badConnection),
    HeadCase(answer("200 ", "Connection: content-length"), .badConnection),
]

@Suite struct ResponseHeadTests {
    @Test(arguments: cases)
    func isReadAlikeInAllFragments(_ example: HeadCase) {
        let bytes = example.bytes
        let whole = readResponse(bytes)
        #expect(whole.progress == (example.refusal.map { .refused($0) } ?? .complete))
        #expect(agreesInAllFragments(count: bytes.count, seed: 5, expected: whole) { readResponse(bytes, cuts: $0) })
        if example.refusal == nil {
            #expect(readResponse(bytes + [0, 1, 2]) == whole)
            for cut in 0..<bytes.count { #expect(readResponse(Array(bytes[..<cut])).progress == .needMore) }
        }
    }

    @Test func saysEverythingThatStandsInTheHead() {
        let reading = readResponse(
            Array(answer("422 Not  now\t", "Content-Type: a/b", "Retry-After:  5 ", "X-é", "a: b").utf8))
        #expect(reading.progress == .refused(.badFieldName))
        let good = readResponse(Array(answer("422 Not  now", "Retry-After:  5 ", "X-A: é", "Content-Length: 7").utf8))
        #expect(good.status == 422 && good.reason == "Not  now" && good.minorVersion == 1 && !good.isInterim)
        #expect(good.fields == ["retryAfter|Retry-After|5", "other|X-A|é", "contentLength|Content-Length|7"])
        #expect(good.framing == .length(7) && good.contentLength == 7 && good.keepAlive)
    }

    @Test func whereTheBodyEnds() {
        func framing(_ text: String, to method: Method = .post) -> BodyFraming {
            readResponse(Array(text.utf8), to: method).framing
        }
        #expect(framing(answer("200 ", "Content-Length: 0")) == .length(0))
        #expect(framing(answer("200 ", "Transfer-Encoding: chunked")) == .chunked)
        #expect(framing(answer("200 ")) == .untilClose)
        #expect(framing("HTTP/1.0 200 \r\n\r\n") == .untilClose)
        #expect(framing(answer("200 ", "Content-Length: 9"), to: .head) == .none)
        #expect(framing(answer("200 ", "Transfer-Encoding: chunked"), to: .head) == .none)
        #expect(framing(answer("200 "), to: .head) == .none)
        #expect(framing(answer("304 ", "Content-Length: 9")) == .none)
        #expect(framing(answer("204 ")) == .none)
        #expect(framing(answer("103 ")) == .none)
        #expect(readResponse(Array(answer("304 ", "Content-Length: 9").utf8)).contentLength == 9)
    }

    @Test func whetherTheConnectionLives() {
        func lives(_ text: String, to method: Method = .post) -> Bool {
            readResponse(Array(text.utf8), to: method).keepAlive
        }
        let length = "Content-Length: 1"
        #expect(lives(answer("200 ", length)))
        #expect(lives(answer("200 ", length, "Connection: keep-alive")))
        #expect(!lives(answer("200 ", length, "Connection: close")))
        #expect(!lives(answer("200 ", length, "Connection: keep-alive, close")))
        #expect(!lives(answer("200 ")))
        #expect(lives(answer("204 ")) && lives(answer("200 "), to: .head))
        #expect(!lives("HTTP/1.0 200 \r\nContent-Length: 1\r\n\r\n"))
        #expect(lives("HTTP/1.0 200 \r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\n"))
        #expect(!lives("HTTP/1.0 200 \r\nContent-Length: 1\r\nConnection: keep-alive, close\r\n\r\n"))
        #expect(!lives("HTTP/1.0 200 \r\nConnection: keep-alive\r\n\r\n"))
    }

    @Test func theFinalResponseFollowsAnInterimOne() {
        let bytes = Array((answer("100 Continue") + answer("200 OK", "Content-Length: 2") + "ok").utf8)
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        #expect(parser.feed(bytes.span, to: .put, limits: HTTPLimits(), into: &head) == .complete)
        #expect(head.isInterim && head.keepAlive)
        let rest = bytes.span.extracting(head.length...)
        parser.reset()
        head.reset()
        #expect(parser.feed(rest, to: .put, limits: HTTPLimits(), into: &head) == .complete)
        #expect(!head.isInterim && head.status == 200 && head.framing == .length(2))
        #expect(head.value(.contentLength) != nil && head.value(.via) == nil && head.value(.other) == nil)
    }

    @Test func mutationsDoNotDependOnFragments() {
        var random = Seed(printedSeed("response mutations"))
        let alphabet = Array("\r\n\t :,;1059aZ-\"\0é".utf8)
        let good = Array(answer("200 OK", "Content-Length: 12", "Connection: close, x-y", "X-Y: 1").utf8)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[at] = alphabet.randomElement(using: &random)!
                } else {
                    bytes.remove(at: at)
                }
            }
            let whole = readResponse(bytes)
            #expect(readResponse(bytes, cuts: Array(0..<bytes.count)) == whole, "\(bytes)")
        }
    }
}
