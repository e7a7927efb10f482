// `man`: the manual page, in the macros of man(7).
// Relies on the table of subcommands, of which it is made. Refuses nothing.

extension Subcommand {
    static let manual = Subcommand(
        name: "man", summary: "print the manual page",
        details: "In roff. Use: countersign man | man -l -, or put it at share/man/man1/countersign.1.", flags: [],
        run: { _ in
            Console.out(manualPage)
            return .ok
        })

    private static var manualPage: String {
        let names = all.map { $0.synopsis }
        let sections = [
            ".TH COUNTERSIGN 1 \(versionDate) \"countersign \(version)\" \"User Commands\"",
            section("NAME", "countersign \\- a reverse proxy that signs requests to payment APIs"),
            section("SYNOPSIS", names.joined(separator: "\n.br\n")),
            section(
                "DESCRIPTION",
                roff(
                    "Internal services send plain JSON over HTTP/1.1; countersign adds the program's API key, date, "
                        + "digest and signature, and forwards the call over verified TLS. Secrets stay out of "
                        + "application code. Every key of the configuration is explained in conf/countersign.yaml.")),
            section("SUBCOMMANDS", all.map(\.manual).joined(separator: "\n")),
            section("ENVIRONMENT", environment.map { tagged($0.0, roff($0.1)) }.joined(separator: "\n")),
            section("SIGNALS", signals.map { tagged($0.0, roff($0.1)) }.joined(separator: "\n")),
            section("EXIT STATUS", statuses.map { tagged($0.0, roff($0.1)) }.joined(separator: "\n")),
        ]
        return sections.joined(separator: "\n")
    }

    private static let environment = [
        (configVariable, "The configuration, where --config is not given."),
        ("CREDENTIALS_DIRECTORY", "Where references of the form credential:NAME are looked for (systemd)."),
        ("NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID", "The service manager that hears of readiness and of life."),
        ("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Sockets that listeners with bind: fd:NAME take over."),
        ("NO_COLOR", "Without colours, also on a terminal."),
    ]

    private static let signals = [
        ("SIGTERM, SIGINT", "Finish what is in flight and leave; a second one leaves at once."),
        ("SIGHUP", "Read configuration, secrets and certificates again; where they have a problem nothing changes."),
        ("SIGUSR1", "Open the access log's file again."),
    ]

    private static let statuses = [
        ("0", "Done."), ("1", "It ran and did not succeed."), ("2", "Wrong usage."),
        ("78", "The configuration is bad."),
    ]

    private var synopsis: String {
        let rest = (flags.isEmpty ? "" : " [flags]") + (operand.map { " " + $0 } ?? "")
        return ".B countersign \(name)" + (rest.isEmpty ? "" : "\n.RI \"\(rest)\"")
    }

    private var manual: String {
        let list = flags.map { flag in
            Self.tagged("--\(flag.name)" + (flag.value.map { " " + $0 } ?? ""), Self.roff(flag.help))
        }
        let text = Self.roff(summary.prefix(1).uppercased() + summary.dropFirst() + ". " + details)
        return ([".SS countersign \(name)", text] + list).joined(separator: "\n")
    }

    private static func section(_ title: String, _ text: String) -> String { ".SH \(title)\n\(text)" }

    private static func tagged(_ tag: String, _ text: String) -> String { ".TP\n.B \(roff(tag))\n\(text)" }

    /// Text that means itself, in lines of at most 78 columns: no escapes, no requests at the beginning of a line.
    private static func roff(_ text: String) -> String {
        var lines = [""]
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let plain = String(word).replacing("\\", with: "\\e").replacing("-", with: "\\-")
            let last = lines[lines.count - 1]
            if last.isEmpty || last.count + plain.count > 77 {
                lines.append(plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : plain)
            } else {
                lines[lines.count - 1] += " " + plain
            }
        }
        return lines.dropFirst().joined(separator: "\n")
    }
}
