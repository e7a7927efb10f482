// How long an upstream keeps connections that carry nothing, learnt from requests that met a closing one: a connection
// that is about to be closed must not be given a request, whose fate nobody could tell.
// Time comes in as an argument. One per worker and upstream: nothing is shared. Forgets after a minute.

/// What one upstream's closings say of its idle limit.
package struct IdleLimit: Equatable, Sendable {
    /// How long what was learnt holds, in milliseconds.
    package static let memoryMilliseconds: UInt64 = 60_000

    /// The shortest time after which an idle connection was closed.
    private var shortest: UInt64 = .max
    /// When the first of two closings came; one alone says nothing: an upstream that restarts closes all at once.
    private var suspectedAt: UInt64?
    private var holdsUntil: UInt64 = 0

    package init() {}

    /// A request was lost on a connection that had been idle for so long. Times are monotonic milliseconds.
    package mutating func closed(afterIdle idle: UInt64, openedAt: UInt64, now: UInt64) {
        if now < holdsUntil {
            shortest = min(shortest, idle)
            holdsUntil = now &+ Self.memoryMilliseconds
        } else if let first = suspectedAt, openedAt >= first, now - first < Self.memoryMilliseconds {
            shortest = min(shortest, idle)
            holdsUntil = now &+ Self.memoryMilliseconds
            suspectedAt = nil
        } else if suspectedAt.map({ now - $0 >= Self.memoryMilliseconds }) ?? true {
            shortest = idle
            suspectedAt = now
        } else {
            // Older than the first closing: closed with it, and no news.
            shortest = min(shortest, idle)
        }
    }

    /// How long a connection may be idle and still be given a request: at most `milliseconds`, and three quarters of
    /// the time after which the upstream is known to close.
    package func bound(_ milliseconds: Int, now: UInt64) -> Int {
        guard now < holdsUntil else { return milliseconds }
        return Int(min(UInt64(milliseconds), shortest - (shortest + 3) / 4))
    }
}
