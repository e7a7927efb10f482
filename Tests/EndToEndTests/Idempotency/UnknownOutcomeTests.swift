// A request that may have been carried out: what its caller is told, and what a repeat gets.
// Relies on paths of one upstream that each lose an answer in a way of their own. Time is not waited for: what may be
// sent again may be at once, or not within the hour.

import TestSupport
import Testing

@Suite struct UnknownOutcomeTests {
    private static let resend = "key: /key, on_unknown: resend, repeat_after: 0s"
    private static let whole = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    /// Ways to lose an answer after the request was read.
    private static let losses: [(String, Act)] = [
        ("nothing", .lose), ("half a head", .bytes("HTTP/1.1 200 OK\r\nContent-")),
        ("half a body", .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\"")),
        ("half of the chunks", .bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")),
        ("half of a 500", .bytes("HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\n{\"a\"")),
        ("an interim answer", .bytes("HTTP/1.1 103 Early Hints\r\n\r\n")),
    ]

    @Test(arguments: StoreUnderTest.allCases)
    func aRepeatOfALostRequestIsRefused(_ kind: StoreUnderTest) throws {
        for onError in ["unknown", "free", "final"] {
            let acts = Self.losses.indices.map { ("/pay/\($0)", [Self.losses[$0].1]) }
            let upstream = try ActingUpstream(Dictionary(uniqueKeysWithValues: acts))
            let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind, "key: /key, on_error: \(onError)"))
            for (index, loss) in Self.losses.enumerated() {
                let request = post("/pay/\(index)", "{\"key\":\"\(index)\"}")
                let first = try gateway.ask(request)
                #expect(first.status == 502 && first.fate == "sent=?1; outcome=unknown", "\(loss.0)")
                for _ in 0..<2 {
                    let again = try gateway.ask(request)
                    #expect(again.status == 409 && again.fate == "sent=?1; outcome=unknown", "\(loss.0), \(onError)")
                    #expect(again["Retry-After"] == nil && again.text.contains("unknown"))
                }
                #expect(try gateway.ask(post("/pay/\(index)", "{\"key\":\"\(index)\",\"x\":1}")).status == 422)
                #expect(upstream.count("/pay/\(index)") == 1)
            }
        }
    }

    @Test(arguments: StoreUnderTest.allCases)
    func whereTheUpstreamTellsDuplicatesApartItIsSentAgain(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream(["/pay": [.lose, .lose]])
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind, Self.resend))
        let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")
        for _ in 0..<2 { #expect(try gateway.ask(request).status == 502) }
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":2}")).status == 422)
        let answer = try gateway.ask(request)
        #expect(answer.text == "{\"path\":\"/pay\",\"count\":3}" && !answer.isReplay)
        #expect(try gateway.ask(request).whole == answer.whole)
        #expect(upstream.count("/pay") == 3)
    }

    @Test(arguments: StoreUnderTest.allCases)
    func itIsNotSentAgainBeforeItsTime(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream(["/pay": [.lose]])
        let idempotency = "key: /key, on_unknown: resend, repeat_after: 1h"
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind, idempotency))
        let request = post("/pay", "{\"key\":\"k\"}")
        #expect(try gateway.ask(request).status == 502)
        let refused = try gateway.ask(request)
        #expect(refused.status == 409 && refused.fate == "sent=?1; outcome=unknown")
        let seconds = try #require(refused["Retry-After"].flatMap { Int($0) })
        #expect((3_500...3_600).contains(seconds))
        #expect(upstream.count("/pay") == 1)
    }

    /// A repeat that is not sent leaves what was unknown unknown: the first one may have been carried out.
    @Test(arguments: StoreUnderTest.allCases)
    func aRepeatThatWasNotSentLeavesTheOutcomeUnknown(_ kind: StoreUnderTest) throws {
        let upstream = try FakeUpstream { conversation in _ = conversation.request() }
        let gateway = try GatewayUnderTest(Setup(upstream, kind, Self.resend))
        let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")
        #expect(try gateway.ask(request).status == 502)
        upstream.stop()
        let unsent = try gateway.ask(request)
        #expect(unsent.status == 502 && unsent.fate == "sent=?0")
        #expect(try gateway.ask(post("/pay", "{\"key\":\"k\",\"amount\":2}")).status == 422, "it keeps its request")
        #expect(upstream.requests.count == 1)
    }

    /// What a repeat gets after an answer that says "error", or that cannot be read.
    enum Repeat: Sendable { case replayed, sent, unknown }

    static let garbage = Act.bytes("SSH-2.0-OpenSSH_9.6\r\n\r\n")
    static let twoLengths = Act.bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
    static let errors: [(String, Act, Repeat)] =
        ["unknown", "free", "final"].flatMap { word -> [(String, Act, Repeat)] in
            let whole: Repeat = word == "unknown" ? .unknown : word == "free" ? .sent : .replayed
            let broken: Repeat = word == "free" ? .sent : .unknown
            return ["500 No", "502 No", "503 No", "504 No", "599 No"].map { (word, Act.answer($0), whole) }
                + [(word, garbage, broken), (word, twoLengths, broken)]
                + [401, 403, 407, 408, 425, 429].map { (word, Act.answer("\($0) Not Looked At"), .sent) }
                + [(word, .answer("409 Conflict"), .unknown)]
                + [200, 202, 302, 400, 404, 410, 422, 499].map { (word, Act.answer("\($0) Said"), .replayed) }
        }

    @Test(arguments: ["unknown", "free", "final"])
    func theStatusSaysWhatIsFinal(_ onError: String) throws {
        let rows = Self.errors.filter { $0.0 == onError }
        let acts = rows.indices.map { ("/pay/\($0)", [rows[$0].1]) }
        let upstream = try ActingUpstream(Dictionary(uniqueKeysWithValues: acts))
        var setup = Setup(upstream.upstream, .memory, "key: /key, on_error: \(onError)")
        setup.upstream += "    breaker: {failures: 1000}\n"
        let gateway = try GatewayUnderTest(setup)
        for (index, row) in rows.enumerated() {
            let request = post("/pay/\(index)", "{\"key\":\"\(index)\"}")
            let first = try gateway.ask(request)
            let again = try gateway.ask(request)
            switch row.2 {
            case .replayed: #expect(again.isReplay && again.whole == first.whole, "\(row)")
            case .sent: #expect(again.status == 200 && !again.isReplay, "\(row)")
            case .unknown: #expect(again.status == 409 && again.fate == "sent=?1; outcome=unknown", "\(row)")
            }
            #expect(upstream.count("/pay/\(index)") == (row.2 == .sent ? 2 : 1), "\(row)")
        }
    }

    /// Bodies of answers, and whether the code in them is the last word where 104 and "X1" are not.
    static let codes: [(String, Bool)] = [
        ("{\"response\":{\"status\":104}}", false), ("{\"response\":{\"status\":\"104\"}}", false),
        ("{\"response\":{\"status\":\"X1\"}}", false), ("{\"response\":{\"status\":101}}", true),
        ("{\"response\":{\"status\":\"101\"}}", true), ("{\"response\":{\"status\":1040}}", true),
        ("{\"response\":{\"status\":\"10\"}}", true), ("{\"status\":104}", true), ("{\"response\":{}}", true),
        ("{\"response\":{\"status\":[104]}}", true), ("no JSON", true), ("", true),
    ]

    @Test(arguments: StoreUnderTest.allCases)
    func theCodeInTheBodySaysWhatIsFinal(_ kind: StoreUnderTest) throws {
        let acts = Self.codes.indices.map { index in
            let body = Self.codes[index].0
            let chunks = body.isEmpty ? "" : "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            return ("/pay/\(index)", [index % 2 == 0 ? Act.answer(body: body) : .bytes(head + chunks + "0\r\n\r\n")])
        }
        let upstream = try ActingUpstream(Dictionary(uniqueKeysWithValues: acts))
        let idempotency = "\(Self.resend), code: /response/status, not_final: [104, \"X1\"]"
        let gateway = try GatewayUnderTest(Setup(upstream.upstream, kind, idempotency))
        for (index, (body, isFinal)) in Self.codes.enumerated() {
            let request = post("/pay/\(index)", "{\"key\":\"\(index)\"}")
            #expect(try gateway.ask(request).text == body)
            let again = try gateway.ask(request)
            #expect(again.isReplay == isFinal && (again.text == body) == isFinal, "\(body)")
            #expect(upstream.count("/pay/\(index)") == (isFinal ? 1 : 2), "\(body)")
        }
    }

    @Test func aCodeIsFoundInACompressedAnswer() throws {
        let plain = Array("{\"status\":104}".utf8)
        let zipped = Deflated.gzip(plain)
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(zipped.count)\r\n\r\n"
                conversation.send(Array(head.utf8) + zipped)
            }
        }
        let gateway = try GatewayUnderTest(Setup(upstream, .memory, "key: /key, code: /status, not_final: [104]"))
        let request = post("/pay", "{\"key\":\"k\"}")
        let first = try gateway.ask(request)
        #expect(first.body == zipped && first["Content-Encoding"] == "gzip")
        #expect(try gateway.ask(request).status == 409)
        #expect(upstream.requests.count == 1)
    }
}
