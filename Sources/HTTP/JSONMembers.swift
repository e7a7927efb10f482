// The members of a body's objects in the order of their names, so that a body can be written in one canonical order.
// Relies on the scanner's refusal of names that come twice. The cost is n log n whatever names a caller chooses.

/// One member. Not private within `JSONMembers`, as `JSONName`.
struct JSONMember: BitwiseCopyable {
    /// The first eight bytes of the un-escaped name, zeros behind a shorter one; compares as they do.
    let key: UInt64
    /// Where the name stands in the body, without quotes.
    let name: ByteRange
    /// Where its un-escaped bytes stand apart; empty where it has no escapes.
    let unescaped: ByteRange
    /// Offset of the value in the body.
    let value: UInt32
    /// Number of objects that begin before the value.
    let objects: UInt32
}

/// Members of open objects in the order of the body, innermost object last, and those of closed objects sorted.
struct JSONMembers: ~Copyable {
    /// Up to this many members are put in order one by one; beyond, runs of as many are merged.
    static let runLimit = 16
    /// Storage that is kept between bodies, in members and in bytes of names.
    private static let keptMembers = 16_384
    private static let keptBytes = 4_096

    private var pending = PlainStack<JSONMember>(capacity: 64)
    private var sorted = PlainStack<JSONMember>(capacity: 64)
    private var unescaped = PlainStack<UInt8>(capacity: 256)

    init() {}

    /// Forgets and wipes all members: their keys are the beginnings of names.
    mutating func reset() {
        pending.wipe()
        sorted.wipe()
        unescaped.wipe()
        pending.reset(keepingAtMost: Self.keptMembers)
        sorted.reset(keepingAtMost: Self.keptMembers)
        unescaped.reset(keepingAtMost: Self.keptBytes)
    }

    /// A member of a closed object.
    subscript(index: Int) -> JSONMember {
        @inline(__always) get { sorted[index] }
    }

    /// Begins an object; `close` wants what this returns.
    @inline(__always)
    func open() -> Int { pending.count }

    /// Adds a member to the innermost object; `unescaped` is where the bytes of a name with escapes were put, or empty.
    @inline(__always)
    mutating func add(_ text: JSONText, name: Range<Int>, unescaped range: Range<Int>, value: Int, objects: Int) {
        let key = range.isEmpty ? Self.key(text, name) : Self.key(JSONText(unescaped.span), range)
        pending.push(
            JSONMember(
                key: key, name: ByteRange(name.lowerBound, name.upperBound),
                unescaped: ByteRange(range.lowerBound, range.upperBound), value: UInt32(truncatingIfNeeded: value),
                objects: UInt32(truncatingIfNeeded: objects)))
    }

    /// Puts the un-escaped bytes of a name apart, for `matches` and `add`.
    mutating func unescape(_ text: JSONText, _ name: Range<Int>) -> Range<Int> {
        let start = unescaped.count
        var bytes = JSONStringBytes(text, name)
        while let byte = bytes.next() { unescaped.push(byte) }
        return start..<unescaped.count
    }

    /// Which of the pointers in `live` have the un-escaped name at `level`.
    func matches(_ query: borrowing JSONQuery, _ live: UInt16, level: Int, _ range: Range<Int>) -> UInt16 {
        query.matches(live, level: level, JSONText(unescaped.span), range)
    }

    /// Sorts the members of the innermost object and forgets its place; `first` is what its `open` returned. Returns
    /// the indexes of its members.
    @inline(__always)
    mutating func close(_ text: JSONText, from first: Int) -> Range<Int> {
        let start = sorted.count
        let count = pending.count - first
        for index in first..<pending.count {
            sorted.push(pending[index])
            let runStart = start + (index - first) / Self.runLimit * Self.runLimit
            Self.settle(&sorted, sorted.count - 1, downTo: runStart, text, unescaped)
        }
        if count > Self.runLimit { mergeRuns(text, from: first, to: start, count) }
        pending.truncate(to: first)
        return start..<start + count
    }

    @inline(__always)
    private static func key(_ text: JSONText, _ name: Range<Int>) -> UInt64 {
        // Smart shift: from eight bytes on nothing is cut off.
        text.word(at: name.lowerBound).byteSwapped & ~(UInt64.max >> (name.count * 8))
    }
}

// The order: by the bytes of the un-escaped names, a name before all those that it begins.
extension JSONMembers {
    /// Moves the member at `index` before those from `first` on that it precedes.
    @inline(__always)
    private static func settle(
        _ members: inout PlainStack<JSONMember>, _ index: Int, downTo first: Int, _ text: JSONText,
        _ unescaped: borrowing PlainStack<UInt8>
    ) {
        let member = members[index]
        var place = index
        while place > first {
            let before = members[place - 1]
            guard precedes(member, before, text, unescaped) else { break }
            members[place] = before
            place -= 1
        }
        if place < index { members[place] = member }
    }

    /// Merges the sorted runs of an object, to and fro between its two places.
    @inline(never)
    private mutating func mergeRuns(_ text: JSONText, from first: Int, to start: Int, _ count: Int) {
        var width = Self.runLimit
        while width < count {
            Self.mergePairs(sorted, start, &pending, first, count, width, text, unescaped)
            Self.mergePairs(pending, first, &sorted, start, count, width * 2, text, unescaped)
            width *= 4
        }
    }

    /// Merges each pair of neighbouring runs of `width` members into one; a run without a neighbour is copied.
    private static func mergePairs(
        _ source: borrowing PlainStack<JSONMember>, _ sourceStart: Int, _ target: inout PlainStack<JSONMember>,
        _ targetStart: Int, _ count: Int, _ width: Int, _ text: JSONText, _ unescaped: borrowing PlainStack<UInt8>
    ) {
        var place = targetStart
        for pair in stride(from: 0, to: count, by: width * 2) {
            var left = sourceStart + pair
            let leftEnd = sourceStart + min(pair + width, count)
            var right = leftEnd
            let rightEnd = sourceStart + min(pair + width * 2, count)
            while left < leftEnd && right < rightEnd {
                // Without a branch: in an order that was chosen to be bad, every other guess would be wrong.
                let step = precedes(source[right], source[left], text, unescaped) ? 1 : 0
                target[place] = source[step == 1 ? right : left]
                right += step
                left += 1 - step
                place += 1
            }
            for index in left..<leftEnd {
                target[place] = source[index]
                place += 1
            }
            for index in right..<rightEnd {
                target[place] = source[index]
                place += 1
            }
        }
    }

    @inline(__always)
    private static func precedes(
        _ one: JSONMember, _ other: JSONMember, _ text: JSONText, _ unescaped: borrowing PlainStack<UInt8>
    ) -> Bool {
        if one.key != other.key { return one.key < other.key }
        return precedesBehindKey(one, other, text, unescaped)
    }

    @inline(never)
    private static func precedesBehindKey(
        _ one: JSONMember, _ other: JSONMember, _ text: JSONText, _ unescaped: borrowing PlainStack<UInt8>
    ) -> Bool {
        let apart = JSONText(unescaped.span)
        switch (one.unescaped.isEmpty, other.unescaped.isEmpty) {
        case (true, true): return text.precedes(one.name.range, text, other.name.range)
        case (true, false): return text.precedes(one.name.range, apart, other.unescaped.range)
        case (false, true): return apart.precedes(one.unescaped.range, text, other.name.range)
        case (false, false): return apart.precedes(one.unescaped.range, apart, other.unescaped.range)
        }
    }
}

extension JSONText {
    /// Whether the bytes of `range` come before those of `otherRange`, as unsigned bytes and then by length.
    fileprivate func precedes(_ range: Range<Int>, _ other: JSONText, _ otherRange: Range<Int>) -> Bool {
        let shared = min(range.count, otherRange.count)
        var offset = 0
        while offset + 8 <= shared {
            let left = word(at: range.lowerBound + offset)
            let right = other.word(at: otherRange.lowerBound + offset)
            if left != right { return left.byteSwapped < right.byteSwapped }
            offset += 8
        }
        while offset < shared {
            let left = self[range.lowerBound + offset]
            let right = other[otherRange.lowerBound + offset]
            if left != right { return left < right }
            offset += 1
        }
        return range.count < otherRange.count
    }
}
