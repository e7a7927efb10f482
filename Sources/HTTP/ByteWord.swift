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
        first(from: start, to: end) {
            ByteMarks(plain: $0, other).others
        } _: { _ in
            true
        }
    }

    /// Whether the path `start ..< end` has nothing but letters, digits, `-` and `_` between single slashes: most have.
    /// It may say no where that is so.
    @inline(__always)
    func isSimplePath(from start: Int, to end: Int) -> Bool {
        var at = start
        // 1 behind a block that ends with a slash.
        var carried: UInt32 = 0
        while at < end {
            guard at &+ 16 <= count else { return false }
            let block = block(at: at)
            let wanted: UInt32 = (1 &<< UInt32(truncatingIfNeeded: Swift.min(end &- at, 16))) &- 1
            let slashes = ByteMarks(block .== SIMD16(repeating: 0x2F)).mask & wanted
            let others = ~(ByteMarks(plain: block, UInt8(ascii: "_")).mask | slashes) & wanted
            guard others | slashes & (slashes &<< 1 | carried) == 0 else { return false }
            carried = slashes &>> 15
            at &+= 16
        }
        return true
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

extension ByteMarks {
    /// Marks letters, digits, `-` and `other`.
    @inline(__always)
    init(plain block: SIMD16<Int8>, _ other: UInt8) {
        // Moved so that the letters, or the digits, are the lowest signed numbers.
        let letters = (block | SIMD16(repeating: 0x20)) &- SIMD16(repeating: 0x61) ^ SIMD16(repeating: .min)
        let digits = block &- SIMD16(repeating: 0x30) ^ SIMD16(repeating: .min)
        self =
            ByteMarks(letters .< SIMD16(repeating: .min + 26)) | ByteMarks(digits .< SIMD16(repeating: .min + 10))
            | ByteMarks(block .== SIMD16(repeating: 0x2D))
            | ByteMarks(block .== SIMD16(repeating: Int8(bitPattern: other)))
    }
}
