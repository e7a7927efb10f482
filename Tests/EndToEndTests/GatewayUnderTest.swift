// The gateway as an operator starts it: a configuration file, secrets in files, `countersign run`, its ready line.
// Relies on the built executable. Refuses a gateway that does not say that it is ready, with what it wrote.

import Foundation
import TestSupport

/// A configuration, made of the parts that tests vary. Ports are always 0: the system chooses.
struct Setup {
    /// YAML of `listeners`.
    var listeners = "  - {name: apps, bind: \"127.0.0.1:0\"}\n"
    var workers = 1
    var username = "demo"
    var secret = "demo-secret-not-for-production"
    /// Where the API key `demo-api-key` goes; nil for a credential without one.
    var keyPlace: String?
    /// More keys of the credential, each line indented by four.
    var credential = ""
    /// Where the upstream is, and more of its keys, each line indented by four.
    var url: String
    var upstream = ""
    /// YAML of the upstream's `pace`. Off: all but the tests of it measure something else.
    var pace = "none"
    /// YAML of `routes`.
    var routes =
        "  - {name: all, methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS], prefix: /, upstream: up,"
        + " credential: program}\n"
    /// YAML of `limits`, each line indented by two.
    var limits = ""
    /// YAML of the keys about the process, whole lines.
    var process =
        "reload_on_change: none\n" + (Setup.isSanitized ? "hardening: {seccomp: false, landlock: false}\n" : "")
    /// A sanitizer's runtime opens files and asks the kernel for what a gateway never does.
    static let isSanitized = ProcessInfo.processInfo.environment.keys.contains { $0.hasSuffix("SAN_OPTIONS") }
    /// Who may call; empty for whoever reaches a listener.
    var callers: [CallerSetup] = []
    /// YAML of `quotas`, each line indented by two.
    var quotas = ""
    /// Where idempotency keys are kept; nil for a configuration without such a place.
    var store: StoreSetup?

    /// YAML of `log`, within its braces.
    var log = ""

    /// What must live as long as the gateway: its upstream.
    var upstreams: [any AnyObject & Sendable] = []

    init(url: String) { self.url = url }

    /// For an upstream on plain TCP.
    init(_ upstream: FakeUpstream) {
        self.init(url: "http://127.0.0.1:\(upstream.port)")
        upstreams = [upstream]
    }

    func text(_ folder: TemporaryFolder) throws -> String {
        let secretFile = try folder.write("hmac", secret + "\n")
        let keyFile = try folder.write("api-key", "demo-api-key\n")
        let key = keyPlace.map { "    api_key: {value: \"file:\(keyFile)\", place: \($0)}\n" } ?? ""
        return """
            listeners:
            \(listeners)workers: \(workers)
            credentials:
              program:
                username: "\(username)"
                secret: "file:\(secretFile)"
            \(key)\(credential)upstreams:
              up:
                url: "\(url)"
                pace: \(pace)
            \(upstream)routes:
            \(routes)\(limits.isEmpty ? "" : "limits:\n" + limits)\(process)\(log.isEmpty ? "" : "log: {\(log)}\n")
            """ + (quotas.isEmpty ? "" : "quotas:\n" + quotas) + (try CallerSetup.text(callers, folder))
                + (try store?.text(folder) ?? "")
    }
}

/// A running gateway.
final class GatewayUnderTest: Sendable {
    let program: Program
    /// The bound addresses, in the order of the configuration.
    let addresses: [WireAddress]
    private let folder: TemporaryFolder
    private let upstreams: [any AnyObject & Sendable]

    /// `descriptors`: how many the gateway may have, where that is to be few.
    /// `reading`: standard output is not read before it is opened.
    convenience init(
        _ setup: Setup, environment: [String: String] = [:], descriptors: Int? = nil, reading: Gate? = nil
    ) throws {
        let folder = try TemporaryFolder()
        let text = try setup.text(folder)
        try self.init(
            text: text, folder, environment, descriptors: descriptors, reading: reading, keeping: setup.upstreams)
    }

    init(
        text: String, _ folder: TemporaryFolder, _ environment: [String: String] = [:], descriptors: Int? = nil,
        reading: Gate? = nil, keeping upstreams: [any AnyObject & Sendable] = []
    ) throws {
        self.folder = folder
        self.upstreams = upstreams
        let file = try folder.write("countersign.yaml", text)
        let arguments = ["run", "--config", file]
        if let descriptors {
            let path = Program.buildFolder.appendingPathComponent("countersign").path
            let limited = ["-c", "ulimit -n \(descriptors) && exec \"$0\" \"$@\"", path] + arguments
            program = try Program("/bin/sh", limited, environment: environment)
        } else {
            program = try Program("countersign", arguments, environment: environment, reading: reading)
        }
        let line = try program.line(of: .errors) { $0.contains("\"message\":\"ready\"") }
        struct Ready: Decodable { let listeners: [String] }
        let ready = try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
        addresses = try ready.listeners.map(Self.address)
    }

    deinit { program.signal(.kill) }

    private static func address(_ text: String) throws -> WireAddress {
        if text.hasPrefix("unix:") { return .unix(String(text.dropFirst(5))) }
        guard let port = text.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw SupportFailure("no port in \(text)")
        }
        return text.hasPrefix("[") ? .ipv6(port) : .ipv4(port)
    }

    /// A new connection to the first listener; it keeps the gateway running.
    func caller(receiveBuffer: Int32 = 0, within milliseconds: Int = 20_000) throws -> Caller {
        try Caller(addresses[0], receiveBuffer: receiveBuffer, within: milliseconds, keeping: self)
    }

    /// One request on a connection of its own.
    func ask(_ text: String) throws -> Message { try caller().ask(text) }

    /// Stops the program and waits until each of its threads stands still; `program.signal(.resume)` lets it go on.
    func suspend() throws {
        program.signal(.suspend)
        let tasks = "/proc/\(program.id)/task"
        let gate = Gate()
        while true {
            let states = try FileManager.default.contentsOfDirectory(atPath: tasks).map { task in
                try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8).contains("State:\tT")
            }
            if states.allSatisfy({ $0 }) { return }
            gate.pass(within: 0.002)
        }
    }
}

/// A request with a JSON body and its length, as a plain caller writes it.
func post(_ target: String, _ body: String, _ headers: String...) -> String {
    let lines = headers.map { $0 + "\r\n" }.joined()
    return "POST \(target) HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\(lines)\r\n\(body)"
}
