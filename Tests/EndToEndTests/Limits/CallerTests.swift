// Who calls: bearer tokens, and what strangers are told, which is the same whatever they try.
// Relies on one gateway with two callers. Processes on Unix sockets and certificates: PeerCallerTests.

import TestSupport
import Testing

@Suite struct CallerTests {
    private let upstream: FakeUpstream
    private let setup: Setup

    init() throws {
        upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.routes = Setup.route("one", nil) + Setup.route("two", nil)
        setup.callers = [.withToken("first", routes: ["one"]), .withToken("second")]
        self.setup = setup
    }

    private func isUnknown(_ answer: Message) -> Bool {
        answer.status == 401 && answer["Proxy-Status"] == "countersign; error=http_request_denied; sent=?0"
    }

    @Test func aKnownTokenOpensItsRoutesAndNoOthers() throws {
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        #expect(try caller.ask(post("/one", "{}", bearer("first"))).status == 200)
        let refused = try caller.ask(post("/two", "{}", bearer("first")))
        #expect(refused.status == 403)
        #expect(refused["Proxy-Status"] == "countersign; error=http_request_denied; sent=?0")
        // One connection is not one caller.
        for path in ["/one", "/two"] { #expect(try caller.ask(post(path, "{}", bearer("second"))).status == 200) }
        #expect(upstream.requests.count == 3)
    }

    @Test(arguments: [
        ("Authorization: bearer ", true), ("Authorization: BEARER ", true), ("authorization: Bearer   ", true),
        ("AUTHORIZATION:bEaReR ", true), ("Authorization: Bearer", false), ("Authorization: Basic ", false),
        ("Authorization: Token ", false), ("Authorization: hmac ", false), ("Authorization: ", false),
        ("Authorization: Bearer x", false), ("Authorization: Bearer\t", false), ("X-Authorization: Bearer ", false),
        ("Proxy-Authorization: Bearer ", false),
    ])
    func theSchemeIsBearerInAnyCase(_ before: String, _ isKnown: Bool) throws {
        let answer = try GatewayUnderTest(setup).ask(post("/one", "{}", before + CallerSetup.token("first")))
        #expect(isKnown ? answer.status == 200 : isUnknown(answer))
        #expect(upstream.requests.count == (isKnown ? 1 : 0))
    }

    @Test func whatIsNearATokenIsNone() throws {
        let caller = try GatewayUnderTest(setup).caller()
        let token = CallerSetup.token("first")
        let near = [
            "", " ", "=", String(token.dropLast()), String(token.dropFirst()), token + "0", token + " 0",
            token.uppercased(), "\"\(token)\"", token + "," + token, String(repeating: "a", count: 4_000),
        ]
        for text in near { #expect(isUnknown(try caller.ask(post("/one", "{}", "Authorization: Bearer \(text)")))) }
        #expect(try caller.ask(post("/one", "{}", "Authorization: Bearer \(token) ")).status == 200)
        #expect(upstream.requests.count == 1)
    }

    /// Which of two would count is nobody's guess: the request is malformed.
    @Test func twoAuthorizationFieldsAreRefused() throws {
        let gateway = try GatewayUnderTest(setup)
        for other in [bearer("first"), bearer("nobody"), "Authorization: Basic eDp5"] {
            let answer = try gateway.ask(post("/one", "{}", bearer("first"), other))
            #expect(answer.status == 400)
            #expect(answer["Proxy-Status"] == "countersign; error=http_request_error; sent=?0")
        }
        #expect(upstream.requests.isEmpty)
    }

    @Test func strangersLearnNothingOfRoutesMethodsAndBodies() throws {
        let gateway = try GatewayUnderTest(setup)
        let requests = [
            post("/one", "{}"), post("/none", "{}"), post("/%6fne", "{}"), post("/one", "{", "Content-Encoding: br"),
            "DELETE /one HTTP/1.1\r\nHost: gateway\r\n\r\n", "OPTIONS /none HTTP/1.1\r\nHost: gateway\r\n\r\n",
        ]
        for request in requests {
            let answer = try gateway.ask(request)
            #expect(isUnknown(answer))
            #expect(answer["Allow"] == nil && answer.all("RateLimit").isEmpty)
        }
        // A known caller is told of each.
        let told = requests.map { $0.replacing("Host: gateway\r\n", with: "Host: gateway\r\n\(bearer("second"))\r\n") }
        #expect(try told.map { try gateway.ask($0).status } == [200, 404, 400, 415, 405, 404])
    }

    @Test func aWrongTokenIsAnsweredAsNone() throws {
        let gateway = try GatewayUnderTest(setup)
        let wrong = try gateway.ask(post("/one", "{}", "Authorization: Bearer wrong-token-0123456789"))
        let absent = try gateway.ask(post("/one", "{}"))
        let other = try gateway.ask(post("/one", "{}", "Authorization: Basic eDp5"))
        func bytes(_ answer: Message) throws -> String {
            let id = try #require(answer["X-Request-Id"])
            return answer.whole.replacing(id, with: "ID")
        }
        #expect(try bytes(wrong) == bytes(absent) && bytes(other) == bytes(absent))
    }

    @Test func theTokenReachesNeitherTheUpstreamNorAnyLog() throws {
        let gateway = try GatewayUnderTest(setup)
        let wrong = "a-wrong-token-0123456789"
        for header in [bearer("first"), bearer("second"), "Authorization: Bearer \(wrong)"] {
            for path in ["/one", "/two", "/none"] { _ = try gateway.ask(post(path, "{}", header)) }
        }
        #expect(gateway.program.stop() == .code(0))
        let log = gateway.program.output + gateway.program.errors
        #expect(upstream.requests.count == 3)
        for token in [CallerSetup.token("first"), CallerSetup.token("second"), wrong] {
            #expect(!log.contains(token))
            for request in upstream.requests {
                #expect(!request.whole.contains(token))
                #expect(request["Authorization"]?.hasPrefix("hmac ") == true)
            }
        }
    }

    /// No one has to wait for a body that no one will take.
    @Test func aStrangerIsToldBeforeItsBody() throws {
        let caller = try GatewayUnderTest(setup).caller()
        try caller.send("POST /one HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
        let answer = try caller.answer()
        #expect(isUnknown(answer) && answer.interims.isEmpty)
    }

    @Test func callersComeAndGoWithAReload() throws {
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        #expect(try caller.ask(post("/one", "{}", bearer("first"))).status == 200)
        #expect(isUnknown(try caller.ask(post("/one", "{}", bearer("third")))))
        var changed = setup
        changed.callers = [.withToken("third"), .withToken("second", routes: ["two"])]
        #expect(try reloadable.reload(changed).contains("\"reloaded\""))
        // The connection that was open has no rights of before.
        #expect(isUnknown(try caller.ask(post("/one", "{}", bearer("first")))))
        #expect(try caller.ask(post("/one", "{}", bearer("third"))).status == 200)
        #expect(try caller.ask(post("/one", "{}", bearer("second"))).status == 403)
        changed.callers = []
        #expect(try reloadable.reload(changed).contains("\"reloaded\""))
        #expect(try caller.ask(post("/one", "{}")).status == 200)
    }
}
