// How the tests read heads: whole, cut at every place, byte by byte, cut at random, and behind another message.
// Relies on the parsers' public face only.

import HTTP
import TestSupport
import Testing

/// One head and what must come of it.
struct HeadCase: Sendable, CustomTestStringConvertible {
    let text: String
    let refusal: HTTPRefusal?

    init(_ text: String, _ refusal: HTTPRefusal? = nil) {
        self.text = text
        self.refusal = refusal
    }

    var bytes: [UInt8] { Array(text.utf8) }
    var testDescription: String { "\(text.debugDescription.prefix(90)) -> \(refusal.map { "\($0)" } ?? "accepted")" }
}

/// Everything a request head says, as values that can be compared.
struct RequestReading: Equatable {
    var progress: HeadProgress
    var method = Method.get
    var target = ""
    var path = ""
    var fields: [String] = []
    var framing = BodyFraming.none
    var keepAlive = true
    var expectsContinue = false
    var length = 0
    var contentType = ""
    var contentEncoding = ""
}

/// Everything a response head says.
struct ResponseReading: Equatable {
    var progress: HeadProgress
    var status = 0
    var reason = ""
    var fields: [String] = []
    var framing = BodyFraming.none
    var keepAlive = true
    var length = 0
    var minorVersion = 1
    var isInterim = false
    var contentLength: Int?
}

/// What `write` puts into a buffer that is too small for it at first.
func written(_ write: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer(capacity: 1)
    write(&buffer)
    return text(buffer)
}

func text(_ buffer: borrowing ByteBuffer) -> String {
    var bytes: [UInt8] = []
    for index in 0..<buffer.count { bytes.append(buffer.bytes[index]) }
    return String(decoding: bytes, as: UTF8.self)
}

func text(_ bytes: [UInt8], _ range: ByteRange) -> String { String(decoding: bytes[range.range], as: UTF8.self) }

func texts(_ bytes: [UInt8], _ fields: [HeaderField]) -> [String] {
    fields.map { "\($0.known)|\(text(bytes, $0.name))|\(text(bytes, $0.value))" }
}

/// Feeds the first `cut` bytes for each of `cuts`, then all, to a parser that may have read something before.
func readRequest(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> RequestReading {
    var parser = RequestHeadParser()
    var head = RequestHead()
    return readRequest(bytes, cuts: cuts, limits: limits, &parser, &head)
}

func readRequest(
    _ bytes: [UInt8], cuts: [Int], limits: HTTPLimits, _ parser: inout RequestHeadParser, _ head: inout RequestHead
) -> RequestReading {
    var progress = HeadProgress.needMore
    for cut in cuts + [bytes.count] where progress == .needMore {
        progress = parser.feed(bytes.span.extracting(0..<cut), limits: limits, into: &head)
    }
    // Feeding on must change nothing.
    let again = parser.feed(bytes.span, limits: limits, into: &head)
    if progress != again { return RequestReading(progress: again, target: "not final: \(progress)") }
    guard progress == .complete else { return RequestReading(progress: progress) }
    return RequestReading(
        progress: progress, method: head.method, target: text(bytes, head.target), path: text(bytes, head.path),
        fields: texts(bytes, head.fields.array), framing: head.framing, keepAlive: head.keepAlive,
        expectsContinue: head.expectsContinue, length: head.length, contentType: text(bytes, head.contentType),
        contentEncoding: text(bytes, head.contentEncoding))
}

func readResponse(
    _ bytes: [UInt8], to method: Method = .post, cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()
) -> ResponseReading {
    var parser = ResponseHeadParser()
    var head = ResponseHead()
    var progress = HeadProgress.needMore
    for cut in cuts + [bytes.count] where progress == .needMore {
        progress = parser.feed(bytes.span.extracting(0..<cut), to: method, limits: limits, into: &head)
    }
    guard progress == .complete else { return ResponseReading(progress: progress) }
    return ResponseReading(
        progress: progress, status: head.status, reason: text(bytes, head.reason),
        fields: texts(bytes, head.fields.array),
        framing: head.framing, keepAlive: head.keepAlive, length: head.length, minorVersion: head.minorVersion,
        isInterim: head.isInterim, contentLength: head.contentLength)
}

/// Whether `read` gives `expected` for each single cut, for all cuts at once, and for random ones.
func agreesInAllFragments<Reading: Equatable>(
    count: Int, seed: UInt64, expected: Reading, read: ([Int]) -> Reading
) -> Bool {
    var random = Seed(seed)
    for cut in 0..<count where read([cut]) != expected { return false }
    if read(Array(0..<count)) != expected { return false }
    for _ in 0..<8 {
        var cuts: [Int] = []
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            cuts.append(Int.random(in: 0..<max(1, count), using: &random))
        }
        if read(cuts.sorted()) != expected { return false }
    }
    return true
}

/// A seed of this run, printed so that a failure can be repeated.
func printedSeed(_ name: String) -> UInt64 {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed of \(name): \(seed)")
    return seed
}
