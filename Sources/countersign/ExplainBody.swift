// The body as the gateway would send it: what the credential puts into it, and what it refuses in it.
// Relies on HTTP's scanner and edits, and follows the rules of the gateway's draft. Refuses what the gateway
// refuses, with its reason; an API key is shown as *** only.

internal import HTTP
internal import Signing

/// A body before and after the credential's fields.
struct ExplainedBody {
    /// Why the gateway would not send it; one sentence.
    struct Refusal: Error {
        var reason: String
    }

    /// The bytes that are digested and sent.
    private(set) var sent: [UInt8]
    /// The same with API keys masked, for showing.
    private(set) var shown: [UInt8]
    /// The pointers of fields that were put in or replaced.
    private(set) var edited: [String] = []

    private enum Rule {
        case apiKey(isInserted: Bool)
        case forbidden
        case fixed
    }

    private struct Field {
        var pointer: JSONPointer
        var rule: Rule
        var json: [UInt8]
    }

    init(_ body: [UInt8], _ credential: CredentialSettings, maxDepth: Int) throws(Refusal) {
        sent = body
        shown = body
        let fields = Self.fields(credential)
        guard !body.isEmpty else {
            let needsBody = fields.contains {
                switch $0.rule {
                case .apiKey(let isInserted): isInserted
                case .fixed: true
                case .forbidden: false
                }
            }
            if needsBody { throw Refusal(reason: "the credential puts fields into the body, and there is none") }
            return
        }
        var scanner = JSONScanner()
        let query = JSONQuery(fields.map(\.pointer))
        if let failure = scanner.scan(body.span, query: query, maxDepth: maxDepth) {
            throw Refusal(reason: "the body is refused at byte \(failure.offset): \(failure.problem.explanation)")
        }
        let mask = Array("\"***\"".utf8)
        var edits = JSONEdits()
        var masked = JSONEdits()
        for (index, field) in fields.enumerated() {
            let found = scanner.found(index)
            let isKey = if case .apiKey = field.rule { true } else { false }
            switch try Self.plan(field, found, body) {
            case .leave: continue
            case .insert:
                edits.insert(index, of: query, value: field.json.span, at: found)
                masked.insert(index, of: query, value: isKey ? mask.span : field.json.span, at: found)
            case .replace:
                edits.replace(found, with: field.json.span)
                masked.replace(found, with: isKey ? mask.span : field.json.span)
            }
            edited.append(field.pointer.text)
        }
        sent = Self.apply(&edits, to: body)
        shown = Self.apply(&masked, to: body)
    }

    private enum Edit { case leave, insert, replace }

    private static func plan(_ field: Field, _ found: JSONFound, _ body: [UInt8]) throws(Refusal) -> Edit {
        let name = field.pointer.text
        switch (field.rule, found.state) {
        case (.apiKey, .present): return .replace
        case (.apiKey(let isInserted), .absent): return isInserted ? .insert : .leave
        case (.apiKey, .parentAbsent): return .leave
        case (.apiKey(let isInserted), .parentNotObject):
            if isInserted { throw Refusal(reason: "the parent of \(name) is not an object") }
            return .leave
        case (.forbidden, .present): throw Refusal(reason: "\(name) is in the body and the credential has no API key")
        case (.forbidden, .absent), (.forbidden, .parentAbsent), (.forbidden, .parentNotObject): return .leave
        case (.fixed, .present):
            let value = body.span.extracting(found.value.range)
            if jsonValuesEqual(value, field.json.span) { return .leave }
            throw Refusal(reason: "\(name) in the body differs from the credential's value")
        case (.fixed, .absent): return .insert
        case (.fixed, .parentAbsent), (.fixed, .parentNotObject):
            throw Refusal(reason: "the parent of \(name) is not an object of the body")
        }
    }

    private static func apply(_ edits: inout JSONEdits, to body: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer(capacity: body.count + 1_024)
        buffer.append(body.span)
        edits.apply(to: &buffer)
        return array(buffer.bytes)
    }

    /// The fields that the gateway looks for: where an API key is known to stand, the credential's own, its others.
    private static func fields(_ credential: CredentialSettings) -> [Field] {
        var places = [JSONPointer("/api_key"), JSONPointer("/ledger/api_key")].compactMap { $0 }
        let others = credential.fields.map { Field(pointer: $0.pointer, rule: .fixed, json: $0.json) }
        guard let apiKey = credential.apiKey else {
            return places.map { Field(pointer: $0, rule: .forbidden, json: []) } + others
        }
        let own: JSONPointer? =
            switch apiKey.place {
            case .header: nil
            case .body, .both: places[0]
            case .pointer(let pointer): pointer
            }
        if let own, !places.contains(own) { places.append(own) }
        let json = jsonString(from: apiKey.value.bytes) ?? []
        return places.map { Field(pointer: $0, rule: .apiKey(isInserted: $0 == own), json: json) } + others
    }
}
