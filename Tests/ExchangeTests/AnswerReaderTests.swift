// Answers in all framings and fragments: what is payload, when an answer is whole, when its connection may be used
// again, and that a broken answer is never taken for a whole one.
// Relies on Fragments.swift.

import Exchange
import HTTP
import TestSupport
import Testing

private let plain = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
private let chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nX: y\r\n\r\n"
private let untilClose = "HTTP/1.1 200 OK\r\n\r\n{\"a\":1}"
private let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

struct AnswerCase: Sendable, CustomTestStringConvertible {
    let message: String
    let method: Method
    let end: StreamEnd?
    let expected: ReadAnswer

    init(
        _ message: String, _ method: Method = .post, end: StreamEnd? = nil, status: Int = 200, interims: Int = 0,
        payload: String = "", _ last: AnswerReader.Step = .complete(reusable: true)
    ) {
        self.message = message
        self.method = method
        self.end = end
        expected = ReadAnswer(status: status, interims: interims, payload: payload, last: last)
    }

    var testDescription: String { "\(method) \(message.debugDescription.prefix(90)) \(expected.last)" }
}

private let json = "{\"a\":1}"

private let cases: [AnswerCase] = [
    AnswerCase(plain, payload: json), AnswerCase(chunked, payload: json),
    AnswerCase(untilClose, payload: json, .needMore),
    AnswerCase(untilClose, end: .orderly, payload: json, .complete(reusable: false)),
    AnswerCase(untilClose, end: .broken, payload: json, .ended(begun: true)),
    AnswerCase("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    AnswerCase("HTTP/1.1 204 \r\n\r\n", status: 204), AnswerCase("HTTP/1.1 304 \r\n\r\n", status: 304),
    AnswerCase("HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n", status: 304),
    AnswerCase("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", .head), AnswerCase("HTTP/1.1 200 OK\r\n\r\n", .head),
    AnswerCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .head),
    AnswerCase(interim + plain, interims: 1, payload: json),
    AnswerCase("HTTP/1.1 100 Continue\r\n\r\n" + interim + chunked, interims: 2, payload: json),
    AnswerCase(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\n" + json, payload: json,
        .complete(reusable: false)),
    AnswerCase("HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n" + json, payload: json, .complete(reusable: false)),
    AnswerCase(
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 7\r\n\r\n" + json, payload: json,
        .complete(reusable: true)),
    AnswerCase("HTTP/1.1 200 OK\r\nContent-Length: 07\r\n\r\n", status: 0, .refused(.badContentLength)),
    AnswerCase("HTTP/1.1 101 \r\n\r\n", status: 0, .refused(.badStatus)),
    AnswerCase("HTTP/1.1 204 \r\nContent-Length: 1\r\n\r\nx", status: 0, .refused(.framingNotAllowed)),
    AnswerCase("", status: 0, .needMore), AnswerCase("", end: .orderly, status: 0, .ended(begun: false)),
    AnswerCase("", end: .broken, status: 0, .ended(begun: false)),
    AnswerCase(interim, end: .orderly, status: 0, interims: 1, .ended(begun: true)),
]

@Suite struct AnswerReaderTests {
    @Test(arguments: cases)
    func eachAnswerIsReadAlikeInAllFragments(_ example: AnswerCase) {
        let all = bytes(example.message)
        for take in [1, 3, Int.max] {
            let differing = cutsThatDiffer(all.count, expected: example.expected) {
                readAnswer(all, to: example.method, cuts: $0, end: example.end, take: take)
            }
            #expect(differing == nil, "taking \(take)")
        }
    }

    @Test(arguments: [plain, chunked, interim + plain, interim + chunked])
    func anAnswerThatEndsEarlyIsNotWhole(_ message: String) {
        let all = bytes(message)
        for cut in 0..<all.count {
            for end in [StreamEnd.orderly, .broken] {
                let part = Array(all[..<cut])
                #expect(readAnswer(part, end: end).last == .ended(begun: cut > 0), "\(cut) \(end)")
                #expect(readAnswer(part, cuts: Array(0..<cut), end: end).last == .ended(begun: cut > 0), "\(cut)")
            }
            #expect(readAnswer(Array(all[..<cut])).last == .needMore)
        }
    }

    /// What came before the fault may or may not be relayed: the answer is broken off in any case.
    @Test func aMalformedChunkIsRefusedInAllFragments() {
        let begin = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        for bad in ["-1\r\n", "x", "3\nabc", "3\r\nabcd", "0\r\n\n", "0\r\nContent-Length: 1\r\n\r\n"] {
            let all = bytes(begin + bad)
            let last = readAnswer(all).last
            guard case .refused = last else {
                Issue.record("\(bad.debugDescription) gives \(last)")
                continue
            }
            for take in [1, Int.max] {
                #expect(cutsThatDiffer(all.count, expected: last) { readAnswer(all, cuts: $0, take: take).last } == nil)
                let payload = readAnswer(all, cuts: Array(0..<all.count), take: take).payload
                #expect("abcabc".hasPrefix(payload) && payload.hasPrefix("abc"), "\(payload)")
            }
        }
    }

    /// The whole is there, and the connection is over: used, but not again.
    @Test(arguments: [plain, chunked])
    func aWholeAnswerBeforeTheEndIsWhole(_ message: String) {
        for end in [StreamEnd.orderly, .broken] {
            let read = readAnswer(bytes(message), end: end)
            #expect(read == ReadAnswer(status: 200, payload: json, last: .complete(reusable: false)))
        }
    }

    @Test func anAnswerUntilCloseIsWholeOnlyAfterAnOrderlyEnd() {
        let all = bytes(untilClose)
        let headLength = all.count - 7
        for cut in 0...all.count {
            let part = Array(all[..<cut])
            let orderly = readAnswer(part, end: .orderly)
            #expect(orderly.last == (cut < headLength ? .ended(begun: cut > 0) : .complete(reusable: false)), "\(cut)")
            #expect(readAnswer(part, end: .broken).last == .ended(begun: cut > 0), "\(cut)")
        }
    }

    @Test func bytesBehindAnAnswerEndItsConnection() {
        let answers: [(String, Method)] = [
            (plain, .post), (chunked, .post), ("HTTP/1.1 204 \r\n\r\n", .post), ("HTTP/1.1 304 \r\n\r\n", .get),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", .head),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .post),
        ]
        for (message, method) in answers {
            for extra in ["x", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"] {
                let all = bytes(message + extra)
                for cut in 0..<message.utf8.count {
                    let read = readAnswer(all, to: method, cuts: [cut], take: 2)
                    #expect(read.last == .complete(reusable: false), "\(message) \(cut)")
                    #expect(!read.payload.contains("x") && !read.payload.contains("H"), "\(message) \(cut)")
                }
            }
        }
    }

    @Test func interimAnswersAreTakenUpToTheirBound() {
        for count in [AnswerReader.maxInterim - 1, AnswerReader.maxInterim] {
            let all = bytes(String(repeating: interim, count: count) + plain)
            let expected = ReadAnswer(
                status: 200, interims: count, payload: json, last: .complete(reusable: true))
            #expect(cutsThatDiffer(all.count, expected: expected) { readAnswer(all, cuts: $0) } == nil)
        }
        let flood = readAnswer(bytes(String(repeating: interim, count: AnswerReader.maxInterim + 1) + plain))
        #expect(flood == ReadAnswer(interims: AnswerReader.maxInterim, last: .refused(.headTooLarge)))
    }

    @Test func aReaderBeginsAfreshWithEachAnswer() {
        var reader = AnswerReader()
        let messages = [
            plain, chunked, String(repeating: interim, count: AnswerReader.maxInterim) + plain,
            String(repeating: interim, count: AnswerReader.maxInterim) + chunked, "HTTP/1.1 2", "x",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", plain, chunked,
        ]
        for message in messages {
            reader.begin(.post)
            #expect(readAnswer(&reader, bytes(message)) == readAnswer(bytes(message)), "\(message)")
        }
    }

    @Test func headLimitsHoldForEachHead() {
        var limits = HTTPLimits()
        limits.maxHead = 1_024
        func head(_ status: String, _ length: Int) -> String {
            let fixed = "HTTP/1.1 \(status)\r\nX: \r\nContent-Length: 0\r\n\r\n".utf8.count
            let value = String(repeating: "v", count: length - fixed)
            return "HTTP/1.1 \(status)\r\nX: \(value)\r\nContent-Length: 0\r\n\r\n"
        }
        for length in [1_023, 1_024] {
            let read = readAnswer(bytes(head("103 x", length) + head("200 OK", length)), limits: limits)
            #expect(read.last == .complete(reusable: true) && read.interims == 1)
        }
        #expect(readAnswer(bytes(head("200 OK", 1_025)), limits: limits).last == .refused(.headTooLarge))
        #expect(readAnswer(bytes(head("103 x", 1_025)), limits: limits).last == .refused(.headTooLarge))
    }

    @Test func anyChunkingGivesTheSamePayload() {
        let value = UInt64.random(in: 0...UInt64.max)
        print("seed of AnswerReaderTests: \(value)")
        var random = Seed(value)
        for _ in 0..<300 {
            var message = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            var payload = ""
            for index in 0..<Int.random(in: 0...6, using: &random) {
                let part = String(repeating: "\(index)", count: Int.random(in: 1...50, using: &random))
                payload += part
                message += String(part.utf8.count, radix: 16) + "\r\n" + part + "\r\n"
            }
            let all = bytes(message + "0\r\n\r\n")
            let cuts = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                Int.random(in: 0...all.count, using: &random)
            }
            let read = readAnswer(all, cuts: cuts.sorted(), take: Int.random(in: 1...60, using: &random))
            #expect(read == ReadAnswer(status: 200, payload: payload, last: .complete(reusable: true)))
        }
    }
}
