// `run`: the gateway itself.
// Relies on Gateway for everything. Refuses a bad configuration with status 78 before anything is opened.

internal import Gateway

extension Subcommand {
    static let serve = Subcommand(
        name: "run", summary: "run the gateway",
        details: """
            Serves until SIGTERM or SIGINT, then finishes what is in flight; a second signal ends at once. SIGHUP reads
            configuration, secrets and certificates again; where they have a problem nothing changes.
            """,
        flags: [configFlag],
        run: { (arguments) throws(Arguments.Problem) in
            let source = try arguments.source()
            guard let settings = arguments.settings(from: source) else { return .configuration }
            do throws(StartFailure) {
                _ = try Gateway.run(settings, log: OperatorLog(), source: source)
                return .ok
            } catch {
                Console.error("countersign run: \(error.reason)")
                return .failure
            }
        })
}
