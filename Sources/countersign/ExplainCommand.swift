// `explain`: what would be signed and sent for a call, line by line, without sending it.
// Relies on the same Draft and Signer as the gateway. Refuses calls that the gateway would refuse; never prints the
// secret or the API key, and the body only where --show-body asks for it.

internal import Config
internal import HTTP
internal import Net
internal import Policy
internal import Signing

extension Subcommand {
    static let explain = Subcommand(
        name: "explain", summary: "show what is signed for a call",
        details: """
            Signs a call as the gateway would and prints the string to sign, the digest, each header and a curl line.
            The target is the caller's for --route, and the upstream's behind its base path for --credential.
            """,
        flags: [
            configFlag,
            Flag(name: "route", value: "NAME", help: "the route that the call takes"),
            Flag(
                name: "credential", value: "NAME", help: "in place of --route: sign for the credential's first upstream"
            ),
            Flag(name: "method", value: "METHOD", help: "the method (default: POST)"),
            Flag(name: "target", value: "PATH", help: "path and query (default: the route's path)"),
            Flag(name: "body", value: "FILE", help: "the body; - for standard input (default: none)"),
            Flag(name: "date", value: "DATE", help: "as in X-Date: Fri, 17 Jan 2020 19:59:29 GMT (default: now)"),
            Flag(name: "unix", value: "SECONDS", help: "in place of --date: Unix seconds"),
            Flag(name: "show-body", value: nil, help: "print the body that is sent, with the API key as ***"),
            jsonFlag,
        ],
        run: runExplain)

    private static func runExplain(_ arguments: Arguments) throws(Arguments.Problem) -> ExitStatus {
        let date = try date(arguments)
        let method = try method(arguments)
        guard (arguments["route"] == nil) != (arguments["credential"] == nil) else {
            throw Arguments.Problem(text: "one of --route and --credential is needed")
        }
        guard let settings = try arguments.settings() else { return .configuration }
        let call = try Call(arguments, settings)
        guard let bytes = read(arguments["body"]) else { return .failure }
        let body: ExplainedBody
        do throws(ExplainedBody.Refusal) {
            body = try ExplainedBody(bytes, call.credential, maxDepth: settings.limits.maxJSONDepth)
        } catch {
            Console.error("countersign explain: the gateway would refuse this call: \(error.reason)")
            return .failure
        }
        let explanation = Explanation(call, method, body, date, bodyFile: arguments["body"])
        Console.out(
            arguments.has("json")
                ? explanation.json(showsBody: arguments.has("show-body"))
                : explanation.text(showsBody: arguments.has("show-body")))
        return .ok
    }

    /// The bytes of the body; nil where they cannot be read, which has been said then.
    private static func read(_ path: String?) -> [UInt8]? {
        guard let path else { return [] }
        do throws(Console.ReadFailure) {
            return try Console.read(path)
        } catch {
            Console.error("countersign explain: \(error.reason)")
            return nil
        }
    }

    private static func method(_ arguments: Arguments) throws(Arguments.Problem) -> Method {
        let name = arguments["method"] ?? "POST"
        guard let method = Method.allCases.first(where: { "\($0.name)" == name }) else {
            let names = Method.allCases.map { "\($0.name)" }.joined(separator: ", ")
            throw Arguments.Problem(text: "--method takes one of \(names)")
        }
        return method
    }

    private static func date(_ arguments: Arguments) throws(Arguments.Problem) -> HTTPDate {
        if let unix = try arguments.number("unix", in: HTTPDate.range) {
            guard arguments["date"] == nil else { throw Arguments.Problem(text: "--date and --unix say the same") }
            return HTTPDate(unixSeconds: unix)
        }
        guard let text = arguments["date"] else { return HTTPDate(unixSeconds: Clock.realtimeSeconds()) }
        guard let seconds = HTTPDate.parse(Array(text.utf8).span) else {
            throw Arguments.Problem(text: "--date takes a date like Fri, 17 Jan 2020 19:59:29 GMT, its weekday right")
        }
        return HTTPDate(unixSeconds: seconds)
    }
}

/// Where a call goes and who signs it.
struct Call {
    var credential: CredentialSettings
    var upstream: UpstreamSettings
    /// Behind the upstream's base path.
    var target: String

    init(_ arguments: Arguments, _ settings: Settings) throws(Arguments.Problem) {
        var target = arguments["target"]
        if let name = arguments["route"] {
            let route = settings.routes[try settings.route(name)]
            credential = settings.credentials[route.credential]
            upstream = settings.upstreams[route.upstream]
            target = target ?? Self.path(route.match)
            if let given = target, given.hasPrefix(route.stripPrefix) {
                target = String(given.dropFirst(route.stripPrefix.count))
            }
        } else {
            let index = try settings.credentialIndex(try arguments.required("credential"))
            credential = settings.credentials[index]
            let place = settings.routes.first { $0.credential == index }?.upstream ?? 0
            upstream = settings.upstreams[place]
        }
        self.target = target ?? "/"
        let given = arguments["target"] ?? "/"
        guard given.hasPrefix("/"), given.utf8.allSatisfy({ (33...126).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw Arguments.Problem(text: "--target begins with / and has no spaces, no # and nothing but ASCII")
        }
    }

    private static func path(_ match: PathMatch) -> String {
        switch match {
        case .exact(let path), .prefix(let path): path
        }
    }
}
