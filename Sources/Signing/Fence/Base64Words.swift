// Base64 by sixteen characters at a time: the seal encodes a digest and a signature per request.
// Relies on unaligned loads and stores within the spans' bounds. Refuses, by precondition, too small an output.

/// The characters of an encoding, without its padding.
enum Base64Words {
    /// Bytes that are encoded at a time.
    static let group = 12
    /// The characters that they give.
    static let characters = 16

    /// Room for the encoding of `count` bytes in whole groups.
    static func room(_ count: Int) -> Int { (count + group - 1) / group * characters }

    /// Encodes `bytes` as if zeros followed them to the end of the last group. `output` has `room` for it.
    static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) {
        let count = bytes.count
        precondition(output.count >= room(count), "an encoding needs its whole room")
        // SAFETY: two words of eight bytes at a distance of six are read where fourteen bytes are left; the room of
        // sixteen characters per group was checked above.
        unsafe bytes.withUnsafeBytes { source in
            unsafe output.withUnsafeMutableBytes { target in
                guard let from = source.baseAddress, var to = target.baseAddress else { return }
                var at = 0
                while at &+ 14 <= count {
                    let first = unsafe from.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                    let second = unsafe from.loadUnaligned(fromByteOffset: at &+ 6, as: UInt64.self)
                    unsafe to.storeBytes(of: characters(sextets(first), sextets(second)), as: SIMD16<Int8>.self)
                    at &+= group
                    unsafe to += characters
                }
                while at < count {
                    let text = unsafe characters(sextets(tail(source, at)), sextets(tail(source, at &+ 6)))
                    unsafe to.storeBytes(of: text, as: SIMD16<Int8>.self)
                    at &+= group
                    unsafe to += characters
                }
            }
        }
    }

    /// Up to eight bytes from `start` as a word has them, zeros behind the last.
    private static func tail(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> UInt64 {
        guard bytes.count < 8 || start >= bytes.count else {
            // The last eight bytes, those before `start` moved out.
            let last = min(start, bytes.count &- 8)
            // SAFETY: `last` is at least 8 below the count.
            let word = unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self))
            return (word &<< UInt64(8 &* (start &- last))).bigEndian
        }
        var word: UInt64 = 0
        var at = start
        while at < min(start + 6, bytes.count) {
            // SAFETY: the index is below the count.
            word |= unsafe UInt64(bytes[at]) &<< UInt64(56 - 8 * (at - start))
            at += 1
        }
        return word.bigEndian
    }

    /// The eight groups of six bits in the first six bytes of a word as it was loaded, one to a byte, in order.
    @inline(__always)
    private static func sextets(_ loaded: UInt64) -> UInt64 {
        let word = UInt64(bigEndian: loaded) &>> 16
        var x = (word & 0xFFFF_FF00_0000) &<< 8 | word & 0xFF_FFFF
        x = (x & 0x00FF_F000_00FF_F000) &<< 4 | x & 0x0000_0FFF_0000_0FFF
        x = (x & 0x0FC0_0FC0_0FC0_0FC0) &<< 2 | x & 0x003F_003F_003F_003F
        return x.bigEndian
    }

    /// The characters of sixteen groups of six bits.
    @inline(__always)
    private static func characters(_ first: UInt64, _ second: UInt64) -> SIMD16<Int8> {
        // SAFETY: both are 16 bytes of plain bits.
        let x = unsafe unsafeBitCast(SIMD2(first, second), to: SIMD16<Int8>.self)
        return x &+ SIMD16(repeating: 65) &+ step(x, 25, 6) &+ step(x, 51, -75) &+ step(x, 61, -15) &+ step(x, 62, 3)
    }

    /// `amount` in each byte that is above `bound`, else 0.
    @inline(__always)
    private static func step(_ x: SIMD16<Int8>, _ bound: Int8, _ amount: Int8) -> SIMD16<Int8> {
        // SAFETY: a mask of 16 signed bytes is stored as those bytes, -1 where set.
        let above = unsafe unsafeBitCast(x .> SIMD16<Int8>(repeating: bound), to: SIMD16<Int8>.self)
        return above & SIMD16<Int8>(repeating: amount)
    }
}
