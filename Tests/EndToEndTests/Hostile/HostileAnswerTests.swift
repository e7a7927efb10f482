// The hostile answers: each given whole on a fresh connection, split at random bytes, and behind a good answer on a
// connection that was used before.
// Relies on one worker: an answer to a later question says that earlier bytes were read.

import Foundation
import TestSupport
import Testing

/// What the upstream's script is to do next; set by the test before it asks.
final class AnswerPlan: @unchecked Sendable {
    // @unchecked Sendable: every access is under the lock.
    private let lock = NSLock()
    private var pieces: [[UInt8]] = []
    private var ending = Ending.open
    private var address: WireAddress?
    /// Opened when the planned answer was sent and its connection ended, if it was to be.
    let plannedIsDone = Gate()
    private var seen: [(connection: Int, line: String)] = []

    func set(_ newPieces: [[UInt8]], _ newEnding: Ending) {
        lock.withLock { (pieces, ending) = (newPieces, newEnding) }
    }

    func set(_ gateway: WireAddress) { lock.withLock { address = gateway } }

    /// Requests since the last call, each with its connection's number.
    func take() -> [(connection: Int, line: String)] {
        lock.withLock {
            defer { seen = [] }
            return seen
        }
    }

    /// One connection: good answers, and the planned one to whoever asks for `/hostile`.
    func serve(_ conversation: Conversation) {
        var probe: Caller?
        while let request = conversation.request() {
            let (parts, end, gateway) = lock.withLock {
                seen.append((conversation.number, request.startLine))
                return (pieces, ending, address)
            }
            guard request.startLine.contains("/hostile") else {
                let isHead = request.startLine.hasPrefix("HEAD")
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\(isHead ? "" : "good")")
                continue
            }
            for (number, part) in parts.enumerated() {
                // The gateway has read what was sent once it has answered a question that came later.
                if number > 0, let gateway {
                    if probe == nil { probe = try? Caller(gateway) }
                    _ = try? probe?.ask("GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n")
                }
                conversation.send(part)
            }
            switch end {
            case .open:
                plannedIsDone.open()
                continue
            case .close: conversation.wire.close()
            case .reset:
                // What was sent must have been read: a reset may overtake it.
                if let gateway, let last = try? Caller(gateway) {
                    _ = try? last.ask("GET /nowhere HTTP/1.1\r\nHost: gateway\r\n\r\n")
                }
                conversation.wire.reset()
            }
            return plannedIsDone.open()
        }
    }
}

/// A gateway in front of an upstream that answers as planned.
struct AnswerBench {
    enum Sending: CaseIterable { case whole, split, reused }

    private let plan = AnswerPlan()
    private let gateway: GatewayUnderTest
    private(set) var complaints: [String] = []

    init() throws {
        let plan = plan
        let upstream = try FakeUpstream { plan.serve($0) }
        var setup = Setup(upstream)
        setup.routes =
            "  - {name: all, methods: [GET, HEAD, POST], prefix: /api, upstream: up, credential: program,"
            + " lost_answer: assume-success}\n"
        setup.limits = "  max_head: 4KiB\n  max_line: 1KiB\n  max_headers: 32\n"
        gateway = try GatewayUnderTest(setup)
        plan.set(gateway.addresses[0])
    }

    mutating func attempt(_ row: HostileAnswer, _ sending: Sending, _ seed: inout Seed) {
        do {
            if let wrong = try verdict(row, sending, &seed) { complaints.append("\(sending): \(row): \(wrong)") }
        } catch {
            complaints.append("\(sending): \(row): \(error)")
        }
    }

    private func verdict(_ row: HostileAnswer, _ sending: Sending, _ seed: inout Seed) throws -> String? {
        plan.set(sending == .split ? pieces(row.bytes, &seed) : [row.bytes], row.ending)
        _ = plan.take()
        let caller = try gateway.caller(within: 5_000)
        if sending == .reused { guard try ask("/api/good", caller) == "good" else { return "the first answer" } }
        let body = row.method == "POST" ? "Content-Length: 2\r\n\r\n{}" : "\r\n"
        try caller.send("\(row.method) /api/hostile HTTP/1.1\r\nHost: gateway\r\n\(body)")
        if let wrong = try wrong(row, caller) { return wrong }
        // A connection that speaks or is closed just as a request is written is another test's business.
        plan.plannedIsDone.pass()
        // The next one must get its own answer, on a connection of its own unless the last answer left it whole.
        guard try ask("/api/after", try gateway.caller(within: 5_000)) == "good" else { return "the answer afterwards" }
        return connections(row)
    }

    private func pieces(_ bytes: [UInt8], _ seed: inout Seed) -> [[UInt8]] {
        var start = 0
        return (seed.cuts(bytes.count) + [bytes.count]).map { end in
            defer { start = end }
            return Array(bytes[start..<end])
        }
    }

    private func ask(_ target: String, _ caller: Caller) throws -> String {
        try caller.ask("POST \(target) HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}").text
    }

    /// What is wrong with what the caller got; nil where nothing is.
    private func wrong(_ row: HostileAnswer, _ caller: Caller) throws -> String? {
        switch row.fate {
        case .failed(let error):
            let answer = try caller.answer(toHead: row.method == "HEAD")
            let status = answer["Proxy-Status"] ?? ""
            let expected = "countersign; error=\(error); sent=?1; outcome=assume-success"
            return answer.status == 502 && status == expected ? nil : "\(answer.startLine), \(status)"
        case .whole(let status, let body, _):
            let answer = try caller.answer(toHead: row.method == "HEAD")
            guard answer.status == status && answer["Proxy-Status"] == nil else { return answer.startLine }
            return latin1(answer.body) == body ? nil : "another body"
        case .anything:
            do {
                let answer = try caller.answer()
                let start = latin1(row.bytes)
                let isOwn = answer["Proxy-Status"]?.hasPrefix("countersign") == true && answer.status == 502
                return isOwn || start.contains("HTTP/1.") && start.contains(" \(answer.status) ")
                    ? nil : answer.startLine
            } catch MessageReader.Problem.ended {
                return nil
            }
        case .broken:
            do {
                let answer = try caller.answer()
                return answer.status == 502 ? nil : "\(answer.startLine) passed for a whole answer"
            } catch MessageReader.Problem.ended {
                return nil
            }
        }
    }

    private func connections(_ row: HostileAnswer) -> String? {
        let seen = plan.take()
        guard let hostile = seen.first(where: { $0.line.contains("/hostile") })?.connection,
            let after = seen.last(where: { $0.line.contains("/after") })?.connection
        else { return "the upstream was not asked" }
        guard seen.count(where: { $0.line.contains("/hostile") }) == 1 else { return "the request was sent twice" }
        var mayReuse = false
        if case .whole(_, _, reused: true) = row.fate { mayReuse = true }
        return (hostile == after) == mayReuse
            ? nil : mayReuse ? "a good connection was closed" : "the connection was reused"
    }
}

@Suite(.serialized) struct HostileAnswerTests {
    static let tables = [
        (name: "heads", rows: HostileAnswers.heads), (name: "bodies", rows: HostileAnswers.bodies),
        (name: "whole", rows: HostileAnswers.wholes),
    ]

    @Test(arguments: tables.indices)
    func aHostileAnswerIsNeverTakenForAWholeOne(_ table: Int) throws {
        var seed = Seed.announced("hostile answers, \(Self.tables[table].name)")
        var bench = try AnswerBench()
        for row in Self.tables[table].rows {
            for sending in AnswerBench.Sending.allCases { bench.attempt(row, sending, &seed) }
        }
        #expect(bench.complaints.isEmpty, "\(bench.complaints.joined(separator: "\n"))")
    }

    /// Good answers with random damage: whatever the caller gets, the next one gets what is its own.
    @Test func damagedAnswersHarmNobodyElse() throws {
        var seed = Seed.announced("damaged answers")
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["COUNTERSIGN_DAMAGED_ANSWERS"].flatMap { Int($0) } ?? 500
        let good = HostileAnswers.wholes.filter { $0.method == "POST" }
        let words = [
            "\r\n", "\n", "\r", "\0", " ", ":", "0", "1", ";", "0\r\n\r\n", "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 100 \r\n\r\n",
            "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "\u{FF}", "evil",
            "HTTP/1.0",
        ]
        var bench = try AnswerBench()
        for _ in 0..<rounds {
            var text = Array(latin1(good.randomElement(using: &seed)!.bytes).unicodeScalars)
            for _ in 0..<Int.random(in: 1...3, using: &seed) {
                let at = Int.random(in: 0...text.count, using: &seed)
                let end = min(text.count, at + Int.random(in: 0...8, using: &seed))
                text.replaceSubrange(at..<end, with: words.randomElement(using: &seed)!.unicodeScalars)
            }
            let bytes = latin1(text.map { UInt8($0.value) })
            let ending = [Ending.close, .reset].randomElement(using: &seed)!
            let row = HostileAnswer(visible(bytes), bytes, ending, .anything)
            bench.attempt(row, AnswerBench.Sending.allCases.randomElement(using: &seed)!, &seed)
        }
        #expect(bench.complaints.isEmpty, "\(bench.complaints.joined(separator: "\n"))")
    }

    @Test func theCorpusIsLargeEnough() {
        #expect(HostileAnswers.heads.count + HostileAnswers.bodies.count >= 110)
        #expect(HostileAnswers.wholes.count >= 20)
    }
}
