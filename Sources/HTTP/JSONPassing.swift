// Passing over parts of a body that the scanner has taken, and writing its strings in one spelling. Validates nothing
// again. Relies on the zero that JSONText gives behind the end: other bytes are passed over too, but never for ever.

extension JSONText {
    /// The offset of the closing quote of the string whose content begins at `start`, and whether it has escapes.
    @inline(__always)
    func passString(from start: Int) -> (end: Int, hasEscapes: Bool) {
        let at = plainEnd(from: start)
        if self[at] == UInt8(ascii: "\"") { return (at, false) }
        return passUnplainString(from: at)
    }

    @inline(never)
    private func passUnplainString(from start: Int) -> (end: Int, hasEscapes: Bool) {
        var at = escapeOrQuote(from: start)
        var hasEscapes = false
        while self[at] == UInt8(ascii: "\\") {
            hasEscapes = true
            at = escapeOrQuote(from: at + 2)
        }
        return (at, hasEscapes)
    }

    /// Offset of the first `\` or `"` from `start`.
    func escapeOrQuote(from start: Int) -> Int {
        var at = plainEnd(from: start)
        while self[at] > 0x7F {
            repeat { at += 1 } while self[at] > 0x7F
            at = plainEnd(from: at)
        }
        precondition(self[at] == UInt8(ascii: "\"") || self[at] == UInt8(ascii: "\\"), "the body was scanned")
        return at
    }

    /// Offset behind the number or literal at `start`.
    @inline(__always)
    func passScalar(from start: Int) -> Int {
        var at = start
        while true {
            switch self[at] {
            case 0...0x20, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): return at
            default: at += 1
            }
        }
    }

    /// Offset behind the value at `start`, whatever it is.
    @inline(never)
    func passValue(from start: Int) -> Int {
        var at = start
        var depth = 0
        repeat {
            at = spaceEnd(from: at)
            precondition(at < count, "the body was scanned")
            switch self[at] {
            case UInt8(ascii: "\""): at = passString(from: at + 1).end + 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"): at += 1
            default: at = passScalar(from: at)
            }
        } while depth > 0
        return at
    }
}

extension ByteBuffer {
    /// Appends the string whose opening quote is at `start` of `body`, of which `text` is a view, with the shortest
    /// escapes and only where one is needed. Returns the offset behind its closing quote.
    @inline(__always)
    mutating func appendCanonicalString(_ body: Span<UInt8>, _ text: JSONText, _ start: Int) -> Int {
        let end = text.plainEnd(from: start + 1)
        guard text[end] == UInt8(ascii: "\"") else { return appendUnplainString(body, text, start) }
        append(body.extracting(start..<end + 1))
        return end + 1
    }

    @inline(never)
    private mutating func appendUnplainString(_ body: Span<UInt8>, _ text: JSONText, _ start: Int) -> Int {
        var from = start
        var at = text.escapeOrQuote(from: start + 1)
        while text[at] == UInt8(ascii: "\\") {
            append(body.extracting(from..<at))
            from = text.escapeLength(at) + at
            var bytes = JSONStringBytes(text, at..<from)
            while let byte = bytes.next() { appendCanonical(byte) }
            at = text.escapeOrQuote(from: from)
        }
        append(body.extracting(from..<at + 1))
        return at + 1
    }

    private mutating func appendCanonical(_ byte: UInt8) {
        switch byte {
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0A: append("\\n")
        case 0x0C: append("\\f")
        case 0x0D: append("\\r")
        default: appendEscaped(byte: byte)
        }
    }
}

extension JSONText {
    /// Bytes of the escape at `at`; both halves of a surrogate pair are one.
    fileprivate func escapeLength(_ at: Int) -> Int {
        guard self[at + 1] == UInt8(ascii: "u") else { return 2 }
        // The first half is D800 ... DBFF.
        let isPair =
            self[at + 2] | 0x20 == UInt8(ascii: "d")
            && (UInt8(ascii: "8")...UInt8(ascii: "b")).contains(self[at + 3] | 0x20)
        return isPair ? 12 : 6
    }
}
