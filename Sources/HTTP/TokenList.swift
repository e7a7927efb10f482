// Comma-separated lists of tokens: Connection and Trailer (RFC 9110 section 5.6.1).
// Relies on values without control bytes. Refuses empty elements, which the RFC lets a recipient ignore, and long
// lists.

/// Reads the tokens of a value one after the other.
struct TokenList {
    private var at: Int
    private let end: Int

    enum Element {
        case token(ByteRange)
        case end, malformed
    }

    init(_ value: ByteRange) {
        at = Int(value.start) - 1
        end = Int(value.end)
    }

    /// The next token. A list has at least one.
    mutating func next(_ bytes: Span<UInt8>) -> Element {
        // `at` is the comma before the element, the offset before the value, or the end.
        guard at < end else { return .end }
        at += 1
        while at < end && ASCII.isBlank(bytes[at]) { at += 1 }
        let start = at
        let allowed = ByteSet.token
        while at < end && allowed.contains(bytes[at]) { at += 1 }
        let token = ByteRange(start, at)
        while at < end && ASCII.isBlank(bytes[at]) { at += 1 }
        guard !token.isEmpty && (at == end || bytes[at] == UInt8(ascii: ",")) else { return .malformed }
        return .token(token)
    }
}

/// What the Connection fields of a head say together.
struct ConnectionOptions: Sendable {
    /// Most options that a head may name; each is compared with every field when it is forwarded.
    static let maxOptions = 16

    private var count = 0
    private(set) var close = false
    private(set) var keepAlive = false
    /// Whether fields other than the usual ones of a hop are named, which must then not be forwarded.
    private(set) var namesFields = false

    /// Takes the options of one more Connection field. A request that names Upgrade is refused, a response may:
    /// servers that offer HTTP/2 in clear do.
    mutating func read(_ bytes: Span<UInt8>, _ value: ByteRange, refusesUpgrade: Bool) -> HTTPRefusal? {
        // Most say one of two words.
        let whole = FoldedToken(bytes, value)
        if whole.matches("keep-alive") || whole.matches("close") { return count(whole, refusesUpgrade) }
        var list = TokenList(value)
        while true {
            switch list.next(bytes) {
            case .end: return nil
            case .malformed: return .badConnection
            case .token(let option):
                if let refusal = count(FoldedToken(bytes, option), refusesUpgrade) { return refusal }
            }
        }
    }

    private mutating func count(_ option: FoldedToken, _ refusesUpgrade: Bool) -> HTTPRefusal? {
        count += 1
        return count <= Self.maxOptions ? take(option, refusesUpgrade) : .badConnection
    }

    private mutating func take(_ option: FoldedToken, _ refusesUpgrade: Bool) -> HTTPRefusal? {
        if option.matches("close") {
            close = true
            return nil
        }
        if option.matches("keep-alive") {
            keepAlive = true
            return nil
        }
        let known = KnownHeader.named(option)
        if refusesUpgrade && (known == .upgrade || known == .http2Settings) { return .upgradeRefused }
        if HeaderSet.protected.contains(known) { return .badConnection }
        if !HeaderSet.hopByHop.contains(known) { namesFields = true }
        return nil
    }

    /// Whether a Connection field among `fields` names `name`.
    @inline(never)
    func names(_ name: ByteRange, in fields: Span<HeaderField>, _ bytes: Span<UInt8>) -> Bool {
        guard namesFields else { return false }
        for index in fields.indices where fields[index].known == .connection {
            var list = TokenList(fields[index].value)
            while case .token(let option) = list.next(bytes) {
                if bytes.equalsIgnoringCase(option, name) { return true }
            }
        }
        return false
    }
}
