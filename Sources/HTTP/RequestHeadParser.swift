// Reads the head of a request (RFC 9112) as its bytes arrive, in time linear in their number.
// Relies on `HeadLines` for the lines and on `RequestRules` for what a field means. Refuses whatever can be read in two
// ways; a refusal is final until `reset`.

/// Parses request heads one after the other. Allocates nothing once the head's array has grown.
package struct RequestHeadParser {
    private enum Phase {
        case startLine, fields, complete
        case refused(HTTPRefusal)
    }

    private var lines = HeadLines()
    private var phase = Phase.startLine

    package init() {}

    /// Makes the parser ready for the next head; the head itself has its own `reset`.
    package mutating func reset() {
        lines = HeadLines()
        phase = .startLine
    }

    /// Reads on in `bytes`, which are all readable bytes from the first byte of the message on: the ones of the last
    /// call and perhaps more. `head` is the same, freshly reset head for all calls of one message; its ranges are
    /// offsets in `bytes`. What follows the head is not looked at.
    package mutating func feed(
        _ bytes: Span<UInt8>, limits: HTTPLimits, into head: inout RequestHead
    ) -> HeadProgress {
        while true {
            switch phase {
            case .complete: return .complete
            case .refused(let refusal): return .refused(refusal)
            case .startLine: if !readStartLine(bytes, limits, &head) { return .needMore }
            case .fields: if !readFields(bytes, limits, &head) { return .needMore }
            }
        }
    }

    /// False if the line is not whole yet. Never inlined: what the loop over the fields needs stays in registers.
    @inline(never)
    private mutating func readStartLine(_ bytes: Span<UInt8>, _ limits: HTTPLimits, _ head: inout RequestHead) -> Bool {
        if bytes.isEmpty { return false }
        guard ByteSet.token.contains(bytes[0]) else {
            phase = .refused(.badMethod)
            return true
        }
        switch lines.next(bytes, limits, isFirst: true, acceptsOpaque: false) {
        case .needMore: return false
        case .refused(let refusal): phase = .refused(refusal)
        case .line(let start, let end):
            if let refusal = head.takeRequestLine(bytes, start, end) {
                phase = .refused(refusal)
            } else {
                phase = .fields
            }
        }
        return true
    }

    /// Reads on up to the end of the fields. False if the last line is not whole yet.
    @inline(__always)
    private mutating func readFields(_ bytes: Span<UInt8>, _ limits: HTTPLimits, _ head: inout RequestHead) -> Bool {
        while true {
            switch lines.nextField(bytes, limits, after: head.fields.count, acceptsOpaque: false) {
            case .needMore: return false
            case .refused(let refusal): phase = .refused(refusal)
            case .field(let field):
                guard let refusal = head.take(field, bytes, limits) else { continue }
                phase = .refused(refusal)
            case .end:
                head.length = lines.consumed
                phase = head.seen.contains(.host) ? .complete : .refused(.noHost)
            }
            return true
        }
    }
}
