// What is counted together and what apart: workers, quotas that apply at once, callers, routes, credentials, methods,
// and what a reload leaves of the counts. Rates of an hour: what passes is the burst, to the request.

import Foundation
import TestSupport
import Testing

@Suite struct QuotaCountTests {
    private func statuses(_ caller: Caller, _ count: Int, _ request: String) throws -> [Int] {
        try (0..<count).map { _ in try caller.ask(request).status }
    }

    @Test func theCountIsExactAmongFourWorkers() throws {
        raiseDescriptorLimit()
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.workers = 4
        setup.quotas = "  - {name: all, per: [], rate: 1/h, burst: 137}\n"
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<200).map { _ in try gateway.caller() }
        var answers: [Int] = []
        for _ in 0..<2 {
            for caller in callers { try caller.send(post("/x", "{}")) }
            answers += try callers.map { try $0.answer().status }
        }
        #expect(answers.count { $0 == 200 } == 137 && answers.count { $0 == 429 } == 263)
        #expect(upstream.requests.count == 137)
    }

    @Test func aRequestIsChargedToAllItsQuotasOrToNone() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.workers = 4
        setup.routes = Setup.route("one", nil) + Setup.route("two", nil)
        setup.quotas =
            "  - {name: route, per: [route], rate: 10/h, burst: 6}\n  - {name: all, per: [], rate: 10/h, burst: 10}\n"
        setup.limits = "  quota_headers: always\n"
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<20).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(post("/one", "{}")) }
        #expect(try callers.map { try $0.answer().status }.count { $0 == 200 } == 6)
        // Fourteen refusals were charged to neither: four are left of all.
        for caller in callers { try caller.send(post("/two", "{}")) }
        let answers = try callers.map { try $0.answer() }
        #expect(answers.count { $0.status == 200 } == 4)
        let refused = try #require(answers.first { $0.status == 429 }?["RateLimit"])
        #expect(refused.hasPrefix("\"route\";r=2;t=") && refused.contains(", \"all\";r=0;t="), "\(refused)")
        #expect(upstream.requests.count == 10)
    }

    @Test func eachDimensionCountsApart() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        let folder = try TemporaryFolder()
        let secret = try folder.write("hmac", "another-secret-not-for-production\n")
        setup.credential = "  other: {username: other, secret: \"file:\(secret)\"}\n"
        setup.routes =
            Setup.route("one", nil) + Setup.route("two", nil) + Setup.route("three", nil, credential: "other")
        setup.callers = [.withToken("first"), .withToken("second")]
        let cases: [(per: String, rows: [(String, String, String, Bool)])] = [
            ("caller", [("first", "/two", "PUT", true), ("second", "/one", "POST", false)]),
            ("route", [("second", "/one", "PUT", true), ("first", "/two", "POST", false)]),
            ("credential", [("second", "/two", "PUT", true), ("first", "/three", "POST", false)]),
            ("method", [("second", "/three", "POST", true), ("first", "/one", "PUT", false)]),
            ("", [("second", "/three", "PUT", true)]),
            (
                "caller, route, credential, method",
                [
                    ("first", "/one", "POST", true), ("first", "/two", "POST", false),
                    ("second", "/one", "POST", false), ("first", "/one", "PUT", false),
                    ("first", "/three", "POST", false),
                ]
            ),
        ]
        for (per, rows) in cases {
            for (caller, path, method, isSame) in rows {
                setup.quotas = "  - {name: q, per: [\(per)], rate: 1/h, burst: 2}\n"
                let connection = try GatewayUnderTest(setup).caller()
                #expect(try statuses(connection, 3, post("/one", "{}", bearer("first"))) == [200, 200, 429])
                let other = method + post(path, "{}", bearer(caller)).dropFirst(4)
                let row = Comment("per [\(per)]: \(caller) \(method) \(path)")
                #expect(try statuses(connection, 2, other) == (isSame ? [429, 429] : [200, 200]), row)
            }
        }
    }

    @Test func strangersAndWhatIsNotAllowedIsNotCounted() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.routes = Setup.route("one", nil) + Setup.route("two", nil)
        setup.callers = [.withToken("first", routes: ["one"])]
        setup.quotas = "  - {name: all, per: [], rate: 1/h, burst: 2}\n"
        let caller = try GatewayUnderTest(setup).caller()
        for request in [
            post("/one", "{}"), post("/two", "{}", bearer("first")), post("/none", "{}", bearer("first")),
            post("/one", "{}", bearer("first"), "Content-Encoding: br"),
        ] {
            #expect(try statuses(caller, 3, request).allSatisfy { [401, 403, 404, 415].contains($0) })
        }
        #expect(try statuses(caller, 3, post("/one", "{}", bearer("first"))) == [200, 200, 429])
    }

    @Test func aQuotaThatReportsRefusesNothing() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.quotas =
            "  - {name: watched, per: [], rate: 1/h, burst: 2, report_only: true}\n"
            + "  - {name: obeyed, per: [], rate: 1/h, burst: 5}\n"
        let caller = try GatewayUnderTest(setup).caller()
        #expect(try statuses(caller, 7, post("/x", "{}")) == [200, 200, 200, 200, 200, 429, 429])
        #expect(upstream.requests.count == 5)
    }

    @Test func aReloadKeepsTheCountsOfQuotasThatStay() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.quotas = "  - {name: q, per: [route], rate: 1/h, burst: 3}\n"
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        #expect(try statuses(caller, 2, post("/x", "{}")) == [200, 200])
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try statuses(caller, 2, post("/x", "{}")) == [200, 429])
        // Another quota beside it leaves its count alone, and neither is charged.
        let other = "  - {name: other, per: [], rate: 1/h, burst: 2}\n"
        let before = setup.quotas
        setup.quotas = other + before
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try statuses(caller, 2, post("/x", "{}")) == [429, 429])
        setup.quotas = other
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try statuses(caller, 3, post("/x", "{}")) == [200, 200, 429])
        // A changed rate says something else, and begins anew.
        setup.quotas = before.replacing("burst: 3", with: "burst: 4")
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try statuses(caller, 5, post("/x", "{}")) == [200, 200, 200, 200, 429])
        setup.quotas = ""
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try statuses(caller, 3, post("/x", "{}")) == [200, 200, 200])
    }

    /// A quota that a reload brings where there was none is in force at once.
    @Test func aReloadBringsTheFirstQuota() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        let reloadable = try Reloadable(setup)
        let caller = try reloadable.gateway.caller()
        #expect(try statuses(caller, 3, post("/x", "{}")) == [200, 200, 200])
        setup.quotas = "  - {name: q, per: [route], rate: 1/h, burst: 2}\n"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
        #expect(try statuses(caller, 3, post("/x", "{}")) == [200, 200, 429])
    }
}
