// Takes the chunked transfer coding (RFC 9112 section 7.1) off a body where it lies in its buffer.
// Relies on being shown every byte once, in order, in any fragmentation. Refuses signs, blanks, leading zeros, more
// than 15 digits, line ends other than CR LF, malformed extensions, and trailer fields that could change the message.

/// Decodes one chunked body; what stands in extensions and trailers is checked and dropped.
package struct ChunkedDecoder {
    /// What is known of the body so far. A refusal is final until `reset`.
    package enum Progress: Equatable, Sendable {
        case needMore, complete, refused(HTTPRefusal)
    }

    /// What one call did.
    package struct Step: Equatable, Sendable {
        /// Bytes read from `from` on, framing and payload: all that there are, but for what follows the end of the
        /// body, and from a refused byte on.
        package var consumed: Int
        /// Payload bytes written from `writeAt` on.
        package var produced: Int
        package var progress: Progress

        package init(consumed: Int, produced: Int, progress: Progress) {
            self.consumed = consumed
            self.produced = produced
            self.progress = progress
        }
    }

    private enum State {
        case size(SizeLine)
        case payload
        case payloadEnd(seenCR: Bool)
        case trailer(TrailerLine)
        case complete
        case refused(HTTPRefusal)
    }

    private var state = State.size(.firstDigit)
    private var reader = ChunkLineReader()
    /// Payload bytes of the current chunk that are still to come.
    private var remaining = 0
    /// Payload bytes of all chunks announced so far.
    private var total = 0

    package init() {}

    /// Makes the decoder ready for the next body.
    package mutating func reset() { self = ChunkedDecoder() }

    /// Decodes `bytes[from...]`. Payload is moved down to `writeAt` (at most `from`) and on in the same span. More than
    /// `maxPayload` payload bytes in the whole body are refused with `bodyTooLarge` at the size that exceeds it;
    /// `limits.maxChunkLine` bounds a size line without CR LF and all trailer lines together with theirs.
    package mutating func decode(
        _ bytes: inout MutableSpan<UInt8>, from: Int, writeAt: Int, limits: HTTPLimits, maxPayload: Int
    ) -> Step {
        precondition(writeAt >= 0 && writeAt <= from && from <= bytes.count, "payload moves down, never up")
        var at = from
        var target = writeAt
        while at < bytes.count {
            switch state {
            case .payload:
                let count = min(remaining, bytes.count - at)
                bytes.move(from: at, to: target, count: count)
                at += count
                target += count
                remaining -= count
                if remaining == 0 { state = .payloadEnd(seenCR: false) }
                continue
            case .size(let line): state = takeSize(line, bytes[at], limits, maxPayload)
            case .payloadEnd(let seenCR): state = Self.takePayloadEnd(seenCR, bytes[at])
            case .trailer(let line): state = takeTrailer(line, bytes[at], limits)
            case .complete, .refused: return Step(consumed: at - from, produced: target - writeAt, progress: progress)
            }
            if case .refused = state { continue }
            at += 1
        }
        return Step(consumed: at - from, produced: target - writeAt, progress: progress)
    }

    private var progress: Progress {
        switch state {
        case .complete: .complete
        case .refused(let refusal): .refused(refusal)
        case .size, .payload, .payloadEnd, .trailer: .needMore
        }
    }

    private mutating func takeSize(_ line: SizeLine, _ byte: UInt8, _ limits: HTTPLimits, _ maxPayload: Int) -> State {
        switch reader.take(line, byte, limits) {
        case .next(let line): return .size(line)
        case .malformed: return .refused(.badChunk)
        case .sizeKnown(let line):
            guard reader.size <= maxPayload - total else { return .refused(.bodyTooLarge) }
            return .size(line)
        case .end:
            remaining = reader.size
            total += remaining
            reader.reset()
            return remaining == 0 ? .trailer(.start) : .payload
        }
    }

    private static func takePayloadEnd(_ seenCR: Bool, _ byte: UInt8) -> State {
        guard byte == (seenCR ? ASCII.lineFeed : ASCII.carriageReturn) else { return .refused(.badChunk) }
        return seenCR ? .size(.firstDigit) : .payloadEnd(seenCR: true)
    }

    private mutating func takeTrailer(_ line: TrailerLine, _ byte: UInt8, _ limits: HTTPLimits) -> State {
        switch reader.take(line, byte, limits) {
        case .next(let line): .trailer(line)
        case .refused(let refusal): .refused(refusal)
        case .end: .complete
        }
    }
}
