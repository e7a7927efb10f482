// The door between the desk and where keys are kept: few operations, each atomic, and batches of them.
// Relies on one caller on one thread. Refuses to decide: what a state means is Policy's, what follows is the desk's.

package import Policy

/// What a record looked like when it was read: enough to see that nobody has changed it since.
package struct KeyVersion: Equatable, Sendable {
    package let kind: StateKind
    /// Milliseconds of the store's clock.
    package let changedAt: Int64
    package let attempts: Int

    /// The version of `record`.
    package init(_ record: KeyRecord) {
        kind = StateKind(record.state)
        changedAt = record.changedAt
        attempts = record.attempts
    }
}

/// The states as they are written down: the numbers never change.
package enum StateKind: Int64, CaseIterable, Sendable {
    case inFlight = 0
    case answered = 1
    case done = 2
    case unknown = 3

    package init(_ state: KeyState) {
        self =
            switch state {
            case .inFlight: .inFlight
            case .answered: .answered
            case .done: .done
            case .unknown: .unknown
            }
    }
}

/// Records that have not changed since these times (store's clock, milliseconds) are forgotten.
package struct Cutoffs: Equatable, Sendable {
    /// For answered keys and those that are done.
    package let finished: Int64
    /// For keys whose outcome is not known.
    package let unknown: Int64

    /// By the bounds of `limits`, at `time`.
    package init(_ limits: StoreLimits, at time: Int64) {
        finished = time - limits.retentionMilliseconds
        unknown = time - limits.unknownRetentionMilliseconds
    }

    /// Whether the record counts as absent. What is in flight never does.
    package func include(_ record: KeyRecord) -> Bool {
        switch record.state {
        case .inFlight: false
        case .answered, .done: record.changedAt <= finished
        case .unknown: record.changedAt <= unknown
        }
    }
}

/// Where keys are kept.
///
/// **Operations.** Each is atomic by itself and compares before it writes, so that a store shared by several
/// processes can do it with one script: `put` is SET with NX and GET; `replace`, `move` and `remove` compare state,
/// time and attempts and then write; `purge` deletes what an index of times names. None relies on what an earlier one
/// of the same batch has seen, other than through its `seen`.
///
/// **Batches.** All operations stand between `begin` and `commit`. When `commit` returns, they are durable: on the
/// disk, or where a store keeps its copies (WAITAOF). When anything throws, the desk calls `rollback`, once, and the
/// caller is told that the batch failed. A store undoes what it can; but a commit may have become durable although
/// its confirmation was lost, and a store without transactions cannot take back a script. So the desk does not rely
/// on it: it remembers the claims that it has disowned and takes them back, by state, at the head of the next batch.
///
/// **In flight.** A store that one process owns says so of requests of that process only; see `recover`.
package protocol KeyStore: AnyObject {
    /// Whether batches can be begun. A store may close itself in `rollback`, where its handle can no longer be trusted.
    var isOpen: Bool { get }
    /// Keys that are kept. Exact after `open`; what an operator removes beside the desk may not be counted off.
    var count: Int { get }

    /// Opens, or opens again. Never makes anew what is there and cannot be read.
    func open() throws(StoreFailure)
    /// The clean end, after the last batch: the next `open` need not doubt what it finds.
    func close()

    /// Begins a batch; there is one at a time.
    func begin() throws(StoreFailure)
    /// Ends the batch: it is durable when this returns.
    func commit() throws(StoreFailure)
    /// Ends the batch without effect as far as that can be had.
    func rollback()

    /// What is kept under `key`, past its time or not; nil where nothing is.
    func read(_ key: KeyDigest) throws(StoreFailure) -> KeyRecord?
    /// Puts `record` where the key is absent; otherwise says what is there.
    func put(_ record: KeyRecord, under key: KeyDigest) throws(StoreFailure) -> KeyRecord?
    /// False where the record is no longer the one that was `seen`.
    func replace(_ key: KeyDigest, seen: KeyVersion, by record: KeyRecord) throws(StoreFailure) -> Bool
    /// Removes `key` and puts `record` under `name`; false where the first has changed or the second is taken.
    func move(
        _ key: KeyDigest, seen: KeyVersion, to name: KeyDigest, as record: KeyRecord
    ) throws(StoreFailure) -> Bool
    /// False where the record is no longer the one that was `seen`.
    func remove(_ key: KeyDigest, seen: KeyVersion) throws(StoreFailure) -> Bool

    /// Removes at most `limit` of the records that `cutoffs` include; says how many.
    func purge(_ cutoffs: Cutoffs, limit: Int) throws(StoreFailure) -> Int
    /// What a process that is no more has left in flight becomes unknown, changed at `time`; says how many. The desk
    /// asks once, in the first batch that becomes durable.
    func recover(at time: Int64) throws(StoreFailure) -> Int

    /// Where the clock stood when it was last noted.
    func readClock() throws(StoreFailure) -> ClockMark?
    /// Notes where the clock stands.
    func writeClock(_ mark: ClockMark) throws(StoreFailure)
}
