// The seeded hash of member names. The seed is random per process and never leaves it, so nobody outside can choose
// names that meet in one slot; equality is always confirmed by the bytes.

/// Keys of the hash: a multiply-and-fold over blocks of 16 bytes (Yi Wang's wyhash has this step).
struct JSONHashSeed: BitwiseCopyable {
    private let first: UInt64
    private let second: UInt64

    init(_ generator: inout some RandomNumberGenerator) {
        first = generator.next()
        second = generator.next()
    }

    /// Hash of `text[start..<end]`.
    @inline(__always)
    func hash(_ text: JSONText, _ start: Int, _ end: Int) -> UInt64 {
        var at = start
        var state = second
        while end - at > 16 {
            state = fold(text.word(at: at) ^ first, text.word(at: at + 8) ^ state)
            at += 16
        }
        // Smart shifts: a shift by 64 or more leaves no bits, so bytes behind the name never count.
        let left = (end - at) * 8
        let low = text.word(at: at) & ~(UInt64.max << left)
        let high = text.word(at: at + 8) & (left > 64 ? ~(UInt64.max << (left - 64)) : 0)
        return fold(low ^ first, high ^ state ^ UInt64(truncatingIfNeeded: end - start) &* 0x9E37_79B9_7F4A_7C15)
    }

    @inline(__always)
    private func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
