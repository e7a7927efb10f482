// The bytes of a body as the JSON scanner reads them: one at a time with a zero behind the end, or in blocks of 8 to
// 64 where the block lies within the body. Relies on the borrowed span. Every load is preceded by its bounds test.

/// A borrowed text. A byte behind the end reads as zero, which JSON allows nowhere, so the scanner needs no other test.
@safe
struct JSONText: ~Escapable {
    private let bytes: RawSpan
    let count: Int

    @_lifetime(copy span)
    init(_ span: Span<UInt8>) {
        // SAFETY: bytes have no padding, so every byte of the raw view is initialised.
        bytes = unsafe span.bytes
        count = span.count
    }

    /// The byte at `at`, or 0 outside of the text.
    subscript(at: Int) -> UInt8 {
        @inline(__always) get {
            guard UInt(bitPattern: at) < UInt(bitPattern: count) else { return 0 }
            // SAFETY: `at` was tested against the count of the span.
            return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self)
        }
    }

    /// The bytes in `range`, which lies within the text.
    @_lifetime(copy self)
    func slice(_ range: Range<Int>) -> Span<UInt8> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a slice lies within the text")
        // SAFETY: tested above; every byte of the raw span is an initialised UInt8.
        return unsafe bytes.extracting(range)._unsafeView(as: UInt8.self)
    }

    /// Whether `length` bytes from `at` lie within the text.
    @inline(__always)
    func holds(_ length: Int, at: Int) -> Bool { at >= 0 && at <= count - length }

    /// Eight bytes from `at`, the first in the lowest bits; those outside of the text are zero.
    @inline(__always)
    func word(at: Int) -> UInt64 {
        if holds(8, at: at) {
            // SAFETY: `holds` tested that eight bytes lie within the span.
            return UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))
        }
        return wordAtEnd(at)
    }

    @inline(never)
    private func wordAtEnd(_ at: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(self[at + index]) << UInt64(index * 8) }
        return word
    }

    /// Offset of the first byte from `start` that is `"`, `\`, below 0x20 or above 0x7F; `count` where there is none.
    @inline(__always)
    func plainEnd(from start: Int) -> Int {
        guard holds(16, at: start) else { return plainTail(from: start) }
        let found = special(at: start).first
        return found < 16 ? start &+ found : plainRun(from: start &+ 16)
    }

    /// As `plainEnd`, for long strings: 64 bytes at a time.
    @inline(never)
    private func plainRun(from start: Int) -> Int {
        var at = start
        while holds(64, at: at) {
            let first = special(at: at) | special(at: at &+ 16)
            if (first | special(at: at &+ 32) | special(at: at &+ 48)).isAny { break }
            at &+= 64
        }
        while holds(16, at: at) {
            let found = special(at: at).first
            if found < 16 { return at &+ found }
            at &+= 16
        }
        return plainTail(from: at)
    }

    /// As `plainEnd`, for the last bytes of a body.
    @inline(never)
    private func plainTail(from start: Int) -> Int {
        var at = start
        while at < count {
            let byte = self[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte > 0x7F { break }
            at += 1
        }
        return at
    }

    /// The marks of the block at `at`; as signed numbers, bytes below 0x20 and above 0x7F are one comparison.
    @inline(__always)
    private func special(at: Int) -> ByteMarks {
        precondition(holds(16, at: at), "a block lies within the text")
        // SAFETY: tested above; every bit pattern is a value of the type.
        let block = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: SIMD16<Int8>.self)
        return ByteMarks(
            (block .< SIMD16<Int8>(repeating: 0x20)) .| (block .== SIMD16<Int8>(repeating: 0x22))
                .| (block .== SIMD16<Int8>(repeating: 0x5C)))
    }

    /// Whether `range` of this text and `otherRange` of another hold the same bytes.
    func equals(_ range: Range<Int>, _ other: JSONText, _ otherRange: Range<Int>) -> Bool {
        guard range.count == otherRange.count else { return false }
        var left = range.lowerBound
        var right = otherRange.lowerBound
        while left + 8 <= range.upperBound {
            guard word(at: left) == other.word(at: right) else { return false }
            left += 8
            right += 8
        }
        let rest = range.upperBound &- left
        guard rest > 0 else { return true }
        let differing = word(at: left) ^ other.word(at: right)
        return differing & ((1 &<< UInt64(truncatingIfNeeded: rest &* 8)) &- 1) == 0
    }
}
