// Requests in all framings and fragments, one behind the other, and the bound on bodies at its edge.
// Relies on Fragments.swift.

import Exchange
import HTTP
import TestSupport
import Testing

private let post = "POST /pay HTTP/1.1\r\nHost: a\r\n"
private let plain = post + "Content-Length: 7\r\n\r\n{\"a\":1}"
private let chunkedBody = "3;x=y\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nX: y\r\n\r\n"
private let chunked = post + "Transfer-Encoding: chunked\r\n\r\n" + chunkedBody
private let get = "GET /q?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"

private func sized(_ count: Int) -> [UInt8] {
    bytes(post + "Content-Length: \(count)\r\n\r\n" + String(repeating: "x", count: count))
}

private func inChunks(_ sizes: [Int]) -> [UInt8] {
    let chunks = sizes.map { String($0, radix: 16) + "\r\n" + String(repeating: "x", count: $0) + "\r\n" }
    return bytes(post + "Transfer-Encoding: chunked\r\n\r\n" + chunks.joined() + "0\r\n\r\n")
}

private let paid = ReadRequest(end: .complete, method: .post, target: "/pay", body: "{\"a\":1}")
private let asked = ReadRequest(end: .complete, method: .get, target: "/q?x=1", body: "")

@Suite struct RequestReaderTests {
    @Test(arguments: [(plain, paid), (chunked, paid), (get, asked)])
    func eachFramingIsReadAlikeInAllFragments(_ message: String, _ expected: ReadRequest) {
        let all = bytes(message)
        #expect(readRequests(all) == [expected, ReadRequest()])
        #expect(cutsThatDiffer(all.count, expected: [expected, ReadRequest()]) { readRequests(all, cuts: $0) } == nil)
    }

    @Test func requestsBehindOneAnotherKeepTheirBytesApart() {
        let all = bytes(plain + chunked + get + get + chunked + plain + "POST /la")
        let expected = [paid, paid, asked, asked, paid, paid, ReadRequest()]
        #expect(readRequests(all) == expected)
        #expect(cutsThatDiffer(all.count, expected: expected) { readRequests(all, cuts: $0) } == nil)
    }

    @Test(arguments: [(plain, 7), (chunked, chunkedBody.utf8.count), (get, 0)])
    func aPartIsNeverTakenForTheWhole(_ message: String, _ bodyLength: Int) {
        let all = bytes(message)
        let headLength = all.count - bodyLength
        for cut in 0..<all.count {
            let read = readRequests(Array(all[..<cut]))
            #expect(read.count == 1 && read[0].end == (cut < headLength ? .needsHead : .needsBody), "\(cut)")
        }
    }

    @Test func bodiesAreBoundedAtTheEdge() {
        var limits = HTTPLimits()
        limits.maxBody = 1_024
        for count in [0, 1, 1_023, 1_024] {
            #expect(readRequests(sized(count), limits: limits)[0].end == .complete, "\(count)")
            let halves = count > 1 ? [count / 2, count - count / 2] : [count].filter { $0 > 0 }
            #expect(readRequests(inChunks(halves), limits: limits)[0].body.utf8.count == count, "\(count)")
        }
        #expect(readRequests(sized(1_025), limits: limits)[0].end == .headRefused(.bodyTooLarge))
        for sizes in [[1_025], [1_024, 1], [1, 1_024], [512, 513]] {
            let all = inChunks(sizes)
            let end = ReadRequest.End.bodyRefused(.bodyTooLarge)
            #expect(readRequests(all, limits: limits)[0].end == end, "\(sizes)")
            #expect(readRequests(all, cuts: Array(0..<all.count), limits: limits)[0].end == end, "\(sizes)")
        }
    }

    @Test func aMalformedChunkIsRefusedInAllFragments() {
        for bad in ["x\r\n", "3\r\nabcd\r\n", "-1\r\n", "3\nabc\r\n", "3\r\nabc\r\n0\r\nHost: b\r\n\r\n"] {
            let all = bytes(post + "Transfer-Encoding: chunked\r\n\r\n" + bad)
            let end = readRequests(all)[0].end
            guard case .bodyRefused = end else {
                Issue.record("\(bad.debugDescription) gives \(end)")
                continue
            }
            #expect(cutsThatDiffer(all.count, expected: end) { readRequests(all, cuts: $0)[0].end } == nil)
        }
    }

    @Test func framingTakesNoRoom() {
        var reader = RequestReader()
        var buffer = ByteBuffer(capacity: 16)
        let head = bytes(post + "Transfer-Encoding: chunked\r\n\r\n")
        buffer.append(head.span)
        #expect(reader.readHead(buffer, limits: HTTPLimits()) == .complete)
        let chunk = bytes("1;" + String(repeating: "e", count: 100) + "\r\nx\r\n")
        for count in 1...500 {
            buffer.append(chunk.span)
            #expect(reader.readBody(&buffer, limits: HTTPLimits()) == .needMore)
            #expect(buffer.count == head.count + count && reader.consumed == buffer.count)
            #expect(reader.body == ByteRange(head.count, head.count + count))
        }
    }

    @Test func anyChunkingGivesTheSameBody() {
        let value = UInt64.random(in: 0...UInt64.max)
        print("seed of RequestReaderTests: \(value)")
        var random = Seed(value)
        for _ in 0..<200 {
            let sizes = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int.random(in: 1...40, using: &random) }
            let all = inChunks(sizes) + bytes(get)
            let cuts = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                Int.random(in: 0...all.count, using: &random)
            }
            let read = readRequests(all, cuts: cuts.sorted())
            let body = String(repeating: "x", count: sizes.reduce(0, +))
            #expect(read == [ReadRequest(end: .complete, method: .post, target: "/pay", body: body), asked, .init()])
        }
    }
}
