// `verify`: does a recorded request verify with this credential, and if not, what is wrong with it?
// Relies on Signing's verifier. Refuses an unknown credential; never prints a secret, a signature or the body.

internal import Config
internal import Net
internal import Policy
internal import Signing

extension Subcommand {
    static let verify = Subcommand(
        name: "verify", summary: "say why a recorded request verifies or not",
        details: """
            Reads a request as it was sent, head and body, and looks at each part as the upstream's verifier would.
            Where the signature does not match it tries the usual mistakes and names those that explain it.
            """,
        flags: [
            configFlag,
            Flag(name: "credential", value: "NAME", help: "the credential that it should be signed with"),
            Flag(name: "request", value: "FILE", help: "the recorded request; - for standard input"),
            Flag(name: "now", value: "SECONDS", help: "the verifier's clock in Unix seconds (default: now)"),
        ],
        run: runVerify)

    private static func runVerify(_ arguments: Arguments) throws(Arguments.Problem) -> ExitStatus {
        let name = try arguments.required("credential")
        let path = try arguments.required("request")
        let now = try arguments.number("now", in: HTTPDate.range) ?? Clock.realtimeSeconds()
        guard let settings = try arguments.settings() else { return .configuration }
        let index = try settings.credentialIndex(name)
        let recording: [UInt8]
        do throws(Console.ReadFailure) {
            recording = try Console.read(path)
        } catch {
            Console.error("countersign verify: \(error.reason)")
            return .failure
        }
        let upstreams = settings.routes.filter { $0.credential == index }.map {
            settings.upstreams[$0.upstream].basePath
        }
        var verifier = RequestVerifier(settings.credentials[index], basePaths: upstreams)
        let findings = verifier.verify(recording, now: now)
        for finding in findings {
            Console.out(finding.state.rawValue.padded(to: 6) + finding.part.rawValue.padded(to: 14) + finding.text)
        }
        let verifies = !findings.contains { $0.state == .wrong }
        Console.out(verifies ? "The request verifies." : "The request does not verify.")
        return verifies ? .ok : .failure
    }
}

extension Settings {
    /// The place of the credential called `name`.
    func credentialIndex(_ name: String) throws(Arguments.Problem) -> Int {
        if let index = credentials.firstIndex(where: { $0.name == name }) { return index }
        throw Arguments.Problem.unknown("credential", name, credentials.map(\.name))
    }

    /// The route called `name`.
    func route(_ name: String) throws(Arguments.Problem) -> Int {
        if let index = routes.firstIndex(where: { $0.name == name }) { return index }
        throw Arguments.Problem.unknown("route", name, routes.map(\.name))
    }
}

extension Arguments.Problem {
    static func unknown(_ kind: String, _ name: String, _ names: [String]) -> Arguments.Problem {
        let near = nearest(to: name, among: names).map { "; is \($0) meant?" } ?? ""
        return Arguments.Problem(text: "the configuration has no \(kind) \(name)\(near)")
    }
}
