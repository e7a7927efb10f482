// Reads the lines of the chunked coding byte by byte: sizes with their extensions, and trailer fields.
// Relies on nothing being kept from one byte to the next but what is stored here. Allocates nothing.

/// Where in `1*HEXDIG *( ";" token [ "=" ( token / quoted-string ) ] ) CRLF` the next byte stands.
enum SizeLine {
    case firstDigit, digits
    case nameStart, name, valueStart, value, quoted, escaped, quoteEnd
    case lineFeed
}

/// Where in `*( field-line CRLF ) CRLF` the next byte stands.
enum TrailerLine {
    case start, name, value, lineFeed, lastLineFeed
}

/// What is remembered of the line that is being read.
struct ChunkLineReader {
    enum SizeStep {
        case next(SizeLine)
        /// The last digit was read before this byte; `size` is final.
        case sizeKnown(SizeLine)
        case malformed, end
    }

    enum TrailerStep {
        case next(TrailerLine)
        case refused(HTTPRefusal)
        case end
    }

    /// More digits could not be told from an overflow.
    private static let maxDigits = 15

    /// Payload bytes that the size line announces.
    private(set) var size = 0
    private var digits = 0
    /// Bytes of the size line without CR LF, or of all trailer lines.
    private var length = 0
    private var fields = 0
    private var name = FoldedToken()

    mutating func reset() { self = ChunkLineReader() }

    mutating func take(_ line: SizeLine, _ byte: UInt8, _ limits: HTTPLimits) -> SizeStep {
        if byte == ASCII.carriageReturn { return endOfSizeLine(line) }
        if line == .lineFeed { return byte == ASCII.lineFeed ? .end : .malformed }
        length += 1
        guard length <= limits.maxChunkLine else { return .malformed }
        if line == .firstDigit || line == .digits { return takeDigit(line, byte) }
        guard let next = Self.next(line, byte) else { return .malformed }
        return .next(next)
    }

    private func endOfSizeLine(_ line: SizeLine) -> SizeStep {
        switch line {
        case .digits: .sizeKnown(.lineFeed)
        case .name, .value, .quoteEnd: .next(.lineFeed)
        case .firstDigit, .nameStart, .valueStart, .quoted, .escaped, .lineFeed: .malformed
        }
    }

    private mutating func takeDigit(_ line: SizeLine, _ byte: UInt8) -> SizeStep {
        if line == .digits && byte == UInt8(ascii: ";") { return .sizeKnown(.nameStart) }
        guard let value = ASCII.hexValue(byte), digits < Self.maxDigits else { return .malformed }
        if digits > 0 && size == 0 { return .malformed }
        size = size << 4 | Int(value)
        digits += 1
        return .next(.digits)
    }

    /// The place behind one byte of an extension; nil if it must not stand there.
    private static func next(_ line: SizeLine, _ byte: UInt8) -> SizeLine? {
        let isToken = ByteSet.token.contains(byte)
        switch line {
        case .nameStart: return isToken ? .name : nil
        case .name:
            if byte == UInt8(ascii: "=") { return .valueStart }
            return isToken ? .name : byte == UInt8(ascii: ";") ? .nameStart : nil
        case .valueStart: return isToken ? .value : byte == UInt8(ascii: "\"") ? .quoted : nil
        case .value: return isToken ? .value : byte == UInt8(ascii: ";") ? .nameStart : nil
        case .quoted:
            if byte == UInt8(ascii: "\"") { return .quoteEnd }
            if byte == UInt8(ascii: "\\") { return .escaped }
            return isText(byte) ? .quoted : nil
        case .escaped: return isText(byte) ? .quoted : nil
        case .quoteEnd: return byte == UInt8(ascii: ";") ? .nameStart : nil
        case .firstDigit, .digits, .lineFeed: return nil
        }
    }

    /// Printable ASCII, space or tab.
    private static func isText(_ byte: UInt8) -> Bool { byte == ASCII.tab || (0x20...0x7E).contains(byte) }

    mutating func take(_ line: TrailerLine, _ byte: UInt8, _ limits: HTTPLimits) -> TrailerStep {
        switch line {
        case .lastLineFeed: return byte == ASCII.lineFeed ? .end : .refused(.badTrailer)
        case .start where byte == ASCII.carriageReturn: return .next(.lastLineFeed)
        case .start, .name, .value, .lineFeed: break
        }
        length += 1
        guard length <= limits.maxChunkLine else { return .refused(.badTrailer) }
        if line == .start {
            fields += 1
            guard fields <= limits.maxFields else { return .refused(.tooManyFields) }
            name = FoldedToken()
        }
        guard let next = nextInTrailer(line, byte) else { return .refused(.badTrailer) }
        return .next(next)
    }

    private mutating func nextInTrailer(_ line: TrailerLine, _ byte: UInt8) -> TrailerLine? {
        switch line {
        case .start, .name:
            if byte == UInt8(ascii: ":") { return name.length > 0 && !TrailerRules.forbids(name) ? .value : nil }
            name.append(byte)
            return ByteSet.token.contains(byte) ? .name : nil
        case .value:
            if byte == ASCII.carriageReturn { return .lineFeed }
            return Self.isText(byte) ? .value : nil
        case .lineFeed: return byte == ASCII.lineFeed ? .start : nil
        case .lastLineFeed: return nil
        }
    }
}
