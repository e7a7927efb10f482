// The header fields that the gateway acts upon, and the sets that say what is done with them.
// Relies on `FoldedToken`. A name that is not listed is `other` and passes through.

/// A header field that has a meaning here. Names are compared exactly but for the case of ASCII letters.
package enum KnownHeader: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case other, host, contentLength, contentType, contentEncoding, transferEncoding, connection, keepAlive
    case proxyConnection, te, trailer, upgrade, expect, authorization, proxyAuthorization, proxyAuthenticate
    case proxyAuthenticationInfo
    /// `api_key`
    case apiKey
    case xDate, date
    /// `content-sha512`
    case contentSHA512
    /// A real field with the name `request-line`.
    case requestLine
    case idempotencyKey, xRequestID, traceparent, tracestate, via, server, accept, acceptEncoding, userAgent, retryAfter
    case wwwAuthenticate, http2Settings, proxyStatus
    /// The gateway's own mark of an answer that is given again.
    case idempotentReplayed

    /// The header that a field name stands for (RFC 9110 section 5.1). The name holds no control byte.
    package static func named(_ bytes: Span<UInt8>, _ name: ByteRange) -> KnownHeader {
        named(FoldedToken(bytes, name))
    }

    @inline(__always)
    static func named(_ name: FoldedToken) -> KnownHeader {
        name.length <= 16 ? short(name.first, name.last, name.length) : long(name)
    }

    /// `named` for up to 16 bytes, which nearly all names have: as three words it is called with them in registers.
    @inline(never)
    private static func short(_ first: UInt64, _ last: UInt64, _ length: Int) -> KnownHeader {
        let name = FoldedToken(first: first, last: last, length: length)
        switch length {
        case 2:
            if name.matches("te") { return .te }
        case 3:
            if name.matches("via") { return .via }
        case 4:
            if name.matches("host") { return .host }
            if name.matches("date") { return .date }
        case 6:
            if name.matches("accept") { return .accept }
            if name.matches("x-date") { return .xDate }
            if name.matches("expect") { return .expect }
            if name.matches("server") { return .server }
        case 7:
            if name.matches("api_key") { return .apiKey }
            if name.matches("trailer") { return .trailer }
            if name.matches("upgrade") { return .upgrade }
        case 10:
            if name.matches("connection") { return .connection }
            if name.matches("user-agent") { return .userAgent }
            if name.matches("keep-alive") { return .keepAlive }
            if name.matches("tracestate") { return .tracestate }
        case 11:
            if name.matches("traceparent") { return .traceparent }
            if name.matches("retry-after") { return .retryAfter }
        case 12:
            if name.matches("content-type") { return .contentType }
            if name.matches("x-request-id") { return .xRequestID }
            if name.matches("request-line") { return .requestLine }
            if name.matches("proxy-status") { return .proxyStatus }
        case 13:
            if name.matches("authorization") { return .authorization }
        case 14:
            if name.matches("content-length") { return .contentLength }
            if name.matches("content-sha512") { return .contentSHA512 }
            if name.matches("http2-settings") { return .http2Settings }
        case 15:
            if name.matches("accept-encoding") { return .acceptEncoding }
            if name.matches("idempotency-key") { return .idempotencyKey }
        case 16:
            if name.matches("content-encoding") { return .contentEncoding }
            if name.matches("proxy-connection") { return .proxyConnection }
            if name.matches("www-authenticate") { return .wwwAuthenticate }
        default: break
        }
        return .other
    }

    @inline(never)
    private static func long(_ name: FoldedToken) -> KnownHeader {
        switch name.length {
        case 17:
            if name.matches("transfer-encoding") { return .transferEncoding }
        case 18:
            if name.matches("proxy-authenticate") { return .proxyAuthenticate }
        case 19:
            if name.matches("idempotent-replayed") { return .idempotentReplayed }
            if name.matches("proxy-authorization") { return .proxyAuthorization }
        case 25:
            if name.matches("proxy-authentication-info") { return .proxyAuthenticationInfo }
        default: break
        }
        return .other
    }

    /// The header that some upstream stacks would take a field called `name` for: they make no difference between `_`
    /// and `-`. The header itself where the name is that.
    package static func mistakable(_ name: Span<UInt8>) -> KnownHeader { mistakable(FoldedToken(name, 0, name.count)) }

    /// The header that some upstream stacks would take `name` for: they make no difference between `_` and `-`.
    static func mistakable(_ name: FoldedToken) -> KnownHeader {
        let name = name.hyphenated
        return name.matches("api-key") ? .apiKey : named(name)
    }
}

/// A set of known headers.
struct HeaderSet: Sendable {
    private(set) var bits: UInt64 = 0

    init(_ headers: KnownHeader...) { for header in headers { insert(header) } }

    func contains(_ header: KnownHeader) -> Bool { bits & (1 &<< UInt64(header.rawValue)) != 0 }
    mutating func insert(_ header: KnownHeader) { bits |= 1 &<< UInt64(header.rawValue) }
    mutating func removeAll() { bits = 0 }
    func union(_ other: HeaderSet) -> HeaderSet {
        var union = self
        union.bits |= other.bits
        return union
    }

    /// Fields of one hop.
    static let hopByHop = HeaderSet(
        .connection, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding, .upgrade, .http2Settings)
    /// Fields that say where a message ends, where it goes, who sent it, or that are signed: no Connection field and
    /// no trailer may touch them.
    static let protected = HeaderSet(
        .host, .contentLength, .contentType, .contentEncoding, .transferEncoding, .connection, .expect, .authorization,
        .proxyAuthorization, .apiKey, .xDate, .date, .contentSHA512, .requestLine, .idempotencyKey)
    /// Fields that a trailer must not hold or announce (RFC 9110 section 6.5.1).
    static let forbiddenInTrailer = protected.union(hopByHop).union(
        HeaderSet(.proxyAuthenticate, .proxyAuthenticationInfo, .wwwAuthenticate, .retryAfter, .proxyStatus))
    /// Fields of which a request has at most one.
    static let single = HeaderSet(
        .host, .contentLength, .contentType, .contentEncoding, .transferEncoding, .expect, .authorization,
        .idempotencyKey)
    /// Fields of a request that do not go upstream as they came.
    static let notForUpstream = hopByHop.union(
        HeaderSet(
            .host, .contentLength, .contentType, .contentEncoding, .expect, .authorization, .proxyAuthorization,
            .apiKey, .xDate, .date, .contentSHA512, .requestLine, .traceparent))
    /// The same for a request that names no trace (W3C Trace Context level 1, section 4.2).
    static let notForUpstreamWithoutTrace = notForUpstream.union(HeaderSet(.tracestate))
    /// Fields of a response that do not go to the caller as they came.
    static let notForCaller = hopByHop.union(
        HeaderSet(.contentLength, .proxyAuthenticate, .proxyAuthenticationInfo, .idempotentReplayed))
}
