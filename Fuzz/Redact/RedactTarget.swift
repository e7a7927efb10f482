// Fuzz target: the redactor. Whatever comes in, what goes out is one JSON text in one line of ASCII within its bound,
// it holds no run of eight digits, and it is the same however the body is cut; the same of the ids that a log line has.
// Relies on JSONStream for what JSON is, which tests hold against the scanner. Refuses nothing.

import FuzzHarness
import HTTP
import Policy

private let rules = RedactionPreset.allCases.map {
    RedactionRules(
        $0,
        RedactionSettings(
            show: ["a", "message", "/data/x", "/a/b"].compactMap { RedactedField($0) },
            hide: ["b", "/data/y"].compactMap { RedactedField($0) }))
}

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    let own = rules[Int(input.variant) % rules.count]
    let direction: BodyDirection = input.options & 1 == 0 ? .answer : .request
    let limit = [4_096, 512, 600, 1_000][Int(input.options >> 1 & 3)]
    let whole = redact(input.bytes, [], own, direction, limit)
    expect(whole == redact(input.bytes, input.cuts, own, direction, limit), "cuts do not matter")
    expect(whole.count <= limit, "the output is bounded")
    expect(whole.allSatisfy { (0x20..<0x7F).contains($0) }, "the output is a line of ASCII")
    // The nesting of three texts may add up to more than one may have.
    var stream = JSONStream()
    var at = 0
    while stream.next(in: whole.span, at: &at) != nil {}
    _ = stream.finish()
    expect(stream.ending == .whole || stream.ending == .tooDeep, "the output is JSON")
    expectNoLongNumber(whole)
    expectSafeIDs(input, direction)
}

private func expectNoLongNumber(_ text: [UInt8]) {
    var run = 0
    for byte in text {
        run = byte &- UInt8(ascii: "0") < 10 ? run + 1 : 0
        expect(run < 8, "no account number gets out")
    }
}

private let ids = RedactionPreset.allCases.map {
    let own = ["/a", "/a/b", "/message", "/data/x"].compactMap { JSONPointer($0) }
    return CorrelationIDs($0, own: own, RedactionRules($0), isHashed: false)
}

/// The fields that a line has of a body: whatever comes in, they are members of an object, and the same at all cuts.
private func expectSafeIDs(_ input: FuzzInput, _ direction: BodyDirection) {
    guard let own = ids[Int(input.variant) % ids.count] else { return }
    let whole = members(input.bytes, [], own, direction)
    expect(whole == members(input.bytes, input.cuts, own, direction), "cuts do not matter")
    expect(whole.allSatisfy { (0x20..<0x7F).contains($0) }, "fields are a line of ASCII")
    expectNoLongNumber(whole)
    var stream = JSONStream()
    var at = 0
    let object = Array("{\"time\":0".utf8) + whole + [UInt8(ascii: "}")]
    while stream.next(in: object.span, at: &at) != nil {}
    _ = stream.finish()
    expect(stream.ending == .whole, "the line is JSON")
}

private func members(
    _ body: [UInt8], _ cuts: [Int], _ ids: CorrelationIDs, _ direction: BodyDirection
) -> [UInt8] {
    var reading = JSONStreamQuery()
    var start = 0
    for cut in cuts + [body.count] {
        reading.read(body.span.extracting(start..<cut), ids.query)
        start = cut
    }
    var output = ByteBuffer(capacity: 64)
    if reading.finish() == .whole { ids.append(reading, direction, to: &output) { UInt64($0.count) } }
    return copy(output)
}

private func redact(
    _ body: [UInt8], _ cuts: [Int], _ rules: RedactionRules, _ direction: BodyDirection, _ limit: Int
) -> [UInt8] {
    var redactor = Redactor(rules, limit: limit)
    redactor.begin(rules, direction)
    var start = 0
    for cut in cuts + [body.count] {
        redactor.update(body.span.extracting(start..<cut))
        start = cut
    }
    var output = ByteBuffer(capacity: 64)
    redactor.finish(to: &output)
    return copy(output)
}
