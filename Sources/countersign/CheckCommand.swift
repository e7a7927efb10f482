// `check`: can this configuration be used? All that is wrong at once.
// Relies on the loader. Refuses with status 78 what `run` would refuse.

extension Subcommand {
    static let check = Subcommand(
        name: "check", summary: "check a configuration and its secrets",
        details: "Prints every problem as file:line:column: path: message, or ok. Nothing is opened for listening.",
        flags: [configFlag],
        run: { (arguments) throws(Arguments.Problem) in
            guard try arguments.settings() != nil else { return .configuration }
            Console.out("ok")
            return .ok
        })
}
