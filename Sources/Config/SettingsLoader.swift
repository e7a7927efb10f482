// The one entrance: from a file's path to settings, or to everything that is wrong with them.
// Relies on the readers of the other files, one per key. Refuses a configuration with any error whole: half a
// configuration signs the wrong calls.

internal import HTTP
internal import Policy

/// Reads configurations.
package enum SettingsLoader {
    /// Largest configuration file in bytes.
    static let maxFile = 1_024 * 1_024

    /// Reads and checks the file at `path`, with `environment` for `env:` and `credential:` references. Files of
    /// secrets and of trust are opened. Returns all problems in the file's order; settings only where none is an error
    /// (their `warnings` are the same problems then).
    package static func load(path: String, environment: Environment) -> (Settings?, [Problem]) {
        let report = Report(file: path, environment: environment)
        report.files.configuration = path
        return finish(file(path, report).flatMap { read($0, report) }, report)
    }

    /// The text of the file at `path`, for `load(text:name:environment:)`.
    static func text(path: String) throws(FileFailure) -> ByteBuffer {
        try readFile(path, limit: maxFile, rule: .any)
    }

    /// As `load(path:environment:)`, for a text that is already in memory; `name` stands for the file in problems.
    package static func load(text: Span<UInt8>, name: String, environment: Environment) -> (Settings?, [Problem]) {
        let report = Report(file: name, environment: environment)
        return finish(root(text, report).flatMap { read($0, report) }, report)
    }

    private static func finish(_ settings: Settings?, _ report: Report) -> (Settings?, [Problem]) {
        let problems = report.sorted
        guard var settings, !report.hasErrors else { return (nil, problems) }
        settings.warnings = problems
        settings.files = report.files
        return (settings, problems)
    }

    private static func root(_ text: Span<UInt8>, _ report: Report) -> Mapping? {
        guard let node = Composer.compose(text, report: report) else { return nil }
        return Field(node: node, path: "", report: report).mapping(Vocabulary.root)
    }

    private static func file(_ path: String, _ report: Report) -> Mapping? {
        do throws(FileFailure) {
            let bytes = try text(path: path)
            return root(bytes.bytes, report)
        } catch {
            let message =
                switch error {
                case .missing: "the configuration does not exist"
                case .denied: "the configuration may not be read by this user"
                case .notRegular: "the configuration is not a regular file"
                case .tooLarge: "the configuration is larger than \(maxFile) bytes"
                case .exposed, .foreignOwner: "the configuration is refused"
                case .failed(let error): "the configuration cannot be read (errno \(error))"
                }
            report.error(nil, "", message, "Correct the path or the file")
            return nil
        }
    }

    private static func read(_ root: Mapping, _ report: Report) -> Settings? {
        let listeners = root.required("listeners", "Write at least one listener")?.listeners() ?? []
        let workers = root["workers"]?.integer(1...256)
        let credentials = root.required("credentials", "Write at least one credential")?.credentials()
        let upstreams = root.required("upstreams", "Write at least one upstream")?.upstreams()
        let context = RouteContext(
            upstreams: upstreams?.read ?? [:], upstreamNames: upstreams?.names ?? [],
            credentials: credentials?.settings ?? [], credentialNames: credentials?.names ?? [],
            hasStore: root["store"] != nil)
        let routes = root.required("routes", "Write at least one route")?.routes(context)
        let callers = root["callers"]?.callers(routes: routes?.names ?? [])
        let quotas = root["quotas"]?.quotas(hasCallers: root["callers"] != nil) ?? []
        let limits = root["limits"]?.limits()
        let store = root["store"]?.store()
        let process = Field.process(root)
        let log = root["log"]?.log() ?? LogSettings()
        NotBuilt.read(root: root)
        if let path = log.path, path == store?.path {
            root["log"]?.error("would be written into the store's file", "Write another path")
        }
        guard !report.hasErrors, let credentials, let upstreams, let routes else { return nil }
        if !routes.settings.contains(where: { $0.idempotency != nil }) {
            root["store"]?.warn(
                "keeps nothing: no route has idempotency", "Add it to the routes that move money, or remove the key")
        }
        if let callers {
            let elements = root["routes"]?.elements(max: Field.maxRoutes) ?? []
            CallerChecks(callers: callers, listeners: listeners, routes: elements).warn()
        }
        var settings = Settings(
            listeners: listeners, workers: workers, credentials: credentials.settings,
            upstreams: upstreams.names.compactMap { upstreams.read[$0]?.settings }, routes: routes.settings,
            callers: callers?.map(\.settings), quotas: quotas, store: store,
            limits: limits?.http ?? HTTPLimits(), connections: limits?.connections ?? ConnectionLimits(), log: log,
            warnings: [])
        settings.process = process
        return settings
    }
}
