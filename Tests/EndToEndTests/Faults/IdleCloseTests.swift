// The race that every proxy loses now and then: the upstream closes a kept connection as the next request is written.
// Of such requests at most 2 % may fail (the gateway learns how old a connection may be), each says what is known, and
// nothing is carried out twice.
// Relies on python3's ssl module for the upstream that speaks TLS.

import Foundation
import TestSupport
import Testing

@Suite struct IdleCloseTests {
    private static let rounds = 600

    /// Spins for so many microseconds: short enough to meet the race, and no event marks such a time.
    private static func spin(_ microseconds: Int) {
        let end = ContinuousClock.now + .microseconds(microseconds)
        while ContinuousClock.now < end {}
    }

    /// Answers, and closes after a moment that covers the time in which the next request comes. Like a server whose
    /// idle limit has passed it looks once more, and then it closes.
    private static let closing: @Sendable (Conversation) -> Void = { conversation in
        while let request = conversation.request() {
            conversation.answer()
            spin((request.json["n"] as? Int ?? 0) * 7 % 400)
            guard conversation.wire.isReadable(within: 0) else { return }
        }
    }

    /// The same over TLS; says each number that it received, and each connection.
    private static let closingOverTLS = """
        import json, select, socket, ssl, sys, threading, time
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        def serve(plain):
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream = context.wrap_socket(plain, server_side=True)
                print("connection", flush=True)
                while True:
                    data = b""
                    while b"}" not in data:
                        part = stream.recv(65536)
                        if not part: return
                        data += part
                    number = json.loads(data[data.index(b"{"):])["n"]
                    print("got", number, flush=True)
                    stream.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
                    end = time.monotonic() + number * 7 % 400 / 1e6
                    while time.monotonic() < end: pass
                    if not stream.pending() and not select.select([stream], [], [], 0)[0]: break
                stream.setblocking(False)
                stream.unwrap()
            except (OSError, ValueError):
                pass
            finally:
                plain.close()
                stream.close()
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        print("ready", listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    /// Asks again and again, and compares what it was told with what the upstream received.
    private func race(_ gateway: GatewayUnderTest, received: () -> [Int]) throws {
        let caller = try gateway.caller()
        var done: Set<Int> = []
        var unsent: Set<Int> = []
        var told: [String] = []
        for number in 0..<Self.rounds {
            let answer = try caller.ask(post("/x", "{\"n\":\(number)}"))
            let status = answer["Proxy-Status"] ?? ""
            switch answer.status {
            case 200: done.insert(number)
            case 502: told.append("\(number): \(status)")
            default: Issue.record("\(number): \(answer.startLine)")
            }
            if status.hasSuffix("sent=?0") { unsent.insert(number) }
            Self.spin(number * 3 % 200)
        }
        let seen = received()
        #expect(Set(seen).count == seen.count, "nothing is doubled")
        #expect(done.isSubset(of: seen), "nothing is answered that was not received")
        #expect(unsent.isDisjoint(with: seen), "nothing is called unsent that was received")
        #expect(told.count * 100 <= Self.rounds * 2, "\(told.count) of \(Self.rounds): \(told.prefix(5))")
    }

    @Test func atMostTwoPercentFail() throws {
        let upstream = try FakeUpstream(script: Self.closing)
        try race(try GatewayUnderTest(Setup(upstream))) { upstream.numbers }
        #expect(upstream.connections > Self.rounds / 10, "the race is met: \(upstream.connections)")
    }

    @Test func atMostTwoPercentFailOverTLS() throws {
        let sandbox = try Sandbox()
        let folder = sandbox.folder.path
        let upstream = try Program(
            "/usr/bin/env", ["python3", "-c", Self.closingOverTLS, folder + "/server.pem", folder + "/server.key"])
        defer { upstream.signal(.kill) }
        let line = try upstream.line(of: .output) { $0.hasPrefix("ready ") }
        var setup = Setup(url: "https://127.0.0.1:\(line.dropFirst(6))")
        setup.upstream = sandbox.trust
        try race(try GatewayUnderTest(setup)) {
            // What is said of a request is written before its answer: all of it is there, or comes with the end.
            upstream.signal(.kill)
            _ = upstream.end()
            return upstream.output.split(separator: "\n").compactMap {
                $0.hasPrefix("got ") ? Int($0.dropFirst(4)) : nil
            }
        }
        let connections = upstream.output.split(separator: "\n").filter { $0 == "connection" }.count
        #expect(connections > Self.rounds / 10, "the race is met: \(connections); \(upstream.errors)")
    }
}
