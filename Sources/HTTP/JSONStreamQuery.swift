// What a query finds in a JSON text that comes in fragments: the strings and numbers at its pointers, in bounded
// memory. Relies on JSONStream for the text and on JSONQuery for the names. Refuses what is ambiguous: a field that
// comes twice, or in a list of several elements, has no value.

/// Reads one JSON text after the other. Its result is the same for the same bytes, however they are cut. Allocates
/// nothing after `init`; holds some 3 KiB.
///
/// A pointer leads from the top object through objects, and through arrays of a single element, to a member. Strings
/// that hold JSON are not looked into.
package struct JSONStreamQuery: ~Copyable {
    /// Bytes of a value that are kept, un-escaped. Of a longer one only the length is known.
    package static let maxValue = 128

    /// What was found at a pointer.
    package enum Found: Equatable, Sendable {
        /// No such member, or one that is neither string nor number.
        case nothing
        case value(isNumber: Bool, length: Int)
        /// A member of the way, or the last one, comes more than once.
        case several
    }

    /// An array or object on the way of some pointers.
    private struct Frame: BitwiseCopyable {
        /// The pointers that lead here, and how many names they have used up.
        var live: UInt16 = 0
        var level: UInt8 = 0
        var isObject = false
        /// Of an object: pointers of which it has had the next name. Of an array: its pointers, once it has an element.
        var seen: UInt16 = 0
    }

    private struct Value: BitwiseCopyable {
        var start = 0
        var length = 0
        var isNumber = false
    }

    private var stream = JSONStream()
    private var frames: [64 of Frame] = InlineArray(repeating: Frame())
    private var depth = 0
    /// Open arrays and objects that no pointer leads into.
    private var passing = 0
    /// The pointers whose names the member at hand has.
    private var pending: UInt16 = 0
    private var found: UInt16 = 0
    private var several: UInt16 = 0
    /// The text was read at once, by a scan.
    private var wasScanned = false
    private var values: [16 of Value] = InlineArray(repeating: Value())
    private var kept = ByteBuffer(capacity: JSONQuery.maxPointers * JSONStreamQuery.maxValue)

    package init() {}

    /// Begins another text and wipes what was kept of the last.
    package mutating func begin() {
        stream.begin()
        kept.wipe()
        depth = 0
        passing = 0
        pending = 0
        found = 0
        several = 0
        wasScanned = false
    }

    /// Takes the next bytes of the text, any number; `query` is the same for all of them.
    package mutating func read(_ bytes: Span<UInt8>, _ query: JSONQuery) {
        var at = 0
        while let event = stream.next(in: bytes, at: &at) { take(event, query) }
    }

    /// Takes a whole text, after `begin` and in place of `read`: several times faster where a scan can say the same,
    /// which is where the text is one valid object and neither lists nor escapes stand on a pointer's way.
    package mutating func readWhole(_ bytes: Span<UInt8>, _ query: JSONQuery, by scanner: inout JSONScanner) {
        precondition(!wasScanned && found == 0, "a text is read once")
        wasScanned =
            query.longestName <= JSONStream.maxName
            && scanner.scan(bytes, query: query, maxDepth: JSONStream.maxDepth) == nil
        var index = 0
        while wasScanned && index < query.pointers.count {
            wasScanned = keep(scanner.found(index), index, JSONText(bytes))
            index += 1
        }
        guard !wasScanned else { return }
        begin()
        read(bytes, query)
    }

    /// The text has ended. Where it was not whole, nothing is found.
    package mutating func finish() -> JSONStream.End {
        if wasScanned { return .whole }
        _ = stream.finish()
        if stream.ending != .whole {
            found = 0
            several = 0
        }
        return stream.ending
    }

    /// What was found at pointer `index`; after `finish`.
    package func found(_ index: Int) -> Found {
        if several >> UInt16(index) & 1 != 0 { return .several }
        guard found >> UInt16(index) & 1 != 0 else { return .nothing }
        return .value(isNumber: values[index].isNumber, length: values[index].length)
    }

    /// The un-escaped bytes of the value at pointer `index`; empty where there is none of at most `maxValue` bytes.
    @_lifetime(borrow self)
    package func text(_ index: Int) -> Span<UInt8> {
        guard case .value(_, let length) = found(index), length <= Self.maxValue else {
            return kept.bytes.extracting(0..<0)
        }
        return kept.bytes.extracting(values[index].start..<values[index].start + length)
    }
}

// Events.
extension JSONStreamQuery {
    private mutating func take(_ event: JSONStream.Event, _ query: JSONQuery) {
        switch event {
        case .beginObject: open(isObject: true, query)
        case .beginArray: open(isObject: false, query)
        case .endObject, .endArray: close()
        case .name: takeName(query)
        // What is longer than a part is longer than what is kept.
        case .part: stream.passRest()
        case .string: takeScalar(isNumber: false, query)
        case .number: takeScalar(isNumber: true, query)
        case .true, .false, .null: _ = beginValue()
        }
    }

    private mutating func takeName(_ query: JSONQuery) {
        guard passing == 0, depth > 0 else { return }
        let frame = frames[depth - 1]
        pending = 0
        guard stream.length == stream.text.count else { return }
        pending = query.matches(frame.live, level: Int(frame.level), JSONText(stream.text), 0..<stream.length)
        several |= frame.seen & pending
        frames[depth - 1].seen |= pending
    }

    /// A value begins. The pointers that lead to it and how many names they have used up; nil where none does.
    private mutating func beginValue() -> (live: UInt16, level: Int, isMember: Bool)? {
        guard passing == 0, depth > 0 else { return nil }
        let frame = frames[depth - 1]
        if frame.isObject { return pending == 0 ? nil : (pending, Int(frame.level) + 1, true) }
        several |= frame.seen
        frames[depth - 1].seen = frame.live
        return (frame.live, Int(frame.level), false)
    }

    private mutating func open(isObject: Bool, _ query: JSONQuery) {
        guard depth > 0 || passing > 0 else {
            // The text itself.
            if isObject { push(query.all, level: 0, isObject: true) } else { passing = 1 }
            return
        }
        guard let (live, level, _) = beginValue() else {
            passing += 1
            return
        }
        // A pointer that ends here has an object or array, which is no value.
        let leading = level > 0 ? live & ~query.ends[level - 1] : live
        if leading == 0 { passing = 1 } else { push(leading, level: level, isObject: isObject) }
    }

    private mutating func push(_ live: UInt16, level: Int, isObject: Bool) {
        // No deeper than the stream goes.
        frames[depth] = Frame(live: live, level: UInt8(level), isObject: isObject)
        depth += 1
    }

    private mutating func close() {
        if passing > 0 { passing -= 1 } else if depth > 0 { depth -= 1 }
    }

    private mutating func takeScalar(isNumber: Bool, _ query: JSONQuery) {
        guard let (live, level, isMember) = beginValue(), isMember else { return }
        var rest = live & query.ends[level - 1]
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest - 1
            keep(index, isNumber: isNumber)
        }
    }

    private mutating func keep(_ index: Int, isNumber: Bool) {
        let bit = UInt16(1) << UInt16(index)
        guard found & bit == 0 else {
            several |= bit
            return
        }
        found |= bit
        values[index] = Value(start: kept.count, length: stream.length, isNumber: isNumber)
        if stream.length <= Self.maxValue { Self.append(stream, to: &kept) }
    }

    /// Keeps what a scan has found; false where the stream is to look.
    private mutating func keep(_ one: JSONFound, _ index: Int, _ text: JSONText) -> Bool {
        switch one.state {
        case .absent, .parentAbsent: return true
        case .parentNotObject: return false
        case .present: break
        }
        guard one.kind == .string || one.kind == .number else { return one.kind != .array }
        let isNumber = one.kind == .number
        let range = isNumber ? one.value.range : one.value.range.dropFirst().dropLast()
        guard isNumber || text.plainEnd(from: range.lowerBound) == range.upperBound else { return false }
        found |= 1 << UInt16(index)
        values[index] = Value(start: kept.count, length: range.count, isNumber: isNumber)
        if range.count <= Self.maxValue { kept.append(text.slice(range)) }
        return true
    }

    private static func append(_ stream: borrowing JSONStream, to kept: inout ByteBuffer) { kept.append(stream.text) }
}
