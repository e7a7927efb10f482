// Fuzz target: the chunked decoder. It gives a slow reader's verdict and payload, in every fragmentation and wherever
// in the buffer the payload goes; a payload that is encoded again decodes to itself. Relies on SlowChunked.

import FuzzHarness
import HTTP

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    let limits = input.limits
    let maxPayload = limits.maxBody
    let whole = Decoded(input.bytes, limits, maxPayload, cuts: [], keepsGap: false)
    let slow = SlowChunked(input.bytes, limits, maxPayload: maxPayload)
    compare(whole, slow, input.bytes, limits, maxPayload)
    for keepsGap in [false, true] {
        let parts = Decoded(input.bytes, limits, maxPayload, cuts: input.cuts, keepsGap: keepsGap)
        expect(parts == whole, "fragments decode as the whole")
        let each = Decoded(input.bytes, limits, maxPayload, cuts: Array(0..<input.bytes.count), keepsGap: keepsGap)
        expect(each == whole, "bytes decode as the whole")
    }
    let chunk = max(1, Int(input.variant))
    let encoded = encode(whole.payload, chunk: chunk) + [UInt8(ascii: "X")]
    let again = Decoded(encoded, FuzzInput.wideLimits, maxPayload, cuts: [], keepsGap: false)
    expect(again.payload == whole.payload && again.progress == .complete, "a payload encoded again is the same")
    expect(again.consumed == encoded.count - 1, "what follows the body is left")
}

/// What the decoder makes of a body that arrives in fragments.
struct Decoded: Equatable {
    var progress = ChunkedDecoder.Progress.needMore
    var consumed = 0
    var payload: [UInt8] = []

    /// `keepsGap`: the bytes of the framing stay in the buffer, so that payload is moved over them.
    init(_ bytes: [UInt8], _ limits: HTTPLimits, _ maxPayload: Int, cuts: [Int], keepsGap: Bool) {
        var decoder = ChunkedDecoder()
        var buffer = ByteBuffer(capacity: 8)
        var written = 0
        var start = 0
        for cut in cuts + [bytes.count] {
            let from = buffer.count
            buffer.append(bytes.span.extracting(start..<cut))
            var span = buffer.mutableBytes
            let step = decoder.decode(&span, from: from, writeAt: written, limits: limits, maxPayload: maxPayload)
            expect(step.consumed >= step.produced && step.produced >= 0, "a body is no shorter than its payload")
            expect(step.consumed <= cut - start, "no more is consumed than there is")
            expect(step.progress != .needMore || step.consumed == cut - start, "all is consumed before the end")
            written += step.produced
            consumed += step.consumed
            start = cut
            progress = step.progress
            if progress != .needMore { break }
            if !keepsGap { buffer.truncate(to: written) }
        }
        payload = Array(copy(buffer)[..<written])
    }
}

func compare(_ decoded: Decoded, _ slow: SlowChunked, _ bytes: [UInt8], _ limits: HTTPLimits, _ maxPayload: Int) {
    expect(decoded.payload == slow.payload, "the payload of a slow reader")
    expect(decoded.payload.count <= maxPayload, "no more payload than the limit")
    switch slow.verdict {
    case .complete(let consumed):
        expect(decoded.progress == .complete && decoded.consumed == consumed, "complete where a slow reader is")
    case .bad:
        guard case .refused(let refusal) = decoded.progress, refusal != .bodyTooLarge else {
            finding("refused where a slow reader refuses")
        }
    case .tooLarge: expect(decoded.progress == .refused(.bodyTooLarge), "too large where a slow reader says so")
    case .unfinishedPayload: expect(decoded.progress == .needMore, "payload is never refused")
    case .unfinishedLine:
        if case .refused = decoded.progress { checkHopeless(bytes, limits, maxPayload) }
        expect(decoded.progress != .complete, "not complete within a line")
    }
}

/// What was refused within a line could not have become a body: no ending makes it one.
func checkHopeless(_ bytes: [UInt8], _ limits: HTTPLimits, _ maxPayload: Int) {
    for ending in ["\r\n", "\n", "0\r\n", "a\r\n", "\"\r\n", "a\"\r\n", ":\r\n", "a:\r\n"] {
        switch SlowChunked(bytes + Array(ending.utf8), limits, maxPayload: maxPayload).verdict {
        case .bad, .tooLarge: break
        // The ending brought no LF behind the last CR, so the line goes on.
        case .unfinishedLine: break
        case .complete, .unfinishedPayload: finding("nothing is refused that could become a body")
        }
    }
}

func encode(_ payload: [UInt8], chunk: Int) -> [UInt8] {
    var buffer = ByteBuffer(capacity: 8)
    var at = 0
    while at < payload.count {
        let end = min(at + chunk, payload.count)
        buffer.appendChunkSize(end - at)
        buffer.append(payload.span.extracting(at..<end))
        buffer.append("\r\n")
        at = end
    }
    buffer.appendChunkSize(0)
    buffer.append("\r\n")
    return copy(buffer)
}
