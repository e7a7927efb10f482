// Answers in one piece and in every two, and what is no answer. Relies on nothing.

import LoadGeneration
import Testing

@Suite struct AnswerScannerTests {
    private static let good = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:5\r\nContent-Type: application/json\r\n\r\nhello",
        "HTTP/1.1 204 \r\nX-Content-Length: 9\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Lengthy: 9\r\nContent-Length: 2\r\n\r\n{}",
    ]

    private func take(_ scanner: inout AnswerScanner, _ text: some StringProtocol) -> AnswerScanner.Verdict {
        let bytes = Array(text.utf8)
        return scanner.take(bytes.span)
    }

    @Test(arguments: good)
    func oneAnswerInAnyTwoPieces(_ text: String) throws {
        let status = try #require(Int(text.dropFirst(9).prefix(3)))
        for cut in 0..<text.utf8.count {
            var scanner = AnswerScanner()
            let middle = text.utf8.index(text.startIndex, offsetBy: cut)
            #expect(take(&scanner, text[..<middle]) == .incomplete)
            #expect(take(&scanner, text[middle...]) == .complete(status: status, used: text.utf8.count - cut))
            #expect(scanner.isFresh)
        }
    }

    @Test func bytesBehindAnAnswerAreNotUsed() {
        var scanner = AnswerScanner()
        #expect(take(&scanner, Self.good[0] + "HTTP") == .complete(status: 200, used: Self.good[0].utf8.count))
    }

    @Test(arguments: [
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 20x OK\r\n", "HTTP/1.1 600 No\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "hello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ])
    func whatHasNoReadableLengthIsRefused(_ text: String) {
        var scanner = AnswerScanner()
        #expect(take(&scanner, text) == .unreadable)
    }
}
