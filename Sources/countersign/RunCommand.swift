// `run`: the gateway itself.
// Relies on Gateway for everything. Refuses a bad configuration with status 78 before anything is opened.

internal import Gateway

extension Subcommand {
    static let serve = Subcommand(
        name: "run", summary: "run the gateway",
        details: "Serves until SIGTERM or SIGINT, then finishes what is in flight; a second signal ends at once.",
        flags: [configFlag],
        run: { (arguments) throws(Arguments.Problem) in
            guard let settings = try arguments.settings() else { return .configuration }
            do throws(StartFailure) {
                _ = try Gateway.run(settings, log: OperatorLog())
                return .ok
            } catch {
                Console.error("countersign run: \(error.reason)")
                return .failure
            }
        })
}
