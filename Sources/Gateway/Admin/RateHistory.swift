// What the counts were in each of the last 60 seconds, for rates and for the latency of late.
// Time comes in as an argument. Bounded: one entry per second, 61 at most.

/// The last minute. One thread's.
package struct RateHistory {
    private struct Entry {
        /// Monotonic nanoseconds.
        let time: UInt64
        let ended: UInt64
        let latency: LatencyHistogram
    }

    /// Between two entries.
    package static let intervalNanoseconds: UInt64 = 1_000_000_000
    package static let maxEntries = 61

    private var entries: [Entry] = []

    package init() {}

    /// When the next entry is due, in monotonic nanoseconds; 0 for at once.
    package var nextAt: UInt64 { entries.last.map { $0.time &+ Self.intervalNanoseconds } ?? 0 }

    /// Takes an entry. `ended`: requests that have ended so far.
    package mutating func note(ended: UInt64, _ latency: LatencyHistogram, at now: UInt64) {
        entries.append(Entry(time: now, ended: ended, latency: latency))
        if entries.count > Self.maxEntries { entries.removeFirst() }
    }

    private func entry(before nanoseconds: UInt64, at now: UInt64) -> Entry? {
        let limit = now > nanoseconds ? now - nanoseconds : 0
        return entries.last { $0.time <= limit } ?? entries.first
    }

    /// Requests per second over the last `seconds`, in thousandths; over a shorter time where there is no more of it.
    package func rate(seconds: UInt64, ended: UInt64, at now: UInt64) -> UInt64 {
        guard let entry = entry(before: seconds * 1_000_000_000, at: now), now > entry.time else { return 0 }
        let count = ended > entry.ended ? ended - entry.ended : 0
        return UInt64(Double(count) * 1e12 / Double(now - entry.time))
    }

    /// The latency of what has ended in the last `seconds`.
    package func latency(seconds: UInt64, _ present: LatencyHistogram, at now: UInt64) -> LatencyHistogram {
        guard let entry = entry(before: seconds * 1_000_000_000, at: now) else { return present }
        return present.since(entry.latency)
    }
}
