// Base64 six bytes at a time: the seal encodes a digest and a signature per request.
// Relies on unaligned loads within the span's bounds; what is encoded is sent, so that a table may be looked into.
// Refuses, by precondition, too small an output.

/// The part of an encoding that is made of whole groups of six bytes, which are read by words of eight.
enum Base64Words {
    /// RFC 4648 section 4.
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// Encodes as many groups of six bytes as can be read by words of eight; returns their number. Each gives eight
    /// characters in `output`.
    static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int {
        let groups = bytes.count >= 8 ? (bytes.count - 8) / 6 + 1 : 0
        precondition(output.count >= groups * 8, "an encoding needs its whole room")
        // SAFETY: the last group begins at 6 * (groups - 1) <= count - 8, so that eight bytes can be read there; the
        // room of eight characters per group was checked above.
        unsafe bytes.withUnsafeBytes { source in
            unsafe output.withUnsafeMutableBytes { target in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                for group in 0..<groups {
                    let word = unsafe UInt64(
                        bigEndian: from.loadUnaligned(fromByteOffset: group &* 6, as: UInt64.self))
                    var text: UInt64 = 0
                    for place: UInt64 in 0..<8 {
                        text |= UInt64(character(word &>> (58 &- 6 &* place))) &<< (8 &* place)
                    }
                    unsafe to.storeBytes(of: text.littleEndian, toByteOffset: group &* 8, as: UInt64.self)
                }
            }
        }
        return groups
    }

    /// The character of the low six bits of `word`.
    @inline(__always)
    static func character(_ word: UInt64) -> UInt8 {
        // SAFETY: six bits are an index into the alphabet's 64 bytes, which live as long as the program.
        unsafe alphabet.utf8Start[Int(truncatingIfNeeded: word & 0x3F)]
    }
}
