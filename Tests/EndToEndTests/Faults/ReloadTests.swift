// SIGHUP: what a reload takes up, what it leaves alone, and that a bad one changes nothing and says so.
// Relies on Reloadable. The stops and reloads under load are in UnderLoadTests.

import Foundation
import TestSupport
import Testing

@Suite struct ReloadTests {
    @Test func aNewSecretTakesEffect() throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        let right = setup.secret
        setup.secret = "an-old-secret-that-is-wrong-by-now"
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        #expect(try caller.ask(post("/balance/user", "{}")).status == 401)
        setup.secret = right
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        // The caller's connection stays; what it sends next is signed with the new secret.
        #expect(try caller.ask(post("/balance/user", "{}")).status != 401)
        #expect(try sandbox.requests().map(\.verified) == [false, true])
    }

    @Test func aNewRouteTakesEffect() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.routes = "  - {name: one, prefix: /one, upstream: up, credential: program}\n"
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        #expect(try caller.ask(post("/two/x", "{}")).status == 404)
        setup.routes = "  - {name: two, prefix: /two, upstream: up, credential: program}\n"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try caller.ask(post("/two/x", "{}")).status == 200)
        #expect(try caller.ask(post("/one/x", "{}")).status == 404)
    }

    private struct Told: Decodable { let listeners: [String] }

    @Test func listenersComeAndGo() throws {
        let folder = try TemporaryFolder()
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.workers = 2
        // The folder of the new socket is not among those that were named at the start.
        setup.process = "reload_on_change: none\nhardening: {landlock: false}\n"
        let before = setup.listeners
        let reloadable = try Reloadable(setup)
        let path = folder.path + "/apps.sock"
        setup.listeners = before + "  - {name: six, bind: \"[::1]:0\"}\n  - {name: local, bind: \"unix:\(path)\"}\n"
        let line = try reloadable.reload(setup)
        let told = try JSONDecoder().decode(Told.self, from: Data(line.utf8)).listeners
        #expect(told.count == 3 && told.last == "unix:\(path)")
        let port = try #require(told[1].split(separator: ":").last.flatMap { UInt16($0) })
        let kept = try [Caller(.ipv6(port)), Caller(.unix(path)), reloadable.gateway.caller()]
        for caller in kept { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        setup.listeners = before
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        // Who is connected stays; nobody new comes in where nobody listens.
        for caller in kept { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        #expect(!FileManager.default.fileExists(atPath: path))
        for address in [WireAddress.ipv6(port), .unix(path)] {
            #expect(throws: WireFailure.self) { _ = try Wire.connect(to: address) }
        }
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.requests.count == 7)
    }

    /// What is bound already is our own: it is no reason to refuse.
    @Test func aListenerIsOpenedToTheNetworkAndClosedAgain() throws {
        var setup = Setup(try FakeUpstream())
        setup.workers = 2
        let reloadable = try Reloadable(setup)
        guard case .ipv4(let port) = reloadable.gateway.addresses[0] else { throw SupportFailure("not on IPv4") }
        let own = "  - {name: apps, bind: \"127.0.0.1:\(port)\"}\n"
        let all = "  - {name: apps, bind: \"0.0.0.0:\(port)\", unsafe_bind: true}\n"
        for listeners in [own, all, own, own + all.replacing("apps", with: "all"), all, own] {
            setup.listeners = listeners
            #expect(try reloadable.reload(setup).contains("\"reloaded\""), "\(listeners)")
            #expect(try Caller(.ipv4(port)).ask(post("/x", "{}")).status == 200)
        }
    }

    @Test func aChangedAuthorityTakesEffect() throws {
        let folder = try TemporaryFolder()
        _ = try Program.run("ingo-sandbox", ["--make-test-certificates", folder.path])
        let sandbox = try Sandbox("--certificate", "\(folder.path)/good.pem", "--key", "\(folder.path)/good.key")
        let stranger = try Sandbox()
        let good = try String(contentsOfFile: "\(folder.path)/ca.pem", encoding: .utf8)
        let other = try String(contentsOfFile: stranger.authority, encoding: .utf8)
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        setup.upstream = "    tls: {ca_file: \"\(folder.path)/trusted.pem\"}\n"
        try folder.write("trusted.pem", other)
        let reloadable = try Reloadable(setup)
        for (text, isTrusted) in [(other, false), (good, true), (other, false)] {
            try folder.write("trusted.pem", text)
            #expect(try reloadable.reload(setup).contains("\"reloaded\""))
            let answer = try reloadable.gateway.ask(post("/balance/user", "{}"))
            let refusal = "countersign; error=tls_certificate_error; sent=?0"
            #expect(answer["Proxy-Status"] == (isTrusted ? nil : refusal))
        }
    }

    private static let bad: [(String, @Sendable (inout Setup, TemporaryFolder) throws -> Void)] = [
        ("a key that is not known", { setup, _ in setup.limits = "  max_bodies: 3\n" }),
        ("YAML that is none", { setup, _ in setup.routes = "  - {name: [\n" }),
        ("no secret", { setup, _ in setup.secret = "" }),
        ("a secret that is not there", { setup, _ in setup.credential = "    api_key: {value: \"file:/none\"}\n" }),
        (
            "a CA file that is none",
            { setup, folder in
                let file = try folder.write("ca.pem", "nothing to trust")
                setup.url = "https://127.0.0.1:1"
                setup.upstream = "    tls: {ca_file: \"\(file)\"}\n"
            }
        ),
        (
            "a listener that cannot be bound, behind one that can",
            { setup, folder in
                let taken = try WireListener(.unix(folder.path + "/taken.sock"))
                setup.upstreams.append(taken)
                setup.listeners +=
                    "  - {name: free, bind: \"unix:\(folder.path)/free.sock\"}\n"
                    + "  - {name: taken, bind: \"unix:\(folder.path)/taken.sock\"}\n"
            }
        ),
    ]

    @Test(arguments: bad.indices)
    func aBadReloadChangesNothing(_ row: Int) throws {
        let (name, spoil) = Self.bad[row]
        let upstream = try FakeUpstream()
        let good = Setup(upstream)
        let reloadable = try Reloadable(good)
        let caller = try reloadable.gateway.caller()
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        var setup = good
        try spoil(&setup, reloadable.folder)
        #expect(try reloadable.reload(setup).contains("reload refused"), "\(name)")
        #expect(try caller.ask(post("/x", "{}")).status == 200, "\(name)")
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 200)
        #expect(upstream.connections == 1, "not even the idle connection was touched")
        #expect(!FileManager.default.fileExists(atPath: reloadable.folder.path + "/free.sock"))
        #expect(!reloadable.gateway.program.errors.contains(good.secret))
        // And the next good one is taken.
        #expect(try reloadable.reload(good).contains("\"reloaded\""))
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        #expect(reloadable.gateway.program.stop() == .code(0))
    }

    /// Requests in every stage: the body half sent, waiting for a connection, waiting for the answer, half answered.
    @Test func whatWasBegunEndsUnderTheOldConfiguration() throws {
        let asked = Gate()
        let answer = Gate()
        let old = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\"o")
                asked.open()
                answer.pass()
                conversation.send("l\"")
            }
        }
        let new = try FakeUpstream()
        var setup = Setup(old)
        setup.upstream = "    connections: {max: 1, max_waiting: 4}\n"
        setup.upstreams.append(new)
        let reloadable = try Reloadable(setup)
        let answered = try reloadable.gateway.caller()
        try answered.send(post("/x", "{}"))
        #expect(asked.pass())
        var half = try answered.reader.head()
        let waiting = try reloadable.gateway.caller()
        try waiting.send(post("/x", "{}"))
        let sending = try reloadable.gateway.caller()
        try sending.send(
            "POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        // The interim answer says that the route was found.
        let go = try sending.reader.head()
        #expect(go.status == 100)
        setup.url = "http://127.0.0.1:\(new.port)"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        try sending.send("{}")
        for _ in 0..<3 { answer.open() }
        try answered.reader.body(of: &half, untilClose: true)
        #expect(half.text == "\"ol\"")
        #expect(try waiting.answer().text == "\"ol\"")
        #expect(try sending.answer().text == "\"ol\"")
        #expect(old.requests.count == 3 && new.requests.isEmpty)
        for caller in [answered, waiting, sending] { #expect(try caller.ask(post("/x", "{}")).text == "{\"ok\":true}") }
        #expect(old.requests.count == 3 && new.requests.count == 3)
    }

    /// An answer to a request of the old configuration, longer than its buffers were made for.
    @Test func largerLimitsHoldForWhatIsInFlight() throws {
        let long = "X-Long: " + String(repeating: "a", count: 60_000) + "\r\n"
        let (upstream, asked, answer) = try heldUpstream(headers: long)
        var setup = Setup(upstream)
        setup.limits = "  max_head: 1KiB\n  relay_buffer: 4KiB\n"
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        setup.limits = "  max_head: 128KiB\n  max_line: 128KiB\n  relay_buffer: 4KiB\n"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        answer.open()
        #expect(try caller.answer()["X-Long"]?.count == 60_000)
        // The other way round: what is too long by now is refused, and the connection is whole.
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        setup.limits = "  max_head: 1KiB\n  relay_buffer: 4KiB\n"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        answer.open()
        let refused = try caller.answer()
        #expect(refused.status == 502 && refused["Proxy-Status"]?.contains("sent=?1") == true)
        answer.open()
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 502)
    }
}
