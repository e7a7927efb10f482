// Nothing that a caller or an upstream chose, and no secret, stands on any page.
// Relies on marks that stand nowhere else. Refuses a page that has one.

import Foundation
import TestSupport
import Testing

@Suite struct AdminSecrecyTests {
    private static let pages = ["/healthz", "/readyz", "/version", "/metrics", "/status", "/config"]

    @Test func noPageHasAMark() throws {
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                conversation.answer("{\"marked\":\"answer-mark\"}", headers: "X-Answer: answer-mark\r\n")
            }
        }
        let folder = try TemporaryFolder()
        var setup = Setup(upstream, .sqlite, "key: [/key, idempotency-key]")
        setup.secret = "secret-mark-not-for-production"
        setup.keyPlace = "header"
        setup.credential = "    fields: {/participant_id: \"field-mark\"}\n"
        setup.store?.keys = ["store-mark-not-for-production", "old-store-mark-not-for-production"]
        setup.workers = 2
        let token = try folder.write("token", "token-mark-0123456789\n")
        let more = "callers: {payouts: {token: \"file:\(token)\"}}\n"
        let admin = try AdminUnderTest(setup, more: more)
        let caller = try admin.gateway.caller()
        let authorization = "Authorization: Bearer token-mark-0123456789"
        let body = "{\"key\":\"key-mark\",\"account\":\"body-mark\"}"
        let answer = try caller.ask(
            post("/pay/path-mark?query-mark=1", body, authorization, "X-Own: header-mark", "X-Request-Id: id-mark"))
        #expect(answer.text.contains("answer-mark"))
        #expect(try caller.ask(post("/path-mark", "{\"body-mark\":", "Authorization: Bearer wrong-mark")).status == 401)
        #expect(try caller.ask(post("/nowhere/path-mark", "{}", authorization)).status == 404)
        #expect(try admin.page("/path-mark?query-mark").status == 404)
        for path in Self.pages + ["/path-mark", "/%70ath-mark?query-mark"] {
            let page = try admin.page(path)
            let whole = page.startLine + page.fields.map { "\($0.name): \($0.value)\n" }.joined() + page.text
            #expect(!whole.contains("mark"), "\(path): \(whole)")
            #expect(!whole.contains(token) && !whole.contains(admin.reloadable.folder.path + "/hmac"), "\(path)")
        }
        let config = try admin.page("/config").json
        let credentials = config["credentials"] as? [String: [String: Any]]
        let program = try #require(credentials?["program"])
        #expect(program["secret"] as? String == "file" && program["fields"] as? [String] == ["/participant_id"])
        #expect((program["api_key"] as? [String: String]) == ["value": "file", "place": "header"])
        let callers = config["callers"] as? [String: [String: Any]]
        #expect(
            callers?["payouts"]?["known_by"] as? String == "token" && callers?["payouts"]?["token"] as? String == "file"
        )
        let store = config["store"] as? [String: Any]
        #expect(store?["key"] as? String == "file" && store?["previous_keys"] as? Int == 1)
        #expect(try admin.page("/status").texts("callers") == ["payouts"])
    }

    /// What /status says of the same requests.
    @Test func statusSaysWhatWasDone() throws {
        let admin = try AdminUnderTest(Setup(try FakeUpstream()))
        let caller = try admin.gateway.caller()
        for _ in 0..<10 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        #expect(try caller.ask(post("/x", "{")).status == 400)
        _ = try admin.metrics { $0.sum("requests_total") == 11 }
        let status = try admin.page("/status").json
        let requests = try #require(status["requests"] as? [String: Any])
        #expect(requests["ended"] as? Int == 11 && requests["in_flight"] as? Int == 0)
        let outcomes = requests["outcomes"] as? [String: [String: Int]]
        #expect(outcomes == ["completed": ["settled": 10], "refused": ["admitted": 1]])
        let rates = try #require(requests["per_second"] as? [String: Double])
        #expect(rates["last_60s"] ?? 0 > 0)
        let latency = (requests["latency"] as? [String: [String: Double]])?["since_start"]
        #expect(latency?["count"] == 11 && latency?["p99_ms"] ?? 0 > 0)
        let routes = try #require(status["routes"] as? [[String: Any]])
        #expect(routes.map { $0["name"] as? String } == ["all", "(none)"])
        #expect((routes[0]["responses"] as? [String: Int]) == ["2xx": 10, "3xx": 0, "4xx": 1, "5xx": 0])
        let upstreams = try #require(status["upstreams"] as? [[String: Any]])
        #expect((upstreams[0]["connections"] as? [String: Int]) == ["opening": 0, "lent": 0, "idle": 1])
        #expect(status["ready"] as? Bool == true && status["version"] as? String == "0.1.0")
    }
}
