// The fields that a route looks for in a JSON body, compiled when the configuration is read, and what a scan says of
// each. Relies on JSONPointer for names that are already un-escaped. Refuses, by precondition, more than 16 pointers.

/// The set of pointers that one scan looks for.
package struct JSONQuery: Sendable {
    /// Most pointers in one query.
    package static let maxPointers = 16

    /// The pointers in the order of their indexes.
    package let pointers: [JSONPointer]
    /// All names one behind the other; `ranges` says where each stands.
    private let bytes: [UInt8]
    /// Range of name `level` of pointer `i`, at `i * JSONPointer.maxDepth + level`.
    private let ranges: [ByteRange]
    /// Per level: bit `min(length, 63)` is set where some pointer has a name of that length there.
    private let lengths: [UInt64]
    /// Per level: the pointers whose last name stands there.
    let ends: [UInt16]
    /// Bytes of the longest name.
    let longestName: Int
    /// Per pointer: its last name as JSON text with quotes and colon, ready to be inserted.
    private let memberNames: [[UInt8]]

    /// Compiles at most `maxPointers` pointers.
    package init(_ pointers: [JSONPointer]) {
        precondition(pointers.count <= Self.maxPointers, "a query has at most 16 pointers")
        let depth = JSONPointer.maxDepth
        var bytes: [UInt8] = []
        var ranges = [ByteRange](repeating: .empty, count: pointers.count * depth)
        var lengths = [UInt64](repeating: 0, count: depth)
        var ends = [UInt16](repeating: 0, count: depth)
        for (index, pointer) in pointers.enumerated() {
            for (level, name) in pointer.names.enumerated() {
                ranges[index * depth + level] = ByteRange(bytes.count, bytes.count + name.count)
                bytes += name
                lengths[level] |= 1 << UInt64(min(name.count, 63))
            }
            ends[pointer.names.count - 1] |= 1 << UInt16(index)
        }
        longestName = ranges.map(\.count).max() ?? 0
        self.pointers = pointers
        self.bytes = bytes
        self.ranges = ranges
        self.lengths = lengths
        self.ends = ends
        memberNames = pointers.map { pointer in
            var text = ByteBuffer(capacity: 32)
            let name = pointer.names[pointer.names.count - 1]
            text.appendEscaped(name.span)
            text.append(byte: UInt8(ascii: ":"))
            return [UInt8](copying: text.bytes)
        }
    }

    /// A mask with the bits of all pointers.
    var all: UInt16 { pointers.isEmpty ? 0 : UInt16.max >> UInt16(16 - pointers.count) }

    /// The last name of pointer `index` as JSON text with quotes and colon.
    func memberName(_ index: Int) -> [UInt8] { memberNames[index] }

    /// Which of the pointers in `live` have the name `text[range]` at `level`.
    func matches(_ live: UInt16, level: Int, _ text: JSONText, _ range: Range<Int>) -> UInt16 {
        guard level < lengths.count, lengths[level] >> UInt64(min(range.count, 63)) & 1 != 0 else { return 0 }
        var rest = live
        var matched: UInt16 = 0
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest - 1
            let name = ranges[index * JSONPointer.maxDepth + level]
            if name.count == range.count, text.equals(range, JSONText(bytes.span), name.range) {
                matched |= 1 << UInt16(index)
            }
        }
        return matched
    }
}

extension JSONPointer {
    /// Whether the field of `other` lies within the value of this field. Two such pointers cannot both be written.
    package func isAncestor(of other: JSONPointer) -> Bool {
        names.count < other.names.count && names.elementsEqual(other.names.prefix(names.count))
    }
}

/// What a scan found for one pointer.
package struct JSONFound: Equatable, Sendable, BitwiseCopyable {
    package enum State: UInt8, Sendable, BitwiseCopyable {
        /// The object that would hold the field exists, the field does not.
        case absent
        /// An object on the way does not exist.
        case parentAbsent
        /// Something on the way is not an object.
        case parentNotObject
        case present
    }

    package enum Kind: UInt8, Sendable, BitwiseCopyable {
        case none, string, number, object, array, `true`, `false`, null
    }

    package var state: State
    /// Kind of the value; `none` unless present.
    package var kind: Kind
    /// Whether the object that holds or would hold the field has no members.
    package var parentIsEmpty: Bool
    /// Present: the whole text of the value, strings with their quotes. Empty otherwise.
    package var value: ByteRange
    /// Absent or present: offset just behind the `{` of the object that holds or would hold the field. 0 otherwise.
    package var insertAt: Int

    package init(
        state: State = .parentAbsent, kind: Kind = .none, parentIsEmpty: Bool = false, value: ByteRange = .empty,
        insertAt: Int = 0
    ) {
        self.state = state
        self.kind = kind
        self.parentIsEmpty = parentIsEmpty
        self.value = value
        self.insertAt = insertAt
    }
}

// Two integers; the scanner's stacks hold it.
extension ByteRange: BitwiseCopyable {}
