// Comparisons and sub-ranges of byte runs, at memory speed. Kept apart so that no other room loops over bytes.

internal import Glibc

/// Whether two runs hold the same bytes.
package func spansEqual(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    // SAFETY: both pointers are valid for `count` bytes during the closures.
    return unsafe a.withUnsafeBufferPointer { left in
        unsafe b.withUnsafeBufferPointer { right in
            unsafe left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0
        }
    }
}

/// Whether `bytes` begins with `prefix`.
package func spanHasPrefix(_ bytes: Span<UInt8>, _ prefix: Span<UInt8>) -> Bool {
    bytes.count >= prefix.count && spansEqual(bytes.extracting(first: prefix.count), prefix)
}

extension Span where Element == UInt8 {
    /// The bytes at `range`, whose offsets count from the first byte of this span.
    @_lifetime(copy self)
    package func slice(_ range: ByteRange) -> Span<UInt8> { extracting(range.range) }
}

/// Whether `bytes` begins with `word` (ASCII in lower case), whatever the case of its letters.
package func spanHasPrefix(_ bytes: Span<UInt8>, ignoringCase word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard bytes.count >= count else { return false }
    var start = 0
    while start + 8 <= count {
        // SAFETY: eight bytes of the literal lie from `start` on.
        let expected = unsafe UnsafeRawPointer(word.utf8Start).loadUnaligned(fromByteOffset: start, as: UInt64.self)
        guard bytes.word(at: start).lowercased == UInt64(littleEndian: expected) else { return false }
        start += 8
    }
    for index in start..<count {
        let byte = bytes[index]
        let lower = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
        // SAFETY: the index is below the literal's count.
        if unsafe lower != word.utf8Start[index] { return false }
    }
    return true
}
