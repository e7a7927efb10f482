// Sockets that the gateway is started with: served by all workers, left as they are at the end, and checked first.

import TestSupport
import Testing

@Suite struct PassedSocketTests {
    private func setup(_ listeners: String, _ upstream: FakeUpstream) -> Setup {
        var setup = Setup(upstream)
        setup.workers = 2
        setup.listeners = listeners
        return setup
    }

    @Test("TCP and Unix sockets are served by their names, whatever their order")
    func served() throws {
        let listeners = "  - {name: a, bind: \"fd:local\"}\n  - {name: b, bind: \"fd:apps\"}\n"
        let sockets = ["apps=tcp", "unused=tcp", "local=unix:FOLDER/apps.sock"]
        let gateway = try ManagedGateway(setup(listeners, try FakeUpstream()), sockets: sockets)
        let port = try gateway.port("apps")
        try gateway.heard("READY=1", "serving on fd:local, 127.0.0.1:\(port)")
        for _ in 0..<8 {
            #expect(try gateway.caller(.ipv4(port)).ask(post("/x", "{}")).status == 200)
            #expect(try gateway.caller(.unix(gateway.folder.path + "/apps.sock")).ask(post("/x", "{}")).status == 200)
        }
        let warning = try gateway.program.line(of: .errors) { $0.contains("sockets were passed that no listener") }
        #expect(warning.contains("\"names\":[\"unused\"]"))
        #expect(gateway.stop() == .code(0))
    }

    /// The socket is the manager's: a gateway that drains takes nobody from it any more and shuts it to nobody.
    @Test("who comes while a gateway drains is served by the next one", arguments: ["tcp", "unix:FOLDER/apps.sock"])
    func handedBack(_ kind: String) throws {
        let asked = Gate()
        let answer = Gate()
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                if request.startLine.contains("/held") {
                    asked.open()
                    _ = answer.pass()
                }
                conversation.answer()
            }
        }
        let listeners = "  - {name: apps, bind: \"fd:apps\"}\n"
        var one = setup(listeners, upstream)
        one.workers = 1
        let gateway = try ManagedGateway(one, sockets: ["apps=\(kind)"], runs: 2)
        let port = try gateway.port("apps")
        let address = kind == "tcp" ? WireAddress.ipv4(port) : .unix(gateway.folder.path + "/apps.sock")
        try gateway.heard("READY=1")
        let idle = try gateway.caller(address)
        let first = try gateway.caller(address)
        try first.send(post("/held", "{}"))
        #expect(asked.pass())
        gateway.program.signal(.terminate)
        try gateway.heard("STOPPING=1")
        // The worker lets idle callers go once it drains.
        try idle.reader.expectEnd()
        let second = try gateway.caller(address)
        try second.send(post("/next", "{}"))
        answer.open()
        #expect(try first.answer().status == 200)
        first.wire.close()
        let answered = try second.answer()
        #expect(answered.status == 200 && answered["Connection"] == nil)
        let children = try gateway.program.lines(of: .output, count: 2) { $0.hasPrefix("child ") }
        #expect(children.count == 2)
        second.wire.close()
        #expect(gateway.stop() == .code(0))
    }

    @Test(
        "what cannot be served is refused at the start, with its reason",
        arguments: [
            ("fd:apps", ["other=tcp"], "no socket called apps was passed; there are other"),
            ("fd:apps", ["apps=tcp", "apps=tcp"], "2 sockets are called apps"),
            ("fd:apps", ["apps=datagram"], "not a listening stream socket"),
            ("fd:apps", ["apps=idle"], "not a listening stream socket"),
            ("fd:apps", ["apps=tcp-any"], "others on the network can reach; add unsafe_bind: true"),
            ("fd:apps", [], "no sockets were passed"),
        ])
    func refused(_ bind: String, _ sockets: [String], _ says: String) throws {
        let listeners = "  - {name: apps, bind: \"\(bind)\"}\n"
        let gateway = try ManagedGateway(setup(listeners, try FakeUpstream()), sockets: sockets)
        #expect(gateway.program.end() == .code(1))
        #expect(gateway.program.errors.contains(says), "\(gateway.program.errors)")
    }

    @Test("a reload lets a socket go and takes it again; who came meanwhile is served")
    func reloaded() throws {
        let upstream = try FakeUpstream()
        let both = "  - {name: a, bind: \"fd:apps\"}\n  - {name: b, bind: \"fd:more\"}\n"
        let gateway = try ManagedGateway(setup(both, upstream), sockets: ["apps=tcp", "more=tcp"])
        let address = WireAddress.ipv4(try gateway.port("apps"))
        try gateway.heard("READY=1", "serving on 127.0.0.1:\(try gateway.port("apps")), 127")
        #expect(try gateway.caller(address).ask(post("/x", "{}")).status == 200)
        let one = setup("  - {name: b, bind: \"fd:more\"}\n", upstream)
        try gateway.folder.write("countersign.yaml", try one.text(gateway.folder))
        gateway.program.signal(.hangup)
        try gateway.heard("READY=1", "serving on 127.0.0.1:\(try gateway.port("more"))")
        let waiting = try gateway.caller(address)
        try waiting.send(post("/x", "{}"))
        try gateway.folder.write("countersign.yaml", try setup(both, upstream).text(gateway.folder))
        gateway.program.signal(.hangup)
        #expect(try waiting.answer().status == 200)
        waiting.wire.close()
        #expect(gateway.stop() == .code(0))
    }

    @Test("an address that others can reach is served where that is meant")
    func meant() throws {
        let listeners = "  - {name: apps, bind: \"fd:apps\", unsafe_bind: true}\n"
        let gateway = try ManagedGateway(setup(listeners, try FakeUpstream()), sockets: ["apps=tcp-any"])
        try gateway.heard("READY=1", "serving on 0.0.0.0:")
        #expect(gateway.stop() == .code(0))
    }

    @Test("sockets that were meant for another process are not touched")
    func foreign() throws {
        let folder = try TemporaryFolder()
        let text = try setup("  - {name: apps, bind: \"fd:apps\"}\n", try FakeUpstream()).text(folder)
        let file = try folder.write("countersign.yaml", text)
        let environment = ["LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "apps"]
        let program = try Program("countersign", ["run", "--config", file], environment: environment)
        #expect(program.end() == .code(1))
        #expect(program.errors.contains("no sockets were passed"), "\(program.errors)")
    }
}
