// The file's layout and its versions. A version that was released is never changed: a new one gets a step of its own.
// Relies on SQLite 3.37 for STRICT. Refuses files of others, and those of later versions.

internal import Policy

enum SQLiteSchema {
    /// "CSGN": what says in the file's head that it is ours (SQLite, file format, offset 68).
    static let applicationID: Int64 = 0x4353_474E
    /// What this program writes.
    static var version: Int { steps.count }

    /// Step n leads from version n to n + 1.
    ///
    /// Answers have a table of their own: rows of `keys` stay small, so that many fit a page and a claim or a
    /// settlement writes few of them; and answers are written in their order, and not spread over the file by their
    /// keys' hashes.
    static let steps = [
        """
        CREATE TABLE keys(
            key BLOB NOT NULL PRIMARY KEY CHECK(length(key) = 32),
            fingerprint BLOB NOT NULL CHECK(length(fingerprint) = 32),
            state INTEGER NOT NULL CHECK(state BETWEEN 0 AND 3),
            changed_at INTEGER NOT NULL,
            claimed_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            route TEXT NOT NULL,
            status INTEGER,
            answer INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX keys_by_state ON keys(state, changed_at);
        CREATE TABLE answers(id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
        CREATE TABLE meta(
            id INTEGER PRIMARY KEY CHECK(id = 1),
            ended_cleanly INTEGER NOT NULL,
            store_ms INTEGER,
            boot_ms INTEGER,
            wall_ms INTEGER,
            boot_id TEXT
        ) STRICT;
        INSERT INTO meta(id, ended_cleanly) VALUES(1, 1);
        """
    ]

    /// Brings the file to this program's version, in one transaction.
    static func migrate(_ handle: SQLiteHandle, isFresh: Bool) throws(StoreFailure) {
        var found = 0
        if !isFresh {
            found = try version(of: handle)
            if found == version { return }
        }
        try handle.run("BEGIN IMMEDIATE")
        for step in steps[found...] { try handle.run(step) }
        try handle.run("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version); COMMIT")
    }

    /// The version of a file that is ours: 1 ... `version`.
    static func version(of handle: SQLiteHandle) throws(StoreFailure) -> Int {
        let id = try handle.number("PRAGMA application_id")
        let found = try handle.number("PRAGMA user_version")
        guard id == applicationID, found > 0 else { throw .corrupt }
        guard found <= version else { throw .newer }
        return Int(found)
    }
}
