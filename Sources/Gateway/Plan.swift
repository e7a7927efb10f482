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
    /// JSON text of the value; nil for `forbidden`.
    let json: SecretBytes?
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
        for (pointer, field) in apiKeyFields(credential) + productFields(credential) {
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

    private static let topLevel = pointer("/api_key")
    private static let inLedger = pointer("/ledger/api_key")

    private static func pointer(_ text: String) -> JSONPointer {
        guard let pointer = JSONPointer(text) else { preconditionFailure("a pointer of our own is well-formed") }
        return pointer
    }

    private static func overlap(_ a: JSONPointer, _ b: JSONPointer) -> Bool {
        a == b || a.isAncestor(of: b) || b.isAncestor(of: a)
    }

    /// The places where an API key is known to stand (Banking: `/api_key`; IngoPay with Banking: `/ledger/api_key`) and
    /// the credential's own. A caller's value is replaced in each of them, inserted only where the credential says.
    private static func apiKeyFields(_ credential: CredentialSettings) -> [(JSONPointer, BodyField)] {
        var places = [topLevel, inLedger].filter { place in
            !credential.fields.contains { overlap($0.pointer, place) }
        }
        guard let settings = credential.apiKey else {
            return places.map { ($0, BodyField(rule: .forbidden, json: nil)) }
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
        let json = quoted(settings.value)
        return places.map { ($0, BodyField(rule: .apiKey(insert: $0 == own), json: json)) }
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

    private static func productFields(_ credential: CredentialSettings) -> [(JSONPointer, BodyField)] {
        credential.fields.map { ($0.pointer, BodyField(rule: .fixed, json: SecretBytes(copying: $0.json.span))) }
    }
}
