// Reads a JSON body once: validates it whole (RFC 8259 and our stricter rules), sees names that come twice, and notes
// where the queried fields stand. Relies on JSONText for bytes and JSONNames for names. Copies and allocates nothing
// when warm. Refuses what two readers could read in two ways.

/// One array or object that is open. Not private within the scanner, as `JSONName`.
struct JSONFrame: BitwiseCopyable {
    var names: JSONNameScope
    var isObject: Bool
    /// Pointers whose path leads through this object.
    var live: UInt16
    /// Pointers whose value this array or object is.
    var value: UInt16
}

/// A reusable scanner; one per worker. What it found is valid until the next scan.
package struct JSONScanner: ~Copyable {
    private let seed: JSONHashSeed
    private var names = JSONNames()
    /// The arrays and objects around `frame`.
    private var frames = PlainStack<JSONFrame>(capacity: 64)
    /// The innermost one.
    private var frame: JSONFrame
    /// Un-escaped bytes of the name at hand, where it has escapes.
    private var unescaped = PlainStack<UInt8>(capacity: 256)
    private var results = PlainStack<JSONFound>(capacity: JSONQuery.maxPointers)

    /// A scanner whose hash seed is random.
    package init() {
        var generator = SystemRandomNumberGenerator()
        self.init(seededBy: &generator)
    }

    /// A scanner whose hash seed comes from `generator`.
    package init(seededBy generator: inout some RandomNumberGenerator) {
        seed = JSONHashSeed(&generator)
        frame = JSONFrame(names: JSONNameScope(first: 0), isObject: false, live: 0, value: 0)
    }

    /// Scans a whole body; nil where it is valid. `maxDepth` (at least 1) counts the top level object as 1. The body is
    /// shorter than 4 GiB.
    package mutating func scan(_ body: Span<UInt8>, query: borrowing JSONQuery, maxDepth: Int) -> JSONFailure? {
        precondition(maxDepth > 0 && body.count < Int(UInt32.max), "a depth of 1 or more and a body below 4 GiB")
        names.reset()
        frames.truncate(to: 0)
        unescaped.reset(keepingAtMost: 4_096)
        results.truncate(to: 0)
        for _ in 0..<query.pointers.count { results.push(JSONFound()) }
        // Names are a caller's own, and may be what nobody is to find later.
        defer { unescaped.wipe() }
        do {
            try run(JSONText(body), query, maxDepth)
            return nil
        } catch {
            return error
        }
    }

    /// What the last scan found for pointer `index` of its query; meaningful where the scan returned nil.
    package func found(_ index: Int) -> JSONFound { results[index] }

    /// How many names the last scan compared or moved, beyond one look at each; linear in the body's names, which tests
    /// hold it to.
    package var nameProbes: Int { names.probes }

    private mutating func run(
        _ text: JSONText, _ query: borrowing JSONQuery, _ maxDepth: Int
    ) throws(JSONFailure) {
        var at = try Self.begin(text)
        frame = JSONFrame(names: names.open(), isObject: false, live: 0, value: 0)
        // Pointers that the value at hand belongs to, because they end in its name or lead through it.
        var hits = query.all
        while true {
            let byte = text[at]
            if byte == UInt8(ascii: "\"") {
                let end = try text.stringEnd(from: at + 1) + 1
                if hits != 0 { noteScalar(hits, query, .string, at, end) }
                at = end
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard frames.count < maxDepth else { throw JSONFailure(.tooDeep, at: at) }
                let closer = open(text, at, hits, query)
                at = text.spaceEnd(from: at + 1)
                if text[at] != closer {
                    if frame.isObject { at = try member(text, at, query, &hits) } else { hits = 0 }
                    continue
                }
            } else {
                let end = try Self.scalarEnd(text, at)
                if hits != 0 { noteScalar(hits, query, Self.kind(byte), at, end) }
                at = end
            }
            guard try next(text, &at, query, &hits) else { return }
        }
    }

    /// Offset of the `{` that the body must begin with.
    private static func begin(_ text: JSONText) throws(JSONFailure) -> Int {
        let at = text.spaceEnd(from: 0)
        guard at < text.count else { throw JSONFailure(.empty, at: at) }
        if text[at] == UInt8(ascii: "{") { return at }
        if text.word(at: 0) & 0xFF_FFFF == 0xBF_BBEF { throw JSONFailure(.byteOrderMark, at: 0) }
        throw JSONFailure(.notAnObject, at: at)
    }

    /// Goes from the end of a value to the beginning of the next one, closing what closes between them. False at the
    /// end of the body.
    @inline(__always)
    private mutating func next(
        _ text: JSONText, _ at: inout Int, _ query: borrowing JSONQuery, _ hits: inout UInt16
    ) throws(JSONFailure) -> Bool {
        while true {
            at = text.spaceEnd(from: at)
            let byte = text[at]
            if byte == UInt8(ascii: ",") {
                at = text.spaceEnd(from: at + 1)
                if frame.isObject { at = try member(text, at, query, &hits) } else { hits = 0 }
                return true
            }
            guard byte == (frame.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw JSONFailure(at < text.count ? .badSyntax : .unterminated, at: at)
            }
            at += 1
            if frame.isObject { names.close(frame.names) }
            if frame.value != 0 { noteEnd(frame.value, at) }
            frame = frames.pop()
            if frames.count == 0 {
                at = text.spaceEnd(from: at)
                guard at == text.count else { throw JSONFailure(.trailingBytes, at: at) }
                return false
            }
        }
    }

    /// Enters the array or object at `at` and returns the byte that will close it.
    @inline(__always)
    private mutating func open(_ text: JSONText, _ at: Int, _ hits: UInt16, _ query: borrowing JSONQuery) -> UInt8 {
        let isObject = text[at] == UInt8(ascii: "{")
        frames.push(frame)
        frame = JSONFrame(names: names.open(), isObject: isObject, live: 0, value: 0)
        if hits != 0 { noteContainer(text, hits, query, at) }
        return isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    }

    /// Reads a member's name and colon and returns the offset of its value; `hits` becomes the pointers it belongs to.
    @inline(__always)
    private mutating func member(
        _ text: JSONText, _ at: Int, _ query: borrowing JSONQuery, _ hits: inout UInt16
    ) throws(JSONFailure) -> Int {
        guard text[at] == UInt8(ascii: "\"") else {
            throw JSONFailure(at < text.count ? .badSyntax : .unterminated, at: at)
        }
        let start = at + 1
        var end = text.plainEnd(from: start)
        if text[end] == UInt8(ascii: "\"") {
            let hash = seed.hash(text, start, end)
            guard names.add(text, start, end, hash: hash, to: &frame.names) else {
                throw JSONFailure(.duplicateName, at: at)
            }
            hits = frame.live == 0 ? 0 : query.matches(frame.live, level: frames.count - 1, text, start..<end)
        } else {
            end = try text.stringEnd(from: end)
            hits = try unplainName(text, start..<end, query)
        }
        let colon = text.spaceEnd(from: end + 1)
        guard text[colon] == UInt8(ascii: ":") else {
            throw JSONFailure(colon < text.count ? .badSyntax : .unterminated, at: colon)
        }
        return text.spaceEnd(from: colon + 1)
    }

    /// Adds and matches a name that has escapes or is not ASCII, by what it means.
    @inline(never)
    private mutating func unplainName(
        _ text: JSONText, _ range: Range<Int>, _ query: borrowing JSONQuery
    ) throws(JSONFailure) -> UInt16 {
        unescaped.truncate(to: 0)
        var bytes = JSONStringBytes(text, range)
        while let byte = bytes.next() { unescaped.push(byte) }
        let count = unescaped.count
        let hash = seed.hash(JSONText(unescaped.span), 0, count)
        guard names.add(text, range.lowerBound, range.upperBound, hash: hash, to: &frame.names) else {
            throw JSONFailure(.duplicateName, at: range.lowerBound - 1)
        }
        guard frame.live != 0 else { return 0 }
        return query.matches(frame.live, level: frames.count - 1, JSONText(unescaped.span), 0..<count)
    }

    @inline(__always)
    private static func scalarEnd(_ text: JSONText, _ at: Int) throws(JSONFailure) -> Int {
        let byte = text[at]
        if byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-") { return try text.numberEnd(from: at) }
        if at >= text.count { throw JSONFailure(.unterminated, at: at) }
        return try text.literalEnd(from: at)
    }

    private static func kind(_ byte: UInt8) -> JSONFound.Kind {
        switch byte {
        case UInt8(ascii: "t"): .true
        case UInt8(ascii: "f"): .false
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }
}

// What the scan notes of the queried fields. Rare beside the rest of a body, so kept out of the loop.
extension JSONScanner {
    /// The value at `start..<end` belongs to `hits` and is not an array or object.
    @inline(never)
    private mutating func noteScalar(
        _ hits: UInt16, _ query: borrowing JSONQuery, _ kind: JSONFound.Kind, _ start: Int, _ end: Int
    ) {
        let ending = hits & query.ends[frames.count - 1]
        forEach(ending) { found in
            found.state = .present
            found.kind = kind
            found.value = ByteRange(start, end)
        }
        forEach(hits & ~ending) { $0.state = .parentNotObject }
    }

    /// The array or object at `at`, already entered, belongs to `hits`.
    @inline(never)
    private mutating func noteContainer(_ text: JSONText, _ hits: UInt16, _ query: borrowing JSONQuery, _ at: Int) {
        // The top level object has no name: every pointer leads through it.
        let ending = frames.count == 1 ? 0 : hits & query.ends[frames.count - 2]
        let kind: JSONFound.Kind = frame.isObject ? .object : .array
        forEach(ending) { found in
            found.state = .present
            found.kind = kind
            found.value = ByteRange(at, at)
        }
        frame.value = ending
        guard frame.isObject else { return forEach(hits & ~ending) { $0.state = .parentNotObject } }
        frame.live = hits & ~ending
        guard frames.count <= JSONPointer.maxDepth else { return }
        let isEmpty = text[text.spaceEnd(from: at + 1)] == UInt8(ascii: "}")
        forEach(frame.live & query.ends[frames.count - 1]) { found in
            found.state = .absent
            found.insertAt = at + 1
            found.parentIsEmpty = isEmpty
        }
    }

    /// The array or object that is the value of `ending` ends before `end`.
    @inline(never)
    private mutating func noteEnd(_ ending: UInt16, _ end: Int) {
        forEach(ending) { $0.value.end = UInt32(truncatingIfNeeded: end) }
    }

    private mutating func forEach(_ pointers: UInt16, _ change: (inout JSONFound) -> Void) {
        var rest = pointers
        while rest != 0 {
            change(&results[rest.trailingZeroBitCount])
            rest &= rest - 1
        }
    }
}
