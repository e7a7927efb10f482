// What the tests of the desk share: words that are short to write, stores of both kinds in folders of their own, and a
// store that fails when it is told to.

import Foundation
import Policy
import Store

/// The kinds of store that one suite holds to the same behaviour.
enum Kind: String, CaseIterable, Sendable {
    case memory, sqlite
}

/// A folder that goes with its owner.
final class Folder {
    let path: String

    init() {
        let name = "countersign-store-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)"
        path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

/// A store that throws where it is told to, and otherwise does what the one behind it does.
final class FailingStore: KeyStore {
    enum Place { case nowhere, open, begin, operation, write, commit, afterCommit }

    let behind: any KeyStore
    var place = Place.nowhere
    var failure = StoreFailure.inputOutput
    /// Begun, committed and opened.
    var begins = 0
    var commits = 0
    var opens = 0

    init(_ behind: any KeyStore) { self.behind = behind }

    private func fail(at here: Place) throws(StoreFailure) {
        if place == here { throw failure }
    }

    var isOpen: Bool { behind.isOpen }
    var count: Int { behind.count }

    func open() throws(StoreFailure) {
        opens += 1
        try fail(at: .open)
        try behind.open()
    }
    func close() { behind.close() }
    func begin() throws(StoreFailure) {
        begins += 1
        try fail(at: .begin)
        try behind.begin()
    }
    func commit() throws(StoreFailure) {
        try fail(at: .commit)
        try behind.commit()
        commits += 1
        // Durable, and the confirmation is lost.
        try fail(at: .afterCommit)
    }
    func rollback() { behind.rollback() }
    func read(_ key: KeyDigest) throws(StoreFailure) -> KeyRecord? {
        try fail(at: .operation)
        return try behind.read(key)
    }
    func put(_ record: KeyRecord, under key: KeyDigest) throws(StoreFailure) -> KeyRecord? {
        try fail(at: .operation)
        try fail(at: .write)
        return try behind.put(record, under: key)
    }
    func replace(_ key: KeyDigest, seen: KeyVersion, by record: KeyRecord) throws(StoreFailure) -> Bool {
        try fail(at: .operation)
        try fail(at: .write)
        return try behind.replace(key, seen: seen, by: record)
    }
    func move(
        _ key: KeyDigest, seen: KeyVersion, to name: KeyDigest, as record: KeyRecord
    ) throws(StoreFailure) -> Bool {
        try fail(at: .operation)
        try fail(at: .write)
        return try behind.move(key, seen: seen, to: name, as: record)
    }
    func remove(_ key: KeyDigest, seen: KeyVersion) throws(StoreFailure) -> Bool {
        try fail(at: .operation)
        try fail(at: .write)
        return try behind.remove(key, seen: seen)
    }
    func purge(_ cutoffs: Cutoffs, limit: Int) throws(StoreFailure) -> Int {
        try behind.purge(cutoffs, limit: limit)
    }
    func recover(at time: Int64) throws(StoreFailure) -> Int {
        try fail(at: .write)
        return try behind.recover(at: time)
    }
    func readClock() throws(StoreFailure) -> ClockMark? { try behind.readClock() }
    func writeClock(_ mark: ClockMark) throws(StoreFailure) { try behind.writeClock(mark) }
}

/// A desk over a store that can be made to fail, with a clock of the test's own.
final class Bench {
    let folder = Folder()
    let store: FailingStore
    let desk: KeyDesk
    /// Milliseconds since boot and since 1970 alike.
    var now: Int64 = 1_000_000

    init(_ kind: Kind, _ change: (inout StoreLimits) -> Void = { _ in }) {
        var limits = StoreLimits()
        limits.maxSize = 64 << 20
        change(&limits)
        switch kind {
        case .memory: store = FailingStore(MemoryStore())
        case .sqlite: store = FailingStore(SQLiteStore(path: folder.file("keys.db"), maxSize: limits.maxSize))
        }
        desk = KeyDesk(store, limits, bootID: "boot")
    }

    /// A desk of the next process over the same store, as a crash of the first one leaves it.
    init(_ first: Bench) {
        now = first.now + 1_000
        store = FailingStore(first.store.behind)
        desk = KeyDesk(store, first.desk.limits, bootID: "boot")
    }

    var instants: Instants { Instants(bootMilliseconds: now, wallMilliseconds: now) }

    func ask(_ questions: StoreQuestion...) -> [StoreReply] { ask(questions) }

    func ask(_ questions: [StoreQuestion]) -> [StoreReply] {
        var replies: [StoreReply] = []
        desk.process(questions, at: instants, into: &replies)
        return replies
    }

    /// The one verdict on one claim.
    func verdict(_ question: StoreQuestion) -> ClaimVerdict? {
        let replies = ask(question)
        guard replies.count == 1, case .claim(_, let verdict) = replies[0] else { return nil }
        return verdict
    }

    func maintain() -> Int { desk.maintain(at: instants) }
}

func digest(_ number: Int, _ kind: UInt8) -> Digest32 {
    var bytes = [UInt8](repeating: kind, count: 32)
    // The number is spread, as a hash would be.
    var word = UInt64(truncatingIfNeeded: number) &* 0x9E37_79B9_7F4A_7C15
    for index in 0..<8 {
        bytes[index] = UInt8(truncatingIfNeeded: word)
        word >>= 8
        bytes[8 + index] = UInt8(truncatingIfNeeded: number >> (8 * index))
    }
    return Digest32(bytes.span)
}

func key(_ number: Int) -> KeyDigest { KeyDigest(digest(number, 1)) }
func fingerprint(_ number: Int) -> Fingerprint { Fingerprint(digest(number, 2)) }
func ticket(_ number: Int) -> Ticket { Ticket(worker: 1, slot: UInt32(number), serial: UInt64(number)) }

func answer(_ number: Int = 0, bytes: Int = 20) -> StoredAnswer {
    StoredAnswer(
        status: 201, keyID: .max - 1, sealed: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes))
}

/// A claim by ticket `asker` of the keys `keys` (the current one first), whose content is `content`.
func claim(
    _ asker: Int, _ keys: [Int], content: Int = 7, _ onUnknown: OnUnknown = .refuse, repeatAfter: Int = 0
) -> StoreQuestion {
    // Under another of the store's keys a fingerprint is another one too.
    let names = keys.map { ClaimName(key: key($0), fingerprint: fingerprint(content * 1_000 + $0 / 1_000)) }
    return .claim(
        Claim(
            ticket: ticket(asker), names: names, route: "pay", onUnknown: onUnknown,
            repeatAfterMilliseconds: repeatAfter))
}

func settle(_ asker: Int, _ number: Int, _ end: ClaimEnd, wantsReply: Bool = false) -> StoreQuestion {
    .settle(Settlement(ticket: ticket(asker), key: key(number), end: end, wantsReply: wantsReply))
}
