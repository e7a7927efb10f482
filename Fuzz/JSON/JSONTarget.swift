// Fuzz target: the JSON scanner. It takes what a slow reader takes and refuses the rest, and finds the fields where the
// slow reader has them; what was scanned before leaves no trace. Relies on SlowJSON.

import FuzzHarness
import HTTP

private let query = JSONQuery(
    [
        "/api_key", "/ledger/api_key", "/ledger", "/participant_id", "/a", "/a/b", "/a/b/c", "/a/b/d/e", "/\u{e9}",
        "/q\"\\", "/~0~1", "/\u{1F600}/x", "/transaction/participant_unique_ids/participant_unique_id1",
    ].compactMap { JSONPointer($0) })

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    let body = input.bytes
    let maxDepth = [64, 1, 2, 4][Int(input.options & 3)]
    var random = FixedNumbers(state: UInt64(input.variant))
    var scanner = JSONScanner(seededBy: &random)
    // A scan of something else first, broken off within arrays and objects.
    _ = scanner.scan(body.span.extracting(0..<input.cuts[0]), query: query, maxDepth: maxDepth)
    let failure = scanner.scan(body.span, query: query, maxDepth: maxDepth)
    var fresh = JSONScanner()
    expect(failure == fresh.scan(body.span, query: query, maxDepth: maxDepth), "a scan leaves no trace")
    let slow = SlowJSON(body, maxDepth: maxDepth)
    expect((failure == nil) == (slow != nil), "the verdict of a slow reader")
    if let failure {
        expect((0...body.count).contains(failure.offset), "a failure lies within the body")
        return
    }
    guard let slow else { return }
    for (index, pointer) in query.pointers.enumerated() {
        let found = scanner.found(index)
        expect(found == fresh.found(index), "the seed of the hash does not matter")
        expect(found == expected(slow, pointer.names), "found where a slow reader finds it")
        guard found.state == .present else { continue }
        let value = Array(body[found.value.range])
        expect(jsonValuesEqual(value.span, value.span), "a value equals itself")
        if found.kind == .string { checkString(slow.at(pointer.names), value) }
    }
}

/// A string written afresh means the same and can be read.
private func checkString(_ slow: SlowJSON?, _ text: [UInt8]) {
    guard case .string(let meaning)? = slow?.content else { finding("a string is a string") }
    guard let written = jsonString(from: meaning.span) else { finding("a string can be written") }
    expect(jsonValuesEqual(written.span, text.span), "a string written afresh means the same")
    let other = jsonString(from: (meaning + [UInt8(ascii: "x")]).span) ?? []
    expect(!jsonValuesEqual(other.span, text.span), "another string does not")
}

/// What the scanner is to say of a field, from the tree.
private func expected(_ root: SlowJSON, _ names: [[UInt8]]) -> JSONFound {
    var parent = root
    for name in names.dropLast() {
        guard let members = parent.members else { return JSONFound(state: .parentNotObject) }
        guard let next = members.first(where: { $0.name == name }) else { return JSONFound(state: .parentAbsent) }
        parent = next.value
    }
    guard let members = parent.members else { return JSONFound(state: .parentNotObject) }
    var found = JSONFound(
        state: .absent, parentIsEmpty: members.isEmpty, insertAt: parent.range.lowerBound + 1)
    guard let value = members.first(where: { $0.name == names[names.count - 1] })?.value else { return found }
    found.state = .present
    found.value = ByteRange(value.range.lowerBound, value.range.upperBound)
    found.kind = kind(value)
    return found
}

private func kind(_ value: SlowJSON) -> JSONFound.Kind {
    switch value.content {
    case .object: .object
    case .array: .array
    case .string: .string
    case .word(let text):
        switch text.first {
        case UInt8(ascii: "t"): .true
        case UInt8(ascii: "f"): .false
        case UInt8(ascii: "n"): .null
        case .some, .none: .number
        }
    }
}

/// Numbers that are the same in every run, for the seed of the hash.
private struct FixedNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}
