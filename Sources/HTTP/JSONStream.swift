// A JSON text in fragments: what begins, ends and stands in it, in bounded memory, wherever the fragments are cut.
// Relies on the grammar of RFC 8259. Refuses nothing with an error: what is no JSON text ends in a state that says so,
// and nothing is told of it any more.

/// Reads one JSON text piece by piece. Its result is the same for the same bytes, however they are cut.
///
/// It holds one bit per open array or object, at most `maxDepth`, and at most `maxKept` bytes of text. Duplicate names
/// are the caller's business. Allocates nothing after `init`.
package struct JSONStream: ~Copyable {
    /// Deepest nesting that is followed. Beyond: the text ends as `.tooDeep`.
    package static let maxDepth = 64
    /// Bytes of a name that are kept, un-escaped. Beyond: they are counted.
    package static let maxName = 256
    /// Bytes of a string or number that are kept at a time. A longer string comes in parts; of a longer number the rest
    /// is counted.
    package static let maxKept = 512

    /// What was met.
    package enum Event: Sendable {
        case beginObject, endObject, beginArray, endArray
        /// A member's name: `text` has its beginning, `length` says how long it is.
        case name
        /// `maxKept` bytes or up to three more of a string that has not ended yet; `text` has them.
        case part
        /// A string's end: `text` has what came after the last part.
        case string
        case number, `true`, `false`, null
    }

    /// How a text ended.
    package enum End: Sendable {
        /// One whole JSON text and nothing behind it.
        case whole
        /// Nothing, or nothing but white space.
        case empty
        /// The text is cut off: what is there may begin a JSON text.
        case cut
        /// This is no JSON text.
        case invalid
        /// Deeper than `maxDepth`; the rest was not looked at.
        case tooDeep
    }

    private enum Place {
        case value, firstElement, firstMember, member, colon, behindValue, number, literal, string, over
    }

    private var place = Place.value
    private var end = End.empty
    private var depth = 0
    /// Which open levels are objects, the innermost in the lowest bit.
    private var objects: UInt64 = 0
    private var kept = ByteBuffer(capacity: JSONStream.maxKept + 8)
    /// Un-escaped bytes of the name or string, bytes of the number, that was met last.
    package private(set) var length = 0
    private var string = JSONStreamString()
    private var number = JSONStreamNumber()
    private var literal = JSONStreamLiteral.true
    private var isName = false
    private var keepsRest = true
    /// The bytes in `kept` were given as a part.
    private var partIsGiven = false

    package init() {}

    /// Begins another text and wipes what was kept of the last.
    package mutating func begin() {
        kept.wipe()
        place = .value
        end = .empty
        depth = 0
        objects = 0
        partIsGiven = false
    }

    /// The kept bytes of the name, string, part or number that was met last, un-escaped UTF-8.
    package var text: Span<UInt8> {
        @_lifetime(borrow self)
        get { kept.bytes }
    }

    /// After a part: the rest of this string is only counted, no further part of it comes, and `text` is empty at its
    /// end.
    package mutating func passRest() { keepsRest = false }

    /// Reads on in `bytes` from `at`, which is moved, up to the next event; nil where the bytes are used up.
    package mutating func next(in bytes: Span<UInt8>, at: inout Int) -> Event? {
        let text = JSONText(bytes)
        while at < text.count {
            let event: Event?
            switch place {
            case .string: event = readString(text, &at)
            case .number: event = readNumber(text, &at)
            case .literal: event = readLiteral(text, &at)
            case .over:
                at = text.count
                return nil
            case .value, .firstElement, .firstMember, .member, .colon, .behindValue: event = readMark(text, &at)
            }
            if let event { return event }
        }
        return nil
    }

    /// The bytes are all read. A number that makes up the whole text ends here, and is an event.
    package mutating func finish() -> Event? {
        guard place == .number, depth == 0, number.isComplete else { return nil }
        endValue()
        return .number
    }

    /// How the text ended; right after `finish`.
    package var ending: End { end }

    private mutating func stop(_ end: End) -> Event? {
        place = .over
        self.end = end
        return nil
    }

    private mutating func endValue() {
        place = .behindValue
        if depth == 0 { end = .whole }
    }
}

// Brackets, colons, commas and the beginnings of values.
extension JSONStream {
    private mutating func readMark(_ text: JSONText, _ at: inout Int) -> Event? {
        at = text.spaceEnd(from: at)
        guard at < text.count else { return nil }
        let byte = text[at]
        if end == .empty { end = .cut }
        at += 1
        switch place {
        case .value: return beginValue(byte)
        case .firstElement:
            if byte == UInt8(ascii: "]") { return close(.endArray) }
            return beginValue(byte)
        case .firstMember, .member:
            if byte == UInt8(ascii: "\"") { return beginString(isName: true) }
            if byte == UInt8(ascii: "}") && place == .firstMember { return close(.endObject) }
        case .colon:
            if byte == UInt8(ascii: ":") {
                place = .value
                return nil
            }
        case .behindValue: return readBehindValue(byte)
        case .number, .literal, .string, .over: preconditionFailure("marks stand between tokens")
        }
        return stop(.invalid)
    }

    private mutating func readBehindValue(_ byte: UInt8) -> Event? {
        guard depth > 0 else { return stop(.invalid) }
        let isObject = objects & 1 != 0
        switch byte {
        case UInt8(ascii: ","):
            place = isObject ? .member : .value
            return nil
        case UInt8(ascii: "}") where isObject: return close(.endObject)
        case UInt8(ascii: "]") where !isObject: return close(.endArray)
        default: return stop(.invalid)
        }
    }

    private mutating func beginValue(_ byte: UInt8) -> Event? {
        switch byte {
        case UInt8(ascii: "\""): return beginString(isName: false)
        case UInt8(ascii: "{"): return open(isObject: true)
        case UInt8(ascii: "["): return open(isObject: false)
        case UInt8(ascii: "t"): return begin(.true)
        case UInt8(ascii: "f"): return begin(.false)
        case UInt8(ascii: "n"): return begin(.null)
        default:
            guard let begun = JSONStreamNumber(first: byte) else { return stop(.invalid) }
            number = begun
            kept.clear()
            kept.append(byte: byte)
            length = 1
            place = .number
            return nil
        }
    }

    private mutating func open(isObject: Bool) -> Event? {
        guard depth < Self.maxDepth else { return stop(.tooDeep) }
        depth += 1
        objects = objects &<< 1 | (isObject ? 1 : 0)
        place = isObject ? .firstMember : .firstElement
        return isObject ? .beginObject : .beginArray
    }

    private mutating func close(_ event: Event) -> Event {
        depth -= 1
        objects &>>= 1
        endValue()
        return event
    }

    private mutating func begin(_ literal: JSONStreamLiteral) -> Event? {
        self.literal = literal
        length = 1
        place = .literal
        return nil
    }

    private mutating func readLiteral(_ text: JSONText, _ at: inout Int) -> Event? {
        let byte = text[at]
        guard byte == literal.byte(length) else { return stop(.invalid) }
        at += 1
        length += 1
        guard length == literal.count else { return nil }
        endValue()
        switch literal {
        case .true: return .true
        case .false: return .false
        case .null: return .null
        }
    }

    private mutating func readNumber(_ text: JSONText, _ at: inout Int) -> Event? {
        while at < text.count {
            let byte = text[at]
            switch number.take(byte) {
            case .more:
                if length < Self.maxKept { kept.append(byte: byte) }
                length += 1
                at += 1
            case .complete:
                // The byte behind a number belongs to what follows.
                endValue()
                return .number
            case .broken: return stop(.invalid)
            }
        }
        return nil
    }
}

// Names and strings.
extension JSONStream {
    private mutating func beginString(isName: Bool) -> Event? {
        self.isName = isName
        keepsRest = true
        partIsGiven = false
        kept.clear()
        length = 0
        string = JSONStreamString()
        place = .string
        return nil
    }

    private mutating func readString(_ text: JSONText, _ at: inout Int) -> Event? {
        if partIsGiven {
            kept.clear()
            partIsGiven = false
        }
        while at < text.count {
            if string.isBetweenCharacters {
                keep(text, &at, upTo: text.plainEnd(from: at))
                if isFull { return givePart() }
                guard at < text.count else { return nil }
                if text[at] == UInt8(ascii: "\"") {
                    at += 1
                    return endString()
                }
            }
            switch string.take(text[at]) {
            case .none: break
            case .byte(let byte): keep(byte)
            case .scalar(let scalar): for byte in scalar.utf8 { keep(byte) }
            case .broken: return stop(.invalid)
            }
            at += 1
            if isFull { return givePart() }
        }
        return nil
    }

    /// No part ends within a string's last bytes by chance: it is given as soon as it is full.
    private var isFull: Bool { !isName && kept.count >= Self.maxKept }

    private mutating func givePart() -> Event {
        partIsGiven = true
        return .part
    }

    private mutating func endString() -> Event {
        guard isName else {
            endValue()
            return .string
        }
        place = .colon
        return .name
    }

    /// Takes plain bytes up to `end`, or fewer where the part is full.
    private mutating func keep(_ text: JSONText, _ at: inout Int, upTo end: Int) {
        guard at < end else { return }
        let room = keepsRest ? (isName ? Self.maxName : Self.maxKept) - kept.count : 0
        let taken = min(max(0, room), end - at)
        if taken > 0 { kept.append(text.slice(at..<at + taken)) }
        // What does not fit into a part waits for the next; of names, and of what nobody asked for, it is counted.
        let passed = isName || !keepsRest ? end - at : taken
        length += passed
        at += passed
    }

    private mutating func keep(_ byte: UInt8) {
        if keepsRest && (!isName || kept.count < Self.maxName) { kept.append(byte: byte) }
        length += 1
    }
}
