// The bounds on heads: one below, at the edge, one above; for requests and responses.
// Relies on `HTTPLimits` meaning what its comments say.

import HTTP
import TestSupport
import Testing

private func request(line length: Int) -> [UInt8] {
    let around = "GET / HTTP/1.1".utf8.count
    return Array("GET /\(String(repeating: "a", count: length - around)) HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
}

private func response(line length: Int) -> [UInt8] {
    let around = "HTTP/1.1 200 ".utf8.count
    return Array("HTTP/1.1 200 \(String(repeating: "a", count: length - around))\r\nContent-Length: 0\r\n\r\n".utf8)
}

/// A head of exactly `length` bytes.
private func request(head length: Int) -> [UInt8] {
    let around = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".utf8.count
    return Array("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "a", count: length - around))\r\n\r\n".utf8)
}

private func response(head length: Int) -> [UInt8] {
    let around = "HTTP/1.1 200 OK\r\nX: \r\n\r\n".utf8.count
    return Array("HTTP/1.1 200 OK\r\nX: \(String(repeating: "a", count: length - around))\r\n\r\n".utf8)
}

private func fields(_ count: Int) -> String { (0..<count).map { "X\($0): 1\r\n" }.joined() + "\r\n" }

@Suite struct HeadLimitTests {
    private let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.maxHead = 1024
        limits.maxLine = 256
        limits.maxFields = 8
        limits.maxBody = 1024
        return limits
    }()

    private func check(
        request bytes: [UInt8], _ expected: HeadProgress, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let whole = readRequest(bytes, limits: limits)
        #expect(whole.progress == expected, sourceLocation: sourceLocation)
        #expect(
            agreesInAllFragments(count: bytes.count, seed: 3, expected: whole) {
                readRequest(bytes, cuts: $0, limits: limits)
            }, sourceLocation: sourceLocation)
    }

    private func check(
        response bytes: [UInt8], _ expected: HeadProgress, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let whole = readResponse(bytes, limits: limits)
        #expect(whole.progress == expected, sourceLocation: sourceLocation)
        #expect(
            agreesInAllFragments(count: bytes.count, seed: 4, expected: whole) {
                readResponse(bytes, cuts: $0, limits: limits)
            }, sourceLocation: sourceLocation)
    }

    @Test func startLine() {
        check(request: request(line: 255), .complete)
        check(request: request(line: 256), .complete)
        check(request: request(line: 257), .refused(.lineTooLong))
        check(response: response(line: 255), .complete)
        check(response: response(line: 256), .complete)
        check(response: response(line: 257), .refused(.lineTooLong))
    }

    @Test func startLineThatNeverEndsIsRefusedAtItsLimit() {
        let endless = request(line: 1000)
        #expect(readRequest(Array(endless[..<256]), limits: limits).progress == .needMore)
        #expect(readRequest(Array(endless[..<257]), limits: limits).progress == .refused(.lineTooLong))
    }

    @Test func wholeHead() {
        check(request: request(head: 1023), .complete)
        check(request: request(head: 1024), .complete)
        check(request: request(head: 1025), .refused(.headTooLarge))
        check(response: response(head: 1023), .complete)
        check(response: response(head: 1024), .complete)
        check(response: response(head: 1025), .refused(.headTooLarge))
    }

    @Test func headThatNeverEndsIsRefusedAtItsLimit() {
        let endless = request(head: 4000)
        #expect(readRequest(Array(endless[..<1023]), limits: limits).progress == .needMore)
        #expect(readRequest(Array(endless[..<1024]), limits: limits).progress == .refused(.headTooLarge))
    }

    @Test func whatFollowsTheHeadDoesNotCount() {
        let body = [UInt8](repeating: 0, count: 4096)
        #expect(readRequest(request(head: 1024) + body, limits: limits).progress == .complete)
        #expect(readResponse(response(head: 1024) + body, limits: limits).progress == .complete)
    }

    @Test func numberOfFields() {
        let line = "GET / HTTP/1.1\r\nHost: h\r\n"
        check(request: Array((line + fields(6)).utf8), .complete)
        check(request: Array((line + fields(7)).utf8), .complete)
        check(request: Array((line + fields(8)).utf8), .refused(.tooManyFields))
        check(response: Array(("HTTP/1.1 200 \r\n" + fields(7)).utf8), .complete)
        check(response: Array(("HTTP/1.1 200 \r\n" + fields(8)).utf8), .complete)
        check(response: Array(("HTTP/1.1 200 \r\n" + fields(9)).utf8), .refused(.tooManyFields))
    }

    @Test func announcedBody() {
        for (length, expected) in [
            (1023, HeadProgress.complete), (1024, .complete), (1025, .refused(.bodyTooLarge)),
        ] {
            check(request: Array("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n".utf8), expected)
            // Answers are relayed, not held: their length is bounded by the reader of the body.
            check(response: Array("HTTP/1.1 200 \r\nContent-Length: \(length)\r\n\r\n".utf8), .complete)
        }
    }

    @Test func connectionOptions() {
        for (count, expected) in [(15, HeadProgress.complete), (16, .complete), (17, .refused(.badConnection))] {
            let options = (0..<count).map { "x\($0)" }.joined(separator: ", ")
            check(request: Array("GET / HTTP/1.1\r\nHost: h\r\nConnection: \(options)\r\n\r\n".utf8), expected)
            let several = (0..<count).map { "Connection: x\($0)\r\n" }.joined()
            var wide = limits
            wide.maxFields = 100
            let split = Array("GET / HTTP/1.1\r\nHost: h\r\n\(several)\r\n".utf8)
            #expect(readRequest(split, limits: wide).progress == expected)
        }
    }

    /// A head that drips in must cost as much as one that comes whole: twice the bytes, about twice the time.
    @Test func aDrippedHeadCostsLinearTime() {
        var wide = HTTPLimits()
        wide.maxHead = 256 * 1024
        /// In processor time: what else the machine does is not counted.
        func cost(_ length: Int) -> Double {
            let bytes = request(head: length)
            let cuts = Array(0..<bytes.count)
            let rounds = (0..<5).map { _ in
                let start = threadCPUNanoseconds()
                _ = readRequest(bytes, cuts: cuts, limits: wide)
                return threadCPUNanoseconds() - start
            }
            return Double(rounds.min()!)
        }
        let ratio = cost(80_000) / cost(10_000)
        #expect(ratio < 24, "eight times the bytes took \(ratio) times as long; quadratic would be 64")
    }
}
