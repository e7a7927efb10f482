// The idempotency of one route in the form in which the request path uses it: places of the key as bytes and indexes,
// fields that do not count as a compiled query.

internal import HTTP
internal import Policy
internal import Signing

/// One route's idempotency. Immutable.
final class ServedIdempotency: Sendable {
    enum Place: Sendable {
        /// A header field: its name in lower case.
        case header([UInt8])
        /// Index of the field in the query of the route's additions.
        case field(Int)
    }

    let settings: IdempotencySettings
    let places: [Place]
    /// Fields of a body that do not make it another request: the volatile ones, and the API keys, which are not the
    /// caller's to choose.
    let leftOut: JSONQuery
    /// What an answer's body is asked for; empty where only the status counts.
    let code: JSONQuery

    /// `additions` look for the pointers of `settings.keys` behind their own.
    init(_ settings: IdempotencySettings, _ additions: BodyAdditions) {
        self.settings = settings
        var next = additions.query.pointers.count - Self.pointers(settings).count
        places = settings.keys.map { source in
            switch source {
            case .header(let name): return .header(Array(name.utf8))
            case .pointer:
                next += 1
                return .field(next - 1)
            }
        }
        let keys = BodyAdditions.apiKeyPlaces.filter { key in
            !settings.volatile.contains { $0 == key || $0.isAncestor(of: key) }
        }
        leftOut = JSONQuery(settings.volatile + keys)
        let looksAtCode = !(settings.notFinal.isEmpty && settings.notFinalRanges.isEmpty)
        code = JSONQuery(looksAtCode ? [settings.code].compactMap { $0 } : [])
    }

    /// The places of the key in the body.
    static func pointers(_ settings: IdempotencySettings) -> [JSONPointer] {
        settings.keys.compactMap { source in
            switch source {
            case .header: nil
            case .pointer(let pointer): pointer
            }
        }
    }
}
