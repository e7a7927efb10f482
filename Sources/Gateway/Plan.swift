// The settings in the form in which the request path uses them: bytes in place of text, indexes in place of names.
// Made once, read by all workers.

internal import Config
internal import HTTP
internal import Policy
internal import Signing

/// What is done with one field of a body that the credential speaks of.
struct BodyField: Sendable {
    enum Rule: Sendable {
        /// The program's own API key: a caller's is replaced. `insert` says whether it is put where it is absent.
        case apiKey(insert: Bool)
        /// The credential has no API key: a caller's own must not pass.
        case forbidden
        /// A product field: inserted where absent, refused where it differs.
        case fixed
    }

    let rule: Rule
    /// JSON text of the value; empty for `forbidden`.
    let json: [UInt8]
}

/// One route with everything of its upstream and credential that a request needs.
struct RoutePlan: Sendable {
    let settings: RouteSettings
    let authority: [UInt8]
    let basePath: [UInt8]
    let stripPrefix: [UInt8]
    let query: JSONQuery
    /// One for each pointer of `query`.
    let fields: [BodyField]
    /// A field is put into every body: without one nothing can be sent, and the digest waits for the splice.
    let alwaysInserts: Bool
    let timeouts: UpstreamTimeouts
}

/// The whole configuration, compiled.
final class Plan: Sendable {
    let settings: Settings
    let table: RouteTable
    let routes: [RoutePlan]
    /// The form of answers before a route is known: the product of all routes where they agree.
    let fallbackProduct: Product

    init(_ settings: Settings) {
        self.settings = settings
        table = RouteTable(settings.routes)
        routes = settings.routes.map { Self.plan($0, settings) }
        let products = settings.routes.map(\.product)
        let first = products.first ?? .problem
        fallbackProduct = products.allSatisfy { $0 == first } ? first : .problem
    }

    private static func plan(_ route: RouteSettings, _ settings: Settings) -> RoutePlan {
        let upstream = settings.upstreams[route.upstream]
        let credential = settings.credentials[route.credential]
        var pointers: [JSONPointer] = []
        var fields: [BodyField] = []
        for (pointer, field) in apiKeyFields(credential.apiKey) + productFields(credential) {
            pointers.append(pointer)
            fields.append(field)
        }
        return RoutePlan(
            settings: route, authority: Array(upstream.authority.utf8), basePath: Array(upstream.basePath.utf8),
            stripPrefix: Array(route.stripPrefix.utf8), query: JSONQuery(pointers), fields: fields,
            alwaysInserts: fields.contains {
                switch $0.rule {
                case .apiKey(let insert): insert
                case .fixed: true
                case .forbidden: false
                }
            }, timeouts: upstream.timeouts)
    }

    /// The places where an API key is known to stand (Banking: `/api_key`; IngoPay with Banking: `/ledger/api_key`) and
    /// the credential's own. A caller's value is replaced in each of them, inserted only where the credential says.
    private static func apiKeyFields(_ settings: APIKeySettings?) -> [(JSONPointer, BodyField)] {
        var places = [JSONPointer("/api_key"), JSONPointer("/ledger/api_key")].compactMap { $0 }
        guard let settings else {
            return places.map { ($0, BodyField(rule: .forbidden, json: [])) }
        }
        let own: JSONPointer?
        switch settings.place {
        case .header: own = nil
        case .body, .both: own = places[0]
        case .pointer(let pointer): own = pointer
        }
        if let own, !places.contains(own) { places.append(own) }
        let json = jsonString(from: settings.value.bytes)
        return places.map { ($0, BodyField(rule: .apiKey(insert: $0 == own), json: json)) }
    }

    private static func productFields(_ credential: CredentialSettings) -> [(JSONPointer, BodyField)] {
        credential.fields.map { ($0.pointer, BodyField(rule: .fixed, json: $0.json)) }
    }
}
