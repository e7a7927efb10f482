// Fuzz target: response heads. What is accepted is read the same way in fragments, by a slow reader, and when it is
// written again; the end of the body is where RFC 9112 section 6.3 has it. Relies on SlowHead.

import FuzzHarness
import HTTP

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    let limits = input.limits
    let method: Method = [.post, .head, .get, .delete][Int(input.variant & 3)]
    let whole = ResponseReading(input.bytes, method, limits, steps: [])
    expect(whole == ResponseReading(input.bytes, method, limits, steps: input.cuts), "fragments read as the whole")
    let each = Array(0..<input.bytes.count)
    expect(whole == ResponseReading(input.bytes, method, limits, steps: each), "bytes read as the whole")
    guard whole.progress == .complete else { return }
    let bytes = Array(input.bytes[..<whole.length])
    expect(ResponseReading(bytes, method, limits, steps: []) == whole, "what follows a head does not matter")
    guard let slow = SlowHead(bytes) else { finding("an accepted head consists of CR LF lines") }
    checkBytes(bytes, whole, slow, limits)
    checkFraming(whole, slow, method)
    checkCanonical(whole, method)
    checkForwarded(bytes, slow, method, limits)
}

/// Everything that a response head says.
struct ResponseReading: Equatable {
    var progress = HeadProgress.needMore
    var status = 0
    var minorVersion = 1
    var reason: [UInt8] = []
    var fields: [SlowField] = []
    var framing = BodyFraming.none
    var keepAlive = true
    var isInterim = false
    var contentLength: Int?
    var length = 0

    /// Feeds the first bytes up to each of `steps`, then all.
    init(_ bytes: [UInt8], _ method: Method, _ limits: HTTPLimits, steps: [Int]) {
        var parser = ResponseHeadParser()
        var head = ResponseHead()
        var decidedAt = bytes.count
        for step in steps + [bytes.count, bytes.count] {
            let next = parser.feed(bytes.span.extracting(0..<step), to: method, limits: limits, into: &head)
            expect(progress == .needMore || progress == next, "a verdict is final")
            if progress == .needMore && next != .needMore { decidedAt = step }
            progress = next
        }
        guard progress == .complete else { return }
        expect(head.length <= decidedAt, "no head ends before its last byte")
        status = head.status
        minorVersion = head.minorVersion
        reason = Array(bytes[head.reason.range])
        fields = head.fields.array.map {
            SlowField(name: Array(bytes[$0.name.range]), value: Array(bytes[$0.value.range]))
        }
        framing = head.framing
        keepAlive = head.keepAlive
        isInterim = head.isInterim
        contentLength = head.contentLength
        length = head.length
    }
}

func checkBytes(_ bytes: [UInt8], _ read: ResponseReading, _ slow: SlowHead, _ limits: HTTPLimits) {
    let allowed = bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 || $0 == 10 || $0 == 13 }
    expect(allowed, "an accepted head has no control byte")
    expect(read.fields == slow.fields, "fields as a slow reader finds them")
    let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    for field in slow.fields {
        expect(!field.name.isEmpty && field.name.allSatisfy(token.contains), "a field name is a token")
    }
    expect(bytes.count <= limits.maxHead && slow.startLine.count <= limits.maxLine, "a head keeps its limits")
    expect(slow.fields.count <= limits.maxFields, "no more fields than the limit")
    let line = Array("HTTP/1.\(read.minorVersion) \(read.status) ".utf8) + read.reason
    expect(slow.startLine == line, "the status line as it was sent")
    expect((0...1).contains(read.minorVersion), "HTTP/1.0 or 1.1")
    expect((100...599).contains(read.status) && read.status != 101, "a status from 100 to 599 but not 101")
}

/// RFC 9112 section 6.3, from the slow reader's fields.
func checkFraming(_ read: ResponseReading, _ slow: SlowHead, _ method: Method) {
    let lengths = slow.values("content-length").map { String(decoding: $0, as: UTF8.self) }
    let codings = slow.values("transfer-encoding").map { String(decoding: $0, as: UTF8.self).lowercased() }
    expect(lengths.count + codings.count <= 1, "at most one framing")
    let length = lengths.first.flatMap { Int($0) }
    expect(length.map(String.init) == lengths.first, "Content-Length is a plain number")
    expect(read.contentLength == length, "Content-Length as a slow reader finds it")
    expect(codings.isEmpty || codings == ["chunked"] && read.minorVersion == 1, "the coding is chunked, and of 1.1")
    let isBare = read.status < 200 || read.status == 204
    expect(!isBare || codings.isEmpty && (length ?? 0) == 0, "no framing where there is no body")
    expect(read.isInterim == (read.status < 200), "1xx is interim")
    let expected: BodyFraming =
        isBare || read.status == 304 || method == .head
        ? .none : codings.isEmpty ? length.map { .length($0) } ?? .untilClose : .chunked
    expect(read.framing == expected, "the body ends where the RFC says")
    let options = slow.words("connection")
    let persists = !options.contains("close") && (read.minorVersion == 1 || options.contains("keep-alive"))
    expect(read.keepAlive == (persists && expected != .untilClose), "keepAlive as the RFC says")
}

/// The head written again from what was read gives the same reading.
func checkCanonical(_ read: ResponseReading, _ method: Method) {
    var text = Array("HTTP/1.\(read.minorVersion) \(read.status) ".utf8) + read.reason + Array("\r\n".utf8)
    for field in read.fields { text += field.name + Array(": ".utf8) + field.value + Array("\r\n".utf8) }
    text += Array("\r\n".utf8)
    var again = ResponseReading(text, method, FuzzInput.wideLimits, steps: [])
    again.length = read.length
    expect(again == read, "a head written again reads the same")
}

/// What goes to the caller: all that may and nothing else, under a framing of our own.
func checkForwarded(_ bytes: [UInt8], _ slow: SlowHead, _ method: Method, _ limits: HTTPLimits) {
    var parser = ResponseHeadParser()
    var head = ResponseHead()
    _ = parser.feed(bytes.span, to: method, limits: limits, into: &head)
    var buffer = ByteBuffer(capacity: 16)
    buffer.appendForwardedFields(of: head, from: bytes.span)
    let written = copy(buffer)
    let named = Set(slow.words("connection"))
    let expected = slow.fields.filter { !SlowNames.notForCaller.contains($0.folded) && !named.contains($0.key) }
    expect(SlowHead.fields(written) == expected, "forwarded is what may be, in order")
    let message = Array("HTTP/1.1 200 \r\n".utf8) + written + Array("Content-Length: 3\r\n\r\n".utf8)
    let caller = ResponseReading(message, .post, FuzzInput.wideLimits, steps: [])
    expect(caller.progress == .complete && caller.framing == .length(3), "what goes to the caller has one framing")
    expect(caller.fields.count == expected.count + 1 && caller.keepAlive, "and no other field")
}
