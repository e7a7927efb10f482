// The key `routes`: which call goes where, signed with what.
// Relies on the names of upstreams and credentials, read before. Refuses references to what is not there; warns of a
// route that an earlier one hides.

internal import HTTP
internal import Policy
internal import Signing

/// What routes refer to: the upstreams and credentials that were read, and all names in the file's order.
struct RouteContext {
    var upstreams: [String: ReadUpstream]
    var upstreamNames: [String]
    var credentials: [CredentialSettings]
    var credentialNames: [String]
    /// Whether the file has the key `store`.
    var hasStore: Bool
}

extension Field {
    /// Most names in a message.
    private static let maxShownNames = 20
    /// Most routes.
    static let maxRoutes = 1_000

    /// All routes in the file's order, with the names of those that are wrong too: callers may refer to them.
    func routes(_ context: RouteContext) -> (settings: [RouteSettings], names: [String]) {
        var routes: [RouteSettings] = []
        let elements = elements(max: Self.maxRoutes) ?? []
        for element in elements {
            guard let route = element.route(context) else { continue }
            if routes.contains(where: { $0.name == route.name }) {
                element.error("a second route is called \(route.name)", "Give each its own name")
            }
            element.warnIfHidden(route, by: routes)
            routes.append(route)
        }
        return (routes, elements.map { $0.nameOfRoute ?? "" })
    }

    /// The name as it is written, whatever else is wrong.
    private var nameOfRoute: String? {
        guard case .mapping(let entries) = node.value,
            case .scalar(let text, _)? = entries.first(where: { $0.key == "name" })?.node.value
        else { return nil }
        return text
    }

    private func route(_ context: RouteContext) -> RouteSettings? {
        guard let keys = mapping(Vocabulary.route) else { return nil }
        let name = keys.required("name", "Write name: save-account")?.name()
        let methods = keys["methods"]?.methods() ?? MethodSet(.post)
        let match = pathMatch(keys)
        let upstream = keys.required("upstream", "Name one of the upstreams")?
            .reference(to: context.upstreamNames, kind: "upstream")
        let credential = keys.required("credential", "Name one of the credentials")?
            .reference(to: context.credentialNames, kind: "credential")
        let kind = keys["kind"]?.word(RouteKind.self) ?? .create
        let lostAnswer = keys["lost_answer"]?.word(LostAnswer.self) ?? kind.lostAnswer
        let ownProduct = keys["product"]?.word(Product.self)
        let read = upstream.flatMap { context.upstreams[context.upstreamNames[$0]] }
        let strip = match.flatMap { keys["strip_prefix"]?.stripPrefix($0, basePath: read?.settings.basePath) }
        let idempotency = idempotency(keys, kind, credential, context)
        guard let name, let match, let upstream, let credential else { return nil }
        var route = RouteSettings(
            name: name, methods: methods, match: match, upstream: upstream, credential: credential,
            stripPrefix: strip ?? "", kind: kind, lostAnswer: lostAnswer,
            product: ownProduct ?? read?.product ?? .problem)
        route.idempotency = idempotency
        if let redact = keys["redact"]?.redaction(route.product) { (route.redactionPreset, route.redaction) = redact }
        return route
    }

    /// The key `idempotency`. Its absence is said where there is a store and money moves.
    private func idempotency(
        _ keys: Mapping, _ kind: RouteKind, _ credential: Int?, _ context: RouteContext
    ) -> IdempotencySettings? {
        guard let field = keys["idempotency"] else {
            if context.hasStore && kind.movesMoney {
                warn("moves money and has no idempotency key", "Add idempotency, so that a repeat is not carried out")
            }
            return nil
        }
        let name = credential.map { context.credentialNames[$0] }
        let settings = context.credentials.first { $0.name == name }
        return field.idempotency(IdempotencyContext(kind: kind, credential: settings, hasStore: context.hasStore))
    }

    private func methods() -> MethodSet? {
        var methods: MethodSet = []
        for element in elements(max: 100) ?? [] {
            guard let text = element.scalar(expected: "a method") else { continue }
            guard let method = Method.allCases.first(where: { "\($0.name)" == text }) else {
                let known = Method.allCases.map { "\($0.name)" }.joined(separator: ", ")
                element.error("is not a known method", "Write one of \(known), in upper case")
                continue
            }
            if methods.contains(method) { element.error("names \(method.name) twice", "Remove one of them") }
            methods.formUnion(MethodSet(method))
        }
        return methods
    }

    private func pathMatch(_ keys: Mapping) -> PathMatch? {
        let exact = keys["path"]?.routePath(mayEndWithSlash: true)
        let prefix = keys["prefix"]?.routePath(mayEndWithSlash: false)
        switch (keys["path"] != nil, keys["prefix"] != nil) {
        case (true, false): return exact.map { .exact($0) }
        case (false, true): return prefix.map { .prefix($0) }
        case (true, true): return refuse("has both path and prefix", "Keep path for one call, prefix for many")
        case (false, false): return refuse("has neither path nor prefix", "Write path: /the/path or prefix: /")
        }
    }

    private func routePath(mayEndWithSlash: Bool) -> String? {
        guard let text = text(max: 2_048) else { return nil }
        if let problem = pathProblem(text, mayEndWithSlash: mayEndWithSlash) {
            return refuse(problem.message, problem.remedy)
        }
        return text
    }

    /// The index of the name that the value is.
    func reference(to names: [String], kind: String) -> Int? {
        guard let text = text() else { return nil }
        if let index = names.firstIndex(of: text) { return index }
        // What is no name was reported where it stands, and may hold anything.
        let names = names.filter(isName)
        let near = nearest(to: text, among: names).map { "Did you mean \($0)?" }
        let shown = names.prefix(Self.maxShownNames).joined(separator: ", ")
        let left = names.count - Self.maxShownNames
        let known = names.isEmpty ? "There are none yet" : "There are \(shown)\(left > 0 ? " and \(left) more" : "")"
        return refuse("there is no \(kind) of this name", near ?? known)
    }

    private func stripPrefix(_ match: PathMatch, basePath: String?) -> String? {
        guard let strip = routePath(mayEndWithSlash: false) else { return nil }
        guard strip != "/" else { return refuse("removes nothing", "Remove the key") }
        switch match {
        case .exact(let path):
            guard path != strip || basePath != "" else {
                return refuse("leaves no path for the upstream", "Remove less of it")
            }
            guard covers(strip, path) else { return refuse("is not the beginning of path", "Write its first segments") }
        case .prefix(let path):
            guard covers(strip, path) else {
                return refuse("is not the beginning of prefix", "Write its first segments")
            }
        }
        return strip
    }

    /// Says that each method of `route` is taken by earlier routes for every path it matches.
    private func warnIfHidden(_ route: RouteSettings, by earlier: [RouteSettings]) {
        let hiding = earlier.filter { $0.match.covers(route.match) && !$0.methods.isDisjoint(with: route.methods) }
        let left = hiding.reduce(route.methods) { $0.subtracting($1.methods) }
        guard left.isEmpty, let first = hiding.first, !route.methods.isEmpty else { return }
        warn("can never match: the route \(first.name) takes its calls", "Move it before \(first.name) or remove it")
    }
}

/// Whether `prefix` covers `path` at a segment's border.
private func covers(_ prefix: String, _ path: String) -> Bool {
    prefix == "/" || path == prefix || path.hasPrefix(prefix + "/")
}

extension PathMatch {
    /// Whether every path that `other` matches is matched by this one.
    fileprivate func covers(_ other: PathMatch) -> Bool {
        switch (self, other) {
        case (.prefix(let prefix), .exact(let path)), (.prefix(let prefix), .prefix(let path)):
            Config.covers(prefix, path)
        case (.exact(let path), .exact(let otherPath)): path == otherPath
        case (.exact, .prefix): false
        }
    }
}

extension RouteKind {
    fileprivate var movesMoney: Bool {
        switch self {
        case .push, .pull: true
        case .read, .tokenise, .create: false
        }
    }

    /// What a caller is to assume where the route does not say: a push counts as done, a pull as not done.
    fileprivate var lostAnswer: LostAnswer {
        switch self {
        case .push: .assumeSuccess
        case .pull: .assumeFailure
        case .read, .tokenise, .create: .unknown
        }
    }
}
