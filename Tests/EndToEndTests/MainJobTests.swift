// The main job: unsigned JSON in, a verified signed request out, the answer back. Over TLS, judged by the sandbox and
// by verifier.py, which share no code with the gateway or with each other.

import TestSupport
import Testing

@Suite struct MainJobTests {
    @Test func documentedCallsArriveSignedAndUnchanged() throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup()
        setup.keyPlace = "both"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        for call in documentedCalls where call.carriesKey {
            let answer = try caller.ask(post(call.path, call.body))
            let seen = try #require(try sandbox.requests(last: 1).first)
            #expect(seen.body == call.bodyWithKey, "\(call)")
            #expect(seen.request_line == "POST \(call.path) HTTP/1.1")
            #expect(seen.verified, "\(call): \(seen.verdict)")
            #expect(seen.all("api_key") == ["demo-api-key"])
            #expect(seen.all("content-length") == ["\(call.bodyWithKey.utf8.count)"])
            #expect(seen.all("content-type") == ["application/json"])
            #expect(seen.all("x-date").count == 1 && seen.all("content-sha512").count == 1)
            #expect(answer.status == seen.status)
            #expect(["success", "error"].contains(answer.json["status"] as? String))
        }
        #expect(Set(try sandbox.requests().map(\.connection)).count == 1)
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func ingoPayCallArrivesWithItsParticipant() throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup()
        setup.credential = "    fields: {/participant_id: 12345}\n"
        setup.routes =
            "  - {name: pay, prefix: /ingopay, strip_prefix: /ingopay, upstream: up, credential: program,"
            + " product: ingopay}\n"
        let gateway = try GatewayUnderTest(setup)
        let call = try #require(documentedCalls.first { !$0.carriesKey })
        let answer = try gateway.ask(post("/ingopay" + call.path, call.body))
        #expect(answer.status == 200 && (answer.json["status"] as? Int) == 100)
        let without = call.body.replacing("  \"participant_id\": 12345,\n", with: "")
        let spliced = try gateway.ask(
            post("/ingopay" + call.path, without.replacing("5bf1e2c3", with: "00000001")))
        #expect(spliced.status == 200)
        let other = try gateway.ask(post("/ingopay" + call.path, call.body.replacing("12345,", with: "54321,")))
        #expect(other.status == 400 && (other.json["status"] as? Int) == 400)
        let seen = try sandbox.requests()
        #expect(seen.count == 2 && seen.allSatisfy(\.verified))
        #expect(seen[0].request_line == "POST /gateway/verify HTTP/1.1" && seen[0].body == call.body)
        #expect(json(seen[1].body)["participant_id"] as? Int == 12345)
    }

    /// One way to sign, and how the second judge is told of it.
    struct Scheme: Sendable {
        var place: String
        var order = "request-line x-date content-type content-sha512 content-length"
        var algorithm = "hmac-sha512"
        var body = "{\"a\":1}"
    }

    private static let otherOrder = "request-line x-date content-type content-length content-sha512"
    static let schemes = [
        Scheme(place: "header"), Scheme(place: "body"), Scheme(place: "both"),
        Scheme(place: "/ledger/api_key", body: "{\"ledger\" : {\"user_id\":\"u\"}}"),
        Scheme(place: "header", order: otherOrder), Scheme(place: "body", order: otherOrder),
        Scheme(place: "both", order: otherOrder),
        Scheme(place: "/ledger/api_key", order: otherOrder, body: "{\"ledger\":{}}"),
        Scheme(place: "header", algorithm: "hmac-sha256"),
        Scheme(place: "body", order: otherOrder, algorithm: "hmac-sha256"),
        Scheme(place: "header", order: "x-date request-line content-sha512 content-type content-length"),
    ]

    @Test(arguments: schemes)
    func theSecondVerifierAccepts(_ scheme: Scheme) throws {
        let sandbox = try Sandbox()
        let verifier = try PythonVerifier(
            sandbox, username: "acme", secret: "a secret of some length",
            ["--place", scheme.place, "--algorithm", scheme.algorithm])
        var setup = Setup(url: "https://127.0.0.1:\(verifier.port)/api/v4")
        setup.upstream = sandbox.trust
        setup.upstreams = [sandbox, verifier]
        setup.username = "acme"
        setup.secret = "a secret of some length"
        setup.keyPlace = scheme.place
        setup.credential = "    algorithm: \(scheme.algorithm)\n    signed_headers: \"\(scheme.order)\"\n"
        let gateway = try GatewayUnderTest(setup)
        let caller = try gateway.caller()
        for _ in 0..<3 {
            let answer = try caller.ask(post("/users/bank-accounts/save?x=%41", scheme.body))
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["verified"] as? Bool == true, "\(answer.text)")
        }
    }

    @Test func aWrongSecretIsRefusedByBothVerifiersAndTheRefusalPasses() throws {
        let sandbox = try Sandbox()
        var setup = sandbox.setup("/api/v4")
        setup.secret = "another secret"
        let answer = try GatewayUnderTest(setup).ask(post("/balance/user", "{}"))
        #expect(answer.status == 401 && answer["Proxy-Status"] == nil)
        let verifier = try PythonVerifier(sandbox, username: "demo", secret: "not that one", ["--place", "none"])
        setup.url = "https://127.0.0.1:\(verifier.port)"
        setup.upstreams.append(verifier)
        #expect(try GatewayUnderTest(setup).ask(post("/", "{}")).json["verified"] as? Bool == false)
    }
}
