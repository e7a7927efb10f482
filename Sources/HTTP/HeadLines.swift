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

/// What the next line of a head's fields is.
enum FieldStep {
    case field(HeaderField)
    /// The empty line behind the fields.
    case end
    case needMore
    case refused(HTTPRefusal)
}

/// How far a head was read.
struct HeadLines {
    /// First byte of the line that is being read. As in `ByteRange` 32 bits are enough; they are never negative.
    private var lineStart: UInt32 = 0
    /// First byte that was not looked at yet.
    private var scanned: UInt32 = 0

    /// Bytes of the lines that were given out, with their CR LF.
    var consumed: Int { Int(lineStart) }

    /// The next whole line. `acceptsOpaque` allows bytes above 0x7F (obs-text).
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, _ limits: HTTPLimits, isFirst: Bool, acceptsOpaque: Bool) -> HeadLine {
        let available = min(bytes.count, limits.maxHead)
        let window = isFirst ? min(available, limits.maxLine) : available
        var at = Int(scanned)
        while true {
            at = acceptsOpaque ? bytes.firstControl(from: at, to: window) : bytes.firstUnprintable(from: at, to: window)
            if bytes.isLineEnd(at: at, before: available) { break }
            guard at < window && bytes[at] == ASCII.tab else {
                scanned = UInt32(truncatingIfNeeded: at)
                return unfinished(bytes, at, limits, isFirst)
            }
            at &+= 1
        }
        let start = Int(lineStart)
        scanned = UInt32(truncatingIfNeeded: at &+ 2)
        lineStart = scanned
        return .line(start: start, end: at)
    }

    /// The next line behind the start line, where `count` fields were read so far.
    @inline(__always)
    mutating func nextField(
        _ bytes: Span<UInt8>, _ limits: HTTPLimits, after count: Int, acceptsOpaque: Bool
    ) -> FieldStep {
        switch next(bytes, limits, isFirst: false, acceptsOpaque: acceptsOpaque) {
        case .needMore: return .needMore
        case .refused(let refusal): return .refused(refusal)
        case .line(let start, let end):
            if start == end { return .end }
            if count >= limits.maxFields { return .refused(.tooManyFields) }
            switch FieldLine.read(bytes, start: start, end: end) {
            case .field(let field): return .field(field)
            case .refused(let refusal): return .refused(refusal)
            }
        }
    }

    /// What it means that no line ends at `at`, the first byte that is not of one.
    @inline(never)
    private func unfinished(_ bytes: Span<UInt8>, _ at: Int, _ limits: HTTPLimits, _ isFirst: Bool) -> HeadLine {
        let available = min(bytes.count, limits.maxHead)
        if isFirst && at == limits.maxLine && at < available && bytes[at] != ASCII.carriageReturn {
            return .refused(.lineTooLong)
        }
        guard at < available else { return available == limits.maxHead ? .refused(.headTooLarge) : .needMore }
        guard bytes[at] == ASCII.carriageReturn else { return .refused(refusal(of: bytes, at: at, isFirst: isFirst)) }
        guard at &+ 1 < available else { return available == limits.maxHead ? .refused(.headTooLarge) : .needMore }
        return .refused(.bareCR)
    }

    private func refusal(of bytes: Span<UInt8>, at offset: Int, isFirst: Bool) -> HTTPRefusal {
        if bytes[offset] == ASCII.lineFeed { return .bareLF }
        if isFirst { return .badStartLine }
        return bytes.first(UInt8(ascii: ":"), from: consumed, to: offset) == nil ? .badFieldName : .badFieldValue
    }
}

/// A field line, or why it is none.
enum FieldLine {
    case field(HeaderField)
    case refused(HTTPRefusal)

    /// Reads `name ":" OWS value OWS` (RFC 9112 section 5) from a line whose bytes `HeadLines` let pass.
    @inline(__always)
    static func read(_ bytes: Span<UInt8>, start: Int, end: Int) -> FieldLine {
        guard let name = bytes.plainFieldName(from: start, to: end) else { return readAny(bytes, start, end) }
        let colon = start &+ name.count
        let known = KnownHeader.named(FoldedToken(loaded: name.first, name.last, name.count))
        if known == .other, let refusal = refusal(ofName: bytes, start, colon) { return .refused(refusal) }
        return .field(
            HeaderField(
                name: ByteRange(start, colon), value: ByteRange(colon &+ 2, end), known: known, isPlain: true))
    }

    @inline(never)
    private static func readAny(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> FieldLine {
        if ASCII.isBlank(bytes[start]) { return .refused(.obsFold) }
        guard let colon = bytes.first(UInt8(ascii: ":"), from: start, to: end), colon > start else {
            return .refused(.badFieldName)
        }
        let known = KnownHeader.named(FoldedToken(bytes, start, colon))
        if known == .other, let refusal = refusal(ofName: bytes, start, colon) { return .refused(refusal) }
        var first = colon &+ 1
        var last = end
        while first < last && ASCII.isBlank(bytes[first]) { first &+= 1 }
        while first < last && ASCII.isBlank(bytes[last &- 1]) { last &-= 1 }
        let isPlain = first == colon &+ 2 && bytes[first &- 1] == ASCII.space && last == end
        return .field(
            HeaderField(
                name: ByteRange(start, colon), value: ByteRange(first, last), known: known, isPlain: isPlain))
    }

    @inline(never)
    private static func refusal(ofName bytes: Span<UInt8>, _ start: Int, _ colon: Int) -> HTTPRefusal? {
        if ASCII.isBlank(bytes[start]) { return .obsFold }
        let allowed = ByteSet.token
        var at = bytes.plainRun(from: start, to: colon, UInt8(ascii: "_"))
        while at < colon && allowed.contains(bytes[at]) { at &+= 1 }
        return at == colon ? nil : .badFieldName
    }
}
