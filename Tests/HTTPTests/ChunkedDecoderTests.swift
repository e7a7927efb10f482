// The chunked coding: what is decoded, what is refused, and that fragments make no difference.
// Relies on `ChunkedDecoder` alone; the decoded bytes are compared with what was encoded.

import HTTP
import TestSupport
import Testing

/// What came of a whole chunked body.
private struct Decoding: Equatable {
    var progress: ChunkedDecoder.Progress
    var payload: [UInt8] = []
    var consumed = 0
}

/// Shows `bytes` to a decoder in parts that end at `cuts`, in one buffer, as a connection would.
private func decode(
    _ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits(), maxPayload: Int = 1 << 20
) -> Decoding {
    var decoder = ChunkedDecoder()
    var storage = ByteBuffer(capacity: bytes.count + 1)
    var consumed = 0
    var produced = 0
    var progress = ChunkedDecoder.Progress.needMore
    for cut in cuts + [bytes.count] where progress == .needMore {
        storage.append(bytes.span.extracting(storage.count..<cut))
        var span = storage.mutableBytes
        let step = decoder.decode(&span, from: consumed, writeAt: produced, limits: limits, maxPayload: maxPayload)
        consumed += step.consumed
        produced += step.produced
        progress = step.progress
        if progress == .needMore && consumed != cut { return Decoding(progress: progress, consumed: -1) }
    }
    return Decoding(progress: progress, payload: (0..<produced).map { storage.bytes[$0] }, consumed: consumed)
}

private struct ChunkCase: Sendable, CustomTestStringConvertible {
    let text: String
    var payload: String?
    var refusal: HTTPRefusal?

    init(_ text: String, is payload: String) {
        self.text = text
        self.payload = payload
    }

    init(_ text: String, _ refusal: HTTPRefusal) {
        self.text = text
        self.refusal = refusal
    }

    var testDescription: String { text.debugDescription }
}

private func sized(_ line: String) -> String { "\(line)\r\nabcde\r\n0\r\n\r\n" }
private func trailed(_ lines: String) -> String { "0\r\n\(lines)\r\n\r\n" }

private let accepted: [ChunkCase] = [
    ChunkCase("0\r\n\r\n", is: ""), ChunkCase(sized("5"), is: "abcde"),
    ChunkCase("5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n", is: "abcdefgh"),
    ChunkCase("A\r\n0123456789\r\n0\r\n\r\n", is: "0123456789"),
    ChunkCase("a\r\n0123456789\r\n0\r\n\r\n", is: "0123456789"), ChunkCase("2\r\n\r\n\r\n0\r\n\r\n", is: "\r\n"),
    ChunkCase(sized("5;a"), is: "abcde"), ChunkCase(sized("5;a=b"), is: "abcde"),
    ChunkCase(sized("5;a=b;c;d=e"), is: "abcde"),
    ChunkCase(sized("5;a=\"b\""), is: "abcde"), ChunkCase(sized("5;a=\"\""), is: "abcde"),
    ChunkCase(sized("5;a=\"b;\t c\\\"\\\\\";d"), is: "abcde"), ChunkCase("0;last=1\r\n\r\n", is: ""),
    ChunkCase(trailed("X-Sum: 1"), is: ""), ChunkCase(trailed("X-A:\r\nX-B: \tb c"), is: ""),
    ChunkCase("1\r\nx\r\n0\r\nETag: \"a\"\r\n\r\n", is: "x"),
]

private let refused: [ChunkCase] = [
    ChunkCase("\r\n", .badChunk), ChunkCase(sized(""), .badChunk), ChunkCase(sized(" 5"), .badChunk),
    ChunkCase(sized("5 "), .badChunk), ChunkCase(sized("5\t"), .badChunk), ChunkCase(sized("+5"), .badChunk),
    ChunkCase(sized("-5"), .badChunk), ChunkCase(sized("0x5"), .badChunk), ChunkCase(sized("05"), .badChunk),
    ChunkCase(sized("00"), .badChunk), ChunkCase("00\r\n\r\n", .badChunk), ChunkCase(sized("g"), .badChunk),
    ChunkCase(sized("5,"), .badChunk), ChunkCase(sized("5_0"), .badChunk), ChunkCase(sized("5.0"), .badChunk),
    ChunkCase(sized("é"), .badChunk), ChunkCase(sized("5\0"), .badChunk), ChunkCase("5\nabcde\r\n0\r\n\r\n", .badChunk),
    ChunkCase("5\rabcde\r\n0\r\n\r\n", .badChunk), ChunkCase("5\r\r\nabcde\r\n0\r\n\r\n", .badChunk),
    ChunkCase("5\r\nabcde\n0\r\n\r\n", .badChunk), ChunkCase("5\r\nabcde\r0\r\n\r\n", .badChunk),
    ChunkCase("5\r\nabcde0\r\n\r\n", .badChunk), ChunkCase("5\r\nabcdef\r\n0\r\n\r\n", .badChunk),
    ChunkCase("5\r\nabcd\r\n0\r\n\r\n", .badChunk), ChunkCase("5\r\nabcde\r\n\r\n0\r\n\r\n", .badChunk),
    ChunkCase(sized("5;"), .badChunk), ChunkCase(sized("5;;a"), .badChunk), ChunkCase(sized("5; a"), .badChunk),
    ChunkCase(sized("5 ;a"), .badChunk), ChunkCase(sized("5;a "), .badChunk), ChunkCase(sized("5;a ="), .badChunk),
    ChunkCase(sized("5;a="), .badChunk), ChunkCase(sized("5;=b"), .badChunk), ChunkCase(sized("5;a=b=c"), .badChunk),
    ChunkCase(sized("5;a=\"b"), .badChunk), ChunkCase(sized("5;a=\"b\"c"), .badChunk),
    ChunkCase(sized("5;a=\"\u{1}\""), .badChunk),
    ChunkCase(sized("5;a=\"é\""), .badChunk), ChunkCase(sized("5;a=\"\\\u{7f}\""), .badChunk),
    ChunkCase(sized("5;a\nb"), .badChunk),
    ChunkCase(sized("5;a=\"\n\""), .badChunk), ChunkCase(sized("5;a=b;"), .badChunk),
    ChunkCase(sized("5;a=b,"), .badChunk),
    ChunkCase("1000000000000000\r\n", .badChunk), ChunkCase("fffffffffffffffff\r\n", .badChunk),
    ChunkCase("fffffffffffffff\r\n", .bodyTooLarge), ChunkCase("100001\r\n", .bodyTooLarge),
    ChunkCase("100001;a\r\n", .bodyTooLarge),
    ChunkCase("0\r\n\n", .badTrailer), ChunkCase("0\r\n\rx", .badTrailer), ChunkCase(trailed(" X: a"), .badTrailer),
    ChunkCase(trailed("X: a\r\n b"), .badTrailer), ChunkCase(trailed("X"), .badTrailer),
    ChunkCase(trailed(": a"), .badTrailer),
    ChunkCase(trailed("X : a"), .badTrailer), ChunkCase(trailed("X: \0"), .badTrailer),
    ChunkCase(trailed("X: é"), .badTrailer),
    ChunkCase(trailed("X: a\nY: b"), .badTrailer), ChunkCase(trailed("X: a\rY: b"), .badTrailer),
    ChunkCase(trailed("é: a"), .badTrailer),
    ChunkCase(trailed("Content-Length: 5"), .badTrailer), ChunkCase(trailed("transfer-encoding: chunked"), .badTrailer),
    ChunkCase(trailed("Transfer_Encoding: chunked"), .badTrailer), ChunkCase(trailed("HOST: a"), .badTrailer),
    ChunkCase(trailed("Authorization: a"), .badTrailer), ChunkCase(trailed("X-Date: a"), .badTrailer),
    ChunkCase(trailed("api_key: a"), .badTrailer), ChunkCase(trailed("api-key: a"), .badTrailer),
    ChunkCase(trailed("Content-Sha512: a"), .badTrailer), ChunkCase(trailed("Content-Type: a"), .badTrailer),
    ChunkCase(trailed("Connection: close"), .badTrailer), ChunkCase(trailed("X-A: 1\r\nTrailer: x"), .badTrailer),
    ChunkCase(trailed("Idempotency-Key: a"), .badTrailer), ChunkCase(trailed("request-line: a"), .badTrailer),
    ChunkCase(trailed("Content-Encoding: a"), .badTrailer), ChunkCase(trailed("Expect: a"), .badTrailer),
]

@Suite struct ChunkedDecoderTests {
    @Test(arguments: accepted + refused)
    fileprivate func isReadAlikeInAllFragments(_ example: ChunkCase) {
        let bytes = Array(example.text.utf8)
        let whole = decode(bytes)
        if let payload = example.payload {
            #expect(whole == Decoding(progress: .complete, payload: Array(payload.utf8), consumed: bytes.count))
            #expect(decode(bytes + Array("GET".utf8)) == whole, "what follows the body is left alone")
            for cut in 0..<bytes.count { #expect(decode(Array(bytes[..<cut])).progress == .needMore) }
        } else {
            #expect(whole.progress == .refused(example.refusal!))
        }
        #expect(agreesInAllFragments(count: bytes.count, seed: 6, expected: whole) { decode(bytes, cuts: $0) })
    }

    @Test func payloadLimit() {
        for (limit, expected) in [
            (9, ChunkedDecoder.Progress.complete), (8, .complete), (7, .refused(.bodyTooLarge)),
        ] {
            let bytes = Array("5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n".utf8)
            #expect(decode(bytes, maxPayload: limit).progress == expected)
            #expect(decode(bytes, cuts: Array(0..<bytes.count), maxPayload: limit).progress == expected)
        }
        #expect(decode(Array("0\r\n\r\n".utf8), maxPayload: 0).progress == .complete)
        #expect(decode(Array("1\r\n".utf8), maxPayload: 0).progress == .refused(.bodyTooLarge))
        #expect(decode(Array("fffffffffffffff\r\n".utf8), maxPayload: Int.max).progress == .needMore)
    }

    @Test func sizeLineLimit() {
        var limits = HTTPLimits()
        limits.maxChunkLine = 16
        for (length, expected) in [(15, ChunkedDecoder.Progress.complete), (16, .complete), (17, .refused(.badChunk))] {
            let line = "1;" + String(repeating: "a", count: length - 2)
            #expect(
                decode(Array("\(line)\r\nx\r\n\(line)\r\ny\r\n0\r\n\r\n".utf8), limits: limits).progress == expected)
        }
    }

    @Test func trailerLimits() {
        var limits = HTTPLimits()
        limits.maxChunkLine = 16
        for (length, expected) in [
            (15, ChunkedDecoder.Progress.complete), (16, .complete), (17, .refused(.badTrailer)),
        ] {
            let two = "a: b\r\nc:" + String(repeating: "d", count: length - 10)
            #expect(decode(Array(trailed(two).utf8), limits: limits).progress == expected)
        }
        limits.maxChunkLine = 4096
        limits.maxFields = 8
        for (count, expected) in [(7, ChunkedDecoder.Progress.complete), (8, .complete), (9, .refused(.tooManyFields))]
        {
            let lines = (0..<count).map { "x\($0): 1" }.joined(separator: "\r\n")
            #expect(decode(Array(trailed(lines).utf8), limits: limits).progress == expected)
        }
    }

    @Test func aRefusalIsFinalUntilReset() {
        var decoder = ChunkedDecoder()
        func step(_ text: String) -> ChunkedDecoder.Step {
            var bytes = Array(text.utf8)
            var span = bytes.mutableSpan
            return decoder.decode(&span, from: 0, writeAt: 0, limits: HTTPLimits(), maxPayload: 100)
        }
        #expect(step("1\r\naX") == ChunkedDecoder.Step(consumed: 4, produced: 1, progress: .refused(.badChunk)))
        #expect(step("0\r\n\r\n") == ChunkedDecoder.Step(consumed: 0, produced: 0, progress: .refused(.badChunk)))
        decoder.reset()
        #expect(step("0\r\n\r\nx") == ChunkedDecoder.Step(consumed: 5, produced: 0, progress: .complete))
        #expect(step("x") == ChunkedDecoder.Step(consumed: 0, produced: 0, progress: .complete))
    }

    /// Random bodies in random chunks and fragments come out as they went in.
    @Test func whatWasEncodedIsDecoded() {
        var random = Seed(printedSeed("whatWasEncodedIsDecoded"))
        for _ in 0..<200 {
            var payload: [UInt8] = []
            var encoded = ByteBuffer(capacity: 16)
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                let chunk = (0..<Int.random(in: 1...700, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                payload += chunk
                encoded.appendChunkSize(chunk.count)
                encoded.append(chunk.span)
                encoded.append("\r\n")
            }
            encoded.appendChunkSize(0)
            encoded.append("\r\n")
            let bytes = (0..<encoded.count).map { encoded.bytes[$0] }
            let cuts = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                Int.random(in: 0...bytes.count, using: &random)
            }
            let decoding = decode(bytes, cuts: cuts.sorted())
            #expect(decoding == Decoding(progress: .complete, payload: payload, consumed: bytes.count))
        }
    }

    @Test func mutationsDoNotDependOnFragments() {
        var random = Seed(printedSeed("chunk mutations"))
        let alphabet = Array("\r\n 05aF;=\"\\x:\0é".utf8)
        let good = Array("5;a=\"b\"\r\nabcde\r\n3\r\nfgh\r\n0\r\nX-Y: z\r\n\r\n".utf8)
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet.randomElement(using: &random)!
            }
            #expect(decode(bytes, cuts: Array(0..<bytes.count)) == decode(bytes), "\(bytes)")
        }
    }
}
