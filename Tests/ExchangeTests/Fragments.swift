// How the tests feed the two readers: the same bytes cut at every place, at all places, and at random ones.
// Relies on the readers' public faces only. What is read comes back as values that can be compared.

import Exchange
import HTTP
import TestSupport

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ span: Span<UInt8>) -> String {
    var bytes: [UInt8] = []
    for at in span.indices { bytes.append(span[at]) }
    return String(decoding: bytes, as: UTF8.self)
}

/// Cuts 0 ..< count singly, all at once, and some at random; `read` must give `expected` for each. The first cuts that
/// differ come back.
func cutsThatDiffer<Reading: Equatable>(
    _ count: Int, seed: UInt64 = 11, expected: Reading, _ read: ([Int]) -> Reading
) -> [Int]? {
    var random = Seed(seed)
    for cut in 0...count where read([cut]) != expected { return [cut] }
    if read(Array(0...count)) != expected { return Array(0...count) }
    for _ in 0..<12 {
        let cuts = (0..<Int.random(in: 1...6, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }
            .sorted()
        if read(cuts) != expected { return cuts }
    }
    return nil
}

/// The pieces of `bytes` between the cuts.
func pieces(_ bytes: [UInt8], _ cuts: [Int]) -> [ArraySlice<UInt8>] {
    var from = 0
    return (cuts + [bytes.count]).map { cut in
        defer { from = cut }
        return bytes[from..<cut]
    }
}

func append(_ piece: ArraySlice<UInt8>, to buffer: inout ByteBuffer) {
    let copy = Array(piece)
    buffer.append(copy.span)
}

/// What came of one request.
struct ReadRequest: Equatable {
    enum End: Equatable {
        case needsHead, needsBody, complete
        case headRefused(HTTPRefusal)
        case bodyRefused(HTTPRefusal)
    }
    var end = End.needsHead
    var method = Method.get
    var target = ""
    var body = ""
}

/// Reads requests one behind the other until the bytes are used up, as the gateway does on one connection. The last one
/// is the one that is not complete.
func readRequests(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> [ReadRequest] {
    var reader = RequestReader()
    var buffer = ByteBuffer(capacity: 8)
    var all: [ReadRequest] = []
    var present = ReadRequest()
    for piece in pieces(bytes, cuts) {
        append(piece, to: &buffer)
        while step(&reader, &buffer, limits, &present) {
            all.append(present)
            present = ReadRequest()
            buffer.consume(reader.consumed)
            buffer.compact()
            reader.reset()
        }
    }
    return all + [present]
}

/// True where the request is complete.
private func step(
    _ reader: inout RequestReader, _ buffer: inout ByteBuffer, _ limits: HTTPLimits, _ present: inout ReadRequest
) -> Bool {
    if present.end == .needsHead {
        switch reader.readHead(buffer, limits: limits) {
        case .needMore: return false
        case .refused(let refusal): present.end = .headRefused(refusal)
        case .complete:
            present.end = .needsBody
            present.method = reader.head.method
            present.target = text(buffer.bytes.extracting(reader.head.target.range))
        }
    }
    guard present.end == .needsBody else { return false }
    switch reader.readBody(&buffer, limits: limits) {
    case .needMore: return false
    case .refused(let refusal):
        present.end = .bodyRefused(refusal)
        return false
    case .complete:
        present.end = .complete
        present.body = text(buffer.bytes.extracting(reader.body.range))
        return true
    }
}

/// What came of one answer.
struct ReadAnswer: Equatable {
    var status = 0
    var interims = 0
    var payload = ""
    var last = AnswerReader.Step.needMore
}

/// Reads one answer. `end` comes behind the last piece; `take` says how much of a payload is used at a time.
func readAnswer(
    _ bytes: [UInt8], to method: Method = .post, cuts: [Int] = [], end: StreamEnd? = nil, take: Int = .max,
    limits: HTTPLimits = HTTPLimits()
) -> ReadAnswer {
    var reader = AnswerReader()
    reader.begin(method)
    return readAnswer(&reader, bytes, cuts, end, take, limits)
}

func readAnswer(
    _ reader: inout AnswerReader, _ bytes: [UInt8], _ cuts: [Int] = [], _ end: StreamEnd? = nil, _ take: Int = .max,
    _ limits: HTTPLimits = HTTPLimits()
) -> ReadAnswer {
    var buffer = ByteBuffer(capacity: 8)
    var read = ReadAnswer()
    let all = pieces(bytes, cuts)
    for index in all.indices {
        buffer.compact()
        append(all[index], to: &buffer)
        drain(&reader, &buffer, index == all.count - 1 ? end : nil, take, limits, &read)
        if read.last != .needMore { break }
    }
    return read
}

private func drain(
    _ reader: inout AnswerReader, _ buffer: inout ByteBuffer, _ end: StreamEnd?, _ take: Int, _ limits: HTTPLimits,
    _ read: inout ReadAnswer
) {
    while true {
        let step = reader.next(&buffer, limits: limits, end: end)
        switch step {
        case .interim: read.interims += 1
        case .head:
            read.status = reader.head.status
            reader.takeHead(&buffer)
        case .payload(let count):
            let used = min(count, take)
            read.payload += text(buffer.bytes.extracting(0..<used))
            reader.consume(used, &buffer)
        case .needMore, .complete, .refused, .ended:
            read.last = step
            return
        }
    }
}
