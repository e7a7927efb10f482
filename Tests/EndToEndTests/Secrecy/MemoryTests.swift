// What stays in the gateway's memory: of callers' account numbers nothing, of each secret at most two copies.
// Relies on MemorySearch. The numbers begin with digits that nothing else has, so that one needle finds all of them.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct MemoryTests {
    /// The beginning of all account numbers.
    private static let mark = "7305518"
    private static let secrets = [
        "hmac": "hmac-SECRET-held-once-4411", "next": "next-SECRET-held-once-4412", "key": "api-key-SECRET-held-4413",
        "token": "token-SECRET-held-once-4414", "store": "store-SECRET-held-once-4415",
    ]

    private let token = "Authorization: Bearer token-SECRET-held-once-4414"

    private func number(_ index: Int) -> String { Self.mark + String(10_000 + index) }

    /// A request of one of eight kinds, each with its number in body, header and query.
    private func request(_ index: Int) -> [UInt8] {
        let number = number(index)
        let body =
            "{\"account_number\":\"\(number)\",\"\(number)\":{\"a\":[\(number),\"\\u003\(number.prefix(1))"
            + "\(number.dropFirst())\"]},\"\\u0041\(number)\":\"\(number)\",\"key\":\"k-\(number)\"}"
        let target = "?account=\(number)&n=\(index)"
        let mark = "X-Account: \(number)"
        let head = "Host: a\r\nContent-Type: application/json\r\n\(mark)\r\n\(token)\r\n"
        switch index % 8 {
        case 0: return Array(post("/open\(target)", body, mark, token).utf8)
        case 1:
            let half = body.utf8.count / 2
            let first = body.prefix(half)
            let last = body.dropFirst(half)
            let chunks = [first, last].map { String($0.utf8.count, radix: 16) + "\r\n\($0)\r\n" }.joined()
            let coding = "Transfer-Encoding: chunked\r\n\r\n"
            return Array("POST /open\(target) HTTP/1.1\r\n\(head)\(coding)\(chunks)0\r\n\r\n".utf8)
        case 2:
            let coded = Deflated.gzip(Array(body.utf8))
            let coding = "Content-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n"
            return Array("POST /open\(target) HTTP/1.1\r\n\(head)\(coding)".utf8) + coded
        case 3: return Array(post("/pay\(target)", body, mark, token).utf8)
        case 4: return Array(post("/open\(target)", body + number, mark, token).utf8)
        case 5: return Array(post("/nobody/\(number)\(target)", body, mark, token).utf8)
        case 6:
            let large = String(repeating: "\"\(number)\",", count: 3_000)
            return Array(post("/open\(target)", "{\"key\":\"\(index)\",\"all\":[\(large)0]}", mark, token).utf8)
        default: return Array(post("/open\(target)", body, mark).utf8)
        }
    }

    /// A body of some 200 KiB, as it comes or in chunks, or one of 60 KiB with a coding (`Deflated` has no more).
    private func longRequest(_ index: Int) -> [UInt8] {
        let number = number(index)
        let count = index % 3 == 2 ? 4_000 : 14_000
        let body = "{\"all\":[" + String(repeating: "\"\(number)\",", count: count) + "0]}"
        let head =
            "POST /open HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-Account: \(number)\r\n"
            + token + "\r\n"
        switch index % 3 {
        case 0: return Array("\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
        case 1:
            let size = String(body.utf8.count, radix: 16)
            return Array("\(head)Transfer-Encoding: chunked\r\n\r\n\(size)\r\n\(body)\r\n0\r\n\r\n".utf8)
        default:
            let coded = Deflated.gzip(Array(body.utf8))
            return Array("\(head)Content-Encoding: gzip\r\nContent-Length: \(coded.count)\r\n\r\n".utf8) + coded
        }
    }

    private func setup(_ upstream: EchoUpstream, _ folder: TemporaryFolder, _ kind: StoreUnderTest) throws -> Setup {
        var setup = upstream.setup
        setup.secret = Self.secrets["hmac"] ?? ""
        setup.credential =
            "    next_secret: \"file:\(try folder.write("next", Self.secrets["next"] ?? ""))\"\n"
            + "    api_key: {value: \"env:KEY\", place: both}\n"
        setup.store = StoreSetup(kind)
        setup.store?.keys = [Self.secrets["store"] ?? ""]
        setup.routes =
            Setup.route("pay", "key: /key") + Setup.route("more", "key: Idempotency-Key") + Setup.route("open", nil)
        setup.routes += "callers:\n  app: {token: \"env:TOKEN\"}\n"
        return setup
    }

    /// 200 requests of all kinds over connections that stay open; the status of each is what its kind has.
    private func drive(_ gateway: GatewayUnderTest) throws -> [Caller] {
        let callers = try (0..<4).map { _ in try gateway.caller() }
        for index in 0..<200 {
            let caller = index % 8 == 4 ? try gateway.caller() : callers[index % 3]
            try caller.send(request(index))
            let answer = try caller.answer()
            #expect(answer.status == [200, 200, 200, 200, 400, 404, 200, 401][index % 8], "\(index)")
            if answer.status == 200 { #expect(answer["X-Echo"] == number(index)) }
        }
        // Two at once, and the beginning of a third, which stays.
        try callers[3].send(request(0) + request(3) + Array("POST /open HTTP/1.1\r\nX-B".utf8))
        #expect(try callers[3].answer().status == 200 && callers[3].answer().status == 200)
        return callers
    }

    /// The buffers of long bodies are wiped by a timer, unless the next body has written over them: here none comes.
    @Test func longBodiesAreGoneAMomentLater() throws {
        let folder = try TemporaryFolder()
        let upstream = try EchoUpstream(nil)
        let environment = ["KEY": Self.secrets["key"] ?? "", "TOKEN": Self.secrets["token"] ?? ""]
        let gateway = try GatewayUnderTest(try setup(upstream, folder, .memory), environment: environment)
        let callers = try (0..<3).map { _ in try gateway.caller() }
        for index in 0..<18 {
            try callers[index % 2].send(longRequest(index))
            #expect(try callers[index % 2].answer()["X-Echo"] == number(index))
            // In the same buffers, over the beginning of what was there.
            try callers[index % 2].send(Array(post("/open", "{\"short\": 1}", "X-A: b", token).utf8))
            #expect(try callers[index % 2].answer().status == 200)
        }
        try callers[2].send(longRequest(0) + longRequest(1) + longRequest(2))
        for index in 0..<3 { #expect(try callers[2].answer()["X-Echo"] == number(index)) }
        let left = try gateway.searchUntilGone(Self.mark)
        #expect(left.isEmpty, "\(left.count) places: \(left.prefix(8))")
        #expect(gateway.program.stop() == .code(0))
    }

    /// Only a body may lie for that moment, and nothing of a head, however long, or of what was sent behind a request.
    @Test(arguments: ["", "POST /open HTTP/1.1\r\nX-Head: head-9921"])
    func nothingButABodyLies(behind: String) throws {
        let folder = try TemporaryFolder()
        let upstream = try EchoUpstream(nil)
        var setup = try setup(upstream, folder, .memory)
        setup.limits = "  max_head: 256KiB\n"
        let environment = ["KEY": Self.secrets["key"] ?? "", "TOKEN": Self.secrets["token"] ?? ""]
        let gateway = try GatewayUnderTest(setup, environment: environment)
        let caller = try gateway.caller()
        let long = (0..<8).map { "X-Long-\($0): " + String(repeating: "a", count: 8_000) + "\r\n" }.joined()
        let head = "Connection: close\r\n\(long)X-Head: head-9921\r\n\(token)\r\nContent-Type: application/json"
        let body = "{\"all\": \"" + String(repeating: "b", count: 400_000) + "\"}"
        let count = "Content-Length: \(body.utf8.count)"
        try caller.send(Array("POST /open HTTP/1.1\r\nHost: a\r\n\(head)\r\n\(count)\r\n\r\n\(body)\(behind)".utf8))
        #expect(try caller.answer().status == 200)
        // Once, and at once: in a moment it would be gone in any case.
        let left = try gateway.search(["head-9921"])["head-9921"] ?? []
        #expect(left.isEmpty, "\(left.count) places: \(left.prefix(8))")
        #expect(gateway.program.stop() == .code(0))
    }

    /// What was sealed is wiped as soon as it is written, however long the answer takes.
    @Test func aRequestThatWaitsHoldsNothingSealed() throws {
        let gate = Gate()
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            gate.pass()
            conversation.answer()
        }
        let gateway = try GatewayUnderTest(Setup(upstream))
        let caller = try gateway.caller()
        try caller.send(Array(post("/open", "{\"a\": 1}").utf8))
        #expect(upstream.waitForRequests(1))
        let line = try #require(upstream.requests.first?["Authorization"])
        let signature = try #require(line.split(separator: "\"").last { $0.count == 88 })
        let left = try gateway.searchUntilGone(String(signature))
        #expect(left.isEmpty, "\(left.count) places: \(left.prefix(8))")
        gate.open()
        #expect(try caller.answer().status == 200)
        #expect(gateway.program.stop() == .code(0))
    }

    @Test(arguments: [true, false], [StoreUnderTest.sqlite, .memory])
    func noAccountNumberStaysAndSecretsAreThereTwiceAtMost(isTLS: Bool, kind: StoreUnderTest) throws {
        let folder = try TemporaryFolder()
        let upstream = try EchoUpstream(isTLS ? Sandbox() : nil)
        let environment = ["KEY": Self.secrets["key"] ?? "", "TOKEN": Self.secrets["token"] ?? ""]
        let gateway = try GatewayUnderTest(try setup(upstream, folder, kind), environment: environment)
        let atStart = try gateway.search(Array(Self.secrets.values))
        let callers = try drive(gateway)
        let left = try gateway.searchUntilGone(Self.mark)
        #expect(left.isEmpty, "\(left.count) places: \(left.prefix(8))")
        let atEnd = try gateway.search(Array(Self.secrets.values))
        for (name, secret) in Self.secrets {
            for found in [atStart, atEnd] {
                let places = found[secret] ?? []
                // Not none either: that would be a search that finds nothing.
                #expect(places.count == (name == "key" ? 2 : 1), "\(name): \(places)")
            }
        }
        let process = "/proc/\(gateway.program.id)/environ"
        #expect(
            !String(decoding: try Data(contentsOf: URL(fileURLWithPath: process)), as: UTF8.self).contains("SECRET"))
        #expect(callers.count == 4)
        #expect(gateway.program.stop() == .code(0))
    }
}
