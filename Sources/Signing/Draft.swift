// A request on its way to the seal: a Draft's head can be added to, a SealedRequest's cannot be changed.
// Relies on the parser for a target without spaces and line ends, and on the caller to leave reserved headers out.
// Refuses, by precondition, a buffer that holds bytes already and lines without their end.

package import HTTP

/// The head of a request to an upstream before it is sealed: request line, Host, forwarded header lines.
package struct Draft: ~Copyable {
    private(set) var head: ByteBuffer
    /// The request line without its CRLF.
    let requestLine: Range<Int>
    /// The value of Host.
    let host: Range<Int>
    /// Where the forwarded lines begin.
    let fieldsStart: Int

    /// Writes request line and Host into `head`, an empty buffer of a pool.
    ///
    /// The path is `basePath` and `target` (after `strip_prefix`) one behind the other, byte for byte; `/` is put in
    /// front where that would not begin with one (RFC 9112 section 3.2.1).
    package init(
        head: consuming ByteBuffer, method: Method, authority: borrowing [UInt8], basePath: borrowing [UInt8],
        target: Span<UInt8>
    ) {
        var buffer = head
        precondition(buffer.count == 0, "a draft begins with an empty buffer")
        buffer.append(method.name)
        buffer.append(byte: UInt8(ascii: " "))
        if basePath.isEmpty && (target.isEmpty || target[0] != UInt8(ascii: "/")) {
            buffer.append(byte: UInt8(ascii: "/"))
        }
        buffer.append(basePath.span)
        buffer.append(target)
        buffer.append(" HTTP/1.1\r\nHost: ")
        requestLine = 0..<(buffer.count - 8)
        let hostStart = buffer.count
        buffer.append(authority.span)
        host = hostStart..<buffer.count
        buffer.append("\r\n")
        fieldsStart = buffer.count
        self.head = buffer
    }

    /// Adds forwarded header lines, each `name: value` with its CRLF. Nothing that the seal writes may be
    /// among them (`HeaderSet.notForUpstream`).
    package mutating func append(_ lines: Span<UInt8>) {
        if lines.isEmpty { return }
        precondition(lines[lines.count - 1] == UInt8(ascii: "\n"), "a header line is added with its end")
        head.append(lines)
    }

    /// Adds one forwarded header; `value` has no white space at its ends.
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        head.append(name)
        head.append(": ")
        head.append(value)
        head.append("\r\n")
    }

    /// Adds those of a caller's headers that may go upstream (`ByteBuffer.appendForwardedFields`).
    package mutating func appendForwardedFields(
        of request: borrowing RequestHead, from bytes: Span<UInt8>, hasTrace: Bool = true
    ) {
        head.appendForwardedFields(of: request, from: bytes, hasTrace: hasTrace)
    }

    /// Adds the request's place in its trace.
    package mutating func append(_ trace: TraceParent) {
        head.append("traceparent: ")
        trace.append(to: &head)
        head.append("\r\n")
    }

    /// Gives the buffer back, empty and wiped, of a draft that is not sent.
    package consuming func recycle() -> ByteBuffer {
        var buffer = head
        buffer.wipe()
        return buffer
    }

    /// Writes to the head at sealing; nobody outside this room can.
    consuming func finish() -> ByteBuffer { head }
}

/// A signed request: the bytes of its head as they are sent, and of its body where that is short. Nothing in it can be
/// changed.
package struct SealedRequest: ~Copyable {
    private let buffer: ByteBuffer
    private let headLength: Int
    /// Bytes of the body that was digested; exactly these must follow the head.
    package let bodyLength: Int

    init(buffer: consuming ByteBuffer, bodyLength: Int) {
        headLength = buffer.count
        self.buffer = buffer
        self.bodyLength = bodyLength
    }

    private init(_ buffer: consuming ByteBuffer, headLength: Int, bodyLength: Int) {
        self.buffer = buffer
        self.headLength = headLength
        self.bodyLength = bodyLength
    }

    /// The same request with its body behind the head, so that one run of bytes is written: where it fits the buffer's
    /// room, and else as it was. `body` is what was digested.
    package consuming func carrying(_ body: Span<UInt8>) -> SealedRequest {
        precondition(body.count == bodyLength && buffer.count == headLength, "what is carried is what was sealed, once")
        let (headLength, bodyLength) = (headLength, bodyLength)
        var whole = buffer
        if body.count <= whole.room { whole.append(body) }
        return SealedRequest(whole, headLength: headLength, bodyLength: bodyLength)
    }

    /// The whole head with its empty line.
    package var head: Span<UInt8> {
        @_lifetime(borrow self)
        get { buffer.bytes.extracting(first: headLength) }
    }

    /// What is sent of it: the head, and the body where that is carried.
    package var wire: Span<UInt8> {
        @_lifetime(borrow self)
        get { buffer.bytes }
    }

    /// The body is not to be sent behind it.
    package var carriesBody: Bool { buffer.count == headLength + bodyLength }

    /// Gives the buffer back, empty and wiped: it held a signature and maybe an API key.
    package consuming func recycle() -> ByteBuffer {
        var empty = buffer
        empty.wipe()
        return empty
    }
}
