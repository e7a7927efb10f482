// Wide loads and moves for the per-byte loops of the room: eight bytes of a span or a literal as one word, sixteen as
// one vector, bytes moved within a span. Relies on bounds being checked here or by RawSpan. Refuses, by precondition,
// whatever lies outside.

#if arch(x86_64)
internal import _Builtin_intrinsics.intel.sse2
#endif

extension Span where Element == UInt8 {
    /// The eight bytes from `offset` on, the first of them lowest. The offset is checked.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        // SAFETY: RawSpan checks that eight bytes lie within the span; every bit pattern is a UInt64.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The first eight and the last eight of the bytes `start ..< end`, which are eight or more. Both are checked.
    @inline(__always)
    func ends(from start: Int, to end: Int) -> (first: UInt64, last: UInt64) {
        precondition(0 <= start && start < end && end <= count && end &- start >= 8, "eight bytes or more are there")
        // SAFETY: both words lie between `start` and `end`, and these within the span.
        let first = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self)
        let last = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: end &- 8, as: UInt64.self)
        return (UInt64(littleEndian: first), UInt64(littleEndian: last))
    }

    /// The sixteen bytes from `offset` on, as signed numbers: those above 0x7F are negative. The offset is checked.
    @inline(__always)
    func block(at offset: Int) -> SIMD16<Int8> {
        precondition(offset >= 0 && offset <= count &- 16, "a block lies within the span")
        // SAFETY: sixteen bytes lie within the span from `offset` on; every bit pattern is a value.
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD16<Int8>.self)
    }
}

extension Span where Element == UInt8 {
    /// First offset in `start ..< end` of a byte that is found; `end` if there is none. `found` marks the bytes of a
    /// block, `isFound` says the same of one byte.
    @inline(__always)
    func first(
        from start: Int, to end: Int, _ found: (SIMD16<Int8>) -> ByteMarks, _ isFound: (UInt8) -> Bool
    ) -> Int {
        precondition(start >= 0, "offsets are not negative")
        var at = start
        // A block may reach beyond `end`; what is found there does not count.
        let last = Swift.min(end &- 1, count &- 16)
        while at <= last {
            // SAFETY: `at` goes from `start`, which is not negative, to `last`, from where on sixteen bytes lie within
            // the span; every bit pattern is a value.
            let block = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: SIMD16<Int8>.self)
            let mask = found(block).mask
            if mask != 0 { return Swift.min(at &+ mask.trailingZeroBitCount, end) }
            at &+= 16
        }
        while at < end && !isFound(self[at]) { at &+= 1 }
        return Swift.min(at, end)
    }

    /// Whether CR LF stands at `offset`, which is not negative, and ends before `end` or there.
    @inline(__always)
    func isLineEnd(at offset: Int, before end: Int) -> Bool {
        precondition(offset >= 0 && end <= count, "a line lies within the span")
        guard offset < end && end &- offset >= 2 else { return false }
        // SAFETY: two bytes lie within the span from `offset` on; every bit pattern is a value.
        let pair = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self)
        return UInt16(littleEndian: pair) == 0x0A0D
    }

    /// The name of a field line in the form that most have: up to 15 bytes before the first colon, and behind it one
    /// space and a value that neither begins nor ends with a blank. The eight bytes from `start` on, its last eight (0
    /// of a shorter one) and their number. Nil where the line `start ..< end`, which has no control byte but tabs, is
    /// of another form, or fewer than sixteen bytes are left in the span.
    @inline(__always)
    func plainFieldName(from start: Int, to end: Int) -> (first: UInt64, last: UInt64, count: Int)? {
        guard start >= 0 && start <= count &- 16 && end <= count else { return nil }
        // SAFETY: sixteen bytes lie within the span from `start` on; every bit pattern is a value.
        let block = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: SIMD16<Int8>.self)
        let length = ByteMarks(block .== SIMD16(repeating: 0x3A)).first
        let colon = start &+ length
        guard length != 0 && length < 16 && colon &+ 2 < end else { return nil }
        // SAFETY: all three lie behind `start` and before `end`, which is not behind the end of the span.
        let space = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: colon &+ 1, as: UInt8.self)
        let first = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: colon &+ 2, as: UInt8.self)
        let last = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: end &- 1, as: UInt8.self)
        guard space == 0x20 && first > 0x20 && last > 0x20 else { return nil }
        // SAFETY: eight bytes lie from `start` on, and eight before the colon where the name has as many.
        let head = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self)
        guard length >= 8 else { return (UInt64(littleEndian: head), 0, length) }
        let tail = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: colon &- 8, as: UInt64.self)
        return (UInt64(littleEndian: head), UInt64(littleEndian: tail), length)
    }
}

/// Which of sixteen bytes a comparison has found.
package struct ByteMarks {
    private let bits: SIMD16<Int8>

    @inline(__always)
    package init(_ mask: SIMDMask<SIMD16<Int8>>) {
        // SAFETY: a mask of 16 signed bytes is stored as those bytes, -1 where set.
        bits = unsafe unsafeBitCast(mask, to: SIMD16<Int8>.self)
    }

    @inline(__always)
    private init(bits: SIMD16<Int8>) { self.bits = bits }

    /// A bit for each byte, the lowest for the first: set where it was found.
    package var mask: UInt32 {
        @inline(__always) get {
            #if arch(x86_64)
            // SAFETY: both types are 16 bytes without padding, and every bit pattern is a value of both.
            let words = unsafe unsafeBitCast(bits, to: SIMD2<Int64>.self)
            return UInt32(truncatingIfNeeded: _mm_movemask_epi8(words))
            #else
            return gathered
            #endif
        }
    }

    /// What `mask` says, without the instruction that is made for it: the product brings the lowest bit of each byte
    /// into the highest byte.
    package var gathered: UInt32 {
        // SAFETY: both types are 16 bytes without padding, and every bit pattern is a value of both.
        let words = unsafe unsafeBitCast(bits, to: SIMD2<UInt64>.self)
        let low = ((UInt64(littleEndian: words[0]) & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080) &>> 56
        let high = ((UInt64(littleEndian: words[1]) & 0x0101_0101_0101_0101) &* 0x0102_0408_1020_4080) &>> 56
        return UInt32(truncatingIfNeeded: low | (high &<< 8))
    }

    /// The place of the first that was found, 0 ... 15; 16 where none was.
    var first: Int {
        @inline(__always) get { (mask | 1 &<< 16).trailingZeroBitCount }
    }

    var isAny: Bool {
        @inline(__always) get { mask != 0 }
    }

    /// All bytes that were not found.
    var others: ByteMarks {
        @inline(__always) get { ByteMarks(bits: ~bits) }
    }

    @inline(__always)
    static func | (left: ByteMarks, right: ByteMarks) -> ByteMarks { ByteMarks(bits: left.bits | right.bits) }
}

extension StaticString {
    /// Up to eight bytes of the literal from `offset` on, the first of them lowest, zeros behind the end.
    @inline(__always)
    func word(at offset: Int = 0) -> UInt64 {
        var word: UInt64 = 0
        var at = offset
        while at < utf8CodeUnitCount && at < offset + 8 {
            // SAFETY: `at` is below the count of the literal's bytes, which live as long as the program.
            word |= UInt64(unsafe utf8Start[at]) &<< UInt64((at - offset) * 8)
            at += 1
        }
        return word
    }
}

extension MutableSpan where Element == UInt8 {
    /// Moves `count` bytes from `source` down to `target` within the span; the two may overlap.
    @_lifetime(self: copy self)
    mutating func move(from source: Int, to target: Int, count moved: Int) {
        precondition(source >= 0 && target >= 0 && moved >= 0, "bytes are moved within the span")
        precondition(max(source, target) <= count - moved, "bytes are moved within the span")
        guard moved > 0 && source != target else { return }
        // SAFETY: both ranges were checked to lie within the span; `update` moves between overlapping ranges.
        unsafe withUnsafeMutableBufferPointer { buffer in
            if let base = buffer.baseAddress { unsafe (base + target).update(from: base + source, count: moved) }
        }
    }
}
