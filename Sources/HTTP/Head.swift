// What a head says: values filled by the parsers, with ranges into the bytes that were parsed and no copies.
// Relies on those bytes staying where they are until the head is done with. Refuses nothing itself.

/// One field line.
package struct HeaderField: Equatable, Sendable, BitwiseCopyable {
    package var name: ByteRange
    /// The value without the blanks around it; may be empty.
    package var value: ByteRange
    package var known: KnownHeader
    /// The line is the name, a colon, one space and the value, the form in which fields are written.
    var isPlain: Bool
}

/// Where the body ends (RFC 9112 section 6.3).
package enum BodyFraming: Equatable, Sendable {
    case none
    /// Bytes of the body, 0 included.
    case length(Int)
    case chunked
    /// The body ends when the connection does. Responses only.
    case untilClose
}

/// What is known of a head after some of its bytes.
package enum HeadProgress: Equatable, Sendable {
    case needMore, complete, refused(HTTPRefusal)
}

/// The head of a request. Reused from request to request: `reset` keeps the storage of `fields`.
package struct RequestHead: ~Copyable {
    package var method = Method.get
    /// Origin-form as it will be signed and forwarded; of an absolute-form target the part from the path on.
    package var target = ByteRange.empty
    /// The target without `?` and the query.
    package var path = ByteRange.empty
    package internal(set) var fields = PlainStack<HeaderField>(capacity: 32)
    /// `none`, `length` or `chunked`.
    package var framing = BodyFraming.none
    /// False after `Connection: close`.
    package var keepAlive = true
    /// The caller waits for 100 (Continue) before it sends the body, if there is one.
    package var expectsContinue = false
    /// Bytes of the head with its final empty line.
    package var length = 0
    /// Values of Content-Type and Content-Encoding; empty if absent.
    package var contentType = ByteRange.empty
    package var contentEncoding = ByteRange.empty

    /// The authority of an absolute-form target.
    var authority: ByteRange?
    /// Known headers met so far.
    var seen = HeaderSet()
    var connection = ConnectionOptions()

    /// An empty head with room for 32 fields.
    package init() {}

    /// Makes the head ready for the next request.
    package mutating func reset() {
        method = .get
        target = .empty
        path = .empty
        fields.truncate(to: 0)
        framing = .none
        keepAlive = true
        expectsContinue = false
        length = 0
        contentType = .empty
        contentEncoding = .empty
        authority = nil
        seen.removeAll()
        connection = ConnectionOptions()
    }

    /// The value of the first field with a known name; nil if absent and for `other`.
    package func value(_ known: KnownHeader) -> ByteRange? {
        guard known != .other && seen.contains(known) else { return nil }
        return fields.span.first(known)
    }
}

/// The head of a response. Reused from response to response: `reset` keeps the storage of `fields`.
package struct ResponseHead: ~Copyable {
    /// 100 ... 599.
    package var status = 0
    /// May be empty.
    package var reason = ByteRange.empty
    package internal(set) var fields = PlainStack<HeaderField>(capacity: 32)
    package var framing = BodyFraming.none
    /// Whether the connection can carry another request once the body is read.
    package var keepAlive = true
    /// Bytes of the head with its final empty line.
    package var length = 0
    /// 0 or 1.
    package var minorVersion = 1
    /// What Content-Length says, also where the framing is `none` (HEAD, 304); nil if absent.
    package var contentLength: Int?

    /// Known headers met so far.
    var seen = HeaderSet()
    var connection = ConnectionOptions()

    /// An empty head with room for 32 fields.
    package init() {}

    /// Whether this is a 1xx response: the final one follows on the same connection.
    package var isInterim: Bool { status < 200 }

    /// Makes the head ready for the next response.
    package mutating func reset() {
        status = 0
        reason = .empty
        fields.truncate(to: 0)
        framing = .none
        keepAlive = true
        length = 0
        minorVersion = 1
        contentLength = nil
        seen.removeAll()
        connection = ConnectionOptions()
    }

    /// The value of the first field with a known name; nil if absent and for `other`.
    package func value(_ known: KnownHeader) -> ByteRange? {
        guard known != .other && seen.contains(known) else { return nil }
        return fields.span.first(known)
    }
}

extension Span where Element == HeaderField {
    /// The value of the first field with a known name.
    func first(_ known: KnownHeader) -> ByteRange? {
        for index in indices where self[index].known == known { return self[index].value }
        return nil
    }
}
