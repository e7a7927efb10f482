// How far our clock is from an upstream's, as its answers say: a signature whose date is too far off is refused.
// Relies on the caller's monotonic clock. Refuses to average: one answer that is off is what an operator must know.

/// The largest difference of the last minute to one upstream.
package struct ClockSkew {
    /// Seconds from which on the operator is warned.
    package static let warned: Int64 = 60
    /// Seconds beyond which Ingo refuses signatures (Ingo, Authentication: 300 seconds either way).
    package static let refused: Int64 = 300

    private static let bucketMilliseconds: UInt64 = 10_000
    private var buckets: [6 of Bucket] = InlineArray(repeating: Bucket())

    private struct Bucket {
        var window: UInt64 = 0
        var worst: Int64 = 0
    }

    package init() {}

    /// `seconds`: our time less theirs. `now`: monotonic milliseconds.
    package mutating func note(_ seconds: Int64, at now: UInt64) {
        let window = now / Self.bucketMilliseconds + 1
        let index = Int(window % 6)
        if buckets[index].window != window { buckets[index] = Bucket(window: window) }
        if seconds.magnitude > buckets[index].worst.magnitude { buckets[index].worst = seconds }
    }

    /// Our time less theirs in seconds, where it was furthest from zero in the last minute (50 to 60 s); 0 where
    /// nothing is known.
    package func largest(at now: UInt64) -> Int64 {
        let window = now / Self.bucketMilliseconds + 1
        var worst: Int64 = 0
        for index in buckets.indices where buckets[index].window + 5 >= window && buckets[index].window > 0 {
            if buckets[index].worst.magnitude > worst.magnitude { worst = buckets[index].worst }
        }
        return worst
    }
}
