// How long things took, as counts of ranges: the ranges, where a duration falls, and what can be said of them later.
// Relies on nothing. Refuses to guess beyond the last bound: what lies above it is said to be at least that.

/// The ranges of all histograms.
package enum LatencyBounds {
    /// Upper bounds in microseconds, each included. Above the last there is one range more.
    package static let microseconds: [UInt64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
        5_000_000, 10_000_000, 30_000_000, 60_000_000, 90_000_000,
    ]
    /// The first bound that metrics show: 5 ms. What is shorter counts below it; the status page knows more.
    package static let firstShown = 5
    /// The number of ranges.
    package static let count = microseconds.count + 1

    /// The range of a duration in nanoseconds, 0 ..< `count`.
    package static func index(of nanoseconds: UInt64) -> Int {
        // Most calls take between 1 ms and 1 s: the search begins in the middle.
        var low = 0
        var high = microseconds.count
        while low < high {
            let middle = (low + high) / 2
            if nanoseconds <= microseconds[middle] &* 1_000 { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The counts of one histogram, or of several together.
package struct LatencyHistogram: Equatable, Sendable {
    /// By the ranges of `LatencyBounds`.
    package private(set) var counts = [UInt64](repeating: 0, count: LatencyBounds.count)
    /// Nanoseconds together.
    package private(set) var sum: UInt64 = 0

    package init() {}

    package var total: UInt64 { counts.reduce(0, &+) }

    /// Adds one duration in nanoseconds.
    package mutating func add(_ nanoseconds: UInt64) {
        counts[LatencyBounds.index(of: nanoseconds)] &+= 1
        sum &+= nanoseconds
    }

    /// Adds what stands in a block from `cell` on: the ranges, then the sum.
    package mutating func add(_ block: CounterBlock, from cell: Int) {
        for index in 0..<LatencyBounds.count { counts[index] &+= block.load(cell + index) }
        sum &+= block.load(cell + LatencyBounds.count)
    }

    package mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sum &+= other.sum
    }

    /// What was added since `earlier`. A count that went back, since its route is gone, counts as none.
    package func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
        var difference = LatencyHistogram()
        for index in counts.indices {
            difference.counts[index] = counts[index] > earlier.counts[index] ? counts[index] - earlier.counts[index] : 0
        }
        difference.sum = sum > earlier.sum ? sum - earlier.sum : 0
        return difference
    }

    /// The duration in microseconds that `share` (above 0, at most 1) of all do not exceed, estimated within its range
    /// as if it were filled evenly; the last bound where it lies above that. nil where nothing was counted.
    package func quantile(_ share: Double) -> UInt64? {
        precondition(share > 0 && share <= 1, "a share of all")
        let all = total
        guard all > 0 else { return nil }
        let rank = share * Double(all)
        var below: UInt64 = 0
        for (index, bound) in LatencyBounds.microseconds.enumerated() {
            let count = counts[index]
            if count > 0 && Double(below &+ count) >= rank {
                let start = index == 0 ? 0 : LatencyBounds.microseconds[index - 1]
                let part = max(0, rank - Double(below)) / Double(count)
                return start + UInt64(Double(bound - start) * part)
            }
            below &+= count
        }
        return LatencyBounds.microseconds.last
    }
}
