// Eight bytes at a time in one UInt64 (SWAR): the scans that touch every byte of a head, and comparison without case.
// Relies on `Span.word(at:)`. Every answer is exact; ranges are offsets that the caller keeps within the span.

private let ones: UInt64 = 0x0101_0101_0101_0101
private let tops: UInt64 = 0x8080_8080_8080_8080

extension UInt64 {
    /// The top bit of every byte that is zero; the lowest marked byte is exact.
    @inline(__always)
    var zeroBytes: UInt64 { (self &- ones) & ~self & tops }

    /// ASCII capitals made small; all other bytes as they are.
    @inline(__always)
    var lowercased: UInt64 {
        let bits = self & ~tops
        let fromA = bits &+ (0x80 - 0x41) &* ones
        let behindZ = bits &+ (0x80 - 0x5B) &* ones
        return self | ((fromA & ~behindZ & ~self & tops) &>> 2)
    }

    /// Every `_` made `-`.
    @inline(__always)
    var hyphenated: UInt64 {
        let differing = self ^ (0x5F &* ones)
        // Exact in every byte: the low seven bits cannot carry, the top bit is asked for itself.
        let marks = ~(((differing & ~tops) &+ ~tops) | differing) & tops
        return self ^ ((marks &>> 7) &* (0x5F ^ 0x2D))
    }
}

extension Span where Element == UInt8 {
    /// The bytes `offset ..< min(end, offset + 8)` as a word, zeros behind them.
    @inline(__always)
    func word(at offset: Int, upTo end: Int) -> UInt64 {
        let wanted = end - offset
        guard offset + 8 <= count else { return tail(at: offset, upTo: end) }
        let word = word(at: offset)
        return wanted >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: wanted * 8)) &- 1)
    }

    /// `word(at:upTo:)` where fewer than eight bytes of the span are left.
    private func tail(at offset: Int, upTo end: Int) -> UInt64 {
        var word: UInt64 = 0
        for at in offset..<Swift.min(end, count) {
            word |= UInt64(self[at]) &<< UInt64(truncatingIfNeeded: (at - offset) * 8)
        }
        return word
    }

    /// First offset in `start ..< end` of a byte that is not 0x20 ... 0x7E; `end` if there is none.
    @inline(__always)
    func firstUnprintable(from start: Int, to end: Int) -> Int {
        var at = start
        while at + 8 <= end {
            let word = word(at: at)
            let marks = ((word &- (0x20 &* ones)) | (word &+ ones) | word) & tops
            if marks != 0 { return at + marks.trailingZeroBitCount &>> 3 }
            at += 8
        }
        while at < end && self[at] &- 0x20 < 0x5F { at += 1 }
        return at
    }

    /// First offset in `start ..< end` of a byte below 0x20 or of 0x7F; `end` if there is none.
    @inline(__always)
    func firstControl(from start: Int, to end: Int) -> Int {
        var at = start
        while at + 8 <= end {
            let word = word(at: at)
            let marks = ((word &- (0x20 &* ones)) & ~word & tops) | (word ^ (0x7F &* ones)).zeroBytes
            if marks != 0 { return at + marks.trailingZeroBitCount &>> 3 }
            at += 8
        }
        while at < end && self[at] >= 0x20 && self[at] != 0x7F { at += 1 }
        return at
    }

    /// First offset of `byte` (not NUL) in `start ..< end`; nil if there is none.
    @inline(__always)
    func first(_ byte: UInt8, from start: Int, to end: Int) -> Int? {
        let pattern = UInt64(byte) &* ones
        var at = start
        while at < end {
            // A word may reach beyond `end`; what is found there does not count.
            let word = at + 8 <= count ? word(at: at) : tail(at: at, upTo: end)
            let marks = (word ^ pattern).zeroBytes
            if marks != 0 {
                let found = at + marks.trailingZeroBitCount &>> 3
                return found < end ? found : nil
            }
            at += 8
        }
        return nil
    }

    /// Whether two ranges hold the same bytes, ASCII letters compared without case.
    func equalsIgnoringCase(_ left: ByteRange, _ right: ByteRange) -> Bool {
        guard left.count == right.count else { return false }
        let shift = Int(right.start) - Int(left.start)
        var at = Int(left.start)
        while at < Int(left.end) {
            let one = word(at: at, upTo: Int(left.end)).lowercased
            guard one == word(at: at + shift, upTo: Int(right.end)).lowercased else { return false }
            at += 8
        }
        return true
    }
}
