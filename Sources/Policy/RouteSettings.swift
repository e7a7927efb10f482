// What the operator says of routes and upstreams. Config fills these; Exchange and Gateway read them.

package import HTTP

/// What a route's call does, said by the operator: every call is a POST, so the method cannot tell.
package enum RouteKind: String, CaseIterable, Sendable {
    case read, tokenise, create, push, pull
}

/// What a caller should assume when bytes were sent and the answer was lost (Ingo: a push is done, a pull is not).
package enum LostAnswer: String, CaseIterable, Sendable {
    case assumeSuccess = "assume-success"
    case assumeFailure = "assume-failure"
    case unknown
}

/// The form of the gateway's own error answers on a route.
package enum Product: String, CaseIterable, Sendable {
    /// `application/problem+json` (RFC 9457).
    case problem
    /// Banking's envelope: `status`, `message`, `status_code`.
    case banking
    /// IngoPay's: `status`, `client_message`.
    case ingopay
}

/// How a route recognises a path. Both compare bytes, never decoded ones; the query takes no part.
package enum PathMatch: Equatable, Sendable {
    /// The whole path.
    case exact(String)
    /// The beginning of the path, at a segment's border: `/a` matches `/a` and `/a/b`, not `/ab`. `/` matches all.
    case prefix(String)

    /// As it is shown: a prefix with `*` for what comes behind it.
    package var pattern: String {
        switch self {
        case .exact(let path): path
        case .prefix(let path): path.hasSuffix("/") ? path + "*" : path + "/*"
        }
    }
}

/// One route of the key `routes`. The first that matches wins.
package struct RouteSettings: Sendable {
    package var name: String
    package var methods: MethodSet
    package var match: PathMatch
    /// Index into `Settings.upstreams`.
    package var upstream: Int
    /// Index into `Settings.credentials`.
    package var credential: Int
    /// Removed from the front of the path before it is appended to the upstream's; empty for none.
    package var stripPrefix: String
    package var kind: RouteKind
    package var lostAnswer: LostAnswer
    package var product: Product
    /// Whose fields the route's bodies have where a log shows them; nil: those of its product.
    package var redactionPreset: RedactionPreset?
    package var redaction = RedactionSettings()
    /// nil: the route's requests are not kept from being carried out twice.
    package var idempotency: IdempotencySettings?

    package init(
        name: String, methods: MethodSet, match: PathMatch, upstream: Int, credential: Int, stripPrefix: String = "",
        kind: RouteKind, lostAnswer: LostAnswer, product: Product
    ) {
        self.name = name
        self.methods = methods
        self.match = match
        self.upstream = upstream
        self.credential = credential
        self.stripPrefix = stripPrefix
        self.kind = kind
        self.lostAnswer = lostAnswer
        self.product = product
    }
}

/// Time limits towards one upstream, in milliseconds. What happens at each is said beside it.
package struct UpstreamTimeouts: Equatable, Sendable {
    /// Until a connection is there: the pool's queue, the name, TCP and TLS. Default 3 s, range 10 ms ... 60 s. Each of
    /// the name's addresses gets an equal share of it, then the next is tried. Beyond: 504, with no byte sent.
    package var connectMilliseconds = 3_000
    /// From the last byte of the request to the first byte of the answer. Default 75 s (the upstream holds a call up to
    /// 60 s), range 10 ms ... 10 min. Beyond: 504 with the route's lost-answer class.
    package var firstByteMilliseconds = 75_000
    /// Between two bytes of an answer, or of the request being taken. Default 30 s, range 10 ms ... 10 min. Beyond: as
    /// for a broken answer.
    package var idleMilliseconds = 30_000
    /// From the request's head to the answer's last byte. Default 90 s, range 10 ms ... 30 min. Beyond: 504.
    package var totalMilliseconds = 90_000

    package init() {}
}

/// One upstream of the key `upstreams`.
package struct UpstreamSettings: Sendable {
    package var name: String
    package var isTLS: Bool
    /// Host of the URL without brackets: a name or an address.
    package var host: String
    package var port: UInt16
    /// The URL's path without a final slash; empty for none. Starts with `/` otherwise.
    package var basePath: String
    /// Value of the `Host` header: host and, where it is not the scheme's own, port.
    package var authority: String
    /// Name for SNI and for the check of the certificate. Default: the host.
    package var serverName: String
    /// PEM file of the certificate authorities that are trusted. Required with TLS unless the system's are meant: nil.
    package var caFile: String?
    package var timeouts = UpstreamTimeouts()
    /// Connections per worker. Default 64, range 1 ... 10000. Beyond: requests wait, bounded by `maxWaiting`.
    package var maxConnections = 64
    /// Requests per worker that wait for a connection. Default 1024, range 0 ... 100000. Beyond: 503.
    package var maxWaiting = 1_024
    /// How long an idle connection is kept, in milliseconds. Default 30 s, range 0 (never kept) ... 10 min.
    package var keepAliveMilliseconds = 30_000
    /// Stops asking an upstream that fails again and again; nil for none, the default.
    package var breaker: BreakerSettings?
    /// How long a resolved name is used, in milliseconds. Default 30 s, range 1 s ... 1 h. An old answer is used while
    /// a new one cannot be had.
    package var resolveMilliseconds = 30_000
    /// How fast calls are sent, per credential. Default: what Ingo asks for; nil: as fast as callers send them.
    package var pace: PaceSettings? = PaceSettings()

    package init(
        name: String, isTLS: Bool, host: String, port: UInt16, basePath: String = "", authority: String,
        serverName: String? = nil, caFile: String? = nil
    ) {
        self.name = name
        self.isTLS = isTLS
        self.host = host
        self.port = port
        self.basePath = basePath
        self.authority = authority
        self.serverName = serverName ?? host
        self.caFile = caFile
    }
}
