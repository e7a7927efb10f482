// Where callers reach the gateway: TCP on IPv4 and IPv6, Unix sockets with their mode, several workers.

import Foundation
import TestSupport
import Testing

@Suite struct ListenerTests {
    @Test func everyKindOfListenerServes() throws {
        let upstream = try FakeUpstream()
        let folder = try TemporaryFolder()
        var setup = Setup(upstream)
        setup.listeners = """
              - {name: four, bind: "127.0.0.1:0"}
              - {name: six, bind: "[::1]:0"}
              - {name: local, bind: "unix:\(folder.path)/apps.sock", mode: "0620"}

            """
        let gateway = try GatewayUnderTest(setup)
        #expect(gateway.addresses.count == 3 && gateway.addresses[2] == .unix(folder.path + "/apps.sock"))
        for address in gateway.addresses {
            let caller = try Caller(address)
            for _ in 0..<3 { #expect(try caller.ask(post("/x", "{}")).text == "{\"ok\":true}") }
        }
        #expect(upstream.requests.count == 9)
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/apps.sock")
        #expect(attributes[.posixPermissions] as? Int == 0o620)
        #expect(gateway.program.stop() == .code(0))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/apps.sock"), "it takes its socket along")
    }

    @Test func severalWorkersServeOneAddress() throws {
        let sandbox = try Sandbox()
        let folder = try TemporaryFolder()
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        setup.workers = 4
        setup.listeners = """
              - {name: apps, bind: "127.0.0.1:0"}
              - {name: local, bind: "unix:\(folder.path)/apps.sock"}

            """
        let gateway = try GatewayUnderTest(setup)
        for address in gateway.addresses {
            let callers = try (0..<16).map { _ in try Caller(address) }
            for caller in callers { try caller.send(post("/balance/user", "{\"user_id\":\"nobody\"}")) }
            for caller in callers { #expect(try caller.answer().json["status"] as? String == "error") }
        }
        let seen = try sandbox.requests()
        #expect(seen.count == 32 && seen.allSatisfy(\.verified))
        #expect(gateway.program.stop() == .code(0))
    }

    /// It would get a part of the other's calls: paced and counted apart, and with other idempotency keys.
    @Test func aSecondGatewayOnAPortDoesNotStart() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.workers = 2
        let gateway = try GatewayUnderTest(setup)
        guard case .ipv4(let port) = gateway.addresses[0] else { throw SupportFailure("not on IPv4") }
        for bind in ["\"127.0.0.1:\(port)\"", "\"0.0.0.0:\(port)\", unsafe_bind: true"] {
            let folder = try TemporaryFolder()
            setup.listeners = "  - {name: apps, bind: \(bind)}\n"
            let file = try folder.write("second.yaml", try setup.text(folder))
            let second = try Program("countersign", ["run", "--config", file])
            #expect(second.end() == .code(1))
            #expect(second.errors.contains("listener \"apps\" cannot be bound: another process listens on"))
        }
        #expect(try gateway.ask(post("/x", "{}")).status == 200 && upstream.requests.count == 1)
    }

    /// Also where only one of the addresses on a port is another's.
    @Test func everyAddressOnAPortIsLookedAt() throws {
        var setup = Setup(try FakeUpstream())
        setup.listeners = "  - {name: apps, bind: \"[::1]:0\"}\n"
        let gateway = try GatewayUnderTest(setup)
        guard case .ipv6(let port) = gateway.addresses[0] else { throw SupportFailure("not on IPv6") }
        let folder = try TemporaryFolder()
        setup.listeners =
            "  - {name: four, bind: \"127.0.0.1:\(port)\"}\n  - {name: six, bind: \"[::1]:\(port)\"}\n"
        let second = try Program("countersign", ["run", "--config", folder.write("a.yaml", try setup.text(folder))])
        #expect(second.end() == .code(1))
        #expect(second.errors.contains("listener \"six\" cannot be bound: another process listens on"))
    }

    /// Room to write is asked for when a caller has taken less than it was offered, and not before.
    @Test func aCallerOnAUnixSocketThatReadsLateGetsAllOfIt() throws {
        let size = 16 * 1_048_576
        let (upstream, stalled) = try largeUpstream(size)
        let folder = try TemporaryFolder()
        var setup = Setup(upstream)
        setup.listeners = "  - {name: local, bind: \"unix:\(folder.path)/apps.sock\"}\n"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        // The second time it is asked for already.
        for _ in 0..<2 {
            try caller.send(post("/big", "{}"))
            #expect(stalled.pass(), "the upstream is held back while the caller takes nothing")
            let answer = try caller.answer()
            #expect(answer.body.count == size && answer.body.allSatisfy { $0 == 0x61 })
            #expect(try caller.ask(post("/x", "{}")).status == 200)
        }
    }
}
