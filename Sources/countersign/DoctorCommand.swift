// `doctor`: what would keep the gateway from working on this machine, and what to mend.
// Relies on the Doctor folder for the looks. Refuses to sign anything or to change anything.

internal import Config

extension Subcommand {
    static let doctor = Subcommand(
        name: "doctor", summary: "look at clock, upstreams, files, store, limits",
        details: """
            Looks at this machine as the configuration will use it: rights of files, the store, user, limits, kernel;
            and at each upstream: name, connection, certificate, and how far the clocks differ (one HEAD of /, without a
            signature, at most 5 s). One line each, with what to mend. Status 1 where anything fails; warnings are not
            failures.
            """,
        flags: [configFlag, jsonFlag],
        run: { (arguments) throws(Arguments.Problem) in
            guard let settings = try arguments.settings() else { return .configuration }
            var checkup = HostCheckup(settings)
            checkup.run()
            let findings = checkup.findings + settings.upstreams.flatMap { UpstreamProbe.look(at: $0) }
            let hasFailed = findings.contains { $0.level == .fail }
            if arguments.has("json") {
                let list = findings.map(\.json).joined(separator: ",")
                Console.out("{\"ok\":\(!hasFailed),\"findings\":[\(list)]}")
            } else {
                let paint = Paint(.output)
                for finding in findings { Console.out(finding.line(paint)) }
            }
            return hasFailed ? .failure : .ok
        })
}
