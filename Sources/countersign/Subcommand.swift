// The table of subcommands, their help, and what is the same for all of them. A name has one word, or two where several
// subcommands are about the same thing.
// Relies on one file per subcommand. Refuses an unknown name with the nearest one.

internal import Config

/// One subcommand.
struct Subcommand: Sendable {
    /// One word, or two with a space between them.
    var name: String
    var summary: String
    /// More than the summary, for its own help.
    var details: String
    var flags: [Flag]
    /// What stands for the operand in the help; nil where none is taken.
    var operand: String?
    var run: @Sendable (Arguments) throws(Arguments.Problem) -> ExitStatus

    var words: [String] { name.split(separator: " ").map(String.init) }

    static let version = "0.1.0"
    /// The day of the version, for the manual.
    static let versionDate = "2026-11-20"

    /// The name of a configuration is taken from here where `--config` is not given.
    static let configVariable = "COUNTERSIGN_CONFIG"

    static let configFlag = Flag(
        name: "config", value: "FILE", help: "the configuration (default: $\(configVariable))")

    static let all: [Subcommand] = [
        .serve, .check, .doctor, .explain, .verify, .redact, .keysList, .keysShow, .keysResolve, .health, .schema,
        .completionBash, .completionZsh, .completionFish, .manual, .printVersion,
    ]

    static let printVersion = Subcommand(
        name: "version", summary: "print the version", details: "", flags: [jsonFlag],
        run: { arguments in
            let object = "{\"name\":\"countersign\",\"version\":\(quoted(version))}"
            Console.out(arguments.has("json") ? object : "countersign \(version)")
            return .ok
        })

    /// Carries out a command line without the program's name.
    static func run(_ words: [String]) -> ExitStatus {
        guard let name = words.first else {
            Console.error("countersign: a subcommand is missing\n\n" + usage(all))
            return .usage
        }
        switch name {
        case "--help", "-h", "help":
            Console.out("countersign signs requests to payment APIs on their way.\n\n" + usage(all))
            return .ok
        case "--version":
            Console.out("countersign \(version)")
            return .ok
        default: break
        }
        let group = all.filter { $0.name.hasPrefix(name + " ") }
        guard group.isEmpty else { return run(words, among: group) }
        return run([name], Array(words.dropFirst()), among: all)
    }

    /// Carries out a subcommand of two words; the first is known.
    private static func run(_ words: [String], among group: [Subcommand]) -> ExitStatus {
        guard words.count > 1 else {
            Console.error("countersign \(words[0]): a second word is missing\n\n" + usage(group))
            return .usage
        }
        switch words[1] {
        case "--help", "-h", "help":
            Console.out(usage(group))
            return .ok
        default: return run(Array(words[..<2]), Array(words.dropFirst(2)), among: group)
        }
    }

    /// `name`: the words of a name, one or two.
    private static func run(_ name: [String], _ words: [String], among subcommands: [Subcommand]) -> ExitStatus {
        guard let subcommand = subcommands.first(where: { $0.words == name }) else {
            let given = name.joined(separator: " ")
            let names = subcommands.flatMap { [$0.name, $0.words[0]] }
            let near = nearest(to: given, among: names).map { "; is \($0) meant?" } ?? ""
            Console.error("countersign: there is no subcommand \(given)\(near)\nTry: countersign --help")
            return .usage
        }
        return subcommand.run(words)
    }

    private func run(_ words: [String]) -> ExitStatus {
        if words.contains("--help") || words.contains("-h") {
            Console.out(help)
            return .ok
        }
        do throws(Arguments.Problem) {
            return try run(try Arguments(words, flags, takesOperand: operand != nil))
        } catch {
            Console.error("countersign \(name): \(error.text)\nTry: countersign \(name) --help")
            return .usage
        }
    }

    private static func usage(_ subcommands: [Subcommand]) -> String {
        let lines = subcommands.map { "  " + $0.name.padded(to: 17) + $0.summary }
        return """
            Usage: countersign SUBCOMMAND [FLAGS]

            \(lines.joined(separator: "\n"))

            countersign SUBCOMMAND --help says more. --version prints the version.
            Status: 0 done, 1 failed, 2 wrong usage, 78 bad configuration.
            """
    }

    private var help: String {
        let lines = flags.map { "  " + "--\($0.name) \($0.value ?? "")".padded(to: 22) + $0.help }
        let text = details.isEmpty ? "" : "\n\n" + details
        let list = lines.isEmpty ? "" : "\n\n" + lines.joined(separator: "\n")
        let usage = operand.map { "\n\nUsage: countersign \(name) [FLAGS] \($0)" } ?? ""
        return "countersign \(name): \(summary)" + usage + text + list
    }
}

extension Arguments {
    /// Where the configuration is read from.
    func source() throws(Problem) -> ConfigurationSource {
        let environment = Environment.ofProcess()
        guard let path = self["config"] ?? environment[Subcommand.configVariable] else {
            throw Problem(text: "--config is missing")
        }
        return ConfigurationSource(path: path, environment: environment)
    }

    /// Loads the configuration and prints its problems to standard error; nil where it cannot be used.
    func settings() throws(Problem) -> Settings? { settings(from: try source()) }

    /// As above.
    func settings(from source: ConfigurationSource) -> Settings? {
        let (settings, problems) = source.load()
        let paint = Paint(.errors)
        for problem in problems {
            switch problem.severity {
            case .warning: Console.error(paint.warning("warning: ") + problem.text)
            case .error: Console.error(paint.bad(problem.place) + problem.text.dropFirst(problem.place.count))
            }
        }
        if let settings, settings.hasSecret(in: Console.arguments()) {
            Console.error("an argument is one of the configuration's secrets, which everyone could read there")
            return nil
        }
        return settings
    }
}

extension String {
    /// With spaces behind it up to `width`, and at least one.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
