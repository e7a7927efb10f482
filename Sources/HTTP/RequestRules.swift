// What the request line and each field of a request mean, and which of them are refused (RFC 9112 sections 3 and 6,
// RFC 9110 sections 7 and 10).
// Relies on lines that `HeadLines` let pass: no control byte but tab, nothing above 0x7E.

extension RequestHead {
    /// Reads `method SP target SP version`.
    mutating func takeRequestLine(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> HTTPRefusal? {
        let space = ASCII.space
        guard let methodEnd = bytes.first(space, from: start, to: end) else { return .badStartLine }
        let method = Method.named(bytes, start, methodEnd)
        if method == nil {
            let allowed = ByteSet.token
            for at in start..<methodEnd where !allowed.contains(bytes[at]) { return .badMethod }
        }
        guard let targetEnd = bytes.first(space, from: methodEnd + 1, to: end) else { return .badVersion }
        guard targetEnd > methodEnd + 1 else { return .badStartLine }
        if let refusal = Self.refusal(ofVersion: bytes, targetEnd + 1, end) { return refusal }
        guard let method else { return .unsupportedMethod }
        self.method = method
        var parts = RequestTarget(authority: nil, pathStart: 0, pathEnd: 0)
        if let refusal = RequestTarget.read(bytes, start: methodEnd + 1, end: targetEnd, into: &parts) {
            return refusal
        }
        authority = parts.authority
        target = ByteRange(parts.pathStart, targetEnd)
        path = ByteRange(parts.pathStart, parts.pathEnd)
        return nil
    }

    private static func refusal(ofVersion bytes: Span<UInt8>, _ start: Int, _ end: Int) -> HTTPRefusal? {
        if end &- start == 8 && bytes.word(at: start) == StaticString("HTTP/1.1").word() { return nil }
        guard start < end && !ASCII.isBlank(bytes[start]) else { return .badStartLine }
        guard end - start == 8 && bytes.word(at: start, upTo: start + 5) == StaticString("HTTP/").word() else {
            return .badVersion
        }
        guard ASCII.isDigit(bytes[start + 5]) && bytes[start + 6] == UInt8(ascii: ".") else { return .badVersion }
        guard ASCII.isDigit(bytes[start + 7]) else { return .badVersion }
        return .unsupportedVersion
    }

    /// Adds one field, unless it is refused.
    @inline(__always)
    mutating func take(_ field: HeaderField, _ bytes: Span<UInt8>, _ limits: HTTPLimits) -> HTTPRefusal? {
        fields.push(field)
        if field.known == .other { return nil }
        let isRepeated = seen.contains(field.known)
        seen.insert(field.known)
        if isRepeated && HeaderSet.single.contains(field.known) { return Self.refusal(ofRepeated: field.known) }
        return takeKnown(field, bytes, limits)
    }

    private static func refusal(ofRepeated known: KnownHeader) -> HTTPRefusal {
        if known == .host { return .twoHosts }
        if known == .contentLength { return .differingContentLengths }
        return known == .transferEncoding ? .badTransferCoding : .repeatedField
    }

    private mutating func takeKnown(_ field: HeaderField, _ bytes: Span<UInt8>, _ limits: HTTPLimits) -> HTTPRefusal? {
        switch field.known {
        case .host: return takeHost(field.value, bytes)
        case .contentLength: return takeContentLength(field.value, bytes, limits)
        case .transferEncoding: return takeTransferEncoding(field.value, bytes)
        case .connection:
            let refusal = connection.read(bytes, field.value, refusesUpgrade: true)
            keepAlive = !connection.close
            return refusal
        case .trailer: return TrailerRules.refusal(ofAnnounced: field.value, bytes)
        case .expect:
            guard FoldedToken(bytes, field.value).matches("100-continue") else { return .unsupportedExpectation }
            expectsContinue = true
        case .upgrade, .http2Settings: return .upgradeRefused
        case .contentType: contentType = field.value
        case .contentEncoding: contentEncoding = field.value
        case .other, .keepAlive, .proxyConnection, .te, .authorization, .proxyAuthorization, .proxyAuthenticate,
            .proxyAuthenticationInfo, .apiKey, .xDate, .date, .contentSHA512, .requestLine, .idempotencyKey,
            .xRequestID, .traceparent, .tracestate, .via, .server, .accept, .acceptEncoding, .userAgent,
            .retryAfter, .wwwAuthenticate, .proxyStatus, .idempotentReplayed:
            break
        }
        return nil
    }

    private func takeHost(_ value: ByteRange, _ bytes: Span<UInt8>) -> HTTPRefusal? {
        guard Authority.isValid(bytes, start: Int(value.start), end: Int(value.end)) else { return .badHost }
        guard let authority else { return nil }
        return bytes.equalsIgnoringCase(authority, value) ? nil : .hostDiffers
    }

    private mutating func takeContentLength(
        _ value: ByteRange, _ bytes: Span<UInt8>, _ limits: HTTPLimits
    ) -> HTTPRefusal? {
        if seen.contains(.transferEncoding) { return .bothFramings }
        switch ContentLength.read(bytes, value) {
        case .malformed: return .badContentLength
        case .tooLarge: return .bodyTooLarge
        case .length(let length):
            framing = .length(length)
            return length <= limits.maxBody ? nil : .bodyTooLarge
        }
    }

    private mutating func takeTransferEncoding(_ value: ByteRange, _ bytes: Span<UInt8>) -> HTTPRefusal? {
        if seen.contains(.contentLength) { return .bothFramings }
        guard FoldedToken(bytes, value).matches("chunked") else { return .badTransferCoding }
        framing = .chunked
        return nil
    }
}

extension Method {
    /// The method with exactly these bytes; nil for every other one, CONNECT and TRACE included.
    static func named(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Method? {
        guard end - start <= 7 else { return nil }
        let word = bytes.word(at: start, upTo: end)
        if word == StaticString("POST").word() { return .post }
        if word == StaticString("GET").word() { return .get }
        if word == StaticString("PUT").word() { return .put }
        if word == StaticString("HEAD").word() { return .head }
        if word == StaticString("PATCH").word() { return .patch }
        if word == StaticString("DELETE").word() { return .delete }
        return word == StaticString("OPTIONS").word() ? .options : nil
    }
}

/// The value of Content-Length (RFC 9110 section 8.6), digits only and without leading zeros.
enum ContentLength {
    case length(Int)
    case malformed
    /// Well-formed, but of more than 18 digits.
    case tooLarge

    static func read(_ bytes: Span<UInt8>, _ value: ByteRange) -> ContentLength {
        let digits = bytes.slice(value)
        guard !digits.isEmpty else { return .malformed }
        if digits[0] == UInt8(ascii: "0") && digits.count > 1 { return .malformed }
        var length = 0
        for at in digits.indices {
            guard ASCII.isDigit(digits[at]) else { return .malformed }
            length = length &* 10 &+ Int(digits[at] &- UInt8(ascii: "0"))
        }
        // 18 digits fit 60 bits; of more the number is not looked at.
        return digits.count <= 18 ? .length(length) : .tooLarge
    }
}

/// Which fields a trailer may hold (RFC 9110 section 6.5.1).
enum TrailerRules {
    /// Whether a trailer must not hold a field with this name, `_` and `-` being taken for the same.
    static func forbids(_ name: FoldedToken) -> Bool {
        HeaderSet.forbiddenInTrailer.contains(KnownHeader.mistakable(name))
    }

    /// Checks the value of a Trailer field.
    @inline(never)
    static func refusal(ofAnnounced value: ByteRange, _ bytes: Span<UInt8>) -> HTTPRefusal? {
        var list = TokenList(value)
        while true {
            switch list.next(bytes) {
            case .end: return nil
            case .malformed: return .badTrailer
            case .token(let name): if forbids(FoldedToken(bytes, name)) { return .badTrailer }
            }
        }
    }
}
