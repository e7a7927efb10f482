// The settings in the form in which the request path uses them: bytes in place of text, indexes in place of names.
// Made once, read by all workers.

internal import Config
internal import Policy
internal import Signing

/// One route with everything of its upstream and credential that a request needs.
///
/// A class: the request path takes one reference to it, not one to each of its parts.
final class RoutePlan: Sendable {
    let settings: RouteSettings
    let authority: [UInt8]
    let basePath: [UInt8]
    let stripPrefix: [UInt8]
    let additions: BodyAdditions
    let timeouts: UpstreamTimeouts

    init(_ route: RouteSettings, _ upstream: UpstreamSettings, _ additions: BodyAdditions) {
        settings = route
        authority = Array(upstream.authority.utf8)
        basePath = Array(upstream.basePath.utf8)
        stripPrefix = Array(route.stripPrefix.utf8)
        self.additions = additions
        timeouts = upstream.timeouts
    }
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
        let additions = settings.credentials.map { BodyAdditions($0) }
        routes = settings.routes.map { RoutePlan($0, settings.upstreams[$0.upstream], additions[$0.credential]) }
        let products = settings.routes.map(\.product)
        let first = products.first ?? .problem
        fallbackProduct = products.allSatisfy { $0 == first } ? first : .problem
    }
}
