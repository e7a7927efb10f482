// The field `traceparent` (W3C Trace Context level 1, section 3.2): read strictly, written in its version 00.
// Relies on the head's parser for the bytes that a value may have. Refuses what is not of the form, ids of zeros, and a
// field that stands twice: none of them names a trace.

/// A place in a trace: whose request this is a part of.
package struct TraceParent: Equatable, Sendable, BitwiseCopyable {
    /// Bytes of the field's value as it is written.
    package static let length = 55

    /// The trace's id, its first 8 bytes; not zero together with the others.
    package var traceHigh: UInt64
    /// The trace's id, its last 8 bytes.
    package var traceLow: UInt64
    /// The id of the span that the request comes from; not zero.
    package var parent: UInt64
    /// The sender may have recorded the trace. The one flag that level 1 knows.
    package var isSampled: Bool

    package init(traceHigh: UInt64, traceLow: UInt64, parent: UInt64, isSampled: Bool) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.parent = parent
        self.isSampled = isSampled
    }

    /// Reads a value; nil where it is not valid. Later versions are read as far as version 00 goes (section 4.3).
    package init?(_ text: Span<UInt8>) {
        let dash = UInt8(ascii: "-")
        guard text.count >= Self.length, text[2] == dash, text[35] == dash, text[52] == dash,
            let version = Self.hex(text, 0..<2), version != 0xFF,
            let high = Self.hex(text, 3..<19), let low = Self.hex(text, 19..<35),
            let parent = Self.hex(text, 36..<52), let flags = Self.hex(text, 53..<55)
        else { return nil }
        guard text.count == Self.length || (version > 0 && text[Self.length] == dash) else { return nil }
        guard high | low != 0, parent != 0 else { return nil }
        self.init(traceHigh: high, traceLow: low, parent: parent, isSampled: flags & 1 == 1)
    }

    /// Lower-case digits only, as the field has them.
    private static func hex(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for index in range {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte &- 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte &- 0x57)
            default: return nil
            }
        }
        return value
    }

    /// Appends the value, 55 bytes.
    package func append(to buffer: inout ByteBuffer) {
        buffer.write(atMost: 55) { text in
            text.append("00-")
            text.append(hex: traceHigh)
            text.append(hex: traceLow)
            text.append("-")
            text.append(hex: parent)
            text.append(isSampled ? "-01" : "-00")
        }
    }
}

extension RequestHead {
    /// The place in a trace that the request names; nil where it names none, or more than one. `bytes` are those that
    /// the head was parsed from.
    package func traceParent(in bytes: Span<UInt8>) -> TraceParent? {
        guard seen.contains(.traceparent) else { return nil }
        var found: ByteRange?
        for index in 0..<fields.count where fields[index].known == .traceparent {
            guard found == nil else { return nil }
            found = fields[index].value
        }
        return found.flatMap { TraceParent(bytes.slice($0)) }
    }
}
