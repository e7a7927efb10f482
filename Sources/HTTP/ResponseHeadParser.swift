// Reads the head of an upstream's response (RFC 9112) as its bytes arrive, and decides where its body ends.
// Relies on `HeadLines` for the lines. Refuses whatever can be read in two ways, and 101, which is never asked for;
// every refusal means 502 to the caller.

/// Parses response heads one after the other. Allocates nothing once the head's array has grown.
package struct ResponseHeadParser {
    private enum Phase {
        case statusLine, fields, complete
        case refused(HTTPRefusal)
    }

    private var lines = HeadLines()
    private var phase = Phase.statusLine

    package init() {}

    /// Makes the parser ready for the next head, such as the one behind an interim response.
    package mutating func reset() {
        lines = HeadLines()
        phase = .statusLine
    }

    /// Reads on in `bytes`, which are all readable bytes from the first byte of the message on. `method` is the one of
    /// the request that is answered; `head` is the same, freshly reset head for all calls of one message.
    package mutating func feed(
        _ bytes: Span<UInt8>, to method: Method, limits: HTTPLimits, into head: inout ResponseHead
    ) -> HeadProgress {
        while true {
            switch phase {
            case .complete: return .complete
            case .refused(let refusal): return .refused(refusal)
            case .statusLine: if !readStatusLine(bytes, limits, &head) { return .needMore }
            case .fields: if !readFields(bytes, method, limits, &head) { return .needMore }
            }
        }
    }

    /// False if the line is not whole yet. What is not HTTP (a TLS alert, a bare body) is refused at its first byte.
    /// Never inlined: what the loop over the fields needs stays in registers.
    @inline(never)
    private mutating func readStatusLine(_ bytes: Span<UInt8>, _ limits: HTTPLimits, _ head: inout ResponseHead) -> Bool
    {
        let known = min(bytes.count, 7)
        let mask: UInt64 = (1 &<< UInt64(known * 8)) &- 1
        guard bytes.word(at: 0, upTo: known) == StaticString("HTTP/1.").word() & mask else {
            phase = .refused(.badVersion)
            return true
        }
        switch lines.next(bytes, limits, isFirst: true, acceptsOpaque: true) {
        case .needMore: return false
        case .refused(let refusal): phase = .refused(refusal)
        case .line(let start, let end):
            if let refusal = head.takeStatusLine(bytes, start, end) {
                phase = .refused(refusal)
            } else {
                phase = .fields
            }
        }
        return true
    }

    /// Reads on up to the end of the fields. False if the last line is not whole yet.
    @inline(__always)
    private mutating func readFields(
        _ bytes: Span<UInt8>, _ method: Method, _ limits: HTTPLimits, _ head: inout ResponseHead
    ) -> Bool {
        while true {
            switch lines.nextField(bytes, limits, after: head.fields.count, acceptsOpaque: true) {
            case .needMore: return false
            case .refused(let refusal): phase = .refused(refusal)
            case .field(let field):
                guard let refusal = head.take(field, bytes) else { continue }
                phase = .refused(refusal)
            case .end:
                head.length = lines.consumed
                head.decideFraming(for: method)
                phase = .complete
            }
            return true
        }
    }
}

extension ResponseHead {
    /// Reads `HTTP/1.x SP 3DIGIT SP reason`; the second space must be there even before an empty reason.
    mutating func takeStatusLine(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> HTTPRefusal? {
        let line = bytes.extracting(start..<end)
        guard line.count >= 9 else { return line.count == 8 ? .badStatus : .badVersion }
        guard ASCII.isDigit(line[7]) && line[8] == ASCII.space else { return .badVersion }
        guard line[7] <= UInt8(ascii: "1") else { return .unsupportedVersion }
        minorVersion = Int(line[7] &- UInt8(ascii: "0"))
        guard line.count >= 13 && line[12] == ASCII.space else { return .badStatus }
        for at in 9..<12 {
            guard ASCII.isDigit(line[at]) else { return .badStatus }
            status = status &* 10 &+ Int(line[at] &- UInt8(ascii: "0"))
        }
        reason = ByteRange(start &+ 13, end)
        return (100...599).contains(status) && status != 101 ? nil : .badStatus
    }

    /// Adds one field, unless it is refused.
    @inline(__always)
    mutating func take(_ field: HeaderField, _ bytes: Span<UInt8>) -> HTTPRefusal? {
        fields.push(field)
        if field.known == .other { return nil }
        let isRepeated = seen.contains(field.known)
        seen.insert(field.known)
        return takeKnown(field, isRepeated, bytes)
    }

    private mutating func takeKnown(_ field: HeaderField, _ isRepeated: Bool, _ bytes: Span<UInt8>) -> HTTPRefusal? {
        if field.known == .connection { return connection.read(bytes, field.value, refusesUpgrade: false) }
        if field.known == .contentLength {
            if isRepeated { return .differingContentLengths }
            if seen.contains(.transferEncoding) { return .bothFramings }
            guard case .length(let length) = ContentLength.read(bytes, field.value) else { return .badContentLength }
            contentLength = length
            return length > 0 && hasNoFraming ? .framingNotAllowed : nil
        }
        if field.known == .transferEncoding {
            if seen.contains(.contentLength) { return .bothFramings }
            if hasNoFraming { return .framingNotAllowed }
            let isPlain = !isRepeated && minorVersion == 1 && FoldedToken(bytes, field.value).matches("chunked")
            return isPlain ? nil : .badTransferCoding
        }
        return nil
    }

    /// Interim responses and 204 must not announce a body (RFC 9110 section 8.6, RFC 9112 section 6.1).
    private var hasNoFraming: Bool { status < 200 || status == 204 }

    /// RFC 9112 section 6.3, called at the end of the head.
    mutating func decideFraming(for method: Method) {
        if hasNoFraming || status == 304 || method == .head {
            framing = .none
        } else if seen.contains(.transferEncoding) {
            framing = .chunked
        } else if let contentLength {
            framing = .length(contentLength)
        } else {
            framing = .untilClose
        }
        let wantsMore = minorVersion == 1 ? !connection.close : connection.keepAlive && !connection.close
        keepAlive = wantsMore && framing != .untilClose
    }
}
