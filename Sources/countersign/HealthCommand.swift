// `health`: asks a running gateway's admin listener how it is; for HEALTHCHECK and for scripts.
// Relies on AdminProbe for the question. Refuses to call anything but a plain 200 healthy.

internal import Config

extension Subcommand {
    static let health = Subcommand(
        name: "health", summary: "ask a running gateway whether it is well",
        details: """
            Asks the admin listener for /healthz, or with --ready for /readyz, and waits for at most 5 s. Status 0: it
            answered with 200. Status 1: anything else, also where the configuration has problems or no admin listener,
            as HEALTHCHECK wants it. The address is that of the configuration, or that of --url.
            """,
        flags: [
            configFlag,
            Flag(name: "url", value: "URL", help: "http://127.0.0.1:9901 or unix:/path, in place of a configuration"),
            Flag(name: "ready", value: nil, help: "ask whether it can serve, not only whether it lives"),
        ],
        run: { (arguments) throws(Arguments.Problem) in
            let address = try address(arguments)
            guard let address else { return .failure }
            switch AdminProbe.ask(address, path: arguments.has("ready") ? "/readyz" : "/healthz") {
            case .answered(200, _):
                Console.out(arguments.has("ready") ? "ready" : "healthy")
                return .ok
            case .answered(let status, let body):
                Console.error("countersign health: answered \(status)\(body.isEmpty ? "" : ": " + body)")
            case .failed(let reason): Console.error("countersign health: \(reason)")
            }
            return .failure
        })

    /// nil where there is none, which has been told.
    private static func address(_ arguments: Arguments) throws(Arguments.Problem) -> ListenAddress? {
        if let url = arguments["url"] {
            guard arguments["config"] == nil else { throw Arguments.Problem(text: "--url stands for --config") }
            guard let address = AdminProbe.address(url) else {
                throw Arguments.Problem(text: "--url takes http://ADDRESS:PORT or unix:/path")
            }
            return address
        }
        guard let settings = try arguments.settings() else { return nil }
        if settings.admin == nil { Console.error("countersign health: the configuration has no admin listener") }
        return settings.admin
    }
}
