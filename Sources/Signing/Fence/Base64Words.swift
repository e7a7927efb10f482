// Base64 by eight characters at a time: the seal encodes a digest and a signature per request.
// Relies on unaligned loads and stores within the spans' bounds. Refuses, by precondition, too small an output.

/// The part of an encoding that is made of whole words.
enum Base64Words {
    /// Encodes as many groups of six bytes as can be read by words of eight; returns their number. Each gives eight
    /// characters in `output`.
    static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int {
        let groups = bytes.count >= 8 ? (bytes.count - 8) / 6 + 1 : 0
        precondition(output.count >= groups * 8, "an encoding needs its whole room")
        // SAFETY: the last group begins at 6 * (groups - 1) <= count - 8, so that eight bytes can be read there; the
        // room of eight characters per group was checked above.
        unsafe bytes.withUnsafeBytes { source in
            unsafe output.withUnsafeMutableBytes { target in
                for group in 0..<groups {
                    let word = unsafe source.loadUnaligned(fromByteOffset: group * 6, as: UInt64.self)
                    let text = characters(UInt64(bigEndian: word) >> 16)
                    unsafe target.storeBytes(of: text.bigEndian, toByteOffset: group * 8, as: UInt64.self)
                }
            }
        }
        return groups
    }

    /// Eight characters for the 48 low bits of `word`, the first in the highest byte. The sums stay within their bytes,
    /// so that one addition serves eight characters.
    private static func characters(_ word: UInt64) -> UInt64 {
        var x = (word & 0xFFFF_FF00_0000) << 8 | word & 0xFF_FFFF
        x = (x & 0x00FF_F000_00FF_F000) << 4 | x & 0x0000_0FFF_0000_0FFF
        x = (x & 0x0FC0_0FC0_0FC0_0FC0) << 2 | x & 0x003F_003F_003F_003F
        let ones: UInt64 = 0x0101_0101_0101_0101
        // 1 in each byte whose value is above the bound.
        let above25 = (x &+ ones &* (127 - 25)) >> 7 & ones
        let above51 = (x &+ ones &* (127 - 51)) >> 7 & ones
        let above61 = (x &+ ones &* (127 - 61)) >> 7 & ones
        let above62 = (x &+ ones &* (127 - 62)) >> 7 & ones
        return x &+ ones &* 65 &+ above25 &* 6 &- above51 &* 75 &- above61 &* 15 &+ above62 &* 3
    }
}
