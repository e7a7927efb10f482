// Reads one request from a caller's bytes: head, then body, whatever the fragments. The body ends up contiguous behind
// the head, without its transfer coding.

package import HTTP

/// The reading side of an inbound connection. The same buffer is given to every call; its first byte is the request's.
package struct RequestReader: ~Copyable {
    package enum BodyProgress: Equatable {
        case needMore
        case complete
        case refused(HTTPRefusal)
    }

    package private(set) var head = RequestHead()
    /// Where the body stands in the buffer, as far as it has come.
    package private(set) var body = ByteRange.empty
    /// Bytes of the buffer that belong to this request so far; what lies behind is the next one's.
    package private(set) var consumed = 0
    private var parser = RequestHeadParser()
    private var decoder = ChunkedDecoder()

    package init() {}

    /// Forgets the request, keeps the storage.
    package mutating func reset() {
        head.reset()
        parser.reset()
        decoder.reset()
        body = .empty
        consumed = 0
    }

    /// Takes the bytes that are there. After `complete`, `head` is valid and the body begins behind it.
    package mutating func readHead(_ buffer: borrowing ByteBuffer, limits: HTTPLimits) -> HeadProgress {
        let progress = parser.feed(buffer.bytes, limits: limits, into: &head)
        if progress == .complete {
            consumed = head.length
            body = ByteRange(head.length, head.length)
        }
        return progress
    }

    /// Takes the body's bytes that are there. Call again after each read until it is not `needMore`.
    package mutating func readBody(_ buffer: inout ByteBuffer, limits: HTTPLimits) -> BodyProgress {
        switch head.framing {
        case .none: return .complete
        case .length(let length):
            let there = min(buffer.count - head.length, length)
            body = ByteRange(head.length, head.length + there)
            consumed = head.length + there
            return there == length ? .complete : .needMore
        case .chunked: return readChunks(&buffer, limits: limits)
        case .untilClose: preconditionFailure("a request is never framed by the end of its connection")
        }
    }

    private mutating func readChunks(_ buffer: inout ByteBuffer, limits: HTTPLimits) -> BodyProgress {
        let payloadEnd = Int(body.end)
        var bytes = buffer.mutableBytes
        let step = decoder.decode(
            &bytes, from: consumed, writeAt: payloadEnd, limits: limits, maxPayload: limits.maxBody)
        body = ByteRange(head.length, payloadEnd + step.produced)
        consumed += step.consumed
        switch step.progress {
        case .complete: return .complete
        case .refused(let refusal): return .refused(refusal)
        case .needMore:
            closeGap(&buffer)
            return .needMore
        }
    }

    /// Moves the bytes not yet decoded down behind the payload, so that framing never takes room.
    private mutating func closeGap(_ buffer: inout ByteBuffer) {
        let gap = Int(body.end)..<consumed
        guard !gap.isEmpty else { return }
        buffer.replace(gap, with: Span())
        consumed = Int(body.end)
    }
}
