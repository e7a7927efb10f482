// The request target (RFC 9112 section 3.2) and the host (RFC 3986 section 3.2.2), read as strictly as it takes for two
// readers to agree. Relies on a line of printable ASCII. Refuses what servers normalise differently: dot segments,
// empty segments, encoded separators and controls; and asterisk- and authority-form, userinfo.

/// Where the parts of a target stand.
struct RequestTarget {
    /// Authority of an absolute-form target.
    var authority: ByteRange?
    var pathStart: Int
    var pathEnd: Int

    /// Reads the target `start ..< end` into `target`; a reason if it is refused.
    static func read(_ bytes: Span<UInt8>, start: Int, end: Int, into target: inout RequestTarget) -> HTTPRefusal? {
        guard start < end else { return .badTarget }
        target.authority = nil
        target.pathStart = start
        if bytes[start] != UInt8(ascii: "/") {
            guard let hostStart = behindScheme(bytes, start, end) else { return .badTargetForm }
            guard let slash = bytes.first(UInt8(ascii: "/"), from: hostStart, to: end) else { return .badTargetForm }
            guard Authority.isValid(bytes, start: hostStart, end: slash) else { return .badTarget }
            target.authority = ByteRange(hostStart, slash)
            target.pathStart = slash
        }
        if let refusal = readPath(bytes, end, into: &target) { return refusal }
        return hasPlainQuery(bytes, target.pathEnd, end) ? nil : .badTarget
    }

    private static func behindScheme(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        guard end - start > 8 else { return nil }
        if FoldedToken(bytes, start, start + 7).matches("http://") { return start + 7 }
        return FoldedToken(bytes, start, start + 8).matches("https://") ? start + 8 : nil
    }

    /// Checks the path, which begins with a slash at `target.pathStart`, and finds its end.
    private static func readPath(_ bytes: Span<UInt8>, _ end: Int, into target: inout RequestTarget) -> HTTPRefusal? {
        if bytes.isSimplePath(from: target.pathStart, to: end) {
            target.pathEnd = end
            return nil
        }
        let plain = ByteSet.plainPath
        var at = target.pathStart + 1
        var segment = Segment()
        while at < end {
            let run = at
            at = bytes.plainRun(from: at, to: end, UInt8(ascii: "_"))
            while at < end && plain.contains(bytes[at]) { at &+= 1 }
            segment.add(plain: at &- run)
            guard at < end else { break }
            at &+= 1
            switch bytes[at - 1] {
            case UInt8(ascii: "/"):
                if segment.isAmbiguous || segment.length == 0 { return .ambiguousPath }
                segment = Segment()
            case UInt8(ascii: "."): segment.add(isDot: true)
            case UInt8(ascii: ";"):
                // Some servers cut path parameters off before they look for dot segments.
                if segment.isAmbiguous { return .ambiguousPath }
                segment.add(isDot: false)
            case UInt8(ascii: "%"):
                guard let encoded = escape(bytes, at, end) else { return .badTarget }
                if isSeparatorOrControl(encoded) { return .ambiguousPath }
                segment.add(isDot: encoded == UInt8(ascii: "."))
                at += 2
            case UInt8(ascii: "?"):
                target.pathEnd = at - 1
                return segment.isAmbiguous ? .ambiguousPath : nil
            default: return .badTarget
            }
        }
        target.pathEnd = end
        return segment.isAmbiguous ? .ambiguousPath : nil
    }

    private static func hasPlainQuery(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let plain = ByteSet.plainQuery
        var at = start
        while at < end {
            if plain.contains(bytes[at]) {
                at += 1
            } else {
                guard bytes[at] == UInt8(ascii: "%") && escape(bytes, at + 1, end) != nil else { return false }
                at += 3
            }
        }
        return true
    }

    /// The byte that the two hexadecimal digits at `at` stand for.
    private static func escape(_ bytes: Span<UInt8>, _ at: Int, _ end: Int) -> UInt8? {
        guard at + 2 <= end, let high = ASCII.hexValue(bytes[at]), let low = ASCII.hexValue(bytes[at + 1]) else {
            return nil
        }
        return high << 4 | low
    }

    private static func isSeparatorOrControl(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
    }

    /// A path segment: how long it is and whether it consists of dots.
    private struct Segment {
        var length = 0
        var dotsOnly = true

        @inline(__always)
        mutating func add(isDot: Bool) {
            length += 1
            dotsOnly = dotsOnly && isDot
        }

        @inline(__always)
        mutating func add(plain count: Int) {
            length += count
            dotsOnly = dotsOnly && count == 0
        }

        /// `.` or `..`, in whatever encoding.
        var isAmbiguous: Bool { dotsOnly && (length == 1 || length == 2) }
    }
}

/// `host [":" port]`, in an absolute-form target or in Host.
enum Authority {
    /// Whether the bytes are a host that has one reading: a name of unreserved characters, an IPv4 address or a
    /// bracketed IPv6 address, with a port of 1 ... 65535 or none.
    static func isValid(_ bytes: Span<UInt8>, start: Int, end: Int) -> Bool {
        guard start < end else { return false }
        var at = start
        if bytes[start] == UInt8(ascii: "[") {
            guard let close = bytes.first(UInt8(ascii: "]"), from: start, to: end) else { return false }
            guard isIPv6(bytes, start + 1, close) else { return false }
            at = close + 1
        } else {
            let allowed = ByteSet.hostName
            at = bytes.plainRun(from: start, to: end, UInt8(ascii: "."))
            while at < end && allowed.contains(bytes[at]) { at &+= 1 }
            guard at > start else { return false }
        }
        if at == end { return true }
        return bytes[at] == UInt8(ascii: ":") && isPort(bytes, at + 1, end)
    }

    private static func isPort(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard (1...5).contains(end - start) && bytes[start] != UInt8(ascii: "0") else { return false }
        var port = 0
        for at in start..<end {
            guard ASCII.isDigit(bytes[at]) else { return false }
            port = port * 10 + Int(bytes[at] - UInt8(ascii: "0"))
        }
        return port <= 65535
    }

    /// IPv6address (RFC 3986 section 3.2.2), without a zone.
    private static func isIPv6(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let colon = UInt8(ascii: ":")
        var groups = 0
        var gap = false
        var at = start
        if end - at >= 2 && bytes[at] == colon && bytes[at + 1] == colon {
            gap = true
            at += 2
        }
        while at < end {
            let first = at
            while at < end && ASCII.hexValue(bytes[at]) != nil { at += 1 }
            if at < end && bytes[at] == UInt8(ascii: ".") {
                groups += 2
                return isIPv4(bytes, first, end) && (gap ? groups < 8 : groups == 8)
            }
            guard (1...4).contains(at - first) else { return false }
            groups += 1
            if at == end { break }
            guard bytes[at] == colon && at + 1 < end else { return false }
            at += 1
            if bytes[at] == colon {
                guard !gap else { return false }
                gap = true
                at += 1
            }
        }
        return gap ? groups < 8 : groups == 8
    }

    private static func isIPv4(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        var at = start
        for part in 0..<4 {
            let first = at
            var value = 0
            while at < end && at - first < 4 && ASCII.isDigit(bytes[at]) {
                value = value * 10 + Int(bytes[at] - UInt8(ascii: "0"))
                at += 1
            }
            guard at > first && value <= 255 && (at - first == 1 || bytes[first] != UInt8(ascii: "0")) else {
                return false
            }
            if part < 3 {
                guard at < end && bytes[at] == UInt8(ascii: ".") else { return false }
                at += 1
            }
        }
        return at == end
    }
}
