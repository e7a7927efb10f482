// The settings in the form in which the request path uses them: bytes in place of text, references in place of names.
// Each worker has a `Plan` and a `Generation` of its own, though all say the same (docs/decisions/0017-own-objects.md).
// A reload replaces the whole, while requests that were begun under the old one end under it.

internal import Config
internal import HTTP
internal import Net
internal import Policy
internal import Signing

/// What of a configuration needs nothing of a worker's. Immutable.
final class Plan: Sendable {
    let settings: Settings
    let table: RouteTable
    /// One for each credential.
    private let common: [BodyAdditions]
    /// One for each route; routes that look for nothing of their own share their credential's.
    let additions: [BodyAdditions]
    /// One for each route that has idempotency.
    let idempotency: [ServedIdempotency?]
    /// The form of answers before a route is known: the product of all routes where they agree.
    let fallbackProduct: Product
    /// Callers' connections that may be held: `limits.max_connections`, or fewer, so that descriptors are left for the
    /// upstreams.
    let maxInbound: Int

    /// nil: whoever reaches a listener may call.
    let callers: ServedCallers?
    /// Whoever reaches a listener, where callers are not told apart.
    let anyone = RequestCaller(id: 0, name: "", routes: nil)
    /// nil: there are no quotas.
    let quotas: ServedQuotas?
    /// What the quotas have counted: the same counts for all workers and every configuration.
    let counts: LimitTable?
    /// One for each route; nil where the log shows no bodies.
    let redaction: [RedactionRules?]
    /// One for each route; nil where its lines have no ids.
    let ids: [CorrelationIDs?]
    /// One for each route; nil where its upstream has no pace.
    let pacers: [SharedPacer?]
    /// The store's keys, the current one first; empty where there is no store.
    let storeKeys: [SecretBytes]
    /// For a store in memory that was given no key, and for the hashes of ids where there is no store.
    let ownStoreKey: SecretBytes

    /// `inherited`: descriptors that were open when the process began. `ownStoreKey`: for a store in memory that was
    /// given none. `other`: another worker's, whose copies of the API keys are used.
    init(
        _ settings: Settings, workers: Int, inherited: Int, ownStoreKey: SecretBytes, pacers: [SharedPacer?],
        counts: LimitTable?, sharing other: Plan? = nil
    ) {
        self.settings = settings
        self.counts = counts.map { LimitTable(sharing: $0) }
        self.pacers = pacers
        self.ownStoreKey = ownStoreKey
        ids = Self.ids(settings)
        redaction = settings.routes.map { route in
            guard settings.log.bodies == .redacted else { return nil }
            return RedactionRules(route.redactionPreset ?? RedactionPreset(route.product), route.redaction)
        }
        callers = settings.callers.map { ServedCallers($0, routes: settings.routes.count) }
        let isTold = settings.connections.quotaHeaders == .always
        quotas = settings.quotas.isEmpty ? nil : ServedQuotas(settings.quotas, isTold: isTold)
        storeKeys = settings.store.map { $0.keys.isEmpty ? [ownStoreKey] : $0.keys } ?? []
        maxInbound = Self.maxInbound(settings, workers, ProcessControl.descriptorLimit() - inherited)
        table = RouteTable(settings.routes)
        let common = settings.credentials.indices.map { index in
            BodyAdditions(settings.credentials[index], sharing: other?.common[index])
        }
        self.common = common
        let additions = settings.routes.map { route in
            let pointers = route.idempotency.map { ServedIdempotency.pointers($0) } ?? []
            guard !pointers.isEmpty else { return common[route.credential] }
            return BodyAdditions(
                settings.credentials[route.credential], lookedFor: pointers, sharing: common[route.credential])
        }
        self.additions = additions
        idempotency = settings.routes.indices.map { index in
            settings.routes[index].idempotency.map { ServedIdempotency($0, additions[index]) }
        }
        let products = settings.routes.map(\.product)
        let first = products.first ?? .problem
        fallbackProduct = products.allSatisfy { $0 == first } ? first : .problem
    }

    /// Routes that add nothing of their own share their preset's.
    private static func ids(_ settings: Settings) -> [CorrelationIDs?] {
        guard settings.log.requests != .off, settings.log.ids != .none else { return settings.routes.map { _ in nil } }
        var shared: [RedactionPreset: CorrelationIDs?] = [:]
        return settings.routes.map { route in
            let preset = route.redactionPreset ?? RedactionPreset(route.product)
            let isShared = route.redaction == RedactionSettings()
            if isShared, let ids = shared[preset] { return ids }
            let rules = RedactionRules(preset, route.redaction)
            let ids = CorrelationIDs(
                preset, own: route.redaction.ids, rules, isHashed: settings.log.ids == .hashed)
            if isShared { shared[preset] = .some(ids) }
            return ids
        }
    }

    /// Where descriptors are few, upstreams have up to half of what the process itself does not need.
    private static func maxInbound(_ settings: Settings, _ workers: Int, _ descriptors: Int) -> Int {
        let admin = settings.admin == nil ? 0 : AdminLimits.maxConnections + 4
        let own = 18 + admin + workers * (3 + settings.listeners.count)
        let upstreams = workers * settings.upstreams.reduce(0) { $0 + $1.maxConnections }
        let left = max(2, descriptors - own)
        return min(settings.connections.maxConnections, left - min(upstreams, left / 2))
    }
}

/// One route as one worker serves it: everything of its upstream and credential that a request needs.
final class ServedRoute {
    let settings: RouteSettings
    let authority: [UInt8]
    let basePath: [UInt8]
    let stripPrefix: [UInt8]
    let additions: BodyAdditions
    let timeouts: UpstreamTimeouts
    let upstream: UpstreamState
    let signer: SignerBox
    /// nil: the route's requests have no keys.
    let idempotency: ServedIdempotency?
    /// The names of the credential and of the route: the scope of its keys.
    let credential: [UInt8]
    let credentialName: String
    let name: [UInt8]
    /// What each of its log lines says of it.
    let logFields: ConfiguredFields
    /// What of its bodies the log may show; nil where it shows none.
    let redaction: RedactionRules?
    /// Which ids of its bodies its lines have; nil for none.
    let ids: CorrelationIDs?
    /// The store's keys, or one of the process's own; nil where ids are not hashed.
    let idHasher: KeyVault?
    let quotaName: ServedQuotas.Name
    let quotaCredential: ServedQuotas.Name
    /// nil: requests go as they come.
    let pacer: SharedPacer?
    /// After this time a wait for the pace is given up in any case: a little more than it may take.
    let paceMilliseconds: Int
    let counters: RouteCounters

    init(
        _ index: Int, of plan: Plan, _ upstream: UpstreamState, _ signer: SignerBox, _ idHasher: KeyVault?,
        _ counters: RouteCounters
    ) {
        let settings = plan.settings.routes[index]
        self.counters = counters
        self.settings = settings
        idempotency = plan.idempotency[index]
        name = Array(settings.name.utf8)
        redaction = plan.redaction[index]
        ids = plan.ids[index]
        self.idHasher = idHasher
        logFields = ConfiguredFields([
            ("http.route", settings.match.pattern), ("route", settings.name), ("upstream", upstream.settings.name),
            ("credential", plan.settings.credentials[settings.credential].name),
        ])
        quotaName = ServedQuotas.Name("route " + settings.name)
        quotaCredential = ServedQuotas.Name("credential " + plan.settings.credentials[settings.credential].name)
        pacer = plan.pacers[index]
        paceMilliseconds = (upstream.settings.pace?.maxWait ?? 0) / 1_000_000 + 1_000
        credentialName = plan.settings.credentials[settings.credential].name
        credential = Array(plan.settings.credentials[settings.credential].name.utf8)
        authority = Array(upstream.settings.authority.utf8)
        basePath = Array(upstream.settings.basePath.utf8)
        stripPrefix = Array(settings.stripPrefix.utf8)
        additions = plan.additions[index]
        timeouts = upstream.settings.timeouts
        self.upstream = upstream
        self.signer = signer
    }
}

/// One configuration as one worker serves it. Old ones live as long as a request or a connection refers to their parts.
final class Generation {
    let plan: Plan
    let limits: HTTPLimits
    let connectionLimits: ConnectionLimits
    let upstreams: [UpstreamState]
    let routes: [ServedRoute]
    /// The store's keys; nil where there is no store.
    let vault: KeyVault?
    let metrics: WorkerMetrics

    /// Bytes of a buffer for what comes from an upstream: the longest head fits.
    var answerCapacity: Int { max(limits.maxHead + 1_024, connectionLimits.relayBuffer) }

    /// Fails where a CA file cannot be used. `metrics` are those of the worker that it is for.
    init(_ plan: Plan, _ metrics: WorkerMetrics) throws(TLSProblem) {
        self.plan = plan
        self.metrics = metrics
        limits = plan.settings.limits
        connectionLimits = plan.settings.connections
        var upstreams: [UpstreamState] = []
        for (index, settings) in plan.settings.upstreams.enumerated() {
            upstreams.append(try UpstreamState(settings, metrics.upstreams[index]))
        }
        self.upstreams = upstreams
        let signers = plan.settings.credentials.map { SignerBox($0) }
        vault = plan.storeKeys.isEmpty ? nil : KeyVault(plan.storeKeys)
        let idHasher = plan.settings.log.ids == .hashed ? vault ?? KeyVault([plan.ownStoreKey]) : nil
        routes = plan.settings.routes.indices.map { index in
            let settings = plan.settings.routes[index]
            return ServedRoute(
                index, of: plan, upstreams[settings.upstream], signers[settings.credential], idHasher,
                metrics.routes[index])
        }
    }
}
