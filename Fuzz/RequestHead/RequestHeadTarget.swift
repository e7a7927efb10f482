// Fuzz target: request heads. What is accepted is read the same way in fragments, by a slow reader, and when it is
// written again; what goes upstream holds no field that must not, and one framing. Relies on SlowHead.

import FuzzHarness
import HTTP

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    let limits = input.limits
    let whole = RequestReading(input.bytes, limits, steps: [])
    expect(whole == RequestReading(input.bytes, limits, steps: input.cuts), "fragments read as the whole")
    expect(whole == RequestReading(input.bytes, limits, steps: Array(0..<input.bytes.count)), "bytes read as the whole")
    guard whole.progress == .complete else { return }
    let bytes = Array(input.bytes[..<whole.length])
    expect(RequestReading(bytes, limits, steps: []) == whole, "what follows a head does not matter")
    guard let slow = SlowHead(bytes) else { finding("an accepted head consists of CR LF lines") }
    checkBytes(bytes, whole, slow, limits)
    checkFraming(whole, slow, limits)
    checkTarget(whole, slow)
    checkCanonical(whole)
    checkForwarded(bytes, slow, limits)
}

/// Everything that a request head says.
struct RequestReading: Equatable {
    var progress = HeadProgress.needMore
    var method = Method.get
    var target: [UInt8] = []
    var path: [UInt8] = []
    var fields: [SlowField] = []
    var framing = BodyFraming.none
    var keepAlive = true
    var expectsContinue = false
    var length = 0
    var contentType: [UInt8] = []
    var contentEncoding: [UInt8] = []

    /// Feeds the first bytes up to each of `steps`, then all.
    init(_ bytes: [UInt8], _ limits: HTTPLimits, steps: [Int]) {
        var parser = RequestHeadParser()
        var head = RequestHead()
        var decidedAt = bytes.count
        for step in steps + [bytes.count, bytes.count] {
            let next = parser.feed(bytes.span.extracting(0..<step), limits: limits, into: &head)
            expect(progress == .needMore || progress == next, "a verdict is final")
            if progress == .needMore && next != .needMore { decidedAt = step }
            progress = next
        }
        guard progress == .complete else { return }
        expect(head.length <= decidedAt, "no head ends before its last byte")
        method = head.method
        target = Array(bytes[head.target.range])
        path = Array(bytes[head.path.range])
        fields = head.fields.array.map {
            SlowField(name: Array(bytes[$0.name.range]), value: Array(bytes[$0.value.range]))
        }
        framing = head.framing
        keepAlive = head.keepAlive
        expectsContinue = head.expectsContinue
        length = head.length
        contentType = Array(bytes[head.contentType.range])
        contentEncoding = Array(bytes[head.contentEncoding.range])
    }
}

func checkBytes(_ bytes: [UInt8], _ read: RequestReading, _ slow: SlowHead, _ limits: HTTPLimits) {
    let allowed = bytes.allSatisfy { (0x20...0x7E).contains($0) || $0 == 9 || $0 == 10 || $0 == 13 }
    expect(allowed, "an accepted head has no control byte and nothing above ASCII")
    expect(read.fields == slow.fields, "fields as a slow reader finds them")
    let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    for field in slow.fields {
        expect(!field.name.isEmpty && field.key.utf8.allSatisfy(token.contains), "a field name is a token")
    }
    expect(bytes.count <= limits.maxHead && slow.startLine.count <= limits.maxLine, "a head keeps its limits")
    expect(slow.fields.count <= limits.maxFields, "no more fields than the limit")
    expect(slow.values("host").count == 1, "exactly one Host")
    expect(read.contentType == slow.values("content-type").first ?? [], "Content-Type as a slow reader finds it")
    expect(read.contentEncoding == slow.values("content-encoding").first ?? [], "Content-Encoding likewise")
    expect(read.keepAlive == !slow.words("connection").contains("close"), "keepAlive as a slow reader finds it")
    expect(read.expectsContinue == !slow.values("expect").isEmpty, "Expect as a slow reader finds it")
}

func checkFraming(_ read: RequestReading, _ slow: SlowHead, _ limits: HTTPLimits) {
    let lengths = slow.values("content-length")
    let codings = slow.values("transfer-encoding")
    expect(lengths.count + codings.count <= 1, "at most one framing")
    if let length = lengths.first {
        let text = String(decoding: length, as: UTF8.self)
        expect(Int(text).map(String.init) == text, "Content-Length is a plain number")
        expect(read.framing == .length(Int(text) ?? -1), "the framing is Content-Length's")
        expect(Int(text) ?? .max <= limits.maxBody, "no body beyond the limit")
    } else if let coding = codings.first {
        expect(String(decoding: coding, as: UTF8.self).lowercased() == "chunked", "the coding is chunked")
        expect(read.framing == .chunked, "the framing is chunked")
    } else {
        expect(read.framing == .none, "no framing, no body")
    }
}

func checkTarget(_ read: RequestReading, _ slow: SlowHead) {
    let parts = slow.startLine.split(separator: 32, omittingEmptySubsequences: false).map(Array.init)
    expect(parts.count == 3, "a request line has three parts")
    expect(parts[0] == Array("\(read.method.name)".utf8), "the method is the one sent")
    expect(parts[2] == Array("HTTP/1.1".utf8), "the version is HTTP/1.1")
    if parts[1] != read.target {
        let scheme = String(decoding: parts[1].dropLast(read.target.count), as: UTF8.self).lowercased()
        let host = String(decoding: slow.values("host")[0], as: UTF8.self).lowercased()
        expect(parts[1].suffix(read.target.count) == read.target[...], "a target is the end of what was sent")
        expect(scheme == "http://" + host || scheme == "https://" + host, "an absolute target names the Host")
    }
    let path = read.target.prefix { $0 != UInt8(ascii: "?") }
    expect(read.path == Array(path) && path.first == UInt8(ascii: "/"), "the path ends at the question mark")
    let plain = Set("-._~!$&'()*+,;=:@%/?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)
    expect(read.target.allSatisfy(plain.contains), "a target holds only what RFC 3986 allows")
    checkSegments(Array(path))
    if let decoded = decodingUnreserved(read.path.span) {
        expect(decodingUnreserved(decoded.span) == nil, "decoding a path once is enough")
        checkSegments(decoded)
    }
}

/// However a server decodes the path, it stays what it is.
func checkSegments(_ path: [UInt8]) {
    let decoded = percentDecoded(path)
    expect(decoded.filter { $0 == 47 }.count == path.filter { $0 == 47 }.count, "no encoded slash")
    expect(decoded.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x5C }, "no encoded control or backslash")
    let segments = decoded.split(separator: 47, omittingEmptySubsequences: false).dropFirst()
    for (index, segment) in segments.enumerated() {
        let name = segment.prefix { $0 != UInt8(ascii: ";") }
        expect(name != [46] && name != [46, 46], "no dot segment in any spelling")
        expect(!segment.isEmpty || index == segments.count - 1, "no empty segment but the last")
    }
}

func percentDecoded(_ path: [UInt8]) -> [UInt8] {
    var decoded: [UInt8] = []
    var at = 0
    while at < path.count {
        guard path[at] == UInt8(ascii: "%") else {
            decoded.append(path[at])
            at += 1
            continue
        }
        expect(at + 2 < path.count, "an escape has two digits")
        let byte = UInt8(String(decoding: path[(at + 1)...(at + 2)], as: UTF8.self), radix: 16)
        guard let byte else { finding("an escape has two hexadecimal digits") }
        decoded.append(byte)
        at += 3
    }
    return decoded
}

/// The head written again from what was read gives the same reading.
func checkCanonical(_ read: RequestReading) {
    var text = Array("\(read.method.name) ".utf8) + read.target + Array(" HTTP/1.1\r\n".utf8)
    for field in read.fields { text += field.name + Array(": ".utf8) + field.value + Array("\r\n".utf8) }
    text += Array("\r\n".utf8)
    var again = RequestReading(text, FuzzInput.wideLimits, steps: [])
    again.length = read.length
    expect(again == read, "a head written again reads the same")
}

/// What goes upstream: all that may and nothing else, under a framing of our own.
func checkForwarded(_ bytes: [UInt8], _ slow: SlowHead, _ limits: HTTPLimits) {
    var parser = RequestHeadParser()
    var head = RequestHead()
    _ = parser.feed(bytes.span, limits: limits, into: &head)
    var buffer = ByteBuffer(capacity: 16)
    buffer.appendForwardedFields(of: head, from: bytes.span)
    let written = copy(buffer)
    let named = Set(slow.words("connection"))
    let expected = slow.fields.filter { !SlowNames.notForUpstream.contains($0.folded) && !named.contains($0.key) }
    expect(SlowHead.fields(written) == expected, "forwarded is what may be, in order")
    let start = Array("POST / HTTP/1.1\r\nHost: upstream\r\n".utf8)
    let message = start + written + Array("Content-Length: 3\r\n\r\n".utf8)
    let upstream = RequestReading(message, FuzzInput.wideLimits, steps: [])
    expect(upstream.progress == .complete && upstream.framing == .length(3), "what goes upstream has one framing")
    expect(upstream.fields.count == expected.count + 2 && upstream.length == message.count, "and no other field")
}
