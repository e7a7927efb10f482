// Writing fields into a body that was scanned, so that every other byte stays as it was. Relies on the offsets that the
// scan found and on the body being unchanged since. Refuses, by precondition, edits that overlap.

/// The edits of one body, collected first and applied together; one per worker. Values are copied in and wiped after
/// use, since they are secrets. Allocates nothing when warm. Config sees to it that no two written pointers are equal
/// or one the ancestor of the other (`JSONPointer.isAncestor`); such edits would overlap.
package struct JSONEdits: ~Copyable {
    private struct Edit {
        /// Offset in the body as it was scanned.
        let at: Int
        /// Number of bytes that are replaced; 0 for an insertion.
        let removed: Int
        /// Where the new bytes stand in `text`. Insertions end in a comma.
        var text: ByteRange
        /// Whether the last insertion at `at` leaves its comma out.
        let parentIsEmpty: Bool
    }

    private var edits: [Edit] = []
    private var text = ByteBuffer(capacity: 1_024)

    package init() { edits.reserveCapacity(JSONQuery.maxPointers) }

    /// Whether nothing was collected.
    package var isEmpty: Bool { edits.isEmpty }

    /// Forgets and wipes what was collected.
    package mutating func removeAll() {
        edits.removeAll(keepingCapacity: true)
        text.wipe()
    }

    /// Inserts the field of pointer `index` with `value` (JSON text) behind the `{` of its parent. `found` is what the
    /// scan found for that pointer, and must be `absent`. Fields of one parent keep the order of the calls.
    package mutating func insert(
        _ index: Int, of query: borrowing JSONQuery, value: Span<UInt8>, at found: JSONFound
    ) {
        precondition(found.state == .absent, "only an absent field is inserted")
        let start = text.count
        text.append(query.memberName(index).span)
        text.append(value)
        text.append(byte: UInt8(ascii: ","))
        let last = edits.count - 1
        if last >= 0, edits[last].at == found.insertAt, edits[last].removed == 0,
            edits[last].text.range.upperBound == start
        {
            edits[last].text.end = UInt32(truncatingIfNeeded: text.count)
        } else {
            add(
                Edit(
                    at: found.insertAt, removed: 0, text: ByteRange(start, text.count),
                    parentIsEmpty: found.parentIsEmpty))
        }
    }

    /// Replaces the value of a field that is `present` by `value` (JSON text).
    package mutating func replace(_ found: JSONFound, with value: Span<UInt8>) {
        precondition(found.state == .present && !value.isEmpty, "only a present field is replaced, by a value")
        let start = text.count
        text.append(value)
        let range = ByteRange(start, text.count)
        add(Edit(at: Int(found.value.start), removed: found.value.count, text: range, parentIsEmpty: false))
    }

    /// Carries the edits out, the last place of the body first so that the offsets before it stay right, and forgets
    /// and wipes them.
    package mutating func apply(to body: inout ByteBuffer) {
        var previous = -1
        for index in stride(from: edits.count - 1, through: 0, by: -1) {
            let edit = edits[index]
            var range = edit.text.range
            // In an empty parent the insertion that is carried out first comes last in the text.
            if edit.parentIsEmpty && edit.at != previous { range = range.lowerBound..<range.upperBound - 1 }
            body.replace(edit.at..<edit.at + edit.removed, with: text.bytes.extracting(range))
            previous = edit.at
        }
        removeAll()
    }

    /// Keeps the list in the order of the body; edits at one place in the order of the calls.
    private mutating func add(_ edit: Edit) {
        var place = edits.count
        while place > 0 && edits[place - 1].at > edit.at { place -= 1 }
        if place > 0 {
            let before = edits[place - 1]
            precondition(before.at + before.removed <= edit.at, "edits of one body do not overlap")
        }
        if place < edits.count {
            precondition(edit.at + edit.removed <= edits[place].at, "edits of one body do not overlap")
        }
        edits.insert(edit, at: place)
    }
}

extension ByteBuffer {
    /// Inserts one field into a scanned body: `name` is JSON text with its quotes, `value` JSON text. `found` must be
    /// `absent`. What was found for other fields is no longer right; for several fields use `JSONEdits`.
    package mutating func insertField(name: Span<UInt8>, value: Span<UInt8>, at found: JSONFound) {
        precondition(found.state == .absent, "only an absent field is inserted")
        let at = found.insertAt
        let length = name.count + value.count + (found.parentIsEmpty ? 1 : 2)
        reserve(length)
        if !found.parentIsEmpty { replace(at..<at, with: CollectionOfOne(UInt8(ascii: ",")).span) }
        replace(at..<at, with: value)
        replace(at..<at, with: CollectionOfOne(UInt8(ascii: ":")).span)
        replace(at..<at, with: name)
    }

    /// Replaces the value of a field that is `present` by `value` (JSON text).
    package mutating func replaceValue(_ found: JSONFound, with value: Span<UInt8>) {
        precondition(found.state == .present && !value.isEmpty, "only a present field is replaced, by a value")
        replace(found.value.range, with: value)
    }
}
