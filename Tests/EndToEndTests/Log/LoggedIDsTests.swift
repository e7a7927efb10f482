// Ids out of bodies as fields of the access log's lines, whatever way request and answer take.
// Relies on the tests of CorrelationIDs for what is shown of a value. Refuses marked numbers in any disguise.

import Foundation
import TestSupport
import Testing

@Suite struct LoggedIDsTests {
    private static let request = "{\"participant_unique_id1\":\"order-17\",\"account\":\"8001234567\",\"amount\":1.5}"
    private static let answer =
        "{\"status\":100,\"data\":{\"transaction_id\":100042,\"participant_unique_id1\":\"order-17\",\"count\":1}}"
    private static let sent = ["request.ids.participant_unique_id1": "order-17"]
    private static let got = [
        "response.ids.transaction_id": "100042", "response.ids.participant_unique_id1": "order-17",
    ]

    private func setup(
        _ upstream: FakeUpstream, _ log: String = "requests: all", store: StoreSetup? = nil, product: String = "ingopay"
    ) -> Setup {
        var setup = Setup(upstream)
        setup.upstream += "    product: \(product)\n"
        setup.log = log
        setup.store = store
        return setup
    }

    private static func answering(_ body: String, headers: String = "") throws -> FakeUpstream {
        try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(body, headers: headers) }
        }
    }

    /// The ids of a line.
    private func ids(_ record: LogRecord) -> [String: String] {
        #expect(!record.text.contains("8001234567"), "\(record.text)")
        return record.members.filter { $0.key.contains(".ids.") }.compactMapValues { $0 as? String }
    }

    @Test func aLineHasTheIDsOfBothBodies() throws {
        let gateway = try GatewayUnderTest(setup(try Self.answering(Self.answer)))
        #expect(try gateway.ask(post("/x", Self.request)).text == Self.answer)
        let record = try gateway.log(1)[0]
        #expect(ids(record) == Self.sent.merging(Self.got) { $1 })
        #expect(record.members["request.body"] == nil)
    }

    @Test func anAnswerInPiecesIsReadAsOne() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for byte in Self.answer.utf8 { conversation.send([0x31, 0x0D, 0x0A, byte, 0x0D, 0x0A]) }
                conversation.send("0\r\n\r\n")
            }
        }
        let gateway = try GatewayUnderTest(setup(upstream, "bodies: redacted"))
        for _ in 0..<2 { #expect(try gateway.ask(post("/x", Self.request)).text == Self.answer) }
        for record in try gateway.log(2) {
            #expect(ids(record) == Self.sent.merging(Self.got) { $1 } && record.members["response.body"] != nil)
        }
    }

    @Test func aLongAnswerIsReadToItsEnd() throws {
        let rows = String(repeating: "{\"transaction_id\":\"row\",\"amount\":\"1.00\"},", count: 20_000)
        let body = "{\"rows\":[\(rows)1],\"data\":{\"transaction_id\":\"last\"}}"
        let gateway = try GatewayUnderTest(setup(try Self.answering(body)))
        #expect(try gateway.ask(post("/x", "{}")).text == body)
        #expect(ids(try gateway.log(1)[0]) == ["response.ids.transaction_id": "last"])
    }

    @Test func whatIsNotWholeOrNotReadableHasNone() throws {
        let upstream = try FakeUpstream { conversation in
            for (body, more) in [(Self.answer + "x", ""), (Self.answer, "Content-Encoding: br\r\n"), ("", "")] {
                guard conversation.request() != nil else { return }
                conversation.answer(body, headers: more)
            }
            guard conversation.request() != nil else { return }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n\(Self.answer)")
        }
        let gateway = try GatewayUnderTest(setup(upstream))
        let caller = try gateway.caller()
        for _ in 0..<3 { #expect(try caller.ask(post("/x", Self.request)).status == 200) }
        _ = try? caller.ask(post("/x", Self.request))
        for record in try gateway.log(4) { #expect(ids(record) == Self.sent) }
        // Bodies that are refused: no object, a name twice, cut short, a coding that is not taken off.
        let whole = post("/x", Self.request)
        let refused = [
            post("/x", "[\(Self.request)]"),
            post("/x", Self.request.replacing("account", with: "participant_unique_id1")),
            post("/x", String(Self.request.dropLast())), post("/x", Self.request, "Content-Encoding: br"),
        ]
        for text in refused { #expect(try gateway.ask(text).status >= 400) }
        let slow = try gateway.caller()
        try slow.send(String(whole.dropLast()))
        slow.wire.close()
        for record in try gateway.log(9)[4...] { #expect(ids(record).isEmpty, "\(record.text)") }
    }

    @Test func aReplayHasTheIDsOfTheFirstAnswer() throws {
        var setup = Setup(try Self.answering(Self.answer), .memory, "key: /participant_unique_id1")
        setup.upstream += "    product: ingopay\n"
        let gateway = try GatewayUnderTest(setup)
        for _ in 0..<2 { #expect(try gateway.ask(post("/pay", Self.request)).text == Self.answer) }
        #expect(try gateway.ask(post("/pay", "{\"transaction_id\":\"t-1\"}")).status == 400)
        let lines = try gateway.log(3)
        #expect(lines.map { $0.flag("replayed") } == [false, true, false])
        for record in lines[..<2] { #expect(ids(record) == Self.sent.merging(Self.got) { $1 }) }
        #expect(ids(lines[2]) == ["request.ids.transaction_id": "t-1"], "a refused request is found again, too")
    }

    /// Held for the store, then too large for it: what was held and what streams is one body.
    @Test(arguments: [true, false]) func anAnswerThatOutgrowsTheStoreIsReadOnce(_ inChunks: Bool) throws {
        let body = Self.answer.dropLast() + ",\"more\":\"" + String(repeating: "m", count: 3_000) + "\"}"
        let half = body.utf8.count / 2
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                guard inChunks else {
                    conversation.answer(String(body))
                    continue
                }
                conversation.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for part in [body.prefix(100), body.dropFirst(100).prefix(half), body.dropFirst(100 + half)] {
                    conversation.send("\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n")
                }
                conversation.send("0\r\n\r\n")
            }
        }
        var setup = Setup(upstream, .memory, "key: /participant_unique_id1")
        setup.upstream += "    product: ingopay\n"
        setup.store?.more = "  max_answer: 1KiB\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/pay", Self.request)).text == body)
        #expect(ids(try gateway.log(1)[0]) == Self.sent.merging(Self.got) { $1 })
    }

    @Test(arguments: [true, false]) func hashesAreEqualWhereTheTextsAre(_ hasStore: Bool) throws {
        let upstream = try Self.answering("{\"data\":{\"transaction_id\":\"order-17\",\"tracer_id\":8001234567}}")
        let routes = ["/a", "/b"].map {
            "  - {name: r\($0.dropFirst()), prefix: \($0), upstream: up, credential: program}\n"
        }
        func hashes() throws -> [[String: String]] {
            var setup = setup(upstream, "ids: hashed")
            if hasStore { setup = Setup(upstream, .memory, "key: /key") }
            setup.upstream = "    product: ingopay\n"
            setup.log = "ids: hashed"
            setup.routes = routes.joined() + setup.routes
            setup.store?.keys = ["one-key-of-the-store-of-32-bytes-"]
            let gateway = try GatewayUnderTest(setup)
            for path in ["/a", "/b"] { #expect(try gateway.ask(post(path, Self.request)).status == 200) }
            return try gateway.log(2).map { ids($0) }
        }
        let (first, second) = (try hashes(), try hashes())
        #expect(first[0] == first[1] && first[0].count == 3)
        let order = try #require(first[0]["request.ids.participant_unique_id1"])
        #expect(order == first[0]["response.ids.transaction_id"] && order != first[0]["response.ids.tracer_id"])
        for hash in first[0].values { #expect(hash.utf8.count == 16 && hash.allSatisfy(\.isHexDigit)) }
        // Without a store the key is drawn at the start.
        #expect((first == second) == hasStore)
    }

    @Test(arguments: [
        ("ids: none", "ingopay"), ("requests: off", "ingopay"), ("requests: errors", "ingopay"),
        ("ids: plain", "problem"),
    ])
    func thereAreNoneWhereNoneAreAskedFor(_ log: String, _ product: String) throws {
        let gateway = try GatewayUnderTest(setup(try Self.answering(Self.answer), log, product: product))
        #expect(try gateway.ask(post("/x", Self.request)).text == Self.answer)
        #expect(try gateway.ask("GARBAGE\r\n\r\n").status == 400)
        #expect(gateway.program.stop() == .code(0))
        #expect(!gateway.program.output.contains(".ids."))
    }

    @Test func aRouteAddsAndHides() throws {
        var setup = setup(try Self.answering(Self.answer), product: "problem")
        setup.routes =
            "  - {name: all, prefix: /, upstream: up, credential: program,"
            + " redact: {as: ingopay, ids: [/status, /a/b], hide: [Transaction_ID]}}\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/x", "{\"a\":{\"b\":\"x\"}}")).text == Self.answer)
        #expect(
            ids(try gateway.log(1)[0]) == [
                "request.ids.b": "x", "response.ids.status": "100", "response.ids.participant_unique_id1": "order-17",
            ])
    }

    @Test func aReloadHoldsForTheRequestsToCome() throws {
        let (upstream, asked, answer) = try heldUpstream(body: Self.answer)
        var setup = setup(upstream, "ids: hashed")
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        try caller.send(post("/x", Self.request))
        #expect(asked.pass())
        setup.log = "ids: plain"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        for _ in 0..<2 { answer.open() }
        #expect(try caller.answer().text == Self.answer)
        #expect(try caller.ask(post("/x", Self.request)).text == Self.answer)
        let lines = try reloadable.gateway.log(2).map { ids($0) }
        #expect(lines[0].count == 3 && lines[0].values.allSatisfy { $0.utf8.count == 16 })
        #expect(lines[1] == Self.sent.merging(Self.got) { $1 })
    }

    /// What a caller or an upstream puts where ids are expected: its type and length are told, or a hash.
    @Test(arguments: ["plain", "hashed"]) func anAccountNumberIsNoID(_ form: String) throws {
        let mark = "4929123456781234"
        let disguises =
            [mark, "4929-1234-5678-1234", "4929 1234 5678 1234", "4929.1234.5678.1234", "a4929123456781234"]
            + [mark.utf8.map { "\\u00\(String($0, radix: 16))" }.joined(), "acct-4929123456781234", "\(mark)-1"]
            + [mark.map { "\($0)-" }.joined(), Data(mark.utf8).base64EncodedString(), mark.map { "x\($0)" }.joined()]
            + [mark.utf8.map { String($0, radix: 16) }.joined(), "219-45-8763", "{\\\"account\\\":\\\"\(mark)\\\"}"]
        let values = disguises.map { "\"\($0)\"" } + [mark, "\(mark).0", "\(mark)e0", "-\(mark)"]
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                let sent = (try? JSONSerialization.jsonObject(with: Data(request.body))) as? [String: Any]
                let value = values[sent?["n"] as? Int ?? 0]
                conversation.answer("{\"data\":{\"transaction_id\":\(value),\"participant_unique_id1\":\(value)}}")
            }
        }
        let gateway = try GatewayUnderTest(setup(upstream, "ids: \(form)"))
        for (number, value) in values.enumerated() {
            let body = "{\"n\":\(number),\"participant_unique_id1\":\(value),\"transaction_id\":\(value)}"
            #expect(try gateway.ask(post("/x", body)).status == 200)
        }
        let lines = try gateway.log(values.count)
        for (value, line) in zip(values, lines) {
            let found = ids(line)
            #expect(found.count == 4)
            for shown in found.values {
                let isHash = form == "hashed" && shown.utf8.count == 16 && shown.allSatisfy(\.isHexDigit)
                #expect(isHash || shown.hasPrefix("<string:") || shown.hasPrefix("<number:"), "\(value) as \(shown)")
            }
            for disguise in disguises { #expect(!line.text.contains(disguise)) }
        }
    }
}
