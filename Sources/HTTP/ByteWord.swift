// Eight bytes at a time in one UInt64 (SWAR): the scans that touch every byte of a head, and comparison without case.
// Relies on `Span.word(at:)`. Every answer is exact; ranges are offsets that the caller keeps within the span.

private let ones: UInt64 = 0x0101_0101_0101_0101
private let tops: UInt64 = 0x8080_8080_8080_8080

extension UInt64 {
    /// ASCII capitals made small; all other bytes as they are.
    @inline(__always)
    var lowercased: UInt64 {
        let bits = self & ~tops
        let fromA = bits &+ (0x80 - 0x41) &* ones
        let behindZ = bits &+ (0x80 - 0x5B) &* ones
        return self | ((fromA & ~behindZ & ~self & tops) &>> 2)
    }

    /// Every `byte` made `other`.
    @inline(__always)
    func replacing(_ byte: UInt8, with other: UInt8) -> UInt64 {
        let differing = self ^ (UInt64(byte) &* ones)
        // Exact in every byte: the low seven bits cannot carry, the top bit is asked for itself.
        let marks = ~(((differing & ~tops) &+ ~tops) | differing) & tops
        return self ^ ((marks &>> 7) &* UInt64(byte ^ other))
    }
}

extension Span where Element == UInt8 {
    /// The bytes `offset ..< min(end, offset + 8)` as a word, zeros behind them.
    @inline(__always)
    func word(at offset: Int, upTo end: Int) -> UInt64 {
        let wanted = end &- offset
        guard offset &+ 8 <= count else { return tail(at: offset, upTo: end) }
        let word = word(at: offset)
        return wanted >= 8 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: wanted &* 8)) &- 1)
    }

    /// `word(at:upTo:)` where fewer than eight bytes of the span are left.
    private func tail(at offset: Int, upTo end: Int) -> UInt64 {
        var word: UInt64 = 0
        for at in offset..<Swift.min(end, count) {
            word |= UInt64(self[at]) &<< UInt64(truncatingIfNeeded: (at - offset) * 8)
        }
        return word
    }

    /// First offset in `start ..< end` of a byte that is found; `end` if there is none. `found` marks the bytes of a
    /// block, `isFound` says the same of one byte.
    @inline(__always)
    private func first(
        from start: Int, to end: Int, _ found: (SIMD16<Int8>) -> ByteMarks, _ isFound: (UInt8) -> Bool
    ) -> Int {
        var at = start
        // A block may reach beyond `end`; what is found there does not count.
        while at < end && at &+ 16 <= count {
            let place = found(block(at: at)).first
            at &+= place
            if place < 16 { return Swift.min(at, end) }
        }
        while at < end && !isFound(self[at]) { at &+= 1 }
        return Swift.min(at, end)
    }

    /// First offset in `start ..< end` of a byte that is not 0x20 ... 0x7E; `end` if there is none.
    @inline(__always)
    func firstUnprintable(from start: Int, to end: Int) -> Int {
        first(from: start, to: end) { block in
            ByteMarks(block .< SIMD16(repeating: 0x20)) | ByteMarks(block .== SIMD16(repeating: 0x7F))
        } _: {
            $0 &- 0x20 >= 0x5F
        }
    }

    /// First offset in `start ..< end` of a byte below 0x20 or of 0x7F; `end` if there is none.
    @inline(__always)
    func firstControl(from start: Int, to end: Int) -> Int {
        first(from: start, to: end) { block in
            // With the top bit turned the order of signed numbers is that of the bytes.
            ByteMarks((block ^ SIMD16(repeating: .min)) .< SIMD16(repeating: .min + 0x20))
                | ByteMarks(block .== SIMD16(repeating: 0x7F))
        } _: {
            $0 < 0x20 || $0 == 0x7F
        }
    }

    /// First offset of `byte` in `start ..< end`; nil if there is none.
    @inline(__always)
    func first(_ byte: UInt8, from start: Int, to end: Int) -> Int? {
        let wanted = Int8(bitPattern: byte)
        let at = first(from: start, to: end) {
            ByteMarks($0 .== SIMD16(repeating: wanted))
        } _: {
            $0 == byte
        }
        return at < end ? at : nil
    }

    /// An offset in `start ... end` before which there are only letters, digits, `-` and `other`. It may be too early:
    /// whoever wants to know looks on byte by byte.
    @inline(__always)
    func plainRun(from start: Int, to end: Int, _ other: UInt8) -> Int {
        let other = Int8(bitPattern: other)
        return first(from: start, to: end) { block in
            // Moved so that the letters, or the digits, are the lowest signed numbers.
            let letters = (block | SIMD16(repeating: 0x20)) &- SIMD16(repeating: 0x61) ^ SIMD16(repeating: .min)
            let digits = block &- SIMD16(repeating: 0x30) ^ SIMD16(repeating: .min)
            let run =
                ByteMarks(letters .< SIMD16(repeating: .min + 26)) | ByteMarks(digits .< SIMD16(repeating: .min + 10))
                | ByteMarks(block .== SIMD16(repeating: 0x2D)) | ByteMarks(block .== SIMD16(repeating: other))
            return run.others
        } _: { _ in
            true
        }
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
