// Every page of the admin listener, and what it refuses: methods, paths, bodies, heads, crowds, slow callers.
// Relies on AdminUnderTest. Whether the figures are right is in MetricsCountTests.

import Foundation
import TestSupport
import Testing

@Suite struct AdminPageTests {
    private func admin(_ setup: Setup? = nil, more: String = "") throws -> AdminUnderTest {
        try AdminUnderTest(try setup ?? Setup(try FakeUpstream()), more: more)
    }

    private static let types = [
        "/healthz": "text/plain; charset=utf-8", "/readyz": "application/json", "/version": "application/json",
        "/metrics": "text/plain; version=0.0.4; charset=utf-8", "/status": "application/json",
        "/config": "application/json",
    ]

    @Test func everyPageIsThere() throws {
        let admin = try admin()
        let caller = try admin.caller()
        for (path, type) in Self.types {
            let page = try caller.ask("GET \(path)?verbose=1 HTTP/1.1\r\nHost: admin\r\n\r\n")
            #expect(page.status == 200 && page["Content-Type"] == type, "\(path)")
            #expect(page["Cache-Control"] == "no-store")
            if type == "application/json" { #expect(!page.json.isEmpty, "\(page.text)") }
            let head = try caller.ask("HEAD \(path) HTTP/1.1\r\nHost: admin\r\n\r\n")
            #expect(head.status == 200 && head["Content-Type"] == type && head.body.isEmpty)
        }
        #expect(try admin.page("/version").json["version"] as? String == "0.1.0")
        #expect(try admin.page("/healthz").text == "ok\n")
    }

    @Test(arguments: ["/", "/metrics/", "/Metrics", "/healthz/x", "//healthz", "/%68ealthz", "/x/../healthz", "/statu"])
    func otherPathsAreNotThere(_ path: String) throws {
        let page = try admin().page(path)
        #expect(page.status == 404 || page.status == 400, "\(path)")
        #expect(page.text.count < 100)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    func otherMethodsAreNotTaken(_ method: String) throws {
        let caller = try admin().caller()
        let refused = try caller.ask("\(method) /healthz HTTP/1.1\r\nHost: admin\r\nContent-Length: 0\r\n\r\n")
        #expect(refused.status == 405 && refused["Allow"] == "GET, HEAD")
        #expect(try caller.ask("GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n").status == 200)
    }

    private static let bad: [(String, Int)] = [
        ("GET /healthz HTTP/1.1\r\nHost: admin\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("GET /healthz HTTP/1.1\r\nHost: admin\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /healthz HTTP/1.0\r\nHost: admin\r\n\r\n", 400), ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\r\n\r\n", 400), ("BREW /healthz HTTP/1.1\r\nHost: admin\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /" + String(repeating: "x", count: 9_000) + " HTTP/1.1\r\nHost: admin\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: admin\r\nX: " + String(repeating: "x", count: 9_000) + "\r\n\r\n", 431),
    ]

    @Test(arguments: bad.indices)
    func whatIsNoRequestIsRefusedAndEnds(_ row: Int) throws {
        let (text, status) = Self.bad[row]
        let caller = try admin().caller()
        let refused = try caller.ask(text)
        #expect(refused.status == status && refused["Connection"] == "close", "\(text.prefix(40))")
        try caller.reader.expectEnd()
    }

    /// A head of exactly the bound is taken, whichever page it asks for.
    @Test func theLongestHeadIsTaken() throws {
        let frame = "GET /healthz HTTP/1.1\r\nHost: admin\r\nX: \r\n\r\n"
        let filler = String(repeating: "x", count: 8_192 - frame.utf8.count)
        let caller = try admin().caller()
        let text = frame.replacing("X: ", with: "X: " + filler)
        #expect(text.utf8.count == 8_192)
        #expect(try caller.ask(text).status == 200)
        #expect(try caller.ask(text.replacing("X: ", with: "X: y")).status == 431)
    }

    @Test func requestsAreAnsweredInTheirOrder() throws {
        let caller = try admin().caller()
        let paths = ["/healthz", "/version", "/nothing", "/readyz", "/metrics", "/healthz"]
        try caller.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: admin\r\n\r\n" }.joined())
        #expect(try paths.map { _ in try caller.answer().status } == [200, 200, 404, 200, 200, 200])
    }

    @Test func aConnectionEndsAfterItsShareOfRequests() throws {
        let caller = try admin().caller()
        for number in 1...1_000 {
            let page = try caller.ask("GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n")
            #expect(page.status == 200 && (page["Connection"] == "close") == (number == 1_000))
        }
        try caller.reader.expectEnd()
    }

    /// The data listener reserves no path.
    @Test func thePathsAreTheUpstreamsOnTheDataListener() throws {
        let upstream = try FakeUpstream()
        let admin = try admin(Setup(upstream))
        for path in Self.types.keys { #expect(try admin.gateway.ask(post(path, "{}")).text == "{\"ok\":true}") }
        #expect(upstream.requests.count == Self.types.count)
    }

    @Test func withoutTheKeyThereIsNone() throws {
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()))
        #expect(!gateway.program.errors.contains("admin"))
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func itMayBeAUnixSocket() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/admin.sock"
        let more = "admin: {bind: \"unix:\(path)\", mode: \"0600\"}\n"
        let admin = try AdminUnderTest(Reloadable(Setup(try FakeUpstream()), more: more))
        #expect(admin.address == .unix(path))
        #expect(try admin.page("/healthz").status == 200)
        #expect(try admin.metrics()("workers") == 1)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(admin.gateway.program.stop() == .code(0))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func anAddressThatIsTakenEndsTheStart() throws {
        let taken = try WireListener(.ipv4(0))
        let folder = try TemporaryFolder()
        let text = try Setup(url: "http://127.0.0.1:1").text(folder) + "admin: {bind: \"127.0.0.1:\(taken.port)\"}\n"
        let program = try Program("countersign", ["run", "--config", try folder.write("c.yaml", text)])
        #expect(program.end() == .code(1))
        #expect(program.errors.contains("the admin listener cannot be bound"))
    }

    /// 64 who say nothing hold all places; a request of a caller is served meanwhile, and they go after 5 s.
    @Test func aCrowdWaitsAndTheSilentAreLetGo() throws {
        let admin = try admin()
        let silent = try (0..<64).map { _ in try admin.caller() }
        try silent[0].send("GET /heal")
        let late = try admin.caller()
        try late.send("GET /healthz HTTP/1.1\r\nHost: admin\r\n\r\n")
        #expect(!late.wire.isReadable(within: 500), "no place is free")
        #expect(try admin.gateway.ask(post("/x", "{}")).status == 200)
        #expect(try late.answer().status == 200)
        for caller in silent { try caller.reader.expectEnd() }
    }

    /// Callers that go in the middle, or never take what they asked for.
    @Test func brokenCallersLeaveNothingBehind() throws {
        let admin = try admin()
        for number in 0..<200 {
            let caller = try admin.caller()
            try caller.send(String("GET /metrics HTTP/1.1\r\nHost: admin\r\n\r\n".prefix(number % 41)))
            if number % 2 == 0 { caller.wire.reset() } else { caller.wire.close() }
        }
        let deaf = try Caller(admin.address, receiveBuffer: 4_096, keeping: admin)
        try deaf.send(String(repeating: "GET /metrics HTTP/1.1\r\nHost: admin\r\n\r\n", count: 200))
        #expect(try admin.page("/healthz").status == 200)
        #expect(try admin.gateway.ask(post("/x", "{}")).status == 200)
        #expect(admin.gateway.program.stop() == .code(0))
    }
}
