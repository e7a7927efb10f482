// `check`: can this configuration be used? All that is wrong at once.
// Relies on the loader. Refuses with status 78 what `run` would refuse.

internal import Config

extension Subcommand {
    static let check = Subcommand(
        name: "check", summary: "check a configuration and its secrets",
        details: "Prints every problem as file:line:column: path: message, or ok. Nothing is opened for listening.",
        flags: [configFlag, jsonFlag],
        run: { (arguments) throws(Arguments.Problem) in
            guard arguments.has("json") else {
                guard try arguments.settings() != nil else { return .configuration }
                Console.out(Paint(.output).good("ok"))
                return .ok
            }
            let (settings, problems) = try arguments.source().load()
            let isGood = settings.map { !$0.hasSecret(in: Console.arguments()) } ?? false
            let list = problems.map(json).joined(separator: ",")
            Console.out("{\"ok\":\(isGood),\"problems\":[\(list)]}")
            return isGood ? .ok : .configuration
        })

    static let jsonFlag = Flag(name: "json", value: nil, help: "print one JSON object")

    private static func json(_ problem: Problem) -> String {
        let severity = problem.severity == .warning ? "warning" : "error"
        let members = [
            "\"severity\":\"\(severity)\"", "\"file\":\(quoted(problem.file))", "\"line\":\(problem.line)",
            "\"column\":\(problem.column)", "\"path\":\(quoted(problem.path))",
            "\"message\":\(quoted(problem.message))", "\"remedy\":\(quoted(problem.remedy))",
        ]
        return "{" + members.joined(separator: ",") + "}"
    }
}
