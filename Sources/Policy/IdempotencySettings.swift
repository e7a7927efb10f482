// What the operator says of a route's idempotency: where the key is, what counts as the same request, and what becomes
// of a key whose outcome is not known. Config fills it; Exchange, Gateway and Store go by it.

package import HTTP

/// Where a caller puts its key.
package enum KeySource: Equatable, Sendable {
    /// A header field, by its name in lower case.
    case header(String)
    /// A string in the JSON body.
    case pointer(JSONPointer)
}

/// What is done with a repeat of a request whose outcome is unknown.
package enum OnUnknown: String, CaseIterable, Sendable {
    /// It is sent again with the same key: only where the upstream tells duplicates apart.
    case resend
    /// 409 until an operator has settled the key.
    case refuse
}

/// What is done with a request while the store cannot be asked.
package enum OnStoreFailure: String, CaseIterable, Sendable {
    /// 503, nothing sent.
    case refuse
    /// It is sent without protection against a repeat.
    case forward
}

/// What an answer that says "error" leaves behind: 5xx, or one that cannot be read.
package enum OnError: String, CaseIterable, Sendable {
    /// The outcome counts as unknown.
    case unknown
    /// The key is free again: only where such an error means that nothing was carried out.
    case free
    /// A whole 5xx answer is kept and replayed; one that cannot be read counts as unknown.
    case final
}

/// The key `idempotency` of a route.
package struct IdempotencySettings: Equatable, Sendable {
    /// Most places of a key.
    package static let maxKeys = 2
    /// Most volatile fields.
    package static let maxVolatile = 8
    /// Most codes that are not final.
    package static let maxCodes = 32

    /// 1 ... 2 places; the first that a request has counts.
    package var keys: [KeySource]
    /// A request without a key is refused with 400. Default true; otherwise it is sent unprotected.
    package var required = true
    /// 0 ... 8 fields of the body that may differ between repeats.
    package var volatile: [JSONPointer] = []
    package var onUnknown = OnUnknown.refuse
    /// How long after its loss a request is not sent again (`resend`), in milliseconds. Default 5 s, range 0 ... 1 h.
    /// Sooner: 409 with `Retry-After`.
    package var repeatAfterMilliseconds = 5_000
    /// How long an equal request waits for the first one's answer, in milliseconds. Default 30 s, range 0 ... 10 min.
    /// Beyond: 409 with `Retry-After`.
    package var waitMilliseconds = 30_000
    package var onStoreFailure = OnStoreFailure.refuse
    package var onError = OnError.unknown
    /// Where the body of an answer has its code; nil where only the HTTP status counts.
    package var code: JSONPointer?
    /// Codes, as text, of answers that are not final (IngoPay's 104): the outcome stays unknown. With the ranges 0 ... 32.
    package var notFinal: [String] = []
    /// Ranges of such codes, of 0 ... 9 digits (IngoPay's 500 ... 599).
    package var notFinalRanges: [ClosedRange<Int>] = []

    /// Whether an answer with this code leaves the outcome unknown. The code is its text without quotes.
    package func isOpen(_ code: String) -> Bool {
        if notFinal.contains(code) { return true }
        guard code.utf8.count <= 9, let number = Int(code), String(number) == code else { return false }
        return notFinalRanges.contains { $0.contains(number) }
    }

    package init(keys: [KeySource]) { self.keys = keys }
}

/// Where keys and answers are kept.
package enum StoreKind: String, CaseIterable, Sendable {
    /// In the process: for tests, and where nothing must survive it.
    case memory
    /// In a file.
    case sqlite
}

/// Bounds of the store. What happens at each is said beside it.
package struct StoreLimits: Equatable, Sendable {
    /// How long a key with an outcome is kept, in milliseconds. Default 24 h, range 1 min ... 400 days. Beyond: it is
    /// forgotten, and a repeat is a new request.
    package var retentionMilliseconds: Int64 = 86_400_000
    /// How long a key of unknown outcome is kept. Default 30 days, range 1 min ... 400 days. Beyond: as above.
    package var unknownRetentionMilliseconds: Int64 = 30 * 86_400_000
    /// Keys that are kept. Default 5,000,000, range 1 ... 1,000,000,000. Beyond: new keys are refused with 503; none is
    /// forgotten before its time.
    package var maxKeys = 5_000_000
    /// Bytes of the file without its journal. Default 4 GiB, range 1 MiB ... 1 TiB. Beyond: as for a full disk.
    package var maxSize = 4 << 30
    /// Bytes of an answer, fields and body, that is kept. Default 256 KiB, range 0 ... 16 MiB. Beyond: the key is
    /// marked as done, and a repeat gets 409.
    package var maxAnswer = 256 << 10
    /// Equal requests that wait for one answer, and those for all answers together. Default 10,000, range 0 ...
    /// 1,000,000. Beyond: 409 with `Retry-After`.
    package var maxWaiting = 10_000
    /// Questions that wait for the store. Default 65,536, range 1 ... 1,000,000. Beyond: as for a store that fails.
    package var maxQuestions = 65_536
    /// How long an answer of the store is waited for, in milliseconds. Default 5 s, range 10 ms ... 60 s. Beyond: as
    /// for a store that fails.
    package var timeoutMilliseconds = 5_000

    package init() {}
}
