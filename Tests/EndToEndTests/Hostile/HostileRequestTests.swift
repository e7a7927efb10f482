// The hostile requests, one gateway and one recording upstream for each table: every row whole, split at random bytes,
// pipelined behind a good request, and with a good request behind it.
// Relies on one worker: an answer to a later question says that earlier bytes were read.

import Foundation
import TestSupport
import Testing

/// How a request is sent.
enum Sending: CaseIterable {
    /// In one piece.
    case whole
    /// In pieces, each read by the gateway before the next is sent.
    case split
    /// In one piece with a good request in front.
    case pipelined
    /// In one piece with a good request behind.
    case followed
}

extension Seed {
    /// A generator whose seed is printed, and taken from `COUNTERSIGN_SEED` where that is set.
    static func announced(_ what: String) -> Seed {
        let wanted = ProcessInfo.processInfo.environment["COUNTERSIGN_SEED"].flatMap { UInt64($0) }
        let value = wanted ?? UInt64.random(in: 0...UInt64.max / 2)
        print("\(what): COUNTERSIGN_SEED=\(value)")
        return Seed(value)
    }

    /// One to four places inside `count` bytes, in order.
    mutating func cuts(_ count: Int) -> [Int] {
        guard count > 1 else { return [] }
        let number = Int.random(in: 1...4, using: &self)
        return Set((0..<number).map { _ in Int.random(in: 1..<count, using: &self) }).sorted()
    }
}

/// A gateway in front of a recording upstream, with small limits.
struct HostileBench {
    let record = UpstreamRecord()
    let gateway: GatewayUnderTest
    /// The upstream's, as it stands in Host.
    let authority: String
    private let probe: Caller
    private let front = "POST /api/good HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}"
    private static let frontLine = "POST /base/api/good HTTP/1.1"
    private(set) var complaints: [String] = []

    init() throws {
        let upstream = try FakeUpstream.recording(in: record)
        authority = "127.0.0.1:\(upstream.port)"
        var setup = Setup(url: "http://\(authority)/base")
        setup.upstreams = [upstream]
        setup.keyPlace = "header"
        setup.routes = """
              - {name: api, methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS], prefix: /api, upstream: up,
                 credential: program}
              - {name: one, methods: [POST], path: /only-post, upstream: up, credential: program}

            """
        setup.limits = "  max_head: 4KiB\n  max_line: 1KiB\n  max_headers: 32\n  max_body: 4KiB\n  max_json_depth: 16\n"
        gateway = try GatewayUnderTest(setup)
        probe = try gateway.caller()
    }

    /// Sends and reads one row in one way; what is wrong is added to the complaints.
    mutating func attempt(_ row: HostileRequest, _ sending: Sending, _ seed: inout Seed) {
        var saw = "nothing"
        do {
            // Short: an answer that does not come is a fault, and waiting for it must not take the suite's time.
            let caller = try gateway.caller(within: 5_000)
            try send(row.bytes, sending, caller, &seed)
            if row.fate == .dropped { caller.wire.finishSending() }
            if sending == .pipelined { try expect(front: try caller.answer()) }
            if let wrong = try verdict(row, caller, &saw) { complain(row, sending, wrong) }
        } catch {
            complain(row, sending, "\(saw), then \(error)")
        }
        checkUpstream(row, sending)
    }

    private func send(_ bytes: [UInt8], _ sending: Sending, _ caller: Caller, _ seed: inout Seed) throws {
        switch sending {
        case .whole: try caller.send(bytes)
        case .pipelined: try caller.send(latin1(front) + bytes)
        case .followed: try caller.send(bytes + latin1(front))
        case .split: try pieces(bytes, caller, &seed)
        }
    }

    /// A refused caller may find that no more is taken; what it is told is what counts.
    func pieces(_ bytes: [UInt8], _ caller: Caller, _ seed: inout Seed) throws {
        var start = 0
        for cut in seed.cuts(bytes.count) {
            try? caller.send(Array(bytes[start..<cut]))
            start = cut
            guard try probe.ask("GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n").status == 404 else {
                throw SupportFailure("the gateway serves no more")
            }
        }
        try? caller.send(Array(bytes[start...]))
    }

    private func expect(front answer: Message) throws {
        guard answer.status == 200 && answer.text == Self.frontLine else {
            throw SupportFailure("the request in front got \(answer.startLine)")
        }
    }

    /// What is wrong with the gateway's answer; nil where nothing is.
    private func verdict(_ row: HostileRequest, _ caller: Caller, _ saw: inout String) throws -> String? {
        if row.fate == .dropped { return dropVerdict(caller) }
        let answer = try caller.answer()
        saw = answer.startLine
        let status = answer["Proxy-Status"] ?? ""
        guard status.hasPrefix("countersign; error=") && status.hasSuffix("; sent=?0") else {
            return "\(saw), \(status)"
        }
        switch row.fate {
        case .dropped: return nil
        case .denied(let wanted): return answer.status == wanted ? nil : saw
        case .refused(let wanted):
            guard answer.status == wanted else { return saw }
            guard answer["Connection"] == "close" else { return "\(saw) and the connection is kept" }
            try caller.reader.expectEnd()
            return nil
        }
    }

    private func dropVerdict(_ caller: Caller) -> String? {
        do {
            let answer = try caller.answer()
            guard (400..<600).contains(answer.status) else { return answer.startLine }
            try caller.reader.expectEnd()
            return nil
        } catch MessageReader.Problem.ended(_, bytes: 0) {
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A good request goes through, and it and the one in front are all that the upstream got.
    private mutating func checkUpstream(_ row: HostileRequest, _ sending: Sending) {
        do {
            try expect(front: try gateway.ask(front))
        } catch {
            complain(row, sending, "afterwards: \(error)")
        }
        let seen = record.take()
        let expected = sending == .pipelined ? 2 : 1
        let isClean = seen.stray == 0 && seen.requests.allSatisfy { $0.hasPrefix(Self.frontLine + "\r\n") }
        if !isClean || seen.requests.count != expected {
            complain(row, sending, "upstream got \(seen.requests.map(visible)) and \(seen.stray) bytes more")
        }
    }

    private mutating func complain(_ row: HostileRequest, _ sending: Sending, _ what: String) {
        complaints.append("\(sending): \(row): \(what)")
    }
}

@Suite(.serialized) struct HostileRequestTests {
    static let hostile = HostileRequestLines.all + HostileRequestFields.all + HostileRequestFraming.all

    @Test(arguments: hostile)
    func nothingOfAHostileRequestReachesTheUpstream(_ table: HostileTable) throws {
        var seed = Seed.announced("hostile requests, \(table)")
        var bench = try HostileBench()
        for row in table.rows {
            for sending in Sending.allCases where row.fate != .dropped || sending != .followed {
                bench.attempt(row, sending, &seed)
            }
        }
        #expect(bench.complaints.isEmpty, "\(bench.complaints.joined(separator: "\n"))")
    }

    @Test(arguments: DeniedRequests.all + [CompressedRequests.denied])
    func nothingOfADeniedRequestReachesTheUpstream(_ table: HostileTable) throws {
        var seed = Seed.announced("denied requests, \(table)")
        var bench = try HostileBench()
        for row in table.rows {
            for sending in Sending.allCases where sending != .followed { bench.attempt(row, sending, &seed) }
        }
        #expect(bench.complaints.isEmpty, "\(bench.complaints.joined(separator: "\n"))")
    }

    /// A refusal's body is there unless the refused request itself asks for none.
    @Test func aRefusalBehindAHeadRequestHasItsBody() throws {
        let bench = try HostileBench()
        let head = "HEAD /api/x HTTP/1.1\r\nHost: gateway\r\n"
        for refused in ["\0", "POST /api/x HTTP/1.1\r\nX : y\r\n\r\n", "BREW /api/x HTTP/1.1\r\n\r\n"] {
            let caller = try bench.gateway.caller(within: 5_000)
            try caller.send(head + "\r\n" + refused)
            #expect(try caller.answer(toHead: true).status == 200)
            let answer = try caller.answer()
            #expect(answer.text.utf8.count == Int(answer["Content-Length"] ?? "") && !answer.body.isEmpty)
            try caller.reader.expectEnd()
            let other = try bench.gateway.caller(within: 5_000)
            try other.send(refused)
            #expect(try !other.answer().body.isEmpty)
        }
        let caller = try bench.gateway.caller(within: 5_000)
        try caller.send(head + "X : y\r\n\r\n")
        #expect(try caller.answer(toHead: true).status == 400)
        try caller.reader.expectEnd()
    }

    @Test func theCorpusIsLargeEnough() {
        let rows = Self.hostile.flatMap(\.rows)
        #expect(rows.count >= 320 && OddRequests.all.count >= 40)
        let twice = Dictionary(grouping: rows, by: \.bytes).values.filter { $0.count > 1 }.map { $0[0].name }
        #expect(twice.isEmpty, "no row stands twice")
    }
}
