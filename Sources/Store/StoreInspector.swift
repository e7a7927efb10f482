// The operator's door to the file, beside a gateway that runs or not: what is kept of keys, and settling those whose
// outcome is not known. Relies on SQLite for taking turns with the gateway. Refuses to read answers, to settle what has
// changed meanwhile, and to make or migrate a file.

package import Policy

/// What an operator sees of a key: everything but its answer.
package struct KeyListing: Equatable, Sendable {
    package let key: KeyDigest
    package let fingerprint: Fingerprint
    package let kind: StateKind
    /// HTTP status of the outcome; nil where there is none, 0 where it is not known.
    package let status: Int?
    /// The route's name.
    package let route: String
    /// Milliseconds of the store's clock; `StoreInspector.clock` says what that is by the wall clock.
    package let claimedAt: Int64
    package let changedAt: Int64
    package let attempts: Int
}

/// What an operator has found out about a request of unknown outcome.
package enum Resolution: String, CaseIterable, Sendable {
    /// It was carried out: repeats are refused.
    case done
    /// It was not: the key is free.
    case removed
}

/// What became of a resolution.
package enum ResolutionResult: Equatable, Sendable {
    case resolved
    case absent
    /// Nothing was changed: the outcome is not unknown, or no longer.
    case isNow(StateKind)
}

/// An open file, without the lock of its owner.
package final class StoreInspector {
    /// How long the gateway's commits are waited for, in milliseconds.
    package static let busyMilliseconds = 2_000
    private static let columns = "key, fingerprint, state, status, route, claimed_at, changed_at, attempts"

    private let handle: SQLiteHandle

    /// Opens the file at `path`, which must be there and of this version: `newer` otherwise.
    package init(path: String) throws(StoreFailure) {
        handle = try SQLiteHandle(
            path: SQLiteHandle.plain(path), busyMilliseconds: Int32(Self.busyMilliseconds))
        try handle.run("PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL")
        guard try SQLiteSchema.version(of: handle) == SQLiteSchema.version else { throw .newer }
    }

    /// Where the store's clock stood when it was last noted; nil where no gateway has used the file yet.
    package func clock() throws(StoreFailure) -> ClockMark? { try handle.readClock() }

    /// At most `limit` keys of one state, or of all, the last changed first.
    package func list(_ kind: StateKind?, limit: Int) throws(StoreFailure) -> [KeyListing] {
        let statement = try SQLiteStatement(
            handle, "SELECT \(Self.columns) FROM keys WHERE state = ?1 ORDER BY changed_at DESC LIMIT ?2")
        var listings: [KeyListing] = []
        // State by state, each by the index: an order over all of them would sort the whole table.
        for kind in kind.map({ [$0] }) ?? StateKind.allCases {
            statement.bind(1, kind.rawValue)
            statement.bind(2, Int64(limit))
            while try statement.next() { listings.append(try listing(statement)) }
        }
        return Array(listings.sorted { $0.changedAt > $1.changedAt }.prefix(limit))
    }

    /// One key; nil where it is absent.
    package func show(_ key: KeyDigest) throws(StoreFailure) -> KeyListing? {
        let statement = try SQLiteStatement(handle, "SELECT \(Self.columns) FROM keys WHERE key = ?1")
        statement.bind(1, key.value)
        return try statement.next() ? try listing(statement) : nil
    }

    /// At most `limit` of the keys from `first` to `last`, both included, as their bytes are ordered.
    package func find(
        from first: KeyDigest, through last: KeyDigest, limit: Int
    ) throws(StoreFailure) -> [KeyListing] {
        let statement = try SQLiteStatement(
            handle, "SELECT \(Self.columns) FROM keys WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3")
        statement.bind(1, first.value)
        statement.bind(2, last.value)
        statement.bind(3, Int64(limit))
        var listings: [KeyListing] = []
        while try statement.next() { listings.append(try listing(statement)) }
        return listings
    }

    private func listing(_ row: borrowing SQLiteStatement) throws(StoreFailure) -> KeyListing {
        guard let key = row.digest(0), let fingerprint = row.digest(1), let kind = StateKind(rawValue: row.number(2))
        else { throw .corrupt }
        return KeyListing(
            key: KeyDigest(key), fingerprint: Fingerprint(fingerprint), kind: kind,
            status: row.isNull(3) ? nil : Int(row.number(3)), route: row.text(4), claimedAt: row.number(5),
            changedAt: row.number(6), attempts: Int(row.number(7)))
    }

    /// Settles a key whose outcome is unknown, in one transaction; it is durable when this returns. `now` and `bootID`
    /// are as for the desk: a key that is done is kept for its time from now on.
    package func resolve(
        _ key: KeyDigest, as resolution: Resolution, at now: Instants, bootID: String
    ) throws(StoreFailure) -> ResolutionResult {
        try handle.run("BEGIN IMMEDIATE")
        do throws(StoreFailure) {
            let result = try settle(key, resolution, at: now, bootID: bootID)
            try handle.run("COMMIT")
            return result
        } catch {
            // The first failure is the one to be told; a transaction that cannot be ended ends with the handle.
            if handle.isInTransaction { try? handle.run("ROLLBACK") }
            throw error
        }
    }

    private func settle(
        _ key: KeyDigest, _ resolution: Resolution, at now: Instants, bootID: String
    ) throws(StoreFailure) -> ResolutionResult {
        guard let found = try show(key) else { return .absent }
        guard found.kind == .unknown else { return .isNow(found.kind) }
        switch resolution {
        case .done:
            var clock = StoreClock(after: try handle.readClock(), at: now, bootID: bootID)
            let statement = try SQLiteStatement(
                handle, "UPDATE keys SET state = ?1, status = 0, changed_at = ?2 WHERE key = ?3")
            statement.bind(1, StateKind.done.rawValue)
            statement.bind(2, clock.time(at: now))
            statement.bind(3, key.value)
            try statement.run()
        case .removed:
            let statement = try SQLiteStatement(handle, "DELETE FROM keys WHERE key = ?1")
            statement.bind(1, key.value)
            try statement.run()
        }
        return .resolved
    }
}
