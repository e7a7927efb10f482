// A gateway with a store in a file, an upstream that loses answers, and the `keys` commands beside them.
// Relies on the built executable. Refuses a command that does not end.

import Foundation
import Synchronization
import TestSupport

/// A configuration with a store, and what is run with it. The folder goes with its last user.
final class KeysFixture: Sendable {
    struct Answer {
        var status: Int32
        var out: String
        var error: String
        /// Everything that was written.
        var text: String { out + error }
    }

    /// A key of the store under which the keys `twin-25` and `twin-85` have hashes that begin with 7e32.
    static let storeKey = "store-key-of-the-tests-0001"
    static let twins = ("twin-25", "twin-85")
    /// What no command may print: a part of bodies and answers.
    static let marked = "MARKED-4711"

    let folder: TemporaryFolder
    let upstream: FakeUpstream
    /// Opens with each request that is held.
    let held: Gate
    /// Lets a held request have its answer.
    let release: Gate
    let config: String

    var store: String { folder.path + "/keys.db" }

    /// The upstream loses the first answer to each body that has `lost` in it, and holds those with `held`.
    init(store text: String? = nil) throws {
        folder = try TemporaryFolder()
        let held = Gate()
        let release = Gate()
        self.held = held
        self.release = release
        let seen = Mutex<Set<String>>([])
        upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                let isNew = seen.withLock { $0.insert(request.text).inserted }
                if isNew && request.text.contains("lost") { return }
                if request.text.contains("held") {
                    held.open()
                    release.pass()
                }
                conversation.answer("{\"account\":\"\(KeysFixture.marked)\"}")
            }
        }
        try folder.write("hmac", "secret-of-the-tests\n")
        try folder.write("store-key", Self.storeKey)
        try folder.write("store-key-new", "store-key-of-the-tests-0002")
        config = try folder.write("countersign.yaml", "")
        try configure(store: text ?? "{kind: sqlite, path: \"\(store)\", key: \"file:\(folder.path)/store-key\"}")
    }

    /// Writes the configuration anew; an empty store is none.
    func configure(store: String) throws {
        let idempotency = store.isEmpty ? "" : ", idempotency: {key: [Idempotency-Key, /key]}"
        try folder.write(
            "countersign.yaml",
            """
            listeners:
              - {name: apps, bind: "127.0.0.1:0"}
            workers: 1
            credentials:
              program: {username: demo, secret: "file:\(folder.path)/hmac"}
            upstreams:
              up: {url: "http://127.0.0.1:\(upstream.port)"}
            routes:
              - {name: other, methods: [POST], prefix: /other, upstream: up, credential: program}
              - {name: all, methods: [POST], prefix: /, upstream: up, credential: program\(idempotency)}
            \(store.isEmpty ? "" : "store: \(store)\n")
            """)
    }

    func gateway() throws -> GatewayUnderTest {
        try GatewayUnderTest(text: String(contentsOfFile: config, encoding: .utf8), folder, keeping: [upstream])
    }

    /// Runs `countersign keys` with the configuration.
    func keys(_ words: String...) throws -> Answer { try run(words) }

    func run(_ words: [String]) throws -> Answer { try end(Program("countersign", command(words))) }

    /// The same with `input` on standard input.
    func keys(_ words: String..., input: String) throws -> Answer {
        let path = Program.buildFolder.appendingPathComponent("countersign").path
        let script = "printf '%s' \"$0\" | \"$@\""
        return try end(Program("/bin/sh", ["-c", script, input, path] + command(words)))
    }

    private func command(_ words: [String]) -> [String] { ["keys"] + words + ["--config", config] }

    private func end(_ program: Program) throws -> Answer {
        guard case .code(let status)? = program.end(within: 20) else {
            throw SupportFailure("the command did not end by itself: \(program.errors)")
        }
        return Answer(status: status, out: program.output, error: program.errors)
    }

    /// The listing of every key, by its JSON.
    func all() throws -> [[String: Any]] {
        let listed = try keys("list", "--state", "all", "--json")
        return json(listed.out)["keys"] as? [[String: Any]] ?? []
    }

    /// Sends a request whose answer is lost. The caller hears of that at once; when a repeat is refused, the store
    /// has it.
    func lose(_ key: String, _ gateway: GatewayUnderTest) throws {
        for status in [502, 409] {
            let answer = try gateway.ask(Self.request(key, "lost"))
            guard answer.status == status else { throw SupportFailure("\(answer.status) and not \(status)") }
        }
    }

    /// A request with a key, and with what may not be printed.
    static func request(_ key: String, _ what: String = "") -> String {
        post("/pay", "{\"key\":\"\(key)\",\"what\":\"\(what)\",\"account\":\"\(marked)\"}")
    }
}
