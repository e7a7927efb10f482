// What a credential says of bodies, for every body: no API key but the program's own goes out, every product field has
// the credential's value, and a second time changes nothing. Relies on SlowJSON for the verdict.

import FuzzHarness
import HTTP
import Signing

/// One credential and what it means, said again for the slow verdict.
private struct Case {
    let additions: BodyAdditions
    /// Where a key is inserted; nil: nowhere.
    let own: [String]?
    let hasKey: Bool
    let fixed: [([String], [UInt8])]

    init(_ place: APIKeyPlace?, own: [String]?, fixed: [(String, String)]) {
        let settings = fixed.compactMap { pointer, json in
            JSONPointer(pointer).map { FieldSettings(pointer: $0, json: Array(json.utf8)) }
        }
        let key = place.map { APIKeySettings(value: secret("own-\"key\\"), place: $0) }
        additions = BodyAdditions(
            CredentialSettings(
                name: "c", username: "u", secret: secret("0123456789abcdef"), apiKey: key, fields: settings))
        self.own = own
        hasKey = place != nil
        self.fixed = fixed.map { ($0.split(separator: "/").map(String.init), Array($1.utf8)) }
    }
}

private func secret(_ text: String) -> SecretBytes { SecretBytes(copying: Array(text.utf8).span) }

private let key = Array("\"own-\\\"key\\\\\"".utf8)

private let cases: [Case] = [
    Case(nil, own: nil, fixed: []),
    Case(.header, own: nil, fixed: [("/participant_id", "12345")]),
    Case(.body, own: ["api_key"], fixed: [("/a/b/c", "\"x\""), ("/participant_id", "0")]),
    Case(.both, own: ["api_key"], fixed: []),
    Case(
        JSONPointer("/ledger/api_key").map { .pointer($0) }, own: ["ledger", "api_key"], fixed: [("/ledger/id", "1")]),
    Case(JSONPointer("/a/b/c").map { .pointer($0) }, own: ["a", "b", "c"], fixed: [("/a/b/d", "null")]),
]

func checkAdditions(_ input: FuzzInput) {
    let body = input.bytes
    let rules = cases[Int(input.variant) % cases.count]
    var scanner = JSONScanner()
    guard scanner.scan(body.span, query: rules.additions.query, maxDepth: 64) == nil else { return }
    guard let slow = SlowJSON(body, maxDepth: 64) else { finding("the verdict of a slow reader") }
    var edits = JSONEdits()
    let problem = rules.additions.collect(scanner, of: body.span, into: &edits)
    expect(problem?.reason == reason(slow, rules), "refused where the credential says so")
    guard problem == nil else { return }
    var buffer = ByteBuffer(capacity: 8)
    buffer.append(body.span)
    edits.apply(to: &buffer)
    let result = copy(buffer)
    guard let after = SlowJSON(result, maxDepth: 65) else { finding("what goes out is JSON") }
    checkFields(after, result, rules)
    expect(scanner.scan(result.span, query: rules.additions.query, maxDepth: 65) == nil, "what goes out is read again")
    expect(rules.additions.collect(scanner, of: result.span, into: &edits) == nil, "what goes out is accepted again")
    edits.apply(to: &buffer)
    expect(copy(buffer) == result, "a second time changes nothing")
}

private func at(_ value: SlowJSON, _ path: [String]) -> SlowJSON? { value.at(path.map { Array($0.utf8) }) }

/// Why a body is refused, in the order in which the credential's places are looked at: keys, then fields.
private func reason(_ body: SlowJSON, _ rules: Case) -> BodyAdditions.Reason? {
    let places = [["api_key"], ["ledger", "api_key"]]
    if !rules.hasKey, places.contains(where: { at(body, $0) != nil }) { return .apiKeyNotExpected }
    if let own = rules.own, isBlocked(body, own) { return .fieldHasNoParent }
    for (path, json) in rules.fixed {
        guard at(body, path.dropLast())?.members != nil else { return .fieldHasNoParent }
        if let value = at(body, path), !isSame(value, json) { return .fieldDiffers }
    }
    return nil
}

/// Whether something on the way is there and not an object.
private func isBlocked(_ body: SlowJSON, _ path: [String]) -> Bool {
    (0..<path.count).contains { count in
        if let value = at(body, Array(path.prefix(count))) { return value.members == nil }
        return false
    }
}

private func isSame(_ value: SlowJSON, _ json: [UInt8]) -> Bool {
    guard
        let other = SlowJSON(Array("{\"v\":".utf8) + json + [UInt8(ascii: "}")], maxDepth: 1).flatMap({ at($0, ["v"]) })
    else { return false }
    let zero = [SlowJSON.Content.word([0x30]), .word([0x2D, 0x30])]
    if zero.contains(other.content) { return zero.contains(value.content) }
    return value.meaning == other.meaning
}

private func checkFields(_ after: SlowJSON, _ result: [UInt8], _ rules: Case) {
    for place in [["api_key"], ["ledger", "api_key"]] {
        guard let value = at(after, place) else { continue }
        expect(rules.hasKey && Array(result[value.range]) == key, "no API key but our own goes out")
    }
    if let own = rules.own, at(after, own.dropLast())?.members != nil {
        expect(at(after, own).map { Array(result[$0.range]) } == key, "our own API key goes out")
    }
    for (path, json) in rules.fixed {
        expect(at(after, path).map { isSame($0, json) } == true, "a product field has the credential's value")
    }
}
