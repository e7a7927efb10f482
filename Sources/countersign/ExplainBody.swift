// The body as the gateway would send it: what the credential puts into it, and what it refuses in it.
// Relies on the same BodyAdditions as the gateway. Refuses what the gateway refuses, with its reason; an API key is
// shown as *** only.

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

    init(_ body: [UInt8], _ credential: CredentialSettings, maxDepth: Int) throws(Refusal) {
        sent = body
        shown = body
        let additions = BodyAdditions(credential)
        guard !body.isEmpty else {
            if additions.alwaysInserts {
                throw Refusal(reason: "the credential puts fields into the body, and there is none")
            }
            return
        }
        var scanner = JSONScanner()
        if let failure = scanner.scan(body.span, query: additions.query, maxDepth: maxDepth) {
            throw Refusal(reason: "the body is refused at byte \(failure.offset): \(failure.problem.explanation)")
        }
        sent = try Self.apply(additions, scanner, body, masked: false)
        shown = try Self.apply(additions, scanner, body, masked: true)
        edited = additions.editedPointers(scanner, of: body.span)
    }

    private static func apply(
        _ additions: BodyAdditions, _ scanner: borrowing JSONScanner, _ body: [UInt8], masked: Bool
    ) throws(Refusal) -> [UInt8] {
        var edits = JSONEdits()
        if let problem = additions.collect(scanner, of: body.span, masked: masked, into: &edits) {
            throw Refusal(reason: reason(problem.reason, additions.query.pointers[problem.pointer].text))
        }
        var buffer = ByteBuffer(capacity: body.count + 1_024)
        buffer.append(body.span)
        edits.apply(to: &buffer)
        return array(buffer.bytes)
    }

    private static func reason(_ reason: BodyAdditions.Reason, _ name: String) -> String {
        switch reason {
        case .apiKeyNotExpected: "\(name) is in the body and the credential has no API key"
        case .fieldDiffers: "\(name) in the body differs from the credential's value"
        case .fieldHasNoParent: "the parent of \(name) is not an object of the body"
        }
    }
}
