// What the desk has done, for metrics. Relies on the desk to count. Refuses nothing.

/// Counts since the desk was made, but for the last three, which are levels.
package struct StoreCounts: Equatable, Sendable {
    /// Requests that wanted their key.
    package var claims = 0
    /// Those that got it.
    package var claimed = 0
    /// Those that got an answer from before.
    package var replayed = 0
    /// Those that had to wait for an equal one.
    package var waited = 0
    /// Those whose key belongs to another request.
    package var reused = 0
    /// Outcomes that became unknown: lost answers, and requests of a process that is no more.
    package var unknownOutcomes = 0
    /// Batches that failed, and attempts to open.
    package var failures = 0
    /// Batches that became durable.
    package var commits = 0
    /// Keys that were forgotten at the end of their time.
    package var purged = 0
    /// Outcomes that the store has not taken yet.
    package var pending = 0
    /// Keys that are kept.
    package var keys = 0
    /// Keys of unknown outcome when they were last counted, about every 10 s; at most `KeyDesk.countedUnknown`.
    package var unknownKeys = 0

    package init() {}
}
