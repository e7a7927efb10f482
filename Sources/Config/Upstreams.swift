// The key `upstreams`: where signed calls go.
// Relies on UpstreamURL. Refuses plain HTTP that leaves the machine unless `plain: true` says that it is meant, and
// trust files that cannot be read.

internal import Policy

/// An upstream with what its routes take from it.
struct ReadUpstream {
    var settings: UpstreamSettings
    var product: Product
}

extension Field {
    /// All upstreams in the file's order, with the names of those that are wrong too: routes may refer to them.
    func upstreams() -> (read: [String: ReadUpstream], names: [String]) {
        let named = named(max: 256) ?? []
        var read: [String: ReadUpstream] = [:]
        for (name, field) in named where field.checkName(name) { read[name] = field.upstream(name) }
        return (read, named.map(\.name))
    }

    private func upstream(_ name: String) -> ReadUpstream? {
        guard let keys = mapping(Vocabulary.upstream) else { return nil }
        let url = keys.required("url", "Write url: \"https://host/path\"")?.upstreamURL(plain: keys["plain"])
        let tls = keys["tls"]?.mapping(Vocabulary.tls)
        if let tls, url?.isTLS == false {
            tls.field.error("has no meaning for http://", "Remove the key or write https://")
        }
        let caFile = tls?["ca_file"]?.readableFile(missing: "Correct the path, or install ca-certificates")
        let serverName = tls?["server_name"]?.serverName()
        let timeouts = keys["timeouts"]?.timeouts() ?? UpstreamTimeouts()
        let product = keys["product"]?.word(Product.self) ?? .problem
        let pool = keys["connections"]?.mapping(Vocabulary.connections)
        let maxConnections = pool?["max"]?.integer(1...10_000)
        let maxWaiting = pool?["max_waiting"]?.integer(0...100_000)
        let keepAlive = pool?["keep_alive"]?.milliseconds(0...600_000)
        let breaker = keys["breaker"]?.breaker()
        let resolve = keys["resolve"]?.milliseconds(1_000...3_600_000)
        let pace = if let field = keys["pace"] { field.pace() } else { PaceSettings?.some(PaceSettings()) }
        guard let url else { return nil }
        var settings = UpstreamSettings(
            name: name, isTLS: url.isTLS, host: url.host, port: url.port, basePath: url.path,
            authority: url.authority, serverName: serverName, caFile: caFile)
        settings.timeouts = timeouts
        if let maxConnections { settings.maxConnections = maxConnections }
        if let maxWaiting { settings.maxWaiting = maxWaiting }
        if let keepAlive { settings.keepAliveMilliseconds = keepAlive }
        settings.breaker = breaker
        settings.pace = pace
        if let resolve { settings.resolveMilliseconds = resolve }
        return ReadUpstream(settings: settings, product: product)
    }

    private func breaker() -> BreakerSettings? {
        guard let keys = mapping(Vocabulary.breaker) else { return nil }
        var settings = BreakerSettings()
        if let failures = keys["failures"]?.integer(1...10_000) { settings.failures = failures }
        if let time = keys["open"]?.milliseconds(100...600_000) { settings.openMilliseconds = time }
        return settings
    }

    private func upstreamURL(plain: Field?) -> UpstreamURL? {
        let isPlainMeant = plain?.boolean() ?? false
        guard let text = text(max: 2_048) else { return nil }
        do throws(UpstreamURL.Problem) {
            let url = try UpstreamURL(text)
            if !url.isTLS && !url.isLoopback {
                if isPlainMeant {
                    warn("calls go to this upstream without TLS", "Use https:// wherever the network is not your own")
                } else {
                    error("http:// is for loopback addresses only", "Write https://, or add plain: true")
                }
            }
            return url
        } catch {
            return refuse(error.message, error.remedy)
        }
    }

    /// A path that does not depend on where the gateway was started.
    func absolutePath() -> String? {
        guard let text = text() else { return nil }
        return text.hasPrefix("/") ? text : refuse("is not an absolute path", "Write the path from / on")
    }

    /// The path of a PEM file that anyone may read; `missing` says what to do where there is none.
    func readableFile(missing: String) -> String? {
        guard let path = absolutePath() else { return nil }
        do throws(FileFailure) {
            try checkReadable(path, rule: .any)
            report.files.note(trust: path)
            return path
        } catch {
            switch error {
            case .missing: return refuse("the file does not exist", missing)
            case .denied: return refuse("the file may not be read", "Let the user that runs the gateway read it")
            case .notRegular: return refuse("is not a regular file", "Name a file of PEM certificates")
            case .tooLarge, .exposed, .foreignOwner: return refuse("the file is refused", "Name another file")
            case .failed(let error): return refuse("the file cannot be read (errno \(error))", "Correct the path")
            }
        }
    }

    private func serverName() -> String? {
        guard let text = text(max: 253) else { return nil }
        let name = text.lowercased()
        return isHostName(name) ? name : refuse("is not a host's name", "Write the name in the upstream's certificate")
    }

    private func timeouts() -> UpstreamTimeouts? {
        guard let keys = mapping(Vocabulary.timeouts) else { return nil }
        var timeouts = UpstreamTimeouts()
        if let time = keys["connect"]?.milliseconds(10...60_000) { timeouts.connectMilliseconds = time }
        if let time = keys["first_byte"]?.milliseconds(10...600_000) { timeouts.firstByteMilliseconds = time }
        if let time = keys["idle"]?.milliseconds(10...600_000) { timeouts.idleMilliseconds = time }
        if let time = keys["total"]?.milliseconds(10...1_800_000) { timeouts.totalMilliseconds = time }
        return timeouts
    }
}
