// Fuzz target: writing fields into a JSON body. Every byte that is not written stays, every field that is written is
// found, and what a credential says of bodies holds for every body. Relies on SlowJSON.

import FuzzHarness
import HTTP

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    if input.options & 1 == 0 { checkEdits(input) } else { checkAdditions(input) }
}

private let query = JSONQuery(
    ["/api_key", "/ledger/api_key", "/ledger/id", "/participant_id", "/a/b/c", "/a/b/d", "/\u{e9}", "/q\"\\"]
        .compactMap { JSONPointer($0) })
private let values = ["12345", "\"x\"", "\"\\u00e9\"", "null", "-1.5e+3", "\"\"", "{\"a\":[]}", "true"]
    .map { Array($0.utf8) }

/// One field that is to be written, and how.
private struct Wanted {
    let index: Int
    let found: JSONFound
    let value: [UInt8]

    /// The member as it is inserted.
    var text: [UInt8] {
        let names = query.pointers[index].names
        let last = names[names.count - 1]
        return (jsonString(from: last.span) ?? []) + [UInt8(ascii: ":")] + value
    }
}

/// The fields that the bits of `variant` name, in the query's order or against it.
private func checkEdits(_ input: FuzzInput) {
    let body = input.bytes
    var scanner = JSONScanner()
    guard scanner.scan(body.span, query: query, maxDepth: 64) == nil else { return }
    var wanted: [Wanted] = []
    for index in query.pointers.indices where input.variant >> UInt8(index) & 1 == 1 {
        let found = scanner.found(index)
        let value = values[(index + Int(input.options >> 2)) % values.count]
        if found.state == .present || found.state == .absent {
            wanted.append(Wanted(index: index, found: found, value: value))
        }
    }
    if input.options & 2 != 0 { wanted.reverse() }
    var edits = JSONEdits()
    for field in wanted {
        if field.found.state == .present {
            edits.replace(field.found, with: field.value.span)
        } else {
            edits.insert(field.index, of: query, value: field.value.span, at: field.found)
        }
    }
    expect(edits.isEmpty == wanted.isEmpty, "edits are collected")
    var buffer = ByteBuffer(capacity: body.count + 1)
    buffer.append(body.span)
    edits.apply(to: &buffer)
    let result = copy(buffer)
    expect(edits.isEmpty, "edits are forgotten when they are done")
    expect(result == spliced(body, wanted), "every other byte stays")
    checkFound(result, wanted, &scanner)
    if wanted.count == 1 { checkSingle(body, wanted[0], result) }
}

/// The body with the fields written by the plainest means.
private func spliced(_ body: [UInt8], _ wanted: [Wanted]) -> [UInt8] {
    var result: [UInt8] = []
    for at in 0...body.count {
        let inserts = wanted.filter { $0.found.state == .absent && $0.found.insertAt == at }
        for (place, field) in inserts.enumerated() {
            let isLast = place == inserts.count - 1
            result += field.text + (isLast && field.found.parentIsEmpty ? [] : [UInt8(ascii: ",")])
        }
        guard at < body.count else { break }
        let over = wanted.first { $0.found.state == .present && $0.found.value.range.contains(at) }
        if let over, Int(over.found.value.start) == at { result += over.value }
        if over == nil { result.append(body[at]) }
    }
    return result
}

private func checkFound(_ result: [UInt8], _ wanted: [Wanted], _ scanner: inout JSONScanner) {
    let failure = scanner.scan(result.span, query: query, maxDepth: 65)
    expect(failure == nil && SlowJSON(result, maxDepth: 65) != nil, "what was written into is still JSON")
    for field in wanted {
        let found = scanner.found(field.index)
        expect(found.state == .present, "what was written is found")
        expect(Array(result[found.value.range]) == field.value, "with the value that was written")
    }
}

/// The doors for one field do what the list does.
private func checkSingle(_ body: [UInt8], _ field: Wanted, _ result: [UInt8]) {
    var buffer = ByteBuffer(capacity: 1)
    buffer.append(body.span)
    if field.found.state == .present {
        buffer.replaceValue(field.found, with: field.value.span)
    } else {
        let name = Array(field.text.dropLast(field.value.count + 1))
        buffer.insertField(name: name.span, value: field.value.span, at: field.found)
    }
    expect(copy(buffer) == result, "one field is written as the list writes it")
}
