// Durations fall into the right ranges, at each range's edge, and quantiles lie where they must.
// Relies on seeds for durations by chance.

import Gateway
import TestSupport
import Testing

@Suite struct LatencyHistogramTests {
    @Test func theBoundsRiseAndThoseThatAreShownAreTheDocumentedOnes() {
        let bounds = LatencyBounds.microseconds
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        let shown: [UInt64] = [
            5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
            30_000_000, 60_000_000, 90_000_000,
        ]
        #expect(Array(bounds[LatencyBounds.firstShown...]) == shown)
    }

    @Test func anEdgeBelongsToTheRangeBelow() {
        for (index, bound) in LatencyBounds.microseconds.enumerated() {
            #expect(LatencyBounds.index(of: bound * 1_000) == index)
            #expect(LatencyBounds.index(of: bound * 1_000 - 1) == index)
            #expect(LatencyBounds.index(of: bound * 1_000 + 1) == index + 1)
        }
        #expect(LatencyBounds.index(of: 0) == 0)
        #expect(LatencyBounds.index(of: .max) == LatencyBounds.count - 1)
    }

    @Test func quantilesLieInTheRangesOfTheirDurations() {
        var generator = Seed.chosen(for: "latencies")
        for _ in 0..<50 {
            var histogram = LatencyHistogram()
            var durations: [UInt64] = []
            for _ in 0..<Int.random(in: 1...400, using: &generator) {
                let exponent = Double.random(in: 4...11, using: &generator)
                durations.append(UInt64(pow10(exponent)))
            }
            for duration in durations { histogram.add(duration) }
            durations.sort()
            #expect(histogram.total == UInt64(durations.count) && histogram.sum == durations.reduce(0, +))
            for share in [0.01, 0.5, 0.9, 0.99, 1.0] {
                let rank = max(1, Int((share * Double(durations.count)).rounded(.up)))
                let exact = LatencyBounds.index(of: durations[rank - 1])
                let estimate = histogram.quantile(share) ?? 0
                let lower = exact == 0 ? 0 : LatencyBounds.microseconds[exact - 1]
                let upper = exact == LatencyBounds.count - 1 ? lower : LatencyBounds.microseconds[exact]
                #expect((lower...upper).contains(estimate), "\(share) of \(durations)")
            }
        }
    }

    private func pow10(_ exponent: Double) -> Double {
        var value = 1.0
        for _ in 0..<Int(exponent) { value *= 10 }
        return value * (1 + 9 * (exponent - exponent.rounded(.down)))
    }

    @Test func nothingHasNoQuantile() {
        #expect(LatencyHistogram().quantile(0.5) == nil)
    }

    @Test func whatLiesAboveAllBoundsIsAtLeastTheLast() {
        var histogram = LatencyHistogram()
        histogram.add(200_000_000_000)
        #expect(histogram.quantile(0.5) == 90_000_000)
    }

    @Test func aDifferenceIsWhatCameSince() {
        var before = LatencyHistogram()
        before.add(1_000_000)
        var after = before
        after.add(7_000_000)
        let since = after.since(before)
        #expect(since.total == 1 && since.sum == 7_000_000)
        #expect(before.since(after).total == 0, "counts that went back are none")
    }
}

@Suite struct RateHistoryTests {
    private static let second: UInt64 = 1_000_000_000

    @Test func ratesAreOverTheirTime() {
        var history = RateHistory()
        #expect(history.nextAt == 0 && history.rate(seconds: 1, ended: 5, at: 100) == 0)
        // Ten per second for a minute, then a hundred in the last second.
        for second in 0...60 {
            history.note(ended: UInt64(second) * 10, LatencyHistogram(), at: UInt64(second) * Self.second)
        }
        let now = 61 * Self.second
        #expect(history.nextAt == now)
        #expect(history.rate(seconds: 1, ended: 700, at: now) == 100_000)
        #expect(history.rate(seconds: 10, ended: 700, at: now) == 19_000)
        #expect(history.rate(seconds: 60, ended: 700, at: now) == 11_500)
    }

    @Test func aShortLifeIsAllThatThereIs() {
        var history = RateHistory()
        history.note(ended: 0, LatencyHistogram(), at: Self.second)
        #expect(history.rate(seconds: 60, ended: 4, at: 3 * Self.second) == 2_000)
    }

    @Test func aMinuteIsKept() {
        var history = RateHistory()
        var latency = LatencyHistogram()
        for second in 0..<200 {
            latency.add(1_000)
            history.note(ended: UInt64(second), latency, at: UInt64(second) * Self.second)
        }
        let late = history.latency(seconds: 60, latency, at: 199 * Self.second)
        #expect(late.total == 60)
        #expect(history.latency(seconds: 1_000, latency, at: 199 * Self.second).total == 60, "no more is there")
    }
}
