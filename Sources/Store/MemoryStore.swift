// Keys kept in the process: for tests, and where nothing must survive it.
// Relies on one thread. Refuses nothing; its bound is the desk's `maxKeys`.

package import Policy

/// A store without a file: durable as long as the process is.
package final class MemoryStore: KeyStore {
    package private(set) var isOpen = false
    private var records: [KeyDigest: KeyRecord] = [:]
    private var mark: ClockMark?
    private var isInBatch = false
    /// What the batch has changed, as it was, in order.
    private var undo: [(key: KeyDigest, record: KeyRecord?)] = []

    /// Keys in the order in which they got an outcome or lost it, so that a purge looks at old ones only. An entry
    /// whose key has changed since is stale.
    private var finished = AgeQueue()
    private var unknown = AgeQueue()

    /// An empty store, not open yet.
    package init() {}

    package var count: Int { records.count }

    package func open() { isOpen = true }
    package func close() { isOpen = false }

    package func begin() throws(StoreFailure) {
        guard isOpen else { throw .cannotOpen }
        precondition(!isInBatch, "one batch at a time")
        isInBatch = true
    }

    package func commit() {
        precondition(isInBatch, "a commit ends a batch")
        isInBatch = false
        undo.removeAll(keepingCapacity: true)
    }

    package func rollback() {
        isInBatch = false
        while let step = undo.popLast() { records[step.key] = step.record }
    }

    package func read(_ key: KeyDigest) -> KeyRecord? { records[key] }

    package func put(_ record: KeyRecord, under key: KeyDigest) -> KeyRecord? {
        if let existing = records[key] { return existing }
        write(record, under: key)
        return nil
    }

    package func replace(_ key: KeyDigest, seen: KeyVersion, by record: KeyRecord) -> Bool {
        guard let existing = records[key], KeyVersion(existing) == seen else { return false }
        write(record, under: key)
        return true
    }

    package func move(_ key: KeyDigest, seen: KeyVersion, to name: KeyDigest, as record: KeyRecord) -> Bool {
        guard let existing = records[key], KeyVersion(existing) == seen, records[name] == nil else { return false }
        write(nil, under: key)
        write(record, under: name)
        return true
    }

    package func remove(_ key: KeyDigest, seen: KeyVersion) -> Bool {
        guard let existing = records[key], KeyVersion(existing) == seen else { return false }
        write(nil, under: key)
        return true
    }

    package func purge(_ cutoffs: Cutoffs, limit: Int) -> Int {
        var keys: [KeyDigest] = []
        finished.take(until: cutoffs.finished, limit: limit) { keys.append($0) }
        unknown.take(until: cutoffs.unknown, limit: limit - keys.count) { keys.append($0) }
        var purged = 0
        for key in keys {
            guard let record = records[key], cutoffs.include(record) else { continue }
            write(nil, under: key)
            purged += 1
        }
        return purged
    }

    package func countUnknown(limit: Int) -> Int {
        var count = 0
        for record in records.values where record.state == .unknown {
            count += 1
            if count == limit { break }
        }
        return count
    }

    package func recover(at time: Int64) -> Int {
        let left = records.filter { $0.value.state == .inFlight }
        for (key, record) in left {
            var changed = record
            changed.state = .unknown
            changed.changedAt = time
            write(changed, under: key)
        }
        return left.count
    }

    package func readClock() -> ClockMark? { mark }
    package func writeClock(_ mark: ClockMark) { self.mark = mark }

    private func write(_ record: KeyRecord?, under key: KeyDigest) {
        undo.append((key, records[key]))
        records[key] = record
        switch record?.state {
        case .answered, .done: finished.append(key, record?.changedAt ?? 0)
        case .unknown: unknown.append(key, record?.changedAt ?? 0)
        case .inFlight, nil: break
        }
    }
}

/// Keys in the order of their last change.
private struct AgeQueue {
    private var entries: [(key: KeyDigest, changedAt: Int64)] = []
    /// Entries before it are gone.
    private var head = 0

    mutating func append(_ key: KeyDigest, _ changedAt: Int64) { entries.append((key, changedAt)) }

    /// Takes at most `limit` of the first entries that are not younger than `cutoff`.
    mutating func take(until cutoff: Int64, limit: Int, _ body: (KeyDigest) -> Void) {
        var left = limit
        while left > 0, head < entries.count, entries[head].changedAt <= cutoff {
            body(entries[head].key)
            head += 1
            left -= 1
        }
        // Half of the room is empty: moving the rest costs no more than what was taken.
        guard head > entries.count / 2 else { return }
        entries.removeFirst(head)
        head = 0
    }
}
