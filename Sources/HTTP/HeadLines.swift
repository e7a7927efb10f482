// Cuts a head into lines as its bytes arrive and reads one field line: what requests and responses have in common.
// Relies on being shown the same bytes again, only more of them. Refuses control bytes, lone CR or LF, and more than
// the limits allow; every decision follows from the bytes up to one place, so it is the same for every fragmentation.

/// What the next line of a head is.
enum HeadLine {
    /// A whole line; `end` is the offset of its CR.
    case line(start: Int, end: Int)
    case needMore
    case refused(HTTPRefusal)
}

/// How far a head was read.
struct HeadLines {
    /// First byte of the line that is being read.
    private(set) var lineStart = 0
    /// First byte that was not looked at yet.
    private var scanned = 0

    /// Bytes of the lines that were given out, with their CR LF.
    var consumed: Int { lineStart }

    /// The next whole line. `acceptsOpaque` allows bytes above 0x7F (obs-text).
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, _ limits: HTTPLimits, isFirst: Bool, acceptsOpaque: Bool) -> HeadLine {
        let available = min(bytes.count, limits.maxHead)
        let window = isFirst ? min(available, limits.maxLine) : available
        var at = scanned
        while true {
            at = acceptsOpaque ? bytes.firstControl(from: at, to: window) : bytes.firstUnprintable(from: at, to: window)
            guard at < window && bytes[at] == ASCII.tab else { break }
            at &+= 1
        }
        if at == window && window < available && bytes[at] != ASCII.carriageReturn { return .refused(.lineTooLong) }
        scanned = at
        if at < available && bytes[at] != ASCII.carriageReturn {
            return .refused(refusal(of: bytes, at: at, isFirst: isFirst))
        }
        guard at &+ 1 < available else { return available == limits.maxHead ? .refused(.headTooLarge) : .needMore }
        guard bytes[at &+ 1] == ASCII.lineFeed else { return .refused(.bareCR) }
        let start = lineStart
        scanned = at &+ 2
        lineStart = scanned
        return .line(start: start, end: at)
    }

    private func refusal(of bytes: Span<UInt8>, at offset: Int, isFirst: Bool) -> HTTPRefusal {
        if bytes[offset] == ASCII.lineFeed { return .bareLF }
        if isFirst { return .badStartLine }
        return bytes.first(UInt8(ascii: ":"), from: lineStart, to: offset) == nil ? .badFieldName : .badFieldValue
    }
}

/// A field line, or why it is none.
enum FieldLine {
    case field(HeaderField)
    case refused(HTTPRefusal)

    /// Reads `name ":" OWS value OWS` (RFC 9112 section 5) from a line whose bytes `HeadLines` let pass.
    @inline(__always)
    static func read(_ bytes: Span<UInt8>, start: Int, end: Int) -> FieldLine {
        if ASCII.isBlank(bytes[start]) { return .refused(.obsFold) }
        guard let colon = bytes.first(UInt8(ascii: ":"), from: start, to: end), colon > start else {
            return .refused(.badFieldName)
        }
        let known = KnownHeader.named(FoldedToken(bytes, start, colon))
        if known == .other {
            let allowed = ByteSet.token
            for at in start..<colon where !allowed.contains(bytes[at]) { return .refused(.badFieldName) }
        }
        var first = colon &+ 1
        var last = end
        while first < last && ASCII.isBlank(bytes[first]) { first &+= 1 }
        while first < last && ASCII.isBlank(bytes[last &- 1]) { last &-= 1 }
        return .field(HeaderField(name: ByteRange(start, colon), value: ByteRange(first, last), known: known))
    }
}
