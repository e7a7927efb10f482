// Names for requests that the gateway answers itself, so that a caller's report and the gateway's record can be brought
// together. They say nothing: random at the start, then counted.

/// Makes request ids: 16 hexadecimal digits of randomness, a dash, and a count.
package struct RequestIDs {
    private let prefix: [UInt8]
    private var count: UInt64 = 0

    /// Ids of one worker: their beginning is 64 random bits.
    package init(worker: Int) {
        var random = SystemRandomNumberGenerator()
        let number = random.next() as UInt64 ^ UInt64(truncatingIfNeeded: worker)
        let hex = String(number, radix: 16)
        prefix = Array((String(repeating: "0", count: 16 - hex.count) + hex + "-").utf8)
    }

    /// The next id, in ASCII.
    package mutating func next() -> [UInt8] {
        count += 1
        return prefix + Array(String(count).utf8)
    }
}
