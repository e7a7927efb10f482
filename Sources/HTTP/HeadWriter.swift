// Writes what heads are made of: numbers, parts of other buffers, and the fields that may pass to the other side.
// Relies on heads that the parsers accepted, together with the bytes they were parsed from. Never passes on what
// belongs to one hop, to the signature, or to the framing, also not where `_` and `-` are exchanged in a name.

extension ByteBuffer {
    /// Appends a chunk-size line: `size` (not negative) in hexadecimal and CR LF. A size of 0 is the last chunk's.
    package mutating func appendChunkSize(_ size: Int) {
        precondition(size >= 0, "lengths are not negative")
        var shift = max(0, (Int.bitWidth - 1 - size.leadingZeroBitCount) & ~3)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: size &>> shift) & 15
            append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
        append(byte: ASCII.carriageReturn)
        append(byte: ASCII.lineFeed)
    }

    /// Appends a copy of the part of `bytes` in `range`, which lies within them.
    package mutating func append(bytes: Span<UInt8>, range: ByteRange) {
        append(bytes.extracting(range.range))
    }

    /// Appends `Name: value CRLF` for each field of a request that may go upstream: not those of one hop or named by
    /// Connection, and not Host, Content-Length, Content-Type, Content-Encoding, Expect, the credentials and the signed
    /// fields and traceparent, which the gateway writes itself. `hasTrace` says that the request names a trace: without
    /// one tracestate means nothing and does not pass either. `bytes` are those that the head was parsed from.
    package mutating func appendForwardedFields(
        of head: borrowing RequestHead, from bytes: Span<UInt8>, hasTrace: Bool = true
    ) {
        let dropped = hasTrace ? HeaderSet.notForUpstream : HeaderSet.notForUpstreamWithoutTrace
        appendFields(head.fields.span, except: dropped, head.connection, from: bytes)
    }

    /// Appends `Name: value CRLF` for each field of a response that may go to the caller: not those of one hop or named
    /// by Connection, Content-Length, what a proxy asks of its own caller, and the gateway's own mark of a replay.
    package mutating func appendForwardedFields(of head: borrowing ResponseHead, from bytes: Span<UInt8>) {
        appendFields(head.fields.span, except: HeaderSet.notForCaller, head.connection, from: bytes)
    }

    private mutating func appendFields(
        _ fields: Span<HeaderField>, except dropped: HeaderSet, _ connection: ConnectionOptions, from bytes: Span<UInt8>
    ) {
        // Neighbouring fields that are already written as they shall be go over in one copy.
        var run = 0..<0
        for index in fields.indices {
            let field = fields[index]
            guard Self.passes(field, dropped, bytes) else { continue }
            if connection.namesFields && connection.names(field.name, in: fields, bytes) { continue }
            let start = Int(field.name.start)
            let end = Int(field.value.end) &+ 2
            if field.isPlain && start == run.upperBound {
                run = run.lowerBound..<end
                continue
            }
            if !run.isEmpty { append(bytes.extracting(run)) }
            run = field.isPlain ? start..<end : 0..<0
            if !field.isPlain { appendRewritten(field, from: bytes) }
        }
        if !run.isEmpty { append(bytes.extracting(run)) }
    }

    private static func passes(_ field: HeaderField, _ dropped: HeaderSet, _ bytes: Span<UInt8>) -> Bool {
        if dropped.contains(field.known) { return false }
        return field.known != .other || !dropped.contains(mistakable(bytes, field.name))
    }

    @inline(never)
    private static func mistakable(_ bytes: Span<UInt8>, _ name: ByteRange) -> KnownHeader {
        KnownHeader.mistakable(FoldedToken(bytes, name))
    }

    @inline(never)
    private mutating func appendRewritten(_ field: HeaderField, from bytes: Span<UInt8>) {
        append(bytes: bytes, range: field.name)
        append(": ")
        append(bytes: bytes, range: field.value)
        append("\r\n")
    }
}
