// The file: who may read it, what is refused, what is found after an end that was not clean, and what fills.

import Foundation
import Policy
import Store
import TestSupport
import Testing

@Suite struct FileTests {
    private static let now = Instants(bootMilliseconds: 1_000, wallMilliseconds: 1_700_000_000_000)

    private func store(_ path: String, maxSize: Int = 64 << 20) -> SQLiteStore {
        SQLiteStore(path: path, maxSize: maxSize)
    }

    private func desk(_ path: String, maxSize: Int = 64 << 20) -> KeyDesk {
        KeyDesk(store(path, maxSize: maxSize), StoreLimits(), bootID: "boot")
    }

    private func ask(_ desk: KeyDesk, _ questions: [StoreQuestion], at now: Instants = now) -> [StoreReply] {
        var replies: [StoreReply] = []
        desk.process(questions, at: now, into: &replies)
        return replies
    }

    private func verdict(_ desk: KeyDesk, _ question: StoreQuestion, at now: Instants = now) -> ClaimVerdict? {
        guard case .claim(_, let verdict) = ask(desk, [question], at: now).first else { return nil }
        return verdict
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    /// A file with 200 answers, of a gateway that ended cleanly.
    private func filled(_ path: String) -> Data? {
        let desk = desk(path)
        _ = ask(desk, (0..<200).map { claim($0, [$0]) })
        _ = ask(desk, (0..<200).map { settle($0, $0, .answered(answer($0, bytes: 600))) })
        desk.close(at: Self.now)
        return FileManager.default.contents(atPath: path)
    }

    private func patch(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: bytes)
        try file.close()
    }

    @Test func onlyTheOwnerMayReadWhatIsMade() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let desk = desk(path)
        #expect(verdict(desk, claim(1, [1])) == .claimed)
        for end in ["", "-wal", "-shm", ".lock"] { #expect(try mode(path + end) == 0o600) }
    }

    @Test func aFileOfOursThatOthersMayReadIsTightened() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        _ = filled(path)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(verdict(desk(path), claim(500, [5])) == .replay(answer(5, bytes: 600)))
        #expect(try mode(path) == 0o600)
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = Folder()
        #expect(throws: StoreFailure.cannotOpen) { try store(folder.file("missing/keys.db")).open() }
        try FileManager.default.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: false)
        #expect(throws: StoreFailure.cannotOpen) { try store(folder.file("folder")).open() }
        _ = filled(folder.file("keys.db"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: folder.file("keys.db"))
        #expect(throws: StoreFailure.cannotOpen) { try store(folder.file("link")).open() }
    }

    /// What is written over a good file, and what is then said of it.
    static let spoiled: [(name: String, offset: UInt64, bytes: [UInt8], failure: StoreFailure)] = [
        ("no database", 0, Array("a text, and nothing that SQLite knows".utf8), .corrupt),
        ("another program's", 68, [1, 2, 3, 4], .corrupt),
        ("without a version", 60, [0, 0, 0, 0], .corrupt),
        ("of a later version", 60, [0, 0, 0, 2], .newer),
        // A write version above 2 means read-only (SQLite, file format, offset 18).
        ("read-only", 18, [3], .readOnly),
    ]

    @Test(arguments: spoiled.indices) func aFileThatIsNotOursIsRefusedAndLeftAsItIs(_ index: Int) throws {
        let (_, offset, bytes, failure) = Self.spoiled[index]
        let folder = Folder()
        let path = folder.file("keys.db")
        _ = filled(path)
        try patch(path, at: offset, bytes)
        let spoiled = FileManager.default.contents(atPath: path)
        let desk = desk(path)
        #expect(verdict(desk, claim(1, [500])) == .failed(failure))
        desk.close(at: Self.now)
        #expect(FileManager.default.contents(atPath: path) == spoiled)
    }

    @Test func anEmptyFileIsNewUnlessItsJournalIsNot() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(verdict(desk(path), claim(1, [1])) == .claimed)
        let other = folder.file("other.db")
        try Data().write(to: URL(fileURLWithPath: other))
        try Data([1]).write(to: URL(fileURLWithPath: other + "-wal"))
        #expect(throws: StoreFailure.corrupt) { try store(other).open() }
    }

    @Test func aDamagedPageIsFoundAndAGoodFileInItsPlaceIsTakenWithoutARestart() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let good = try #require(filled(path))
        let desk = desk(path)
        try patch(path, at: 3 * 4_096, [UInt8](repeating: 0xA5, count: 4_096 * (good.count / 4_096 - 4)))
        var replies = ask(desk, (0..<200).map { claim(1_000 + $0, [$0]) })
        #expect(replies.count == 200 && replies.allSatisfy(isFailed))
        #expect(desk.health == .corrupt)
        let later = Instants(bootMilliseconds: 3_000, wallMilliseconds: 1_700_000_002_000)
        #expect(verdict(desk, claim(2_000, [1]), at: later) == .failed(.corrupt))
        try? FileManager.default.removeItem(atPath: path + "-wal")
        try? FileManager.default.removeItem(atPath: path + "-shm")
        try good.write(to: URL(fileURLWithPath: path))
        let last = Instants(bootMilliseconds: 5_000, wallMilliseconds: 1_700_000_004_000)
        replies = ask(desk, [claim(3_000, [1])], at: last)
        #expect(replies == [.claim(ticket(3_000), .replay(answer(1, bytes: 600)))])
        #expect(desk.health == nil)
    }

    @Test func pagesAreLookedAtAfterAnEndThatWasNotClean() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let good = try #require(filled(path))
        try store(path).open()
        try patch(path, at: 20 * 4_096, [UInt8](repeating: 0xA5, count: 4_096))
        #expect(throws: StoreFailure.corrupt) { try store(path).open() }
        try good.write(to: URL(fileURLWithPath: path))
        try patch(path, at: 20 * 4_096, [UInt8](repeating: 0xA5, count: 4_096))
        try store(path).open()
    }

    @Test func aFileThatIsRemovedWhileItIsUsedIsMissedAndNotMadeAnew() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let desk = desk(path)
        #expect(verdict(desk, claim(1, [1])) == .claimed)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        #expect(verdict(desk, claim(2, [2])) == .failed(.cannotOpen))
        let later = Instants(bootMilliseconds: 3_000, wallMilliseconds: 1_700_000_002_000)
        #expect(verdict(desk, claim(3, [2]), at: later) == .failed(.cannotOpen))
        #expect(!FileManager.default.fileExists(atPath: path))
        try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
        let last = Instants(bootMilliseconds: 5_000, wallMilliseconds: 1_700_000_004_000)
        #expect(
            ask(desk, [settle(1, 1, .done(status: 200)), claim(4, [1])], at: last) == [
                .claim(ticket(4), .done(status: 200))
            ])
    }

    private func isFailed(_ reply: StoreReply) -> Bool {
        guard case .claim(_, .failed(.corrupt)) = reply else { return false }
        return true
    }

    @Test func twoGatewaysDoNotShareAFile() {
        let folder = Folder()
        let path = folder.file("keys.db")
        let first = desk(path)
        let second = desk(path)
        #expect(verdict(first, claim(1, [1])) == .claimed)
        #expect(verdict(second, claim(2, [2])) == .failed(.locked))
        first.close(at: Self.now)
        let later = Instants(bootMilliseconds: 2_000, wallMilliseconds: 1_700_000_001_000)
        #expect(verdict(second, claim(2, [2]), at: later) == .claimed)
    }

    @Test func theLockOfAnotherProcessEndsWithIt() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let script = """
            import fcntl, signal, sys
            file = open(sys.argv[1], 'a')
            fcntl.flock(file, fcntl.LOCK_EX)
            print('held', flush=True)
            signal.pause()
            """
        let other = try Program("/usr/bin/env", ["python3", "-c", script, path + ".lock"])
        _ = try other.line(of: .output) { $0 == "held" }
        #expect(throws: StoreFailure.locked) { try store(path).open() }
        other.signal(.kill)
        #expect(other.end() == .signal(9))
        try store(path).open()
    }

    @Test func aWriterThatTakesItsTimeIsNotWaitedForLong() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let desk = desk(path)
        #expect(verdict(desk, claim(1, [1])) == .claimed)
        let script = """
            import signal, sqlite3, sys
            file = sqlite3.connect(sys.argv[1], isolation_level=None)
            file.execute('BEGIN IMMEDIATE')
            print('held', flush=True)
            signal.pause()
            """
        let other = try Program("/usr/bin/env", ["python3", "-c", script, path])
        _ = try other.line(of: .output) { $0 == "held" }
        #expect(verdict(desk, claim(2, [2])) == .failed(.locked))
        other.signal(.kill)
        #expect(other.end() == .signal(9))
        #expect(verdict(desk, claim(3, [2])) == .claimed)
        #expect(verdict(desk, claim(4, [1])) == .waiting)
    }

    @Test func afterACrashCommittedClaimsAreUnknownAndOthersAbsent() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let crashed = store(path)
        let desk = KeyDesk(crashed, StoreLimits(), bootID: "boot")
        _ = ask(desk, [claim(1, [1]), claim(2, [2]), claim(3, [3]), settle(2, 2, .answered(answer(2)))])
        try crashed.begin()
        let record = KeyRecord(
            fingerprint: fingerprint(7_000), state: .inFlight, route: "pay", claimedAt: 1, changedAt: 1, attempts: 1)
        #expect(try crashed.put(record, under: key(4)) == nil)
        // By another process: this one's descriptors are the store's.
        for end in ["", "-wal"] { _ = try Program.run("/usr/bin/env", ["cp", path + end, path + ".copy" + end]) }
        crashed.rollback()

        let copy = self.desk(path + ".copy")
        #expect(verdict(copy, claim(11, [1])) == .unknown(againAfterMilliseconds: nil))
        #expect(verdict(copy, claim(12, [2])) == .replay(answer(2)))
        #expect(verdict(copy, claim(13, [3], .resend)) == .claimed)
        #expect(verdict(copy, claim(14, [4])) == .claimed)
        #expect(copy.counts.unknownOutcomes == 2 && copy.counts.keys == 4)
    }

    @Test func whatIsOnItsWayAtACleanEndIsUnknownToo() {
        let folder = Folder()
        let path = folder.file("keys.db")
        let first = desk(path)
        _ = ask(first, [claim(1, [1]), claim(2, [2]), settle(2, 2, .done(status: 202))])
        first.close(at: Self.now)
        let second = desk(path)
        #expect(verdict(second, claim(3, [1])) == .unknown(againAfterMilliseconds: nil))
        #expect(verdict(second, claim(4, [2])) == .done(status: 202))
    }

    @Test func aFullFileRefusesNewKeysKeepsOutcomesAndRecoversByForgetting() {
        let folder = Folder()
        let desk = desk(folder.file("keys.db"), maxSize: 1 << 20)
        var full: Int?
        for number in 0..<200 where full == nil {
            guard verdict(desk, claim(number, [number])) == .claimed else {
                full = number
                continue
            }
            _ = ask(desk, [settle(number, number, .answered(answer(number, bytes: 16_000)))])
        }
        #expect(full.map { $0 > 40 && $0 < 70 } == true && desk.health == .full)
        #expect(desk.counts.pending == 1)
        let last = (full ?? 1) - 1
        #expect(verdict(desk, claim(500, [last])) == .replay(answer(last, bytes: 16_000)))
        let tomorrow = Instants(bootMilliseconds: 86_402_000, wallMilliseconds: 1_700_000_000_000)
        while desk.maintain(at: tomorrow) == KeyDesk.piecePause {}
        #expect(verdict(desk, claim(600, [600]), at: tomorrow) == .claimed)
        #expect(desk.health == nil && desk.counts.pending == 0)
    }

    @Test func theSizeIsBounded() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let desk = desk(path, maxSize: 1 << 20)
        _ = ask(desk, (0..<100).map { claim($0, [$0]) })
        for number in 0..<100 { _ = ask(desk, [settle(number, number, .answered(answer(bytes: 16_000)))]) }
        desk.close(at: Self.now)
        let size = FileManager.default.contents(atPath: path)?.count ?? 0
        #expect(size > 900_000 && size <= 1 << 20)
    }

    @Test func timeGoesOnOverARestartOfTheMachine() {
        let folder = Folder()
        let path = folder.file("keys.db")
        let first = desk(path)
        _ = ask(first, [claim(1, [1]), settle(1, 1, .done(status: 200))])
        first.close(at: Self.now)
        // Another start of the machine, a day less a second later.
        let second = KeyDesk(store(path), StoreLimits(), bootID: "another")
        let later = Instants(bootMilliseconds: 10, wallMilliseconds: 1_700_000_000_000 + 86_399_000)
        #expect(verdict(second, claim(2, [1]), at: later) == .done(status: 200))
        let last = Instants(bootMilliseconds: 1_010, wallMilliseconds: 0)
        #expect(verdict(second, claim(3, [1]), at: last) == .claimed)
    }

    @Test func theClockIsNotedOnceAMinute() throws {
        let folder = Folder()
        let path = folder.file("keys.db")
        let desk = desk(path)
        _ = ask(desk, [claim(1, [1])])
        let inspector = try StoreInspector(path: path)
        let noted = try #require(try inspector.clock())
        let early = Instants(bootMilliseconds: 60_999, wallMilliseconds: 1)
        _ = desk.maintain(at: early)
        #expect(try inspector.clock() == noted)
        let due = Instants(bootMilliseconds: 61_000, wallMilliseconds: 2)
        _ = desk.maintain(at: due)
        #expect(
            try inspector.clock()
                == ClockMark(storeMilliseconds: 1_700_000_060_000, instants: due, bootID: "boot"))
    }
}
