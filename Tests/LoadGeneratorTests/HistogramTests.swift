// The histogram against a sorted list, at its edges and at random. Relies on the seed that each run prints.

import LoadGeneration
import TestSupport
import Testing

@Suite struct HistogramTests {
    private static let edges: [UInt64] = [
        0, 1, 2, 1_023, 1_024, 2_047, 2_048, 2_049, 4_095, 4_096, 4_097, 999_999, 1_000_000, 1_000_001,
        Histogram.highest - 1, Histogram.highest,
    ]

    private func isClose(_ found: UInt64, _ exact: UInt64) -> Bool {
        found >= exact && found - exact <= exact / 1_000
    }

    @Test func nothingIsZero() {
        let histogram = Histogram()
        #expect(histogram.value(atPercentile: 99) == 0)
        #expect(histogram.mean == 0 && histogram.maximum == 0 && histogram.buckets.isEmpty)
    }

    @Test(arguments: edges)
    func oneValueIsFoundAtEveryPercentile(_ value: UInt64) {
        var histogram = Histogram()
        histogram.record(value)
        for percent in [0, 0.001, 50, 99.9, 100, 1_000] {
            #expect(histogram.value(atPercentile: percent) == value)
        }
        #expect(histogram.buckets.count == 1 && histogram.saturated == 0)
    }

    @Test func smallValuesAreExact() {
        var histogram = Histogram()
        for value in 0..<UInt64(2_048) { histogram.record(value) }
        #expect(histogram.buckets.map(\.upper) == Array(0..<2_048))
        #expect(histogram.value(atPercentile: 50) == 1_023)
    }

    @Test func neighbouringBucketsMeet() {
        // Each value falls into the first bucket whose end it does not exceed: no gap and no overlap.
        for shift in 11..<36 {
            let power = UInt64(1) << UInt64(shift)
            for value in [power - 1, power, power + 1] where value <= Histogram.highest {
                var histogram = Histogram()
                histogram.record(value)
                #expect(isClose(histogram.buckets[0].upper, value), "\(value)")
            }
        }
    }

    @Test func aboveTheRangeIsCountedAndKeptAsTheMaximum() {
        var histogram = Histogram()
        histogram.record(5)
        histogram.record(Histogram.highest + 1)
        histogram.record(Histogram.highest * 3)
        #expect(histogram.saturated == 2 && histogram.total == 3)
        #expect(histogram.maximum == Histogram.highest * 3)
        #expect(histogram.value(atPercentile: 100) == Histogram.highest * 3)
        #expect(histogram.value(atPercentile: 10) == 5)
    }

    @Test func percentilesAreThoseOfTheSortedList() {
        var seed = Seed.chosen(for: "histogram")
        for _ in 0..<20 {
            var histogram = Histogram()
            var values: [UInt64] = []
            for _ in 0..<Int.random(in: 1...3_000, using: &seed) {
                // Every order of magnitude as often as another.
                let value =
                    UInt64.random(in: 0...Histogram.highest, using: &seed) >> UInt64.random(in: 0...35, using: &seed)
                values.append(value)
                histogram.record(value)
            }
            values.sort()
            for percent in [0.01, 1, 25, 50, 90, 99, 99.9, 100] {
                let place = max(1, Int((percent / 100 * Double(values.count)).rounded(.up)))
                let found = histogram.value(atPercentile: percent)
                #expect(isClose(found, values[place - 1]), "\(percent): \(found) for \(values[place - 1])")
            }
            #expect(histogram.buckets.reduce(0) { $0 + $1.count } == UInt64(values.count))
        }
    }
}
