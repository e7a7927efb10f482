// Metrics count what was done: exact numbers for scripted traffic of each cause, of pools, quotas, paces, the store.
// Relies on AdminUnderTest and MetricsReader. Refuses a page that is not the format's.

import Foundation
import TestSupport
import Testing

@Suite struct MetricsCountTests {
    private static func route(_ metrics: MetricsReader, _ cause: String, _ phase: String) -> Double? {
        metrics("requests_total", ["route": "all", "cause": cause, "phase": phase])
    }

    @Test func nothingIsCountedBeforeAnythingWasDone() throws {
        let metrics = try AdminUnderTest(Setup(try FakeUpstream())).metrics()
        #expect(metrics.sum("requests_total") == 0 && metrics.sum("responses_total") == 0)
        #expect(metrics("build_info", ["version": "0.1.0"]) == 1 && metrics("workers") == 1)
        #expect(metrics("requests_in_flight") == 0 && metrics("connections", ["kind": "inbound"]) == 0)
        #expect(metrics("process_resident_memory_bytes") ?? 0 > 1_000_000)
        #expect(metrics("process_open_fds") ?? 0 > 5 && metrics("process_open_fds") ?? 0 < 100)
        #expect(metrics("process_cpu_seconds_total") ?? 0 > 0)
        #expect(abs((metrics("process_start_time_seconds") ?? 0) - Date().timeIntervalSince1970) < 60)
    }

    @Test func completedAndRefusedRequests() throws {
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                conversation.answer(status: request.text.contains("bad") ? "422 Unprocessable Content" : "200 OK")
            }
        }
        var setup = Setup(upstream)
        setup.routes = "  - {name: all, methods: [POST], prefix: /x, upstream: up, credential: program}\n"
        let admin = try AdminUnderTest(setup)
        let caller = try admin.gateway.caller()
        for _ in 0..<5 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
        for _ in 0..<2 { #expect(try caller.ask(post("/x", "{\"a\":\"bad\"}")).status == 422) }
        for _ in 0..<3 { #expect(try caller.ask(post("/x", "{\"a\":}")).status == 400) }
        #expect(try caller.ask(post("/nowhere", "{}")).status == 404)
        #expect(try caller.ask("GET /x HTTP/1.1\r\nHost: gateway\r\n\r\n").status == 405)
        #expect(try admin.gateway.ask("BAD\r\n\r\n").status == 400)
        let metrics = try admin.metrics { $0.sum("requests_total") == 13 }
        #expect(Self.route(metrics, "completed", "settled") == 7 && Self.route(metrics, "refused", "admitted") == 3)
        let none = ["route": "(none)", "cause": "refused", "phase": "received"]
        #expect(metrics("requests_total", none) == 3 && metrics.sum("requests_total") == 13)
        #expect(metrics("responses_total", ["route": "all", "code_class": "2xx"]) == 5)
        #expect(metrics("responses_total", ["route": "all", "code_class": "4xx"]) == 5)
        #expect(metrics("responses_total", ["route": "(none)", "code_class": "4xx"]) == 3)
        #expect(metrics.sum("responses_total") == 13)
        #expect(metrics("request_duration_seconds_count", ["route": "all"]) == 10)
        #expect(metrics("upstream_duration_seconds_count", ["upstream": "up"]) == 7)
        #expect(metrics("connections_accepted_total") == 2)
        #expect(metrics("upstream_connects_total", ["upstream": "up", "result": "ok"]) == 1)
        #expect(metrics("upstream_connections", ["upstream": "up", "state": "idle"]) == 1)
        #expect(metrics("retries_total") == 0 && metrics("requests_in_flight") == 0)
    }

    @Test func bytesAreThoseOnTheWire() throws {
        let admin = try AdminUnderTest(Setup(try FakeUpstream()))
        let caller = try admin.gateway.caller()
        let request = post("/x", object(of: 100_000))
        let answer = try caller.ask(request)
        let head =
            answer.startLine.utf8.count + 2
            + answer.fields.reduce(2) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        let metrics = try admin.metrics { $0.sum("requests_total") == 1 }
        #expect(metrics("request_bytes_total") == Double(request.utf8.count))
        #expect(metrics("response_bytes_total") == Double(head + answer.body.count))
    }

    /// One request per way in which an upstream fails.
    @Test func upstreamsThatFail() throws {
        let begun = Gate()
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                switch request.json["do"] as? String {
                case "close": return
                case "garbage": return conversation.send("NOTHTTP\r\n\r\n")
                case "half":
                    conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\"half")
                    // Not before the caller has a part of it: until then it would be told with a 502.
                    begun.pass()
                    return
                case "silent": _ = conversation.wire.isReadable(within: 10_000)
                default: conversation.answer()
                }
            }
        }
        var setup = Setup(upstream)
        setup.upstream = "    timeouts: {first_byte: 200ms}\n    connections: {keep_alive: 0}\n"
        let admin = try AdminUnderTest(setup)
        #expect(try admin.gateway.ask(post("/x", "{\"do\":\"close\"}")).status == 502)
        #expect(try admin.gateway.ask(post("/x", "{\"do\":\"garbage\"}")).status == 502)
        #expect(try admin.gateway.ask(post("/x", "{\"do\":\"silent\"}")).status == 504)
        let broken = try admin.gateway.caller()
        try broken.send(post("/x", "{\"do\":\"half\"}"))
        #expect(try broken.reader.head().status == 200)
        begun.open()
        #expect(throws: MessageReader.Problem.self) { _ = try broken.reader.head() }
        let metrics = try admin.metrics { $0.sum("requests_total") == 4 }
        #expect(Self.route(metrics, "upstream-lost", "sent") == 1)
        #expect(Self.route(metrics, "upstream-unusable", "sent") == 1)
        #expect(Self.route(metrics, "upstream-timeout", "sent") == 1)
        #expect(Self.route(metrics, "upstream-lost", "answered") == 1)
        #expect(metrics("responses_total", ["route": "all", "code_class": "5xx"]) == 3)
        #expect(metrics("upstream_connects_total", ["upstream": "up", "result": "ok"]) == 4)
        for state in ["idle", "lent", "opening"] {
            #expect(metrics("upstream_connections", ["upstream": "up", "state": state]) == 0, "\(state)")
        }
    }

    @Test func upstreamsThatCannotBeReached() throws {
        let listener = try WireListener(.ipv4(0))
        var setup = Setup(url: "http://127.0.0.1:\(listener.port)")
        setup.upstream = "    breaker: {failures: 3, open: 1m}\n"
        listener.stop()
        let admin = try AdminUnderTest(setup)
        #expect(try admin.metrics()("breaker_open", ["upstream": "up"]) == 0)
        for _ in 0..<3 { #expect(try admin.gateway.ask(post("/x", "{}")).status == 502) }
        for _ in 0..<2 { #expect(try admin.gateway.ask(post("/x", "{}")).status == 503) }
        let metrics = try admin.metrics { $0.sum("requests_total") == 5 }
        #expect(Self.route(metrics, "upstream-unreachable", "drafted") == 5)
        #expect(metrics("upstream_connects_total", ["upstream": "up", "result": "refused"]) == 3)
        #expect(metrics("breaker_open", ["upstream": "up"]) == 1)
        // A reload begins with a closed breaker.
        try admin.reloadable.reload(setup)
        #expect(try admin.metrics { $0("breaker_open", ["upstream": "up"]) == 0 }("requests_in_flight") == 0)
    }

    private static let half = "POST /x HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{"

    @Test func callersWhoDoNotFinish() throws {
        var setup = Setup(try FakeUpstream())
        setup.limits = "  body_timeout: 200ms\n"
        let admin = try AdminUnderTest(setup)
        let slow = try admin.gateway.caller()
        #expect(try slow.ask(Self.half).status == 408)
        slow.wire.close()
        let metrics = try admin.metrics { $0.sum("requests_total") == 1 && $0("connections", ["kind": "inbound"]) == 0 }
        #expect(Self.route(metrics, "caller-timeout", "admitted") == 1)
        #expect(metrics.sum("responses_total") == 1 && metrics("requests_in_flight") == 0)
    }

    @Test func callersWhoLeave() throws {
        let (upstream, asked, answer) = try heldUpstream()
        let admin = try AdminUnderTest(Setup(upstream))
        let early = try admin.gateway.caller()
        try early.send(Self.half)
        _ = try admin.metrics { $0("requests_in_flight") == 1 }
        early.wire.close()
        let late = try admin.gateway.caller()
        try late.send(post("/x", "{}"))
        #expect(asked.pass())
        let inbound = ["kind": "inbound"]
        var metrics = try admin.metrics { $0.sum("requests_total") == 1 && $0("connections", inbound) == 1 }
        #expect(metrics("requests_in_flight") == 1)
        #expect(metrics("upstream_connections", ["upstream": "up", "state": "lent"]) == 1)
        late.wire.reset()
        // Seen before the answer comes: met in one turn, the answer would be read first, and counted. The worker takes
        // what its callers do in order, so it has seen the reset when a later one has its answer.
        #expect(try admin.gateway.ask("POST /x HTTP/1.1\r\n\r\n").status == 400)
        answer.open()
        metrics = try admin.metrics { $0.sum("requests_total") == 3 && $0("connections", inbound) == 0 }
        #expect(Self.route(metrics, "caller-left", "admitted") == 1)
        #expect(metrics.sum("requests_total", ["route": "all", "cause": "caller-left"]) == 2)
        #expect(metrics.sum("responses_total") == 1 && metrics("requests_in_flight") == 0)
    }

    @Test func whoeverWaitsForAConnectionIsCounted() throws {
        let (upstream, asked, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.upstream = "    connections: {max: 1, max_waiting: 2}\n"
        let admin = try AdminUnderTest(setup)
        let callers = try (0..<4).map { _ in try admin.gateway.caller() }
        try callers[0].send(post("/x", "{}"))
        #expect(asked.pass())
        for caller in callers[1...] { try caller.send(post("/x", "{}")) }
        var metrics = try admin.metrics { $0("pool_waiting", ["upstream": "up"]) == 2 && $0.sum("requests_total") == 1 }
        #expect(Self.route(metrics, "upstream-unreachable", "drafted") == 1, "the queue was full for one")
        #expect(metrics("requests_in_flight") == 3)
        callers[2].wire.close()
        _ = try admin.metrics { $0("pool_waiting", ["upstream": "up"]) ?? 9 < 2 || $0.sum("requests_total") > 1 }
        for _ in 0..<4 { answer.open() }
        #expect(try callers[0].answer().status == 200)
        metrics = try admin.metrics { $0("requests_in_flight") == 0 }
        #expect(metrics("pool_waiting", ["upstream": "up"]) == 0)
        #expect(metrics("upstream_connections", ["upstream": "up", "state": "lent"]) == 0)
    }

    /// A request that met a dead connection is sealed again.
    @Test func retriesAreCounted() throws {
        let upstream = try FakeUpstream { conversation in
            if conversation.number > 0 { return FakeUpstream.plain(conversation) }
            if conversation.request() != nil { conversation.answer() }
            // Closed as the next request is on its way: not a byte of it is read.
            _ = conversation.wire.isReadable(within: 5_000)
            conversation.wire.reset()
        }
        let admin = try AdminUnderTest(Setup(upstream))
        let caller = try admin.gateway.caller()
        #expect(try caller.ask(post("/x", "{}")).status == 200)
        let status = try caller.ask(post("/x", "{}")).status
        let metrics = try admin.metrics { $0.sum("requests_total") == 2 }
        // A reset is no proof that nothing was taken; where the kernel proved it, there was a second attempt.
        #expect(metrics("retries_total") == (status == 200 ? 1 : 0))
    }

    @Test func theStoreIsCounted() throws {
        let upstream = try ActingUpstream(["/pay/lost": [.lose]])
        var setup = Setup(upstream.upstream, .sqlite)
        setup.store?.more = "  max_keys: 1000\n"
        let admin = try AdminUnderTest(setup)
        let gateway = admin.gateway
        #expect(try gateway.ask(post("/pay", "{\"key\":\"a\"}")).status == 200)
        for _ in 0..<3 { #expect(try gateway.ask(post("/pay", "{\"key\":\"a\"}")).status == 200) }
        #expect(try gateway.ask(post("/pay", "{\"key\":\"a\",\"x\":1}")).status == 422)
        #expect(try gateway.ask(post("/pay/lost", "{\"key\":\"b\"}")).status == 502)
        #expect(try gateway.ask(post("/pay/lost", "{\"key\":\"b\"}")).status == 409)
        let metrics = try admin.metrics {
            $0("idempotency_unknown_outcomes_total") == 1 && $0("idempotency_claims_total") == 7
        }
        #expect(metrics("idempotency_claimed_total") == 2 && metrics("idempotency_replayed_total") == 3)
        #expect(metrics("idempotency_reused_total") == 1 && metrics("idempotency_keys") == 2)
        #expect(metrics("idempotency_keys_limit") == 1_000 && metrics("idempotency_pending") == 0)
        #expect(metrics("store_up") == 1 && metrics("replays_total") == 3)
        #expect(metrics("requests_total", ["route": "pay", "cause": "replayed", "phase": "collected"]) == 3)
        #expect(metrics("responses_total", ["route": "pay", "code_class": "2xx"]) == 4)
        // What was unknown when the store was opened is known at once; what became so, within 10 s.
        _ = try admin.metrics(within: 30) { $0("idempotency_keys_unknown") == 1 }
    }

    @Test func quotasAndPacesAreCounted() throws {
        let (upstream, _, answer) = try heldUpstream()
        var setup = Setup(upstream)
        setup.pace = "{rate: 1000/s, burst: 1000, concurrency: 1, queue: 3, max_wait: 1m}"
        let more =
            "quotas:\n  - {name: hard, per: [route], rate: 1/h, burst: 3}\n"
            + "  - {name: soft, per: [], rate: 1/h, burst: 1, report_only: true}\n"
        let admin = try AdminUnderTest(setup, more: more)
        let callers = try (0..<3).map { _ in try admin.gateway.caller() }
        for caller in callers { try caller.send(post("/x", "{}")) }
        let names = ["credential": "program", "upstream": "up"]
        var metrics = try admin.metrics { $0("pace_waiting", names) == 2 && $0("pace_running", names) == 1 }
        #expect(metrics("pace_queue_limit", names) == 3 && metrics("pace_share_percent", names) == 100)
        for _ in 0..<2 { #expect(try admin.gateway.ask(post("/x", "{}")).status == 429) }
        for _ in 0..<3 { answer.open() }
        for caller in callers { #expect(try caller.answer().status == 200) }
        metrics = try admin.metrics { $0.sum("requests_total") == 5 }
        #expect(metrics("quota_refused_total", ["quota": "hard"]) == 2)
        #expect(metrics("quota_refused_total", ["quota": "soft"]) == 0)
        #expect(metrics("quota_reported_total", ["quota": "soft"]) == 4)
        #expect(metrics("quota_keys") == 2 && metrics("quota_forgotten_total") == 0)
        #expect(metrics("pace_waiting", names) == 0 && metrics("pace_running", names) == 0)
        #expect(Self.route(metrics, "refused", "received") == 2)
    }

    @Test func certificatesAreKnownByTheirEnd() throws {
        let listening = try TLSListening()
        let sandbox = try Sandbox()
        var setup = sandbox.setup("/api/v4")
        setup.listeners = listening.listeners()
        setup.keyPlace = "header"
        setup.upstreams.append(listening)
        let admin = try AdminUnderTest(setup)
        let now = Date().timeIntervalSince1970
        let listener = ["kind": "listener", "name": "apps"]
        var metrics = try admin.metrics()
        let end = try #require(metrics("tls_certificate_expiry_timestamp_seconds", listener))
        #expect(end > now && end < now + 3 * 3_600, "test certificates hold for an hour")
        #expect(metrics("tls_certificate_expiry_timestamp_seconds", ["kind": "upstream", "name": "up"]) == nil)
        let caller = try admin.gateway.tlsCaller()
        #expect(try caller.ask(post("/balance/user", "{}")).status > 0)
        metrics = try admin.metrics { $0.sum("requests_total") == 1 }
        let upstream = metrics("tls_certificate_expiry_timestamp_seconds", ["kind": "upstream", "name": "up"])
        #expect(upstream ?? 0 > now)
        #expect(metrics("upstream_connects_total", ["upstream": "up", "result": "ok"]) == 1)
    }

    @Test(arguments: [-100, 40]) func clocksAreCompared(_ skew: Int) throws {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let date = format.string(from: Date(timeIntervalSinceNow: TimeInterval(-skew)))
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil { conversation.answer(headers: "Date: \(date)\r\n") }
        }
        let admin = try AdminUnderTest(Setup(upstream))
        #expect(try admin.metrics()("upstream_clock_skew_seconds", ["upstream": "up"]) == nil)
        #expect(try admin.gateway.ask(post("/x", "{}")).status == 200)
        let metrics = try admin.metrics { $0.sum("requests_total") == 1 }
        let told = try #require(metrics("upstream_clock_skew_seconds", ["upstream": "up"]))
        #expect(abs(told - Double(skew)) <= 10, "\(told)")
        let upstreams = try #require(try admin.page("/status").json["upstreams"] as? [[String: Any]])
        #expect(upstreams[0]["clock_skew_seconds"] as? Double == told)
    }

    /// Lines of the log that nobody reads.
    @Test func droppedLinesAreCounted() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/log"
        _ = try Program.run("/usr/bin/mkfifo", [path])
        let reader = try #require(FileHandle(forUpdatingAtPath: path))
        let admin = try AdminUnderTest(
            Setup(try FakeUpstream()), more: "log: {path: \"\(path)\", buffer: 64KiB}\n")
        let caller = try admin.gateway.caller()
        var sent = 0
        while try admin.metrics()("log_dropped_total") == 0, sent < 4_000 {
            for _ in 0..<100 { #expect(try caller.ask(post("/x", "{}")).status == 200) }
            sent += 100
        }
        let metrics = try admin.metrics { $0.sum("requests_total") == Double(sent) }
        #expect(metrics("log_dropped_total") ?? 0 > 0)
        try reader.close()
    }

    /// Pages are read all the time while callers are at work: each call is answered, and each is counted once.
    @Test func readingUnderLoadChangesNoCallAndMissesNone() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.workers = 2
        let admin = try AdminUnderTest(setup)
        let load = Load(admin.gateway.addresses[0], callers: 6, requestsEach: 300)
        var pages = 0
        var seen = 0.0
        while !load.waitForAnswers(1_800, within: 0) {
            let metrics = try admin.metrics()
            let count = metrics.sum("requests_total")
            #expect(count >= seen, "a counter does not fall")
            seen = count
            for path in ["/status", "/readyz", "/config"] { #expect(try admin.page(path).status == 200) }
            pages += 1
        }
        let report = try load.finish()
        #expect(report.done.count == 1_800 && report.unanswered.isEmpty && report.refused.isEmpty && pages > 0)
        let metrics = try admin.metrics { $0.sum("requests_total") == 1_800 }
        #expect(Self.route(metrics, "completed", "settled") == 1_800)
        #expect(metrics("request_duration_seconds_count", ["route": "all"]) == 1_800)
        #expect(metrics("responses_total", ["route": "all", "code_class": "2xx"]) == 1_800)
        #expect(upstream.requests.count == 1_800)
    }
}
