// One open file: its settings, its statements, and the steps that are made of them.
// Relies on SQLiteHandle. Refuses records that cannot have been written by this program: the file is damaged.

internal import Policy

/// An open file. A session whose handle is suspect is dropped and another one opened.
final class SQLiteSession {
    /// How long a commit of the operator's commands is waited for, in milliseconds.
    static let busyMilliseconds: Int32 = 100
    /// Pages of the journal at which a commit moves them to the file. Few, so that no commit has much to move: measured
    /// with 200,000 keys, the slowest commit took 4 ms with 200 pages, 11 ms with 1,000 and 23 ms with 4,000.
    static let checkpointPages = 200

    let handle: SQLiteHandle
    private let insertKey: SQLiteStatement
    private let readKey: SQLiteStatement
    private let locateKey: SQLiteStatement
    private let updateKey: SQLiteStatement
    private let deleteKey: SQLiteStatement
    private let insertAnswer: SQLiteStatement
    private let deleteAnswer: SQLiteStatement
    private let purgeAnswers: SQLiteStatement
    private let purgeKeys: SQLiteStatement
    private let beginBatch: SQLiteStatement
    private let commitBatch: SQLiteStatement

    /// Takes over a handle whose file has the present schema.
    init(_ handle: SQLiteHandle) throws(StoreFailure) {
        self.handle = handle
        insertKey = try SQLiteStatement(
            handle,
            """
            INSERT INTO keys(fingerprint, state, changed_at, claimed_at, attempts, route, status, answer, key)
            VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(key) DO NOTHING
            """)
        readKey = try SQLiteStatement(
            handle,
            """
            SELECT fingerprint, state, changed_at, claimed_at, attempts, route, status, key_id, sealed
            FROM keys LEFT JOIN answers ON answers.id = keys.answer WHERE key = ?1
            """)
        locateKey = try SQLiteStatement(
            handle, "SELECT answer FROM keys WHERE key = ?1 AND state = ?2 AND changed_at = ?3 AND attempts = ?4")
        updateKey = try SQLiteStatement(
            handle,
            """
            UPDATE keys SET fingerprint = ?1, state = ?2, changed_at = ?3, claimed_at = ?4, attempts = ?5, route = ?6,
            status = ?7, answer = ?8 WHERE key = ?9
            """)
        deleteKey = try SQLiteStatement(handle, "DELETE FROM keys WHERE key = ?1")
        insertAnswer = try SQLiteStatement(handle, "INSERT INTO answers(key_id, sealed) VALUES(?1, ?2)")
        deleteAnswer = try SQLiteStatement(handle, "DELETE FROM answers WHERE id = ?1")
        let old = "FROM keys WHERE state = ?1 AND changed_at <= ?2 ORDER BY changed_at, key LIMIT ?3"
        purgeAnswers = try SQLiteStatement(handle, "DELETE FROM answers WHERE id IN (SELECT answer \(old))")
        purgeKeys = try SQLiteStatement(handle, "DELETE FROM keys WHERE key IN (SELECT key \(old))")
        beginBatch = try SQLiteStatement(handle, "BEGIN IMMEDIATE")
        commitBatch = try SQLiteStatement(handle, "COMMIT")
    }

    func begin() throws(StoreFailure) { try beginBatch.run() }
    func commit() throws(StoreFailure) { try commitBatch.run() }

    func count() throws(StoreFailure) -> Int { Int(try handle.number("SELECT count(*) FROM keys")) }

    func read(_ key: KeyDigest) throws(StoreFailure) -> KeyRecord? {
        readKey.bind(1, key.value)
        guard try readKey.next() else { return nil }
        defer { readKey.reset() }
        guard let fingerprint = readKey.digest(0), let state = state() else { throw handle.damaged() }
        return KeyRecord(
            fingerprint: Fingerprint(fingerprint), state: state, route: readKey.text(5),
            claimedAt: readKey.number(3), changedAt: readKey.number(2), attempts: Int(readKey.number(4)))
    }

    /// The state in the row that `readKey` stands on.
    private func state() -> KeyState? {
        switch StateKind(rawValue: readKey.number(1)) {
        case nil: return nil
        case .inFlight: return .inFlight
        case .unknown: return .unknown
        case .done: return .done(status: Int(readKey.number(6)))
        case .answered:
            guard !readKey.isNull(8) else { return nil }
            let keyID = UInt64(bitPattern: readKey.number(7))
            return .answered(
                StoredAnswer(status: Int(readKey.number(6)), keyID: keyID, sealed: readKey.bytes(8)))
        }
    }

    /// False where the key is there already.
    func insert(_ record: KeyRecord, under key: KeyDigest) throws(StoreFailure) -> Bool {
        // An answer is written before its key: it must not be left without one.
        if case .answered = record.state, try read(key) != nil { return false }
        try write(record, under: key, by: insertKey)
        return handle.changes > 0
    }

    /// False where the record has changed.
    func replace(_ key: KeyDigest, seen: KeyVersion, by record: KeyRecord) throws(StoreFailure) -> Bool {
        guard try dropAnswer(of: key, seen: seen) else { return false }
        try write(record, under: key, by: updateKey)
        return true
    }

    /// False where the record has changed.
    func remove(_ key: KeyDigest, seen: KeyVersion) throws(StoreFailure) -> Bool {
        guard try dropAnswer(of: key, seen: seen) else { return false }
        deleteKey.bind(1, key.value)
        try deleteKey.run()
        return true
    }

    /// Removes the record's answer where it has one; false where the record is not as it was seen.
    private func dropAnswer(of key: KeyDigest, seen: KeyVersion) throws(StoreFailure) -> Bool {
        locateKey.bind(1, key.value)
        locateKey.bind(2, seen.kind.rawValue)
        locateKey.bind(3, seen.changedAt)
        locateKey.bind(4, Int64(seen.attempts))
        guard try locateKey.next() else { return false }
        let answer = locateKey.isNull(0) ? nil : locateKey.number(0)
        locateKey.reset()
        if let answer {
            deleteAnswer.bind(1, answer)
            try deleteAnswer.run()
        }
        return true
    }

    private func write(
        _ record: KeyRecord, under key: KeyDigest, by statement: borrowing SQLiteStatement
    ) throws(StoreFailure) {
        var status: Int64?
        var row: Int64?
        switch record.state {
        case .inFlight, .unknown: break
        case .done(let code): status = Int64(code)
        case .answered(let answer):
            insertAnswer.bind(1, Int64(bitPattern: answer.keyID))
            insertAnswer.bind(2, bytes: answer.sealed)
            try insertAnswer.run()
            status = Int64(answer.status)
            row = handle.lastRow
        }
        statement.bind(1, record.fingerprint.value)
        statement.bind(2, StateKind(record.state).rawValue)
        statement.bind(3, record.changedAt)
        statement.bind(4, record.claimedAt)
        statement.bind(5, Int64(record.attempts))
        statement.bind(6, text: record.route)
        statement.bind(7, optional: status)
        statement.bind(8, optional: row)
        statement.bind(9, key.value)
        try statement.run()
    }

    /// Removes at most `limit` keys of one state that have not changed since `cutoff`; says how many.
    func purge(_ kind: StateKind, until cutoff: Int64, limit: Int) throws(StoreFailure) -> Int {
        if kind == .answered { try purge(kind, cutoff, limit, by: purgeAnswers) }
        try purge(kind, cutoff, limit, by: purgeKeys)
        return handle.changes
    }

    private func purge(
        _ kind: StateKind, _ cutoff: Int64, _ limit: Int, by statement: borrowing SQLiteStatement
    ) throws(StoreFailure) {
        statement.bind(1, kind.rawValue)
        statement.bind(2, cutoff)
        statement.bind(3, Int64(limit))
        try statement.run()
    }
}

// What is asked once at a time, by statements that are not kept.
extension SQLiteSession {
    /// By the index of states, as many entries of it as are counted.
    func countUnknown(limit: Int) throws(StoreFailure) -> Int {
        let statement = try SQLiteStatement(
            handle, "SELECT count(*) FROM (SELECT 1 FROM keys WHERE state = ?1 LIMIT ?2)")
        statement.bind(1, StateKind.unknown.rawValue)
        statement.bind(2, Int64(limit))
        return try statement.next() ? Int(statement.number(0)) : 0
    }

    func recover(at time: Int64) throws(StoreFailure) -> Int {
        let statement = try SQLiteStatement(handle, "UPDATE keys SET state = ?1, changed_at = ?2 WHERE state = ?3")
        statement.bind(1, StateKind.unknown.rawValue)
        statement.bind(2, time)
        statement.bind(3, StateKind.inFlight.rawValue)
        try statement.run()
        return handle.changes
    }

    func noteEnd(isClean: Bool) throws(StoreFailure) {
        try handle.run("UPDATE meta SET ended_cleanly = \(isClean ? 1 : 0)")
    }

    func writeClock(_ mark: ClockMark) throws(StoreFailure) {
        let statement = try SQLiteStatement(
            handle, "UPDATE meta SET store_ms = ?1, boot_ms = ?2, wall_ms = ?3, boot_id = ?4")
        statement.bind(1, mark.storeMilliseconds)
        statement.bind(2, mark.instants.bootMilliseconds)
        statement.bind(3, mark.instants.wallMilliseconds)
        statement.bind(4, text: mark.bootID)
        try statement.run()
    }
}

extension SQLiteHandle {
    /// Where the clock stood; nil in a file that is new.
    func readClock() throws(StoreFailure) -> ClockMark? {
        let statement = try SQLiteStatement(self, "SELECT store_ms, boot_ms, wall_ms, boot_id FROM meta")
        guard try statement.next(), !statement.isNull(0) else { return nil }
        let instants = Instants(bootMilliseconds: statement.number(1), wallMilliseconds: statement.number(2))
        return ClockMark(storeMilliseconds: statement.number(0), instants: instants, bootID: statement.text(3))
    }
}
