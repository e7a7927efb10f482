// How long an upstream keeps connections that carry nothing, learnt from requests that met a closing one: a connection
// that is about to be closed must not be given a request, whose fate nobody could tell.
// Time comes in as an argument. One per worker and upstream: nothing is shared. Forgets after a minute.

/// What the losses of one upstream's kept connections say of its idle limit.
///
/// A limit loses nearly every request on a connection that is older; an upstream that fails now and then loses few. So
/// each loss counts `lossWeight`, each request that was answered on a connection as old takes one off, and a sum of
/// `believedAt` is believed.
package struct IdleLimit: Equatable, Sendable {
    /// How long what was learnt holds, and how long a suspicion lasts, in milliseconds.
    package static let memoryMilliseconds: UInt64 = 60_000
    package static let lossWeight = 16
    package static let believedAt = 64

    /// The shortest idle time that was too long.
    private var shortest: UInt64 = .max
    private var suspicion = 0
    private var lastLossAt: UInt64 = 0
    private var holdsUntil: UInt64 = 0

    package init() {}

    /// Whether answered requests are of interest: `answered` is to be told of them.
    package var isSuspicious: Bool { suspicion > 0 }

    /// A request was lost on a connection that had been idle for so long. Times are monotonic milliseconds.
    package mutating func lost(afterIdle idle: UInt64, openedAt: UInt64, now: UInt64) {
        if now < holdsUntil {
            shortest = min(shortest, idle)
            holdsUntil = now &+ Self.memoryMilliseconds
            return
        }
        if now - lastLossAt >= Self.memoryMilliseconds { forget() }
        // One that is older than the last loss went with it: an upstream that restarts closes all at once.
        guard suspicion == 0 || openedAt >= lastLossAt else { return }
        shortest = min(shortest, idle)
        lastLossAt = now
        suspicion += Self.lossWeight
        guard suspicion >= Self.believedAt else { return }
        suspicion = 0
        holdsUntil = now &+ Self.memoryMilliseconds
    }

    /// A request was answered on a connection that had been idle for so long.
    package mutating func answered(afterIdle idle: UInt64) {
        guard suspicion > 0 && idle >= shortest else { return }
        suspicion -= 1
        if suspicion == 0 { forget() }
    }

    private mutating func forget() {
        suspicion = 0
        shortest = .max
    }

    /// How long a connection may be idle and still be given a request: at most `milliseconds`, and three quarters of
    /// the time that was too long.
    package func bound(_ milliseconds: Int, now: UInt64) -> Int {
        guard now < holdsUntil else { return milliseconds }
        return Int(min(UInt64(milliseconds), shortest - (shortest + 3) / 4))
    }
}
