// Good requests with random damage, against the whole gateway: what it answers with the upstream's answer and what the
// upstream got must be the same in number, in the gateway's own form, and below the route. Relies on HostileBench.

import Foundation
import TestSupport
import Testing

@Suite struct MutatedRequestTests {
    private static let good = [
        post("/api/x?a=b", "{\"amount\":\"1.00\"}", "X-One: 1", "Connection: keep-alive"),
        chunkedPost("/api/x/y", "{\"amount\":\"1.00\",\"n\":[1,2]}", by: 9),
        "GET http://gateway/api/x HTTP/1.1\r\nHost: gateway\r\nX-One: 1\r\n\r\n",
        post("/api/x", "{}") + post("/api/y", "{\"a\":1}", "Connection: close"),
        withChunks("2;a=\"b\"\r\n{}\r\n0\r\nX-T: 1\r\n\r\n"),
    ].map(latin1)

    /// What readers disagree about.
    private static let words = [
        "\r\n", "\n", "\r", "\r\n\r\n", "\0", " ", "\t", ":", ",", ";", "0", "1", "f", "0\r\n\r\n", "chunked", "gzip",
        "HTTP/1.0",
        "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Host: evil\r\n",
        "Connection: close\r\n",
        "Expect: 100-continue\r\n", "Upgrade: h2c\r\n", "/../", "%2e", "%2f", "//", "#", "?", "\u{FF}", "\u{80}", "-",
        "+", "{", "}", "\"",
        "GET /api/smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n", " HTTP/1.1", "Content-Encoding: deflate\r\n", "\u{B}",
        "\\",
    ].map(latin1)

    private func damaged(_ seed: inout Seed) -> [UInt8] {
        var bytes = Self.good.randomElement(using: &seed)!
        for _ in 0..<Int.random(in: 1...3, using: &seed) {
            let at = Int.random(in: 0..<bytes.count, using: &seed)
            let end = min(bytes.count, at + Int.random(in: 1...12, using: &seed))
            switch Int.random(in: 0..<6, using: &seed) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &seed)
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.insert(contentsOf: bytes[at..<end], at: at)
            case 3: bytes.replaceSubrange(at..<at + 1, with: Self.words.randomElement(using: &seed)!)
            default: bytes.insert(contentsOf: Self.words.randomElement(using: &seed)!, at: at)
            }
            if bytes.isEmpty { return [0] }
        }
        return bytes
    }

    /// Reads answers to the end; how many of them are the upstream's.
    private func relayed(_ caller: Caller) throws -> Int {
        var count = 0
        while true {
            do {
                let answer = try caller.answer()
                if answer["Proxy-Status"] == nil { count += 1 }
            } catch MessageReader.Problem.ended(_, bytes: 0) {
                return count
            }
        }
    }

    /// The request line leads below the route, and there is one Host and one framing, all of the gateway's own.
    private func isGateways(_ request: String, _ authority: String) -> Bool {
        let lines = request.components(separatedBy: "\r\n\r\n")[0].components(separatedBy: "\r\n")
        let names = lines.dropFirst().map { $0.prefix { $0 != ":" }.lowercased() }
        let own = ["host", "content-length", "content-type", "authorization", "x-date", "content-sha512", "api_key"]
        return lines[0].contains(" /base/api") && lines[0].hasSuffix(" HTTP/1.1") && lines[1] == "Host: \(authority)"
            && own.allSatisfy { name in names.count { $0 == name } == 1 }
            && !names.contains {
                ["transfer-encoding", "connection", "upgrade", "expect", "content-encoding"].contains($0)
            }
    }

    @Test func damagedRequestsAreReadInOneWayOrRefused() throws {
        var seed = Seed.announced("damaged requests")
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["COUNTERSIGN_DAMAGED_REQUESTS"].flatMap { Int($0) } ?? 1_000
        let bench = try HostileBench()
        var passed = 0
        for _ in 0..<rounds {
            let bytes = damaged(&seed)
            let caller = try bench.gateway.caller(within: 5_000)
            try? caller.send(bytes)
            caller.wire.finishSending()
            let count = try relayed(caller)
            _ = try bench.gateway.ask(post("/api/probe", "{}"))
            let seen = bench.record.take()
            let own = seen.requests.filter { !$0.hasPrefix("POST /base/api/probe HTTP/1.1\r\n") }
            let isClean = seen.stray == 0 && own.allSatisfy { isGateways($0, bench.authority) }
            #expect(
                isClean && own.count == count, "\(visible(latin1(bytes))): \(own.map(visible)), \(seen.stray), \(count)"
            )
            passed += count
        }
        #expect(passed > rounds / 20, "some damage is harmless, or nothing was tested")
    }
}
