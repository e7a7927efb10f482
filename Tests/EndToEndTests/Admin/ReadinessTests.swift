// When the gateway says that it can serve, when it says that it cannot, and why; and what reloads leave behind.
// Relies on AdminUnderTest. Nobody sleeps: a page is asked for until it says what is waited for, for a bounded time.

import Foundation
import TestSupport
import Testing

@Suite struct ReadinessTests {
    @Test func aGatewayThatServesIsReady() throws {
        let admin = try AdminUnderTest(Setup(try FakeUpstream()))
        let page = try admin.readiness(200)
        #expect(page.json["ready"] as? Bool == true && page.texts("reasons").isEmpty)
        let checks = page.json["checks"] as? [String: String]
        #expect(checks == ["configuration": "ok", "secrets": "ok", "workers": "ok", "drain": "ok"])
        #expect(try admin.metrics()("ready") == 1)
    }

    @Test func aStoreThatAnotherGatewayHasIsAReason() throws {
        let folder = try TemporaryFolder()
        var setup = Setup(try FakeUpstream(), .sqlite)
        setup.store?.path = folder.path + "/keys.db"
        let owner = try AdminUnderTest(setup)
        _ = try owner.readiness(200)
        let second = try AdminUnderTest(setup)
        // Before it is opened for the first time it says so.
        _ = try second.readiness(503, reason: "store: locked")
        let metrics = try second.metrics()
        #expect(metrics("store_up") == 0 && metrics("ready") == 0 && metrics("idempotency_failures_total") ?? 0 > 0)
        #expect(owner.gateway.program.stop() == .code(0))
        #expect(try second.readiness(200).texts("reasons").isEmpty)
        #expect(try second.metrics()("store_up") == 1)
    }

    @Test func aDrainIsAReasonAndIsWatchedToItsEnd() throws {
        let (upstream, asked, answer) = try heldUpstream()
        let admin = try AdminUnderTest(Setup(upstream))
        let caller = try admin.gateway.caller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        admin.gateway.program.signal(.terminate)
        _ = try admin.readiness(503, reason: "drain: draining")
        #expect(try admin.page("/healthz").status == 200)
        #expect(try admin.metrics()("requests_in_flight") == 1)
        answer.open()
        #expect(try caller.answer().status == 200)
        caller.wire.close()
        #expect(admin.gateway.program.end() == .code(0))
    }

    @Test func reloadsAreCounted() throws {
        let upstream = try FakeUpstream()
        let good = Setup(upstream)
        let admin = try AdminUnderTest(good)
        let start = try #require(try admin.metrics()("config_last_reload_success_timestamp_seconds"))
        #expect(try admin.gateway.ask(post("/x", "{}")).status == 200)
        _ = try admin.metrics { $0.sum("requests_total") == 1 }
        try admin.reloadable.reload(good)
        var metrics = try admin.metrics { $0("reloads_total", ["result": "ok"]) == 1 }
        #expect(metrics("config_last_reload_success_timestamp_seconds") ?? 0 >= start)
        #expect(metrics("config_last_reload_successful") == 1)
        var bad = good
        bad.limits = "  max_bodies: 3\n"
        try admin.reloadable.reload(bad)
        metrics = try admin.metrics { $0("reloads_total", ["result": "refused"]) == 1 }
        #expect(metrics("config_last_reload_successful") == 0 && metrics("reloads_total", ["result": "ok"]) == 1)
        #expect(try admin.readiness(200).json["ready"] as? Bool == true, "the old configuration serves on")
        // Counts of the route that stays go on.
        #expect(metrics.sum("requests_total", ["route": "all"]) == 1)
        var other = good
        other.routes = "  - {name: other, methods: [POST], prefix: /, upstream: up, credential: program}\n"
        try admin.reloadable.reload(other)
        metrics = try admin.metrics { $0("reloads_total", ["result": "ok"]) == 2 }
        #expect(metrics.sum("requests_total", ["route": "all"]) == 0, "a route that is gone takes its counts along")
        #expect(try admin.gateway.ask(post("/x", "{}")).status == 200)
        metrics = try admin.metrics { $0.sum("requests_total") == 1 }
        #expect(metrics.sum("requests_total", ["route": "other"]) == 1)
    }

    @Test func theAdminListenerStaysWhereItIs() throws {
        let setup = Setup(try FakeUpstream())
        let admin = try AdminUnderTest(setup)
        try admin.reloadable.reload(text: try setup.text(admin.reloadable.folder))
        _ = try admin.gateway.program.line(of: .errors) { $0.contains("the admin listener changes with a restart") }
        #expect(try admin.page("/healthz").status == 200)
    }
}
