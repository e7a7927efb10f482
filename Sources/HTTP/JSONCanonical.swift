// One spelling for all JSON bodies that say the same, so that a hash of it knows a repeat: no white space, members in
// the order of their names, the shortest escapes, numbers as they are spelt. Relies on the scanner having taken the
// body. Refuses, by precondition, what it would not have taken. Iterative: depth costs heap, and the scanner bounds it.

/// An array or object whose members are being found. Not private within `JSONCanonical`, as `JSONName`.
struct JSONOpenLevel: BitwiseCopyable {
    let isObject: Bool
    /// Pointers whose path leads through this object.
    let live: UInt16
    /// What `JSONMembers.open` returned.
    let members: Int
    /// Index of the object.
    let object: Int
}

/// What was found of one object. Not private, as above.
struct JSONObjectPlan: BitwiseCopyable {
    /// Index of its first member in their order, and behind its last.
    var members = ByteRange.empty
    /// Offset behind its `}`.
    var end: UInt32 = 0
    /// Number of objects that begin before that.
    var objects: UInt32 = 0
}

/// An array or object that is being written. Not private, as above.
struct JSONWrittenLevel: BitwiseCopyable {
    let isObject: Bool
    /// Of an object; says where writing goes on behind it.
    var plan = JSONObjectPlan()
    /// Index of the member that is written next.
    var next = 0
}

/// Writes canonical forms; reusable, one per worker. Allocates nothing when warm. Two bodies have the same form exactly
/// when they have the same values outside of the fields that are left out; `1` and `1.0` are different values. The cost
/// is linear in the body beside the sorting of each object's names, at any depth.
package struct JSONCanonical: ~Copyable {
    private enum Step { case value, member, end }

    private static let keptObjects = 4_096

    private var members = JSONMembers()
    /// All objects in the order in which they begin, but those within fields that are left out.
    private var objects = PlainStack<JSONObjectPlan>(capacity: 64)
    private var open = PlainStack<JSONOpenLevel>(capacity: 64)
    private var written = PlainStack<JSONWrittenLevel>(capacity: 64)

    package init() {}

    /// Appends the canonical form of `body`, which a `JSONScanner` has found valid and which is shorter than 4 GiB, to
    /// `output`, without the fields that `query` names. An object that has only such fields becomes `{}`. The form is
    /// never longer than the body.
    package mutating func append(
        _ body: Span<UInt8>, leavingOut query: borrowing JSONQuery, to output: inout ByteBuffer
    ) {
        precondition(body.count < Int(UInt32.max), "a body is below 4 GiB")
        output.reserve(body.count)
        let text = JSONText(body)
        find(text, query)
        write(body, text, to: &output)
        members.reset()
        objects.reset(keepingAtMost: Self.keptObjects)
    }
}

// First: where the members of each object stand, and their order.
extension JSONCanonical {
    private mutating func find(_ text: JSONText, _ query: borrowing JSONQuery) {
        var at = text.spaceEnd(from: 0)
        // Pointers whose path leads to the value at hand.
        var live = query.all
        var step = Step.value
        repeat {
            switch step {
            case .value: step = findValue(text, &at, &live)
            case .member: step = findMember(text, &at, query, &live)
            case .end: step = findEnd(text, &at, &live)
            }
        } while open.count > 0
    }

    @inline(__always)
    private mutating func findValue(_ text: JSONText, _ at: inout Int, _ live: inout UInt16) -> Step {
        switch text[at] {
        case UInt8(ascii: "{"):
            open.push(JSONOpenLevel(isObject: true, live: live, members: members.open(), object: objects.count))
            objects.push(JSONObjectPlan())
            at = text.spaceEnd(from: at + 1)
            return text[at] == UInt8(ascii: "}") ? .end : .member
        case UInt8(ascii: "["):
            live = 0
            open.push(JSONOpenLevel(isObject: false, live: 0, members: 0, object: 0))
            at = text.spaceEnd(from: at + 1)
            return text[at] == UInt8(ascii: "]") ? .end : .value
        case UInt8(ascii: "\""): at = text.passString(from: at + 1).end + 1
        default: at = text.passScalar(from: at)
        }
        return .end
    }

    /// Notes the member at `at`, or passes over it where it is left out.
    @inline(__always)
    private mutating func findMember(
        _ text: JSONText, _ at: inout Int, _ query: borrowing JSONQuery, _ live: inout UInt16
    ) -> Step {
        let level = open.count - 1
        let (end, hasEscapes) = text.passString(from: at + 1)
        let name = at + 1..<end
        at = text.spaceEnd(from: text.spaceEnd(from: end + 1) + 1)
        let unescaped = hasEscapes ? members.unescape(text, name) : 0..<0
        live = open[level].live
        if live != 0 {
            live =
                hasEscapes
                ? members.matches(query, live, level: level, unescaped)
                : query.matches(live, level: level, text, name)
            if live != 0 && live & query.ends[level] != 0 {
                at = text.passValue(from: at)
                return .end
            }
        }
        members.add(text, name: name, unescaped: unescaped, value: at, objects: objects.count)
        return .value
    }

    /// Goes on behind a value, or behind the opening of an empty array or object.
    @inline(__always)
    private mutating func findEnd(_ text: JSONText, _ at: inout Int, _ live: inout UInt16) -> Step {
        at = text.spaceEnd(from: at)
        let level = open[open.count - 1]
        if text[at] == UInt8(ascii: ",") {
            at = text.spaceEnd(from: at + 1)
            live = 0
            return level.isObject ? .member : .value
        }
        precondition(text[at] == (level.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")), "the body was scanned")
        at += 1
        _ = open.pop()
        if level.isObject {
            let range = members.close(text, from: level.members)
            objects[level.object] = JSONObjectPlan(
                members: ByteRange(range.lowerBound, range.upperBound), end: UInt32(truncatingIfNeeded: at),
                objects: UInt32(truncatingIfNeeded: objects.count))
        }
        return .end
    }
}

// Then: the values in that order.
extension JSONCanonical {
    private mutating func write(_ body: Span<UInt8>, _ text: JSONText, to output: inout ByteBuffer) {
        var at = text.spaceEnd(from: 0)
        // Number of objects that begin before `at`.
        var object = 0
        var step = Step.value
        repeat {
            switch step {
            case .value: step = writeValue(body, text, &at, object, to: &output)
            case .member: step = writeMember(body, text, &at, &object, to: &output)
            case .end: step = writeEnd(text, &at, &object, to: &output)
            }
        } while written.count > 0
    }

    @inline(__always)
    private mutating func writeValue(
        _ body: Span<UInt8>, _ text: JSONText, _ at: inout Int, _ object: Int, to output: inout ByteBuffer
    ) -> Step {
        let start = at
        switch text[at] {
        case UInt8(ascii: "{"):
            let plan = objects[object]
            written.push(JSONWrittenLevel(isObject: true, plan: plan, next: Int(plan.members.start)))
            output.append(byte: UInt8(ascii: "{"))
            return plan.members.isEmpty ? .end : .member
        case UInt8(ascii: "["):
            written.push(JSONWrittenLevel(isObject: false))
            output.append(byte: UInt8(ascii: "["))
            at = text.spaceEnd(from: at + 1)
            return text[at] == UInt8(ascii: "]") ? .end : .value
        case UInt8(ascii: "\""): at = output.appendCanonicalString(body, text, at)
        default:
            at = text.passScalar(from: at)
            output.append(body.extracting(start..<at))
        }
        return .end
    }

    @inline(__always)
    private mutating func writeMember(
        _ body: Span<UInt8>, _ text: JSONText, _ at: inout Int, _ object: inout Int, to output: inout ByteBuffer
    ) -> Step {
        let level = written.count - 1
        let member = members[written[level].next]
        written[level].next += 1
        _ = output.appendCanonicalString(body, text, Int(member.name.start) - 1)
        output.append(byte: UInt8(ascii: ":"))
        at = Int(member.value)
        object = Int(member.objects)
        return .value
    }

    @inline(__always)
    private mutating func writeEnd(
        _ text: JSONText, _ at: inout Int, _ object: inout Int, to output: inout ByteBuffer
    ) -> Step {
        let level = written[written.count - 1]
        if level.isObject {
            if level.next < Int(level.plan.members.end) {
                output.append(byte: UInt8(ascii: ","))
                return .member
            }
            output.append(byte: UInt8(ascii: "}"))
            at = Int(level.plan.end)
            object = Int(level.plan.objects)
        } else {
            at = text.spaceEnd(from: at)
            let byte = text[at]
            output.append(byte: byte)
            at += 1
            if byte == UInt8(ascii: ",") {
                at = text.spaceEnd(from: at)
                return .value
            }
        }
        _ = written.pop()
        return .end
    }
}
