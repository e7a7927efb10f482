// One connection to SQLite and its statements, with typed values in and out and every refusal as a StoreFailure.
// Relies on SQLite's C interface; a handle and its statements are used by one thread at a time. Refuses what only a
// defect of ours can cause (misuse, a column out of range) by precondition.

internal import CSQLite
internal import Policy

/// A connection. It is closed when the last of its statements and its owner have let go.
@safe
final class SQLiteHandle {
    fileprivate let db: OpaquePointer
    /// The handle has seen a failure after which it is better opened again.
    private(set) var isSuspect = false

    /// Opens the database that is at `path`; never makes one. Waits for other writers as long as said.
    init(path: String, busyMilliseconds: Int32) throws(StoreFailure) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        // SAFETY: the path is a C string for the length of the call; `opened` outlives it.
        let result = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard result == SQLITE_OK, let db = unsafe opened else {
            // SAFETY: also a handle that was not opened is to be closed, and nil is allowed.
            _ = unsafe sqlite3_close_v2(opened)
            throw StoreFailure(sqlite: result)
        }
        unsafe self.db = db
        // SAFETY: `db` was just opened. Neither call can fail for an open handle.
        _ = unsafe sqlite3_busy_timeout(db, busyMilliseconds)
        _ = unsafe cs_sqlite_defend(db)
    }

    deinit {
        // SAFETY: `db` is ours; its statements hold this object, so none is left.
        _ = unsafe sqlite3_close_v2(db)
    }

    /// A path that SQLite takes for nothing else, such as `:memory:`.
    static func plain(_ path: String) -> String { path.hasPrefix("/") ? path : "./" + path }

    /// Whether a transaction is open.
    var isInTransaction: Bool {
        // SAFETY: `db` is open as long as self.
        unsafe sqlite3_get_autocommit(db) == 0
    }

    /// Rows that the last statement inserted, changed or removed.
    var changes: Int {
        // SAFETY: as above.
        Int(unsafe sqlite3_changes64(db))
    }

    /// The number of the row that was inserted last.
    var lastRow: Int64 {
        // SAFETY: as above.
        unsafe sqlite3_last_insert_rowid(db)
    }

    /// Runs statements that return nothing of interest.
    func run(_ sql: String) throws(StoreFailure) {
        // SAFETY: the text is a C string for the length of the call; no callback is given.
        let result = unsafe sqlite3_exec(db, sql, nil, nil, nil)
        if result != SQLITE_OK { throw failure(result) }
    }

    /// The first column of the first row, as a number.
    func number(_ sql: String) throws(StoreFailure) -> Int64 {
        let statement = try SQLiteStatement(self, sql)
        guard try statement.next() else { throw damaged() }
        return statement.number(0)
    }

    /// The first column of the first row, as text.
    func text(_ sql: String) throws(StoreFailure) -> String {
        let statement = try SQLiteStatement(self, sql)
        guard try statement.next() else { throw damaged() }
        return statement.text(0)
    }

    /// The failure that `result` stands for; the handle remembers one that makes it suspect.
    fileprivate func failure(_ result: Int32) -> StoreFailure {
        let failure = StoreFailure(sqlite: result)
        switch failure {
        case .cannotOpen, .readOnly, .corrupt, .newer, .inputOutput: isSuspect = true
        case .locked, .full, .tooManyKeys, .overloaded, .timeout: break
        }
        return failure
    }

    /// What is found cannot be ours.
    func damaged() -> StoreFailure { failure(SQLITE_CORRUPT) }
}

/// A prepared statement, kept for many uses. Parameters count from 1, columns from 0.
@safe
struct SQLiteStatement: ~Copyable {
    private let handle: SQLiteHandle
    private let statement: OpaquePointer

    init(_ handle: SQLiteHandle, _ sql: String) throws(StoreFailure) {
        var prepared: OpaquePointer?
        // SAFETY: the text is a C string for the length of the call; `prepared` outlives it.
        let result = unsafe sqlite3_prepare_v3(
            handle.db, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard result == SQLITE_OK, let statement = unsafe prepared else { throw handle.failure(result) }
        self.handle = handle
        unsafe self.statement = statement
    }

    deinit {
        // SAFETY: `statement` is ours and not used again. Its result repeats that of the last step.
        _ = unsafe sqlite3_finalize(statement)
    }

    func bind(_ index: Int32, _ value: Int64) {
        // SAFETY: `statement` lives as long as self. So it is in every call below.
        check(unsafe sqlite3_bind_int64(statement, index, value))
    }

    func bind(_ index: Int32, _ digest: Digest32) {
        let bytes = digest.bytes
        // SAFETY: SQLite copies `count` bytes, which the span holds for the length of the call.
        check(unsafe bytes.span.withUnsafeBufferPointer { unsafe copy(index, $0) })
    }

    func bind(_ index: Int32, bytes: [UInt8]) {
        // SAFETY: as above.
        check(unsafe bytes.withUnsafeBufferPointer { unsafe copy(index, $0) })
    }

    func bind(_ index: Int32, text: String) {
        var text = text
        // SAFETY: SQLite copies `count` bytes, which the text holds for the length of the call.
        let result = text.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) {
                unsafe cs_sqlite_bind_text(statement, index, $0.baseAddress, Int32($0.count))
            }
        }
        check(result)
    }

    /// NULL for nil.
    func bind(_ index: Int32, optional value: Int64?) {
        guard let value else { return check(unsafe sqlite3_bind_null(statement, index)) }
        bind(index, value)
    }

    @unsafe
    private func copy(_ index: Int32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        // SAFETY: the caller vouches for the bytes; an address of nil with a count of 0 would be NULL and not empty.
        guard let address = bytes.baseAddress, bytes.count > 0 else {
            return unsafe cs_sqlite_bind_blob(statement, index, "", 0)
        }
        return unsafe cs_sqlite_bind_blob(statement, index, address, Int32(bytes.count))
    }

    /// Without memory nothing can be bound; everything else is our mistake.
    private func check(_ result: Int32) { precondition(result == SQLITE_OK, "SQLite bound no value") }

    /// Steps to the next row; false behind the last one, when the statement is ready to be used again. So it is after
    /// an error.
    func next() throws(StoreFailure) -> Bool {
        let result = unsafe sqlite3_step(statement)
        if result == SQLITE_ROW { return true }
        reset()
        if result == SQLITE_DONE { return false }
        throw handle.failure(result)
    }

    /// Runs a statement that returns no rows, or whose rows are of no interest.
    func run() throws(StoreFailure) {
        if try next() { reset() }
    }

    /// Ready to be used again. The result repeats that of the last step, which was looked at.
    func reset() { _ = unsafe sqlite3_reset(statement) }

    func number(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

    func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(statement, column) == SQLITE_NULL }

    func bytes(_ column: Int32) -> [UInt8] {
        // SAFETY: SQLite holds `count` bytes at the address until the next step; they are copied before that.
        let address = unsafe sqlite3_column_blob(statement, column)
        let count = Int(unsafe sqlite3_column_bytes(statement, column))
        return unsafe Array(UnsafeRawBufferPointer(start: address, count: count))
    }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    /// Nil where the value has not 32 bytes.
    func digest(_ column: Int32) -> Digest32? {
        let bytes = bytes(column)
        return bytes.count == Digest32.count ? Digest32(bytes.span) : nil
    }
}

extension StoreFailure {
    /// By the primary result code, which is the low byte.
    fileprivate init(sqlite result: Int32) {
        switch result & 0xff {
        case SQLITE_BUSY, SQLITE_LOCKED: self = .locked
        case SQLITE_FULL: self = .full
        case SQLITE_READONLY: self = .readOnly
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: self = .cannotOpen
        case SQLITE_IOERR, SQLITE_NOMEM, SQLITE_PROTOCOL, SQLITE_NOLFS, SQLITE_INTERNAL, SQLITE_ABORT:
            self = .inputOutput
        // Our statements are right for our schema: an error in one, or a broken constraint, means another schema.
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_SCHEMA, SQLITE_ERROR, SQLITE_CONSTRAINT,
            SQLITE_MISMATCH, SQLITE_EMPTY:
            self = .corrupt
        default: preconditionFailure("SQLite was used wrongly")
        }
    }
}
