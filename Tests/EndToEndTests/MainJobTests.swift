// The main job: unsigned JSON in, a verified signed request out, the answer back. Over TLS, judged by the sandbox and by
// verifier.py, which share no code with the gateway or with each other.

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
}
