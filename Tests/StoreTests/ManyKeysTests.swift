// Many keys in a file: what it costs, printed, and what must hold whatever their number. `COUNTERSIGN_STORE_KEYS`
// says how many; a release build gives the figures that count.

import Foundation
import Policy
import Store
import TestSupport
import Testing

@Suite struct ManyKeysTests {
    private static let keys =
        ProcessInfo.processInfo.environment["COUNTERSIGN_STORE_KEYS"].flatMap { Int($0) } ?? 2_000
    private static let instants = Instants(bootMilliseconds: 1_000, wallMilliseconds: 1_700_000_000_000)

    private func desk(_ path: String) -> KeyDesk {
        KeyDesk(SQLiteStore(path: path, maxSize: 4 << 30), StoreLimits(), bootID: "boot")
    }

    private func timed<T>(_ what: String, _ count: Int = 1, _ work: () -> T) -> T {
        var result: T?
        let took = ContinuousClock().measure { result = work() }
        let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
        let each = String(
            format: "%.3f s, %.1f us each, %.0f/s", seconds, seconds / Double(count) * 1e6, Double(count) / seconds)
        print("\(what): \(each)")
        guard let result else { preconditionFailure("measured work gives its result") }
        return result
    }

    /// Claims and settles keys, each settlement with the claims of the next batch, as under load. Says the slowest
    /// batch.
    private func fill(_ desk: KeyDesk, _ range: Range<Int>, batch: Int) {
        var slowest = Duration.zero
        var open: [Int] = []
        var replies: [StoreReply] = []
        for start in stride(from: range.lowerBound, to: range.upperBound, by: batch) {
            let fresh = Array(start..<min(start + batch, range.upperBound))
            replies.removeAll(keepingCapacity: true)
            let questions =
                open.map { settle($0, $0, .answered(answer($0, bytes: 600))) } + fresh.map { claim($0, [$0]) }
            let took = ContinuousClock().measure { desk.process(questions, at: Self.instants, into: &replies) }
            slowest = max(slowest, took)
            open = fresh
        }
        desk.process(open.map { settle($0, $0, .answered(answer($0, bytes: 600))) }, at: Self.instants, into: &replies)
        print("slowest batch of \(batch): \(slowest)")
    }

    @Test func manyKeysAreKeptFoundAndForgotten() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let count = Self.keys
        var desk = desk(path)
        timed("claim and settle, batches of 512", count) { fill(desk, 0..<count, batch: 512) }
        var next = count
        for batch in [1, 8, 64] {
            let some = min(count / 4, 2_000 * batch)
            timed("claim and settle, batches of \(batch)", some) { fill(desk, next..<next + some, batch: batch) }
            next += some
        }
        #expect(desk.counts.keys == next)

        // The copy of a file in use is what a crash leaves.
        for end in ["", "-wal"] { _ = try Program.run("/usr/bin/env", ["cp", path + end, path + ".copy" + end]) }
        let crashed = self.desk(path + ".copy")
        #expect(timed("open after a crash") { crashed.maintain(at: Self.instants) } > 0)
        #expect(crashed.counts.keys == next && crashed.health == nil)

        timed("close") { desk.close(at: Self.instants) }
        let size = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
        print("file: \(size) bytes, \(size / next) for each key")
        #expect(size / next < 1_200)
        desk = self.desk(path)
        _ = timed("open after a clean end") { desk.maintain(at: Self.instants) }
        var replies: [StoreReply] = []
        let lookups = min(next, 20_000)
        timed("lookups, one a batch", lookups) {
            for number in 0..<lookups {
                desk.process([claim(next + number, [number * (next / lookups)])], at: Self.instants, into: &replies)
            }
        }
        #expect(desk.counts.replayed == lookups)

        let tomorrow = Instants(bootMilliseconds: 86_401_000, wallMilliseconds: 1_700_000_000_000)
        var slowest = Duration.zero
        timed("purge", next) {
            var pause = KeyDesk.piecePause
            while pause == KeyDesk.piecePause {
                slowest = max(slowest, ContinuousClock().measure { pause = desk.maintain(at: tomorrow) })
            }
        }
        print("slowest piece of a purge: \(slowest)")
        #expect(desk.counts.keys == 0 && desk.counts.purged == next)
    }
}
