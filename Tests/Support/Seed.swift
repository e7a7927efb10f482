// Randomness that can be repeated: every random test prints its seed, and `COUNTERSIGN_SEED` sets it.

import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): small, seedable, good enough to choose test cases.
public struct Seed: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that gives the same numbers for the same `value`.
    public init(_ value: UInt64) { state = value }

    /// The seed of a random test: `COUNTERSIGN_SEED` where it is set, else a new one. It is printed either way.
    package static func chosen(for test: String) -> Seed {
        let wanted = ProcessInfo.processInfo.environment["COUNTERSIGN_SEED"].flatMap { UInt64($0) }
        let value = wanted ?? UInt64.random(in: 0...UInt64.max / 2)
        print("\(test): COUNTERSIGN_SEED=\(value)")
        return Seed(value)
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
