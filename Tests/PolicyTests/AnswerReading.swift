// How the tests read the gateway's own answers: with the same parsers that read an upstream's.
// Relies on ResponseHeadParser and JSONScanner. Refuses an answer with bytes behind its length.

import HTTP
import Policy

/// What a whole answer says.
struct OwnAnswer {
    var status = 0
    var reason = ""
    var keepAlive = true
    var fields: [String: String] = [:]
    var fieldCount = 0
    var contentLength: Int?
    var body: [UInt8] = []

    /// The members of the body, as JSON texts; nil where it is not one object that every reader reads alike.
    func members(_ pointers: [String]) -> [String?]? {
        var scanner = JSONScanner()
        let query = JSONQuery(pointers.map { JSONPointer($0)! })
        guard scanner.scan(body.span, query: query, maxDepth: 4) == nil else { return nil }
        return pointers.indices.map { index in
            let found = scanner.found(index)
            guard found.state == .present else { return nil }
            return String(decoding: body[found.value.range], as: UTF8.self)
        }
    }

    func member(_ pointer: String) -> String? { members([pointer])?[0] }
}

/// Writes a refusal and reads it back; nil where it is no answer to `method`.
func answer(
    _ refusal: Refusal, _ product: Product, close: Bool = false, to method: Method = .post
) -> OwnAnswer? {
    var out = ByteBuffer(capacity: 16)
    let id = Array("0123456789abcdef-7".utf8)
    refusal.write(to: &out, product: product, requestID: id.span, close: close, body: method != .head)
    var parser = ResponseHeadParser()
    var head = ResponseHead()
    guard parser.feed(out.bytes, to: method, limits: HTTPLimits(), into: &head) == .complete else { return nil }
    let all = out.bytes
    var bytes: [UInt8] = []
    for at in all.indices { bytes.append(all[at]) }
    func text(_ range: ByteRange) -> String { String(decoding: bytes[range.range], as: UTF8.self) }
    var read = OwnAnswer()
    read.status = head.status
    read.reason = text(head.reason)
    read.keepAlive = head.keepAlive
    read.contentLength = head.contentLength
    read.fieldCount = head.fields.count
    for field in head.fields.array { read.fields[text(field.name)] = text(field.value) }
    read.body = Array(bytes[head.length...])
    guard method == .head ? read.body.isEmpty : read.body.count == head.contentLength else { return nil }
    return read
}

/// Every refusal that there is, by name.
let allRefusals: [(name: String, refusal: Refusal)] =
    HTTPRefusal.allCases.map { ("http.\($0)", Refusal($0)) } + JSONProblem.allCases.map { ("json.\($0)", Refusal($0)) }
    + [
        ("noRoute", .noRoute), ("methodNotAllowed", .methodNotAllowed(MethodSet([.init(.get), .init(.post)]))),
        ("unsupportedMediaType", .unsupportedMediaType),
        ("unsupportedContentEncoding", .unsupportedContentEncoding), ("bodyMissing", .bodyMissing),
        ("fieldDiffers", .fieldDiffers), ("fieldHasNoParent", .fieldHasNoParent),
        ("apiKeyNotExpected", .apiKeyNotExpected), ("signedHeaderRepeated", .signedHeaderRepeated),
        ("bodyTimeout", .bodyTimeout), ("headTimeout", .headTimeout),
        ("draining", .draining), ("poolFull", .poolFull), ("connectTimeout", .connectTimeout),
        ("connectRefused", .connectRefused), ("nameUnknown", .nameUnknown),
        ("certificateRefused", .certificateRefused), ("tlsFailed", .tlsFailed), ("connectionLost", .connectionLost),
        ("writeTimeout", .writeTimeout), ("answerTimeout", .answerTimeout), ("answerUnusable", .answerUnusable),
        ("answerIncomplete", .answerIncomplete), ("stoppedAfterSending", .stoppedAfterSending),
        ("keyMissing", .keyMissing), ("keyMalformed", .keyMalformed), ("keyReused", .keyReused),
        ("keyInFlight", .keyInFlight), ("keyBusy", .keyBusy), ("keyUnknown", .keyUnknown),
        ("keyUnknownLater", .keyUnknown(againAfterMilliseconds: 1_001)), ("keyDone", .keyDone),
    ] + StoreFailure.allCases.map { ("store.\($0)", .storeFailed($0)) }
