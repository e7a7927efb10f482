// `keys list`, `keys show` and `keys resolve`: what the store knows of idempotency keys, and how an operator settles
// those whose outcome nobody knows.
// Relies on the store's operator door, which works beside a gateway and without one. Refuses to settle any other key,
// and to show an answer or a body.

internal import Net
internal import Policy
internal import Store

extension Subcommand {
    private static let nameFlags = [
        Flag(name: "route", value: "NAME", help: "the route of the request, with --key"),
        Flag(
            name: "key", value: "TEXT",
            help: "the caller's key without quotes or escapes; - reads it from standard input"),
        Flag(
            name: "id", value: "HEX",
            help: "in place of --route and --key: the first digits of the id that list shows, 4 or more"),
    ]

    private static let ways = """
        A key is no secret, but what stands in a command line is seen by every user of the machine and kept by shells:
        --key - reads it from standard input, without the line break at its end.
        Needs the gateway's configuration, its secrets and the folder of its store, so run it as the gateway's user.
        It works while a gateway runs and while none does, and never shows an answer or a body.
        """

    static let keysList = Subcommand(
        name: "keys list", summary: "list idempotency keys, such as those of unknown outcome",
        details: """
            The last changed first. The id is the beginning of the keyed hash under which the store knows the key.
            \(ways)
            """,
        flags: [
            configFlag,
            Flag(
                name: "state", value: "STATE",
                help: "\(KeyStateName.allNames) or all (default: unknown)"),
            Flag(name: "limit", value: "N", help: "most keys, 1 to 100000 (default: 100)"),
            jsonFlag,
        ],
        run: runKeysList)

    static let keysShow = Subcommand(
        name: "keys show", summary: "show what is known of one idempotency key", details: ways,
        flags: [configFlag] + nameFlags + [jsonFlag], run: runKeysShow)

    static let keysResolve = Subcommand(
        name: "keys resolve", summary: "settle a key of unknown outcome",
        details: """
            Ask the upstream what became of the request first. executed: it was carried out, and repeats get 409, which
            says so. not-executed: it was not; the key is free, and the next request with it is sent.
            Only a key of unknown outcome can be settled. It is durable when the command ends with 0.
            \(ways)
            """,
        flags: [configFlag] + nameFlags + [
            Flag(name: "outcome", value: "OUTCOME", help: "executed or not-executed")
        ],
        run: runKeysResolve)

    private static func runKeysList(_ arguments: Arguments) throws(Arguments.Problem) -> ExitStatus {
        let limit = Int(try arguments.number("limit", in: 1...100_000) ?? 100)
        let word = arguments["state"] ?? KeyStateName.unknown.rawValue
        let state = KeyStateName(rawValue: word)
        guard state != nil || word == "all" else {
            throw Arguments.Problem(text: "--state takes one of \(KeyStateName.allNames), all")
        }
        guard let settings = try arguments.settings() else { return .configuration }
        return keys("list") { () throws(KeyBook.Failure) in
            let book = try KeyBook(settings)
            // One more than is shown tells whether there are more.
            let found = try book.list(state?.kind, limit: limit + 1)
            let report = KeyReport(try book.dates())
            let shown = Array(found.prefix(limit))
            let isCut = found.count > limit
            Console.out(
                arguments.has("json") ? report.json(shown, isCut: isCut) : report.table(shown, isCut: isCut))
        }
    }

    private static func runKeysShow(_ arguments: Arguments) throws(Arguments.Problem) -> ExitStatus {
        let name = try KeyName(arguments)
        guard let settings = try arguments.settings() else { return .configuration }
        let address = try KeyAddress(name, settings)
        return keys("show") { () throws(KeyBook.Failure) in
            let book = try KeyBook(settings)
            let found = try book.find(address)
            let report = KeyReport(try book.dates())
            Console.out(arguments.has("json") ? report.json(found) : report.text(found))
        }
    }

    private static func runKeysResolve(_ arguments: Arguments) throws(Arguments.Problem) -> ExitStatus {
        let name = try KeyName(arguments)
        let outcome = try arguments.required("outcome")
        guard let resolution = outcomes[outcome] else {
            throw Arguments.Problem(text: "--outcome takes executed or not-executed")
        }
        guard let settings = try arguments.settings() else { return .configuration }
        let address = try KeyAddress(name, settings)
        return keys("resolve") { () throws(KeyBook.Failure) in
            let book = try KeyBook(settings)
            let found = try book.find(address)
            try book.resolve(found, as: resolution)
            Console.out("\(found.key.shortName) of the route \(found.route) is settled: \(meaning(resolution))")
        }
    }

    private static let outcomes: [String: Resolution] = ["executed": .done, "not-executed": .removed]

    private static func meaning(_ resolution: Resolution) -> String {
        switch resolution {
        case .done: "it was carried out; repeats get 409, which says so"
        case .removed: "it was not carried out; its key is free, and the next request with it is sent"
        }
    }

    /// Says why the store could not do what was asked.
    private static func keys(_ word: String, _ body: () throws(KeyBook.Failure) -> Void) -> ExitStatus {
        do throws(KeyBook.Failure) {
            try body()
            return .ok
        } catch {
            Console.error("countersign keys \(word): \(error.reason)")
            return .failure
        }
    }
}
