// Latencies by how long they were, in log-linear buckets as HdrHistogram has them: three significant digits over the
// whole range, in memory that does not grow with the count.
// Relies on the caller for the unit; here it is nanoseconds. Refuses nothing: what is above the range is counted at its
// end, and told apart.

/// Counts of values from 0 to 60 s in nanoseconds, each kept to within 1/1024 of itself.
package struct Histogram: Sendable {
    /// Largest value that is told apart from larger ones: 60 s in nanoseconds.
    package static let highest: UInt64 = 60_000_000_000

    /// 2048 values of each bucket are told apart, so that two that differ by a thousandth are.
    private static let magnitude = 11
    private static let half = 1 << (magnitude - 1)

    private var counts: [UInt64]
    /// How many values were recorded.
    package private(set) var total: UInt64 = 0
    /// The largest value as it was recorded, also where it is above the range.
    package private(set) var maximum: UInt64 = 0
    /// Values above the range.
    package private(set) var saturated: UInt64 = 0
    private var sum: UInt64 = 0

    package init() { counts = Array(repeating: 0, count: Self.index(Self.highest) + 1) }

    /// The bucket of a value within the range.
    private static func index(_ value: UInt64) -> Int {
        let mask = UInt64(1) << magnitude - 1
        let shift = 64 - (value | mask).leadingZeroBitCount - magnitude
        return (shift + 1) * half + Int(value >> UInt64(shift)) - half
    }

    /// The largest value that falls into the bucket.
    private static func upper(_ index: Int) -> UInt64 {
        let shift = max(0, index / half - 1)
        let place = index - shift * half
        return (UInt64(place) + 1) << UInt64(shift) - 1
    }

    /// Counts one value.
    package mutating func record(_ value: UInt64) {
        if value > Self.highest { saturated += 1 }
        counts[Self.index(min(value, Self.highest))] += 1
        total += 1
        sum &+= value
        maximum = max(maximum, value)
    }

    /// The value that `percent` (0...100) of all do not exceed, as the largest of its bucket but never above the
    /// maximum; 0 where there is none.
    package func value(atPercentile percent: Double) -> UInt64 {
        guard total > 0 else { return 0 }
        let wanted = max(1, UInt64((min(100, max(0, percent)) / 100 * Double(total)).rounded(.up)))
        var seen: UInt64 = 0
        for index in counts.indices {
            seen += counts[index]
            if seen >= wanted { return index == counts.count - 1 ? maximum : min(Self.upper(index), maximum) }
        }
        return maximum
    }

    /// The mean; 0 where there is no value.
    package var mean: Double { total == 0 ? 0 : Double(sum) / Double(total) }

    /// The buckets that are not empty, in order: the largest value of each, and its count.
    package var buckets: [(upper: UInt64, count: UInt64)] {
        counts.indices.compactMap { counts[$0] == 0 ? nil : (Self.upper($0), counts[$0]) }
    }
}
