// Wide loads and moves for the per-byte loops of the room: eight bytes of a span or a literal as one word, sixteen as
// one vector, bytes moved within a span. Relies on bounds being checked here or by RawSpan. Refuses, by precondition,
// whatever lies outside.

extension Span where Element == UInt8 {
    /// The eight bytes from `offset` on, the first of them lowest. The offset is checked.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        // SAFETY: RawSpan checks that eight bytes lie within the span; every bit pattern is a UInt64.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The sixteen bytes from `offset` on, as signed numbers: those above 0x7F are negative. The offset is checked.
    @inline(__always)
    func block(at offset: Int) -> SIMD16<Int8> {
        // SAFETY: RawSpan checks that sixteen bytes lie within the span; every bit pattern is a value.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<Int8>.self)
    }
}

/// Which of sixteen bytes a comparison has found.
struct ByteMarks {
    private let bits: SIMD16<Int8>

    @inline(__always)
    init(_ mask: SIMDMask<SIMD16<Int8>>) {
        // SAFETY: a mask of 16 signed bytes is stored as those bytes, -1 where set.
        bits = unsafe unsafeBitCast(mask, to: SIMD16<Int8>.self)
    }

    @inline(__always)
    private init(bits: SIMD16<Int8>) { self.bits = bits }

    /// The place of the first that was found, 0 ... 15; 16 where none was.
    var first: Int {
        @inline(__always) get {
            let (low, high) = words
            if low != 0 { return low.trailingZeroBitCount &>> 3 }
            return high != 0 ? 8 &+ high.trailingZeroBitCount &>> 3 : 16
        }
    }

    var isAny: Bool {
        @inline(__always) get {
            let (low, high) = words
            return low | high != 0
        }
    }

    private var words: (UInt64, UInt64) {
        @inline(__always) get {
            // SAFETY: both types are 16 bytes without padding, and every bit pattern is a value of both.
            let words = unsafe unsafeBitCast(bits, to: SIMD2<UInt64>.self)
            return (UInt64(littleEndian: words[0]), UInt64(littleEndian: words[1]))
        }
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
