// The share of its pace that a credential uses after its upstream asked for less: halved at once, grown again in steps.
// Time comes in as an argument.

/// In parts of `full`.
struct PaceShare: Equatable, Sendable {
    /// The whole pace.
    static let full: UInt64 = 64
    /// The least that it sinks to: a sixteenth.
    static let least: UInt64 = 4
    /// What comes back per step: from a half to the whole takes eight.
    static let step: UInt64 = 4

    private var stepNanoseconds: UInt64
    private var share = Self.full
    /// Grows from here on.
    private var since: UInt64 = 0

    /// Until then the upstream is left alone.
    var restsUntil: UInt64 { since }

    /// A step takes as long as five requests, and at least a second.
    init(interval: UInt64) { stepNanoseconds = Self.step(interval) }

    /// Goes on with steps of another pace.
    mutating func adopt(interval: UInt64) { stepNanoseconds = Self.step(interval) }

    private static func step(_ interval: UInt64) -> UInt64 { max(1_000_000_000, 5 * interval) }

    /// The share at this time.
    func value(at now: UInt64) -> UInt64 {
        guard share < Self.full && now > since else { return share }
        return min(Self.full, share + Self.step * min((now - since) / stepNanoseconds, Self.full))
    }

    /// The upstream asked to be left alone until `time`. Requests that were on their way together are often told so
    /// together: what it says before the first step counts as said once.
    mutating func halve(at now: UInt64, until time: UInt64) {
        if share == Self.full || now >= since + stepNanoseconds { share = max(Self.least, value(at: now) / 2) }
        since = max(since, time)
    }
}
