// The page /config: the settings in effect, defaults included, as far as they are nobody's secret.
// Relies on each field being named here: what is not named is not shown. Refuses secrets, tokens, keys and what names
// them: of a secret only the kind of its reference is shown, of a spliced field only its place.

internal import Config
internal import HTTP
internal import Policy
internal import Signing

/// Writes the page.
struct ConfigPage {
    let settings: Settings
    let workers: Int

    func write(to document: inout JSONDocument) {
        document.array("listeners") { document in
            for listener in settings.listeners { document.element { write(listener, to: &$0) } }
        }
        document.add("workers", workers)
        document.object("credentials") { document in
            for credential in settings.credentials { document.entry(credential.name) { write(credential, to: &$0) } }
        }
        document.object("upstreams") { document in
            for upstream in settings.upstreams { document.entry(upstream.name) { write(upstream, to: &$0) } }
        }
        document.array("routes") { document in
            for route in settings.routes { document.element { write(route, to: &$0) } }
        }
        if let callers = settings.callers {
            document.object("callers") { document in
                for caller in callers { document.entry(caller.name) { write(caller, to: &$0) } }
            }
        }
        document.array("quotas") { document in
            for quota in settings.quotas { document.element { Self.write(quota, to: &$0) } }
        }
        document.object("limits") { writeLimits(to: &$0) }
        if let store = settings.store { document.object("store") { write(store, to: &$0) } }
        document.object("log") { writeLog(to: &$0) }
        writeProcess(to: &document)
        if let admin = settings.admin { document.object("admin") { Self.write(admin, to: &$0) } }
    }

    /// `file`, `env` or `credential`; nothing where there is no such secret.
    private func addReference(_ name: StaticString, at path: String, to document: inout JSONDocument) {
        if let note = settings.references.first(where: { $0.path == path }) { document.add(name, note.kind.rawValue) }
    }

    // MARK: - Listeners and callers

    private func write(_ listener: ListenerSettings, to document: inout JSONDocument) {
        document.add("name", listener.name)
        Self.write(listener.address, to: &document)
        guard let tls = listener.tls else { return }
        document.object("tls") { document in
            document.add("certificate", tls.certificateFile)
            document.add("asks_callers_for_certificates", tls.clientCAFile != nil)
            if let file = tls.clientCAFile {
                document.add("client_ca", file)
                document.add("client_certificate", tls.clientCertificate.rawValue)
            }
        }
    }

    private static func write(_ address: ListenAddress, to document: inout JSONDocument) {
        document.add("bind", address.text)
        guard case .unix(_, let mode, let owner, let group) = address else { return }
        if let mode { document.add("mode", "0" + String(mode, radix: 8)) }
        if let owner { document.add("owner", owner) }
        if let group { document.add("group", group) }
    }

    private func write(_ caller: CallerSettings, to document: inout JSONDocument) {
        switch caller.identity {
        case .peer(let uid, let gid):
            document.add("known_by", "peer")
            if let uid { document.add("uid", Int(uid)) }
            if let gid { document.add("gid", Int(gid)) }
        case .token: document.add("known_by", "token")
        case .certificate: document.add("known_by", "certificate")
        }
        addReference("token", at: "callers.\(caller.name).token", to: &document)
        guard let routes = caller.routes else { return }
        document.array("routes") { document in
            for index in routes { document.element(settings.routes[index].name) }
        }
    }

    // MARK: - Credentials and upstreams

    private func write(_ credential: CredentialSettings, to document: inout JSONDocument) {
        let path = "credentials.\(credential.name)"
        document.add("username", credential.username)
        addReference("secret", at: path + ".secret", to: &document)
        addReference("next_secret", at: path + ".next_secret", to: &document)
        document.add("algorithm", "\(credential.algorithm.name)")
        document.add("signed_headers", credential.signedHeaders.text)
        if let key = credential.apiKey {
            document.object("api_key") { document in
                addReference("value", at: path + ".api_key.value", to: &document)
                document.add("place", key.place.text)
            }
        }
        document.array("fields") { document in
            for field in credential.fields { document.element(field.pointer.text) }
        }
    }

    private func write(_ upstream: UpstreamSettings, to document: inout JSONDocument) {
        document.add("url", (upstream.isTLS ? "https://" : "http://") + upstream.authority + upstream.basePath)
        if upstream.isTLS {
            document.object("tls") { document in
                document.add("server_name", upstream.serverName)
                if let file = upstream.caFile { document.add("ca_file", file) }
            }
        }
        document.object("timeouts") { document in
            document.add("connect_ms", upstream.timeouts.connectMilliseconds)
            document.add("first_byte_ms", upstream.timeouts.firstByteMilliseconds)
            document.add("idle_ms", upstream.timeouts.idleMilliseconds)
            document.add("total_ms", upstream.timeouts.totalMilliseconds)
        }
        document.object("connections") { document in
            document.add("max", upstream.maxConnections)
            document.add("max_waiting", upstream.maxWaiting)
            document.add("keep_alive_ms", upstream.keepAliveMilliseconds)
        }
        document.add("resolve_ms", upstream.resolveMilliseconds)
        if let breaker = upstream.breaker {
            document.object("breaker") { document in
                document.add("failures", breaker.failures)
                document.add("open_ms", breaker.openMilliseconds)
            }
        }
        if let pace = upstream.pace {
            document.object("pace") { document in
                Self.write(pace.rate, to: &document)
                document.add("concurrency", pace.concurrency)
                document.add("queue", pace.queue)
                document.add("max_wait_ms", pace.maxWait / 1_000_000)
            }
        }
    }

    private static func write(_ rate: RateLimitSettings, to document: inout JSONDocument) {
        document.object("rate") { document in
            document.add("count", rate.count)
            document.add("per_ms", rate.perNanoseconds / 1_000_000)
        }
        document.add("burst", rate.burst)
    }

    // MARK: - Routes

    private func write(_ route: RouteSettings, to document: inout JSONDocument) {
        document.add("name", route.name)
        document.array("methods") { document in
            for method in Method.allCases where route.methods.contains(method) { document.element("\(method.name)") }
        }
        switch route.match {
        case .exact(let path): document.add("path", path)
        case .prefix(let path): document.add("prefix", path)
        }
        document.add("upstream", settings.upstreams[route.upstream].name)
        document.add("credential", settings.credentials[route.credential].name)
        if !route.stripPrefix.isEmpty { document.add("strip_prefix", route.stripPrefix) }
        document.add("kind", route.kind.rawValue)
        document.add("lost_answer", route.lostAnswer.rawValue)
        document.add("product", route.product.rawValue)
        if let idempotency = route.idempotency {
            document.object("idempotency") { Self.write(idempotency, to: &$0) }
        }
    }

    private static func write(_ idempotency: IdempotencySettings, to document: inout JSONDocument) {
        document.array("key") { document in
            for source in idempotency.keys {
                switch source {
                case .header(let name): document.element("header:" + name)
                case .pointer(let pointer): document.element(pointer.text)
                }
            }
        }
        document.add("required", idempotency.required)
        document.array("volatile") { document in for field in idempotency.volatile { document.element(field.text) } }
        document.add("on_unknown", idempotency.onUnknown.rawValue)
        document.add("repeat_after_ms", idempotency.repeatAfterMilliseconds)
        document.add("wait_ms", idempotency.waitMilliseconds)
        document.add("on_store_failure", idempotency.onStoreFailure.rawValue)
        document.add("on_error", idempotency.onError.rawValue)
        if let code = idempotency.code { document.add("code", code.text) }
        document.array("not_final") { document in
            for code in idempotency.notFinal { document.element(code) }
            for range in idempotency.notFinalRanges { document.element("\(range.lowerBound)-\(range.upperBound)") }
        }
    }

    // MARK: - Limits and the store

    private static func write(_ quota: QuotaSettings, to document: inout JSONDocument) {
        document.add("name", quota.name)
        document.array("per") { document in
            if quota.per.contains(.caller) { document.element("caller") }
            if quota.per.contains(.route) { document.element("route") }
            if quota.per.contains(.credential) { document.element("credential") }
            if quota.per.contains(.method) { document.element("method") }
        }
        write(quota.rate, to: &document)
        document.add("report_only", quota.isReportOnly)
    }

    private func writeLimits(to document: inout JSONDocument) {
        let limits = settings.limits
        document.add("max_body", limits.maxBody)
        document.add("max_head", limits.maxHead)
        document.add("max_line", limits.maxLine)
        document.add("max_headers", limits.maxFields)
        document.add("max_json_depth", limits.maxJSONDepth)
        let connections = settings.connections
        document.add("max_connections", connections.maxConnections)
        document.add("head_timeout_ms", connections.headTimeoutMilliseconds)
        document.add("body_timeout_ms", connections.bodyTimeoutMilliseconds)
        document.add("keep_alive_ms", connections.keepAliveMilliseconds)
        document.add("write_timeout_ms", connections.writeTimeoutMilliseconds)
        document.add("relay_buffer", connections.relayBuffer)
        document.add("drain_ms", connections.drainMilliseconds)
        document.add("max_buffered", connections.maxBuffered)
        document.add("quota_headers", connections.quotaHeaders.rawValue)
        document.add("quota_keys", connections.quotaKeys)
    }

    private func writeLog(to document: inout JSONDocument) {
        let log = settings.log
        document.add("path", log.path ?? "-")
        document.add("requests", log.requests.rawValue)
        document.add("correlation", log.correlation.rawValue)
        document.add("ids", log.ids.rawValue)
        document.add("buffer", log.buffer)
        document.add("bodies", log.bodies.rawValue)
        document.add("body_limit", log.bodyLimit)
    }

    private func writeProcess(to document: inout JSONDocument) {
        let process = settings.process
        if let user = process.user { document.add("user", user) }
        if let group = process.group { document.add("group", group) }
        document.object("hardening") { document in
            document.add("seccomp", process.hasSeccomp)
            document.add("landlock", process.hasLandlock)
        }
        document.add("reload_on_change", process.reloadOnChange.rawValue)
    }

    private func write(_ store: StoreSettings, to document: inout JSONDocument) {
        document.add("kind", store.kind.rawValue)
        if let path = store.path { document.add("path", path) }
        addReference("key", at: "store.key", to: &document)
        document.add("previous_keys", max(0, store.keys.count - 1))
        document.add("retention_ms", Int(store.limits.retentionMilliseconds))
        document.add("unknown_retention_ms", Int(store.limits.unknownRetentionMilliseconds))
        document.add("max_keys", store.limits.maxKeys)
        document.add("max_size", store.limits.maxSize)
        document.add("max_answer", store.limits.maxAnswer)
        document.add("max_waiting", store.limits.maxWaiting)
        document.add("max_questions", store.limits.maxQuestions)
        document.add("timeout_ms", store.limits.timeoutMilliseconds)
    }
}

extension ListenAddress {
    /// As the operator writes it.
    package var text: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path, _, _, _): "unix:\(path)"
        case .passed(let name, _): "fd:\(name)"
        }
    }
}

extension APIKeyPlace {
    fileprivate var text: String {
        switch self {
        case .header: "header"
        case .body: "body"
        case .both: "both"
        case .pointer(let pointer): pointer.text
        }
    }
}
