// What a credential says of bodies: where the program's API key goes, which product fields are set, what a caller must
// not send. The gateway and `explain` share it, so that what is shown is what is sent.
// Relies on JSONScanner for where fields stand. Refuses what would leave the program's identity to a caller.

package import HTTP

/// The fields of a credential, compiled: found by one scan, carried out as edits.
///
/// A class, since every request uses it: a copy would count a reference to each array of it.
package final class BodyAdditions: Sendable {
    /// Why a body is not sent, and which pointer of `query` it is about.
    package struct Problem: Equatable, Sendable {
        package let reason: Reason
        package let pointer: Int
    }

    package enum Reason: Error, Equatable, Sendable {
        /// The body names an API key and the credential has none: a caller's own must not pass.
        case apiKeyNotExpected
        /// A field that the credential sets has another value.
        case fieldDiffers
        /// The object that would hold a field is absent, or is not an object.
        case fieldHasNoParent
    }

    private enum Rule: Sendable {
        /// The program's own key: a caller's is replaced. `inserts`: it is put where it is absent, too.
        case apiKey(inserts: Bool)
        case forbidden
        /// Put where it is absent, refused where it differs.
        case fixed
    }

    private struct Field: Sendable {
        let rule: Rule
        /// JSON text of the value; nil for `forbidden`.
        let json: SecretBytes?
    }

    private enum Edit { case leave, insert, replace }

    /// What to look for in a body.
    package let query: JSONQuery
    private let fields: [Field]
    /// Something is put into a body that lacks it, so a call without a body cannot be sent, and the digest cannot be
    /// begun before the body is whole.
    package let alwaysInserts: Bool
    /// The API key as a JSON string; nil where the credential has none.
    private let quotedKey: SecretBytes?
    /// The values of the credential's fields, as JSON.
    private let fixed: [SecretBytes]

    /// The places where an API key is known to stand: Banking's, and IngoPay's when it is used with Banking.
    private static let topLevel = pointer("/api_key")
    private static let inLedger = pointer("/ledger/api_key")
    private static let mask: StaticString = "\"***\""

    /// The places where an API key is known to stand, whatever the credential says.
    package static var apiKeyPlaces: [JSONPointer] { [topLevel, inLedger] }

    /// `lookedFor`: pointers that `query` has behind the credential's own, for others to look at. `sharing`: those of
    /// the same credential, whose copies of the API key and of values are used: one for all routes and workers.
    package init(
        _ credential: CredentialSettings, lookedFor: [JSONPointer] = [], sharing other: BodyAdditions? = nil
    ) {
        quotedKey =
            other?.quotedKey.map { SecretBytes(sharing: $0) } ?? credential.apiKey.map { Self.quoted($0.value) }
        fixed =
            other?.fixed.map { SecretBytes(sharing: $0) }
            ?? credential.fields.map { SecretBytes(copying: $0.json.span) }
        let keys = Self.apiKeyFields(credential, quotedKey)
        let others = zip(credential.fields, fixed).map { ($0.pointer, Field(rule: .fixed, json: $1)) }
        let all = keys + others
        query = JSONQuery(all.map(\.0) + lookedFor)
        fields = all.map(\.1)
        alwaysInserts = fields.contains {
            switch $0.rule {
            case .apiKey(let inserts): inserts
            case .fixed: true
            case .forbidden: false
            }
        }
    }

    /// Validates `body` and finds the fields of `query` in it.
    package func scan(_ body: Span<UInt8>, with scanner: inout JSONScanner, maxDepth: Int) -> JSONFailure? {
        scanner.scan(body, query: query, maxDepth: maxDepth)
    }

    /// Collects the edits that `body` needs; `scanner` has just scanned it with `query`. With `masked` an API key is
    /// shown as `***`. A problem means that nothing is to be sent.
    package func collect(
        _ scanner: borrowing JSONScanner, of body: Span<UInt8>, masked: Bool = false, into edits: inout JSONEdits
    ) -> Problem? {
        for index in fields.indices {
            let found = scanner.found(index)
            let edit: Edit
            do throws(Reason) {
                edit = try decide(fields[index], found, body)
            } catch {
                return Problem(reason: error, pointer: index)
            }
            guard edit != .leave, let json = fields[index].json else { continue }
            if masked, case .apiKey = fields[index].rule {
                var text = ByteBuffer(capacity: 8)
                text.append(Self.mask)
                apply(edit, index, found, text.bytes, &edits)
            } else {
                apply(edit, index, found, json.bytes, &edits)
            }
        }
        return nil
    }

    /// The pointers of the fields that `collect` would put in or replace, for showing.
    package func editedPointers(_ scanner: borrowing JSONScanner, of body: Span<UInt8>) -> [String] {
        var edited: [String] = []
        for index in fields.indices {
            if let edit = try? decide(fields[index], scanner.found(index), body), edit != .leave {
                edited.append(query.pointers[index].text)
            }
        }
        return edited
    }

    private func apply(
        _ edit: Edit, _ index: Int, _ found: JSONFound, _ value: Span<UInt8>, _ edits: inout JSONEdits
    ) {
        switch edit {
        case .leave: break
        case .insert: edits.insert(index, of: query, value: value, at: found)
        case .replace: edits.replace(found, with: value)
        }
    }

    private func decide(_ field: Field, _ found: JSONFound, _ body: Span<UInt8>) throws(Reason) -> Edit {
        switch (field.rule, found.state) {
        case (.apiKey, .present): return .replace
        case (.apiKey(let inserts), .absent): return inserts ? .insert : .leave
        case (.apiKey, .parentAbsent): return .leave
        case (.apiKey(let inserts), .parentNotObject):
            if inserts { throw .fieldHasNoParent }
            return .leave
        case (.forbidden, .present): throw .apiKeyNotExpected
        case (.forbidden, .absent), (.forbidden, .parentAbsent), (.forbidden, .parentNotObject): return .leave
        case (.fixed, .present):
            if let json = field.json, jsonValuesEqual(body.slice(found.value), json.bytes) { return .leave }
            throw .fieldDiffers
        case (.fixed, .absent): return .insert
        case (.fixed, .parentAbsent), (.fixed, .parentNotObject): throw .fieldHasNoParent
        }
    }

    /// A caller's key is replaced in each known place; it is inserted only where the credential says.
    private static func apiKeyFields(
        _ credential: CredentialSettings, _ json: SecretBytes?
    ) -> [(JSONPointer, Field)] {
        var places = [topLevel, inLedger].filter { place in
            !credential.fields.contains { overlap($0.pointer, place) }
        }
        guard let settings = credential.apiKey else {
            return places.map { ($0, Field(rule: .forbidden, json: nil)) }
        }
        let own: JSONPointer?
        switch settings.place {
        case .header: own = nil
        case .body, .both: own = topLevel
        case .pointer(let pointer): own = pointer
        }
        if let own {
            places.removeAll { overlap($0, own) }
            places.append(own)
        }
        return places.map { ($0, Field(rule: .apiKey(inserts: $0 == own), json: json)) }
    }

    /// The API key as a JSON string; the copy on the way is wiped by its buffer.
    private static func quoted(_ key: SecretBytes) -> SecretBytes {
        var text = ByteBuffer(capacity: 2 * key.count + 2)
        do {
            try text.appendJSONString(key.bytes)
        } catch {
            preconditionFailure("Config takes only API keys of visible ASCII")
        }
        return SecretBytes(copying: text.bytes)
    }

    private static func pointer(_ text: String) -> JSONPointer {
        guard let pointer = JSONPointer(text) else { preconditionFailure("a pointer of our own is well-formed") }
        return pointer
    }

    private static func overlap(_ a: JSONPointer, _ b: JSONPointer) -> Bool {
        a == b || a.isAncestor(of: b) || b.isAncestor(of: a)
    }
}
