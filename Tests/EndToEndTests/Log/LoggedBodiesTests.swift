// Bodies in the access log: known to be harmless, or type and length; whatever way the answer takes.
// Relies on the redactor's own tests for what is harmless. Refuses any run of eight digits in a line's bodies.

import Foundation
import TestSupport
import Testing

@Suite struct LoggedBodiesTests {
    private static let request =
        "{\"idempotent_key\":\"k1\",\"amount\":\"100.00\",\"account_number\":\"8001234567\",\"memo\":\"8001234567\"}"
    private static let answer =
        "{\"status\":\"success\",\"data\":{\"account_number\":\"8001234567\",\"first_name\":\"Marked\","
        + "\"rev\":\"80012345678\"}}"

    private func setup(_ upstream: FakeUpstream, _ log: String = "bodies: redacted") -> Setup {
        var setup = Setup(upstream)
        setup.upstream += "    product: banking\n"
        setup.log = "requests: all, \(log)"
        return setup
    }

    /// The bodies of a line as text; nothing that was marked is in them.
    private func bodies(_ record: LogRecord) throws -> (request: String, answer: String) {
        for mark in ["8001234567", "Marked", "00123456"] { #expect(!record.text.contains(mark), "\(record.text)") }
        func text(_ name: String) throws -> String {
            guard let body = record.members[name] else { return "" }
            return String(
                decoding: try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys]), as: UTF8.self)
        }
        return (try text("request.body"), try text("response.body"))
    }

    @Test func whatIsKnownIsShownAndTheRestIsTypeAndLength() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(Self.answer) }
        }
        let gateway = try GatewayUnderTest(setup(upstream))
        #expect(try gateway.ask(post("/x", Self.request)).status == 200)
        let said = try bodies(try gateway.log(1)[0])
        #expect(said.request.contains("\"amount\":\"100.00\"") && said.request.contains("***4567"))
        #expect(said.answer.contains("\"status\":\"success\"") && said.answer.contains("***4567"))
    }

    @Test func anAnswerInPiecesIsShownAsOne() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for byte in Self.answer.utf8 { conversation.send([0x31, 0x0D, 0x0A, byte, 0x0D, 0x0A]) }
                conversation.send("0\r\n\r\n")
            }
        }
        let whole = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(Self.answer) }
        }
        let said = try [upstream, whole].map { upstream in
            let gateway = try GatewayUnderTest(setup(upstream))
            #expect(try gateway.ask(post("/x", Self.request)).text == Self.answer)
            return try bodies(try gateway.log(1)[0]).answer
        }
        #expect(said[0] == said[1] && !said[0].isEmpty)
    }

    @Test func whatCannotBeReadIsTypeAndLength() throws {
        let upstream = try FakeUpstream { conversation in
            guard conversation.request() != nil else { return }
            conversation.answer("account 8001234567 of Marked")
            guard conversation.request() != nil else { return }
            conversation.answer("8001234567", headers: "Content-Encoding: br\r\n")
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":\"8001234567")
        }
        let gateway = try GatewayUnderTest(setup(upstream))
        let caller = try gateway.caller()
        for _ in 0..<2 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        _ = try? caller.ask(post("/x", "{}"))
        let said = try gateway.log(3).map { try bodies($0).answer }
        #expect(said[0] == "{\"length\":28,\"type\":\"not json\"}")
        #expect(said[1] == "{\"length\":10,\"type\":\"encoded\"}")
        #expect(said[2].contains("cut off") || said[2].isEmpty)
    }

    @Test func aReplayShowsTheSameAnswer() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(Self.answer) }
        }
        var setup = Setup(upstream, .memory, "key: /idempotent_key")
        setup.upstream += "    product: banking\n"
        setup.log = "bodies: redacted"
        let gateway = try GatewayUnderTest(setup)
        for _ in 0..<2 { #expect(try gateway.ask(post("/pay", Self.request)).text == Self.answer) }
        let said = try gateway.log(2).map { try bodies($0).answer }
        #expect(said[0] == said[1] && said[0].contains("success"))
    }

    @Test func aLargeBodyIsCutAndALongOneHeldInNoMemory() throws {
        let large = "{\"rows\":[" + String(repeating: "{\"amount\":\"1.00\"},", count: 20_000) + "{}]}"
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(large) }
        }
        let gateway = try GatewayUnderTest(setup(upstream, "bodies: redacted, body_limit: 512B"))
        #expect(try gateway.ask(post("/x", "{}")).text == large)
        let record = try gateway.log(1)[0]
        #expect(record.text.utf8.count < 2_048 && record.text.contains("<cut>"))
    }

    @Test func byDefaultThereAreNone() throws {
        let gateway = try GatewayUnderTest(setup(try FakeUpstream(), "bodies: \"off\""))
        #expect(try gateway.ask(post("/x", Self.request)).status == 200)
        let members = try gateway.log(1)[0].members
        #expect(members["request.body"] == nil && members["response.body"] == nil)
    }
}
