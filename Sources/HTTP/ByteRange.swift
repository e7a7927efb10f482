// Where something stands in a buffer: what parsers return in place of copies.

/// A half-open range of offsets from the first byte of the head or body that was parsed. Offsets fit 32 bits because
/// `HTTPLimits` never allows a message of 4 GiB.
package struct ByteRange: Equatable, Sendable {
    package var start: UInt32
    package var end: UInt32

    package init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }

    package static let empty = ByteRange(0, 0)

    package var count: Int { Int(end) - Int(start) }
    package var isEmpty: Bool { start == end }
    package var range: Range<Int> { Int(start)..<Int(end) }
}
