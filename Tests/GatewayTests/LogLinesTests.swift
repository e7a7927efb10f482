// Lines of the access log as they are built and handed over: what may stand in them, how long they get, who waits.
// Relies on Foundation to read them as any other reader would.

import Foundation
import Gateway
import TestSupport
import Testing

private func text(_ lines: borrowing LogLines) -> String {
    var bytes: [UInt8] = []
    for index in 0..<lines.count { bytes.append(lines.bytes[index]) }
    return String(decoding: bytes, as: UTF8.self)
}

private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

/// A noncopyable value cannot stand in an expectation.
private func expectKept(_ isKept: Bool) { #expect(isKept) }

private func safe(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return SafeKey(bytes.span) != nil
}

@Suite struct LogLinesTests {
    private let time = LogTime(unixMilliseconds: 1_795_171_896_007)

    @Test func aLineIsOneObject() throws {
        var lines = LogLines(capacity: 1)
        let odd = "a\"b\\c/\u{1}\u{7F}\u{2028}é\n"
        let fields = ConfiguredFields([("route", odd), ("upstream", "up")])
        lines.begin(time, .error, "request")
        lines.add { members in
            members.add("n", 7)
            members.add("flag", true)
            members.add("word", word: "refused")
            members.add("id", hex: 1, 2)
            members.add("time_ms", nanoseconds: 1_234_567)
        }
        lines.add(fields)
        lines.add(.none)
        var ids = RequestIDs(worker: 0)
        let number = ids.next()
        lines.add { $0.add("request_id", ids.id(number)) }
        expectKept(lines.end(limit: .max))
        let line = text(lines)
        #expect(line.hasSuffix("}\n") && line.dropLast().allSatisfy { $0 != "\n" })
        let members = try object(line)
        #expect(members.count == 11 && members["route"] as? String == odd && members["upstream"] as? String == "up")
        #expect(members["time"] as? String == "2026-11-20T10:51:36.007Z" && members["level"] as? String == "error")
        #expect(members["time_ms"] as? Double == 1.235 && members["n"] as? Int == 7)
        #expect((members["request_id"] as? String)?.hasSuffix("-1") == true)
    }

    /// As many members as are added at once, each with the longest name and number.
    @Test func thereIsRoomForTheLongestMembers() throws {
        var lines = LogLines(capacity: 1)
        lines.begin(time, .warning, "log lines dropped")
        for _ in 0..<2 {
            lines.add { members in
                for _ in 0..<5 {
                    members.add("http.response.status_code_", Int.max)
                    members.add("http.response.status_in_ms", nanoseconds: UInt64(Int.max))
                }
            }
        }
        expectKept(lines.end(limit: .max))
        #expect(text(lines).hasSuffix(":9223372036854.776}\n"))
    }

    @Test(
        arguments: [
            (0, "0.000"), (499, "0.000"), (500, "0.001"), (999_499, "0.999"), (999_500, "1.000"), (1_000_000, "1.000"),
            (61_234_567_890, "61234.568"), (UInt64.max, "0.000"),
        ] as [(UInt64, String)])
    func timesAreMilliseconds(_ nanoseconds: UInt64, _ shown: String) {
        var lines = LogLines(capacity: 1)
        lines.begin(time, .info, "request")
        lines.add { $0.add("t", nanoseconds: nanoseconds) }
        lines.add { $0.add("id", hex: 0xAB) }
        lines.add { $0.add("ids", hex: .max, 1) }
        expectKept(lines.end(limit: .max))
        let ids = ",\"id\":\"00000000000000ab\",\"ids\":\"ffffffffffffffff0000000000000001\"}\n"
        #expect(text(lines).hasSuffix(",\"t\":" + shown + ids))
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_999, "2000-02-29T00:00:00.999Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.999Z"), (-1, "1970-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func timesAreThoseOfTheCalendar(_ milliseconds: Int64, _ shown: String) throws {
        var lines = LogLines(capacity: 1)
        lines.begin(LogTime(unixMilliseconds: milliseconds), .info, "x")
        expectKept(lines.end(limit: .max))
        let line = text(lines)
        #expect(try object(line)["time"] as? String == shown)
    }

    @Test func aTimeThatMovesIsShownAnew() throws {
        var time = LogTime(unixMilliseconds: 999)
        for (milliseconds, shown) in [(1_000, "01.000"), (1_999, "01.999"), (60_000, "00.000")] as [(Int64, String)] {
            time.set(unixMilliseconds: milliseconds)
            var lines = LogLines(capacity: 1)
            lines.begin(time, .info, "x")
            expectKept(lines.end(limit: .max))
            let line = text(lines)
            #expect((try object(line)["time"] as? String)?.hasSuffix(shown + "Z") == true)
        }
    }

    @Test func aLineStaysOnlyWhereItFits() {
        var lines = LogLines(capacity: 1)
        lines.begin(time, .info, "x")
        expectKept(lines.end(limit: .max))
        let one = lines.count
        for (limit, fits) in [(2 * one - 1, false), (2 * one, true), (0, false)] {
            let before = lines.count
            lines.begin(time, .info, "x")
            let isKept = lines.end(limit: limit)
            #expect(isKept == fits)
            let after = lines.count
            #expect(after == before + (fits ? one : 0))
        }
        let whole = text(lines)
        #expect(whole.split(separator: "\n").count == 2)
    }

    @Test(arguments: [
        "a", "order-17", "A.b_c:d-9", String(repeating: "x", count: 64), "1234567", "1234-5678", "1234567a1234567",
        "idp-9f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8",
    ])
    func mayBeShown(_ key: String) { #expect(safe(key)) }

    @Test(arguments: [
        "", String(repeating: "x", count: 65), "a b", "a\"", "a\\", "a/b", "é", "a\u{0}", "12345678", "a12345678",
        "123-45-6789", "order 17", "4111-1111-1111-1111", "x4111.1111.1111.1111x", "1:2:3:4:5:6:7:8:9",
        "acct-1234567-12", "a,b", "a@b",
    ])
    func mayNotBeShown(_ key: String) { #expect(!safe(key)) }

    /// Whatever is shown has no 8 digits in a row, and no 9 with nothing but separators between them.
    @Test func noAccountNumberIsEverShown() {
        var random = Seed.chosen(for: "noAccountNumberIsEverShown")
        let letters = Array("0123456789012345678901234567890123456789-._:aZ@ ")
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...30, using: &random)
            let key = String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
            guard safe(key) else { continue }
            #expect(!key.contains(/[0-9]{8}/) && !key.contains(/([0-9][-._:]*){9}/), "\(key)")
        }
    }

    @Test func linesAreHandedOverInOrderAndCounted() throws {
        let bell = try LogBell()
        let buffer = LogBuffer(bell)
        var lines = LogLines(capacity: 64)
        for count in 1...3 {
            lines.begin(time, .info, "x")
            lines.add { $0.add("n", count) }
            expectKept(lines.end(limit: buffer.room(limit: 1_000)))
            let isTaken = buffer.take(&lines, limit: 1_000)
            let left = lines.count
            #expect(isTaken && left == 0)
        }
        let left = buffer.room(limit: 1_000)
        lines.begin(time, .info, "x")
        let isKept = lines.end(limit: buffer.room(limit: 1_000 - left))
        #expect(!isKept)
        #expect(left > 0 && left < 1_000)
    }

    /// Long before lines are dropped, whatever may wait.
    @Test func theWriterIsHurriedWellBelowTheLimit() {
        for (limit, bytes) in [
            (64 << 10, 16 << 10), (1 << 20, 256 << 10), (1 << 20 + 4, 256 << 10), (64 << 20, 256 << 10),
        ] {
            #expect(LogBuffer.hurryBytes(limit: limit) == bytes)
        }
    }

    private func written(_ path: String) throws -> Int {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count
    }

    /// A line that comes while the writer gathers, and one that wakes it: both are written, whoever looked last.
    @Test func theWriterIsWokenHoweverLongNothingCame() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/access.log"
        let log = try AccessLog(workers: 1, try AccessLog.open(path))
        try log.start(OperatorLog(descriptor: 2))
        var lines = LogLines(capacity: 64)
        var sent = 0
        for round in 0..<40 {
            // A round ends as soon as its last line is in the file: the next finds the writer while it gathers, and
            // after every fourth, when nothing was written for a while, at its longest rest.
            for _ in 0...round % 3 {
                lines.begin(LogTime(unixMilliseconds: 0), .info, "x")
                lines.add { $0.add("n", sent) }
                _ = lines.end(limit: .max)
                sent += 1
            }
            while !log.buffers[0].take(&lines, limit: .max) {}
            let late = Date(timeIntervalSinceNow: 10)
            while try written(path) < sent, Date() < late {}
            let quiet = Date(timeIntervalSinceNow: round % 4 == 3 ? 0.03 : 0)
            repeat { #expect(try written(path) == sent, "round \(round)") } while Date() < quiet
        }
        #expect(log.stop(within: 10_000) == 0)
    }

    /// What was handed over and what is dropped come out on the other side, whole, in order, and none twice.
    @Test func theWriterWritesWhatItIsGiven() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/access.log"
        let log = try AccessLog(workers: 2, try AccessLog.open(path))
        try log.start(OperatorLog(descriptor: 2))
        let count = 5_000
        DispatchQueue.concurrentPerform(iterations: 2) { worker in
            var lines = LogLines(capacity: 64)
            for number in 0..<count {
                lines.begin(LogTime(unixMilliseconds: 0), .info, "x")
                lines.add { $0.add("worker", worker) }
                lines.add { $0.add("n", number) }
                if !lines.end(limit: .max) { log.buffers[worker].dropped() }
                if number % 3 == 0 { _ = log.buffers[worker].take(&lines, limit: .max) }
            }
            log.buffers[worker].takeLast(&lines)
        }
        #expect(log.stop(within: 10_000) == 0)
        let written = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try object(String($0))
        }
        for worker in 0..<2 {
            let numbers = written.filter { $0["worker"] as? Int == worker }.compactMap { $0["n"] as? Int }
            #expect(numbers == Array(0..<count))
        }
    }
}
