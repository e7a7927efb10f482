// The change of a secret: while the upstream changes from one to the other, no request is lost and none is carried out
// twice. Relies on ingo-sandbox for the verdict on signatures.

import Foundation
import TestSupport
import Testing

@Suite struct NextSecretTests {
    private static let old = "demo-secret-not-for-production"
    private static let new = "the-secret-that-comes-next"

    /// A sandbox that knows one program by this secret.
    private func sandbox(_ secret: String, _ folder: TemporaryFolder) throws -> Sandbox {
        let programs = try folder.write(
            "programs",
            "username = demo\nsecret = \(secret)\napi_key = demo-api-key\nparticipant_id = 12345\n")
        return try Sandbox("--credentials", programs)
    }

    private func gateway(_ sandbox: Sandbox, _ folder: TemporaryFolder) throws -> GatewayUnderTest {
        try GatewayUnderTest(try setup(sandbox, folder))
    }

    private func setup(_ sandbox: Sandbox, _ folder: TemporaryFolder) throws -> Setup {
        let file = try folder.write("next", Self.new + "\n")
        var setup = sandbox.setup("/api/v4")
        setup.keyPlace = "header"
        setup.credential = "    next_secret: \"file:\(file)\"\n"
        return setup
    }

    @Test func theFirstIsUsedWhileItIsTaken() throws {
        let folder = try TemporaryFolder()
        let sandbox = try sandbox(Self.old, folder)
        let gateway = try gateway(sandbox, folder)
        for _ in 0..<3 { #expect(try gateway.ask(post("/balance/user", "{}")).status != 401) }
        let seen = try sandbox.requests()
        #expect(seen.count == 3 && seen.allSatisfy(\.verified))
    }

    @Test func theNextIsTriedOnceAndThenUsed() throws {
        let folder = try TemporaryFolder()
        let sandbox = try sandbox(Self.new, folder)
        let admin = try AdminUnderTest(try setup(sandbox, folder))
        let gateway = admin.gateway
        let caller = try gateway.caller()
        for _ in 0..<5 { #expect(try caller.ask(post("/balance/user", "{}")).status != 401) }
        let seen = try sandbox.requests()
        #expect(seen.map(\.verified) == [false, true, true, true, true, true])
        let told = try gateway.program.line(of: .errors) { $0.contains("other secret") }
        #expect(told.contains("\"credential\":\"program\"") && told.contains("\"secret\":\"next_secret\""))
        let metrics = try admin.metrics { $0.sum("requests_total") == 5 }
        #expect(metrics("signatures_refused_total", ["upstream": "up"]) == 1)
        #expect(metrics("secret_changes_total", ["upstream": "up"]) == 1)
    }

    @Test func aRequestWithABodyIsSealedAnewAndCarriedOutOnce() throws {
        let folder = try TemporaryFolder()
        let sandbox = try sandbox(Self.new, folder)
        let gateway = try gateway(sandbox, folder)
        let body = documentedCalls[0].body.replacing("YOUR_API_KEY", with: "demo-api-key")
        let answer = try gateway.ask(post("/users/bank-accounts/save", body))
        #expect(answer.status == 200)
        let ledger = try sandbox.ledger()
        #expect(ledger.count == 1 && ledger[0].executed == 1)
    }

    @Test func whereNeitherIsTakenTheCallerHearsOfItAndOneIsTried() throws {
        let folder = try TemporaryFolder()
        let sandbox = try sandbox("a-third-secret-of-the-upstream", folder)
        let gateway = try gateway(sandbox, folder)
        let caller = try gateway.caller()
        for _ in 0..<3 {
            let answer = try caller.ask(post("/balance/user", "{}"))
            #expect(answer.status == 401 && answer["Proxy-Status"] == nil)
        }
        #expect(try sandbox.requests().count == 4, "both for the first, one for each of the others")
    }
}
