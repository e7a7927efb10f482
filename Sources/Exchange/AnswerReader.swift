// Reads one answer from the upstream's bytes and says, step by step, what of it may be relayed. Never takes a broken
// answer for a whole one.

package import HTTP

/// How the upstream's bytes ended.
package enum StreamEnd: Equatable, Sendable {
    /// The end was said: FIN on TCP, close_notify on TLS.
    case orderly
    /// It ended without being said: a reset, or TLS without close_notify.
    case broken
}

/// The reading side of an upstream connection. The buffer's first byte is the first that was not taken yet.
package struct AnswerReader: ~Copyable {
    package enum Step: Equatable {
        /// More bytes are needed.
        case needMore
        /// A 1xx answer was read and dropped.
        case interim
        /// `head` is valid and still in the buffer; call `takeHead` when it was used.
        case head
        /// The first `count` bytes of the buffer are payload; `consume` them when they were used.
        case payload(count: Int)
        /// The answer is whole. `reusable`: the connection may carry another request.
        case complete(reusable: Bool)
        case refused(HTTPRefusal)
        /// The stream ended before the answer did. `begun`: a byte of the answer had come.
        case ended(begun: Bool)
    }

    /// 1xx answers that are taken before one request's answer is refused as a flood.
    package static let maxInterim = 8

    private enum State { case head, headTaken, body, done }

    package private(set) var head = ResponseHead()
    private var parser = ResponseHeadParser()
    private var decoder = ChunkedDecoder()
    private var state = State.head
    private var method = Method.post
    private var remaining = 0
    private var interims = 0
    /// Payload of a chunked body that lies decoded at the front of the buffer.
    private var decoded = 0
    /// The last chunk and the trailer were decoded; payload may still be to be used.
    private var finished = false

    package init() {}

    /// Starts with a new answer to a request of this method.
    package mutating func begin(_ method: Method) {
        self.method = method
        head.reset()
        parser.reset()
        decoder.reset()
        state = .head
        remaining = 0
        interims = 0
        decoded = 0
        finished = false
    }

    /// The next step with the bytes that are there; `end` once no more will come.
    package mutating func next(_ buffer: inout ByteBuffer, limits: HTTPLimits, end: StreamEnd?) -> Step {
        switch state {
        case .head: readHead(&buffer, limits, end)
        case .headTaken: preconditionFailure("the head is taken before the body is read")
        case .body: readBody(&buffer, limits, end)
        case .done: .complete(reusable: false)
        }
    }

    /// Drops the head's bytes from the buffer: its ranges are valid no more.
    package mutating func takeHead(_ buffer: inout ByteBuffer) {
        precondition(state == .headTaken, "a head is taken once")
        buffer.consume(head.length)
        state = .body
        if case .length(let length) = head.framing { remaining = length }
    }

    /// Drops payload that was used.
    package mutating func consume(_ count: Int, _ buffer: inout ByteBuffer) {
        buffer.consume(count)
        switch head.framing {
        case .length: remaining -= count
        case .chunked: decoded -= count
        case .none, .untilClose: break
        }
    }

    private mutating func readHead(_ buffer: inout ByteBuffer, _ limits: HTTPLimits, _ end: StreamEnd?) -> Step {
        let progress =
            buffer.count == 0 ? .needMore : parser.feed(buffer.bytes, to: method, limits: limits, into: &head)
        switch progress {
        case .needMore:
            return end == nil ? .needMore : .ended(begun: buffer.count > 0 || interims > 0)
        case .refused(let refusal): return .refused(refusal)
        case .complete: break
        }
        guard head.isInterim else {
            state = .headTaken
            return .head
        }
        interims += 1
        guard interims <= Self.maxInterim else { return .refused(.headTooLarge) }
        buffer.consume(head.length)
        head.reset()
        parser.reset()
        return .interim
    }

    private mutating func readBody(_ buffer: inout ByteBuffer, _ limits: HTTPLimits, _ end: StreamEnd?) -> Step {
        switch head.framing {
        case .none: return finish(buffer, end)
        case .length:
            if remaining == 0 { return finish(buffer, end) }
            if buffer.count > 0 { return .payload(count: min(remaining, buffer.count)) }
            return end == nil ? .needMore : .ended(begun: true)
        case .untilClose:
            if buffer.count > 0 { return .payload(count: buffer.count) }
            switch end {
            case nil: return .needMore
            case .orderly: return finish(buffer, end)
            case .broken: return .ended(begun: true)
            }
        case .chunked: return readChunks(&buffer, limits, end)
        }
    }

    private mutating func readChunks(_ buffer: inout ByteBuffer, _ limits: HTTPLimits, _ end: StreamEnd?) -> Step {
        if decoded > 0 { return .payload(count: decoded) }
        if finished { return finish(buffer, end) }
        var bytes = buffer.mutableBytes
        let step = decoder.decode(&bytes, from: 0, writeAt: 0, limits: limits, maxPayload: Int.max)
        // What was framing leaves the buffer at once, so that payload and undecoded bytes lie side by side.
        buffer.replace(step.produced..<step.consumed, with: Span())
        decoded = step.produced
        switch step.progress {
        case .refused(let refusal): return .refused(refusal)
        case .complete:
            finished = true
            return decoded > 0 ? .payload(count: decoded) : finish(buffer, end)
        case .needMore:
            if decoded > 0 { return .payload(count: decoded) }
            return end == nil ? .needMore : .ended(begun: true)
        }
    }

    private mutating func finish(_ buffer: borrowing ByteBuffer, _ end: StreamEnd?) -> Step {
        state = .done
        // Bytes behind an answer belong to no request: such a connection is not used again.
        return .complete(reusable: head.keepAlive && buffer.count == 0 && end == nil)
    }
}
