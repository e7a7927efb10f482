// Keys in a file: SQLite with a write-ahead journal and a sync at every commit.
// Relies on SQLiteSession for the steps and on StoreFile for who may open the file. Refuses a file that another gateway
// has, that is damaged, that is not ours, or that a later version wrote; it never makes one anew over such a file.

package import Policy

/// A store in one file, owned by one process. Beside the file are its journal (`-wal`, `-shm`) and the lock (`.lock`).
package final class SQLiteStore: KeyStore {
    private let path: String
    private let maxSize: Int
    private var session: SQLiteSession?
    private var lock: OwnerLock?
    /// The file that is open, or was last. Once there was one, none is made in its place: an empty file would forget.
    private var opened: FileIdentity?
    /// The file that was found to be damaged, so that it is not read whole again and again.
    private var damaged: FileIdentity?
    /// The pages are to be looked at before they are relied on.
    private var mustCheck = false
    /// Only the first `open` finds how another process ended; later ones follow this one's failures.
    private var lastEndMatters = true
    private var countAtBegin = 0

    package private(set) var count = 0

    /// A store at `path` of at most `maxSize` bytes (`StoreLimits.maxSize`), not open yet.
    package init(path: String, maxSize: Int) {
        self.path = SQLiteHandle.plain(path)
        self.maxSize = maxSize
    }

    package var isOpen: Bool { session != nil }

    private var isOwner: Bool {
        switch lock {
        case .some: true
        case .none: false
        }
    }

    /// Opens the file, or makes it where there is none. The lock is kept from when it was had to `close`, also where
    /// the file cannot be opened: no other gateway is to have it in between.
    package func open() throws(StoreFailure) {
        precondition(session == nil, "a store is opened once")
        if !isOwner { lock = try OwnerLock(path + ".lock") }
        let file = try StoreFile.prepare(path, mayMake: opened == nil)
        if file.identity == damaged { throw .corrupt }
        damaged = nil
        do throws(StoreFailure) {
            let fresh = try openSession(isFresh: file.isFresh)
            count = try fresh.count()
            session = fresh
            opened = file.identity
            mustCheck = false
        } catch {
            if error == .corrupt { damaged = file.identity }
            throw error
        }
    }

    private func openSession(isFresh: Bool) throws(StoreFailure) -> SQLiteSession {
        let handle = try SQLiteHandle(path: path, busyMilliseconds: SQLiteSession.busyMilliseconds)
        // The cache is in KiB, below zero by SQLite's custom; what is more is the system's to cache.
        try handle.run(
            """
            PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
            PRAGMA synchronous = FULL; PRAGMA cache_size = -16384
            """)
        // The first transaction is made without the journal of later ones: until it is whole, the file is empty.
        try SQLiteSchema.migrate(handle, isFresh: isFresh)
        guard try handle.text("PRAGMA journal_mode = WAL") == "wal" else { throw .cannotOpen }
        let pages = try Int64(maxSize) / handle.number("PRAGMA page_size")
        try handle.run(
            """
            PRAGMA wal_autocheckpoint = \(SQLiteSession.checkpointPages); PRAGMA journal_size_limit = 67108864;
            PRAGMA max_page_count = \(pages)
            """)
        let endedCleanly = try handle.number("SELECT ended_cleanly FROM meta") == 1
        if mustCheck || lastEndMatters && !endedCleanly { try check(handle) }
        let session = try SQLiteSession(handle)
        try session.noteEnd(isClean: false)
        lastEndMatters = false
        return session
    }

    /// Reads every page and looks whether it makes sense.
    private func check(_ handle: SQLiteHandle) throws(StoreFailure) {
        guard try handle.text("PRAGMA quick_check(1)") == "ok" else { throw handle.damaged() }
    }

    package func close() {
        // What cannot be noted is checked at the next `open`.
        try? session?.noteEnd(isClean: true)
        session = nil
        opened = nil
        lock = nil
        lastEndMatters = true
    }

    private func current() throws(StoreFailure) -> SQLiteSession {
        guard let session else { throw .cannotOpen }
        return session
    }

    package func begin() throws(StoreFailure) {
        countAtBegin = count
        let session = try current()
        // A file that was moved or removed would take writes, and lose them.
        guard let file = StoreFile.identity(of: path), opened?.isSameFile(as: file) == true else {
            drop()
            throw .cannotOpen
        }
        try session.begin()
    }

    package func commit() throws(StoreFailure) { try current().commit() }

    package func rollback() {
        count = countAtBegin
        guard let session else { return }
        do throws(StoreFailure) {
            if session.handle.isInTransaction { try session.handle.run("ROLLBACK") }
            if session.handle.isSuspect { drop() }
        } catch {
            drop()
        }
    }

    /// The handle can no longer be trusted.
    private func drop() {
        session = nil
        mustCheck = true
    }

    package func read(_ key: KeyDigest) throws(StoreFailure) -> KeyRecord? { try current().read(key) }

    package func put(_ record: KeyRecord, under key: KeyDigest) throws(StoreFailure) -> KeyRecord? {
        let session = try current()
        if try session.insert(record, under: key) {
            count += 1
            return nil
        }
        guard let existing = try session.read(key) else { throw session.handle.damaged() }
        return existing
    }

    package func replace(_ key: KeyDigest, seen: KeyVersion, by record: KeyRecord) throws(StoreFailure) -> Bool {
        try current().replace(key, seen: seen, by: record)
    }

    package func move(
        _ key: KeyDigest, seen: KeyVersion, to name: KeyDigest, as record: KeyRecord
    ) throws(StoreFailure) -> Bool {
        let session = try current()
        guard try session.read(name) == nil, try session.remove(key, seen: seen) else { return false }
        return try session.insert(record, under: name)
    }

    package func remove(_ key: KeyDigest, seen: KeyVersion) throws(StoreFailure) -> Bool {
        guard try current().remove(key, seen: seen) else { return false }
        count -= 1
        return true
    }

    package func purge(_ cutoffs: Cutoffs, limit: Int) throws(StoreFailure) -> Int {
        let session = try current()
        var purged = 0
        let ages: [(StateKind, Int64)] = [
            (.answered, cutoffs.finished), (.done, cutoffs.finished), (.unknown, cutoffs.unknown),
        ]
        for (kind, cutoff) in ages where purged < limit {
            purged += try session.purge(kind, until: cutoff, limit: limit - purged)
        }
        count -= purged
        return purged
    }

    package func countUnknown(limit: Int) throws(StoreFailure) -> Int { try current().countUnknown(limit: limit) }
    package func recover(at time: Int64) throws(StoreFailure) -> Int { try current().recover(at: time) }
    package func readClock() throws(StoreFailure) -> ClockMark? { try current().handle.readClock() }
    package func writeClock(_ mark: ClockMark) throws(StoreFailure) { try current().writeClock(mark) }
}
