// The command as an operator uses it: statuses, help, and that explain and verify agree.
// Relies on the built executable beside the tests. Refuses output that holds a secret or an API key.

import Foundation
import Testing

/// A directory with a configuration and its secrets, removed at the end.
final class CommandFixture {
    let folder: URL
    static let secret = "secret-of-hmac-1"
    static let apiKey = "key-of-program-1"

    init(place: String = "both", signed: String = "request-line x-date content-sha512") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("countersign-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try write("hmac", Self.secret + "\n")
        try write("key", Self.apiKey)
        try write(
            "config.yaml",
            """
            listeners:
              - {name: apps, bind: "127.0.0.1:8080"}
            credentials:
              acme:
                username: acme
                secret: "file:\(folder.path)/hmac"
                signed_headers: "\(signed)"
                api_key: {value: "file:\(folder.path)/key", place: \(place)}
                fields: {/participant_id: 12345}
            upstreams:
              banking:
                url: "http://127.0.0.1:9000/api/v4"
                pace: none
            routes:
              - {name: save, path: /users/save, upstream: banking, credential: acme}
              - {name: rest, prefix: /banking, strip_prefix: /banking, upstream: banking, credential: acme}
            """)
        try write("body.json", "{\"a\":1}")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func write(_ name: String, _ text: String) throws {
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        let made = FileManager.default.createFile(atPath: path(name), contents: Data(text.utf8), attributes: attributes)
        try #require(made)
    }

    struct Answer {
        var status: Int32
        var out: String
        var error: String
    }

    /// Runs the command. Neither stream is longer than a pipe holds, so that one is read after the other.
    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Answer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("countersign")
        process.arguments = arguments
        process.environment = environment
        let out = Pipe()
        let error = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = out
        process.standardError = error
        try process.run()
        let outData = try out.fileHandleForReading.readToEnd() ?? Data()
        let errorData = try error.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Answer(
            status: process.terminationStatus, out: String(decoding: outData, as: UTF8.self),
            error: String(decoding: errorData, as: UTF8.self))
    }
}

/// Wrong command lines, and what is said of each. `CONFIG` stands for a good configuration.
private let misuses: [([String], String)] = [
    ([], "a subcommand is missing"), (["chek"], "is check meant?"),
    (["check", "--confg", "x"], "is --config meant?"),
    (["check"], "--config is missing"), (["check", "--config"], "--config needs a value"),
    (["check", "--config=a", "--config=b"], "given twice"), (["check", "a"], "belongs to no flag"),
    (["explain", "--config", "CONFIG"], "one of --route and --credential"),
    (["explain", "--config", "CONFIG", "--route", "sav"], "no route sav; is save meant?"),
    (["explain", "--config", "CONFIG", "--credential", "acne"], "no credential acne; is acme meant?"),
    (["explain", "--config", "CONFIG", "--route", "save", "--method", "post"], "--method takes one of GET"),
    (["explain", "--config", "CONFIG", "--route", "save", "--unix", "-1"], "from 0 to 253402300799"),
    (["explain", "--config", "CONFIG", "--route", "save", "--date", "now"], "--date takes a date"),
    (["explain", "--config", "CONFIG", "--route", "save", "--target", "a b"], "--target begins with /"),
    (["explain", "--config", "CONFIG", "--route", "save", "--json=yes"], "--json takes no value"),
    (["verify", "--config", "CONFIG", "--credential", "acme"], "--request is missing"),
    (["keys"], "a second word is missing"), (["keys", "lst"], "no subcommand keys lst; is keys list meant?"),
    (["key", "list"], "is keys meant?"), (["list"], "there is no subcommand list"),
    (["keys list"], "there is no subcommand"),
    (["keys", "list", "--state", "lost"], "--state takes one of unknown, in-flight, answered, done, all"),
    (["keys", "list", "--limit", "0"], "from 1 to 100000"), (["keys", "list"], "--config is missing"),
    (["keys", "show", "--config", "CONFIG"], "--route and --key, or --id, are needed"),
    (["keys", "show", "--key", "k"], "--route is missing"),
    (["keys", "show", "--route", "r"], "--key is missing"),
    (["keys", "show", "--id", "abcd", "--key", "k"], "--id stands in place of"),
    (["keys", "show", "--id", "abc"], "4 to 64 hexadecimal"),
    (["keys", "show", "--id", "abcg"], "4 to 64 hex"),
    (["keys", "show", "--id", String(repeating: "a", count: 65)], "4 to 64 hexadecimal"),
    (["keys", "show", "--route", "r", "--key", "-"], "1 to 255 bytes"),
    (["keys", "show", "--route", "r", "--key", String(repeating: "k", count: 256)], "1 to 255 bytes"),
    (["keys", "show", "--route", "r", "--key", "a\tb"], "without control characters"),
    (["keys", "show", "--config", "CONFIG", "--route", "sav", "--key", "k"], "no route sav; is save meant?"),
    (["keys", "resolve", "--config", "CONFIG", "--id", "abcd"], "--outcome is missing"),
    (["keys", "resolve", "--id", "abcd", "--outcome", "done"], "--outcome takes executed or not-executed"),
]

@Suite("command")
struct CommandTests {
    static let date = "Fri, 17 Jan 2020 19:59:29 GMT"

    @Test(
        "usage ends with 2 and says what is meant",
        arguments: misuses)
    func usage(_ arguments: [String], _ says: String) throws {
        let fixture = try CommandFixture()
        let answer = try fixture.run(arguments.map { $0 == "CONFIG" ? fixture.path("config.yaml") : $0 })
        #expect(answer.status == 2)
        #expect(answer.out.isEmpty)
        #expect(answer.error.contains(says), "\(answer.error)")
    }

    @Test("help and version are on standard output with 0")
    func help() throws {
        let fixture = try CommandFixture()
        for arguments in [
            ["--help"], ["-h"], ["help"], ["--version"], ["version"], ["run", "--help"], ["explain", "-h"],
            ["verify", "--help"], ["check", "--help"], ["redact", "--help"],
            ["keys", "--help"], ["keys", "help"], ["keys", "list", "--help"], ["keys", "show", "-h"],
            ["keys", "resolve", "--help"],
        ] {
            let answer = try fixture.run(arguments)
            #expect(answer.status == 0 && answer.out.contains("countersign") && answer.error.isEmpty)
        }
    }

    @Test("check says ok, or every problem with its place and 78")
    func check() throws {
        let fixture = try CommandFixture()
        let good = try fixture.run(["check"], environment: ["COUNTERSIGN_CONFIG": fixture.path("config.yaml")])
        #expect(good.status == 0 && good.out == "ok\n")
        try fixture.write("bad.yaml", "listeners: []\nrouts: []\n")
        let bad = try fixture.run(["check", "--config", fixture.path("bad.yaml")])
        #expect(bad.status == 78 && bad.out.isEmpty)
        #expect(bad.error.contains("bad.yaml:2:1: "))
        #expect(bad.error.split(separator: "\n").count > 1)
        for name in ["run", "explain"] {
            let arguments = [name, "--config", fixture.path("bad.yaml")] + (name == "run" ? [] : ["--route", "save"])
            #expect(try fixture.run(arguments).status == 78)
        }
    }

    @Test(
        "what explain prints verifies, also with a signed API key, and shows no secret",
        arguments: ["header", "both", "body"])
    func agreement(_ place: String) throws {
        let fixture = try CommandFixture(place: place)
        let config = ["--config", fixture.path("config.yaml")]
        let explained = try fixture.run(
            ["explain", "--route", "rest", "--target", "/banking/x?y=1", "--body", fixture.path("body.json"), "--date"]
                + [Self.date, "--json", "--show-body"] + config)
        #expect(explained.status == 0, "\(explained.error)")
        #expect(!explained.out.contains(CommandFixture.apiKey) && !explained.out.contains(CommandFixture.secret))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(explained.out.utf8)) as? [String: Any])
        #expect(object["request_line"] as? String == "POST /api/v4/x?y=1 HTTP/1.1")
        let shown = try #require(object["body"] as? String)
        #expect(shown.contains("\"participant_id\":12345") && shown.contains("\"***\"") == (place != "header"))

        let fields = try #require(object["headers"] as? [[String]])
        let lines =
            try #require(object["request_line"] as? String) + "\r\n"
            + fields.map { "\($0[0]): \($0[0] == "api_key" ? CommandFixture.apiKey : $0[1])\r\n" }.joined()
        let request = lines + "\r\n" + shown.replacing("***", with: CommandFixture.apiKey)
        try fixture.write("request", request)
        let verify = ["verify", "--credential", "acme", "--request", fixture.path("request")] + config
        let good = try fixture.run(verify + ["--now", "1579291169"])
        #expect(good.status == 0 && good.out.hasSuffix("The request verifies.\n"), "\(good.out)")
        #expect(!good.out.contains(CommandFixture.apiKey) && !good.out.contains(CommandFixture.secret))

        let late = try fixture.run(verify + ["--now", "1579291470"])
        #expect(late.status == 1 && late.out.contains("wrong clock         X-Date is 301 s behind"), "\(late.out)")
        try fixture.write("request", request.replacing("\"a\":1", with: "\"a\":2"))
        let altered = try fixture.run(verify + ["--now", "1579291169"])
        #expect(altered.status == 1 && altered.out.contains("the body is not the one that was digested"))
    }

    @Test("a signed API key is masked in the string to sign, and signed for what it is")
    func signedKey() throws {
        let fixture = try CommandFixture(place: "header", signed: "request-line x-date content-sha512 api_key")
        let config = ["--config", fixture.path("config.yaml")]
        let arguments = ["explain", "--route", "save", "--body", fixture.path("body.json"), "--unix", "1579291169"]
        let plain = try fixture.run(arguments + config)
        #expect(plain.status == 0 && plain.out.contains("\n  api_key: ***\n\nBody: "), "\(plain.out)")
        #expect(!plain.out.contains(CommandFixture.apiKey))
    }

    @Test("explain in words shows what was asked for and masks the API key")
    func words() throws {
        let fixture = try CommandFixture()
        let arguments = [
            "explain", "--config", fixture.path("config.yaml"), "--credential", "acme", "--target", "/it's",
            "--body", fixture.path("body.json"), "--unix", "1579291169",
        ]
        let plain = try fixture.run(arguments)
        #expect(plain.status == 0)
        #expect(plain.out.contains("\n  POST /api/v4/it's HTTP/1.1\n  x-date: \(Self.date)\n"))
        #expect(plain.out.contains("with /api_key, /participant_id from the credential"))
        #expect(plain.out.contains("'http://127.0.0.1:9000/api/v4/it'\\''s' -H 'api_key: ***' -H 'X-Date: "))
        #expect(!plain.out.contains("\"a\":1") && !plain.out.contains(CommandFixture.apiKey))
        let body = try fixture.run(arguments + ["--show-body"])
        #expect(body.out.contains("{\"api_key\":\"***\",\"participant_id\":12345,\"a\":1}"))
    }

    @Test(
        "a call that the gateway would refuse is refused with its reason",
        arguments: [
            ("{\"participant_id\":1}", "/participant_id in the body differs"), ("{\"a\":}", "refused at byte 5"),
            ("", "and there is none"), ("[]", "refused at byte 0"),
        ])
    func refused(_ body: String, _ says: String) throws {
        let fixture = try CommandFixture()
        try fixture.write("body.json", body)
        let answer = try fixture.run(
            [
                "explain", "--config", fixture.path("config.yaml"), "--route", "save", "--body",
                fixture.path("body.json"),
            ])
        #expect(answer.status == 1 && answer.out.isEmpty)
        #expect(answer.error.contains(says), "\(answer.error)")
    }
}
