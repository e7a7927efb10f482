// The page /metrics: every family, with what is known now.
// Relies on Totals for the sums. Refuses labels that are neither configured nor our own words.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Store

/// Writes the page.
struct MetricsPage {
    let observatory: Observatory
    let parts: ObservedParts

    func write(to page: inout MetricsText) {
        writeProcess(to: &page)
        writeRequests(to: &page)
        writeTraffic(to: &page)
        writeUpstreams(to: &page)
        if let store = observatory.store { writeStore(store, to: &page) }
        writePace(to: &page)
        writeQuotas(to: &page)
        writeConfiguration(to: &page)
        writeCertificates(to: &page)
    }

    // MARK: - The process

    private func writeProcess(to page: inout MetricsText) {
        page.family("build_info", .gauge, "The version that runs; always 1.")
        page.sample([("version", observatory.version)], 1)
        page.family("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.")
        page.sample(UInt64(max(0, observatory.startedAt)))
        page.family("process_cpu_seconds_total", .counter, "Processor time of all threads.")
        page.sample(nanoseconds: observatory.process.processorNanoseconds())
        if let bytes = observatory.process.residentBytes() {
            page.family("process_resident_memory_bytes", .gauge, "Memory that is resident.")
            page.sample(bytes)
        }
        if let count = observatory.process.openDescriptors() {
            page.family("process_open_fds", .gauge, "Descriptors that are open.")
            page.sample(count)
        }
        page.family("ready", .gauge, "Whether readyz says yes.")
        page.sample(ReadinessReport(observatory).isReady ? 1 : 0)
        page.family("workers", .gauge, "Threads that serve requests.")
        page.sample(UInt64(parts.metrics.count))
        page.family("workers_stuck", .gauge, "Workers that have been at one turn for more than 5 s.")
        page.sample(UInt64(observatory.stuckWorkers(at: Clock.monotonicNanoseconds())))
    }

    // MARK: - Requests

    private func writeRequests(to page: inout MetricsText) {
        let names = parts.routeNames
        page.family(
            "requests_total", .counter, "Requests that have ended, by who or what ended them and how far they came.")
        for (index, name) in names.enumerated() {
            for cause in Cause.allCases {
                for phase in Phase.allCases {
                    let count = parts.requests(ofRoute: index, cause, phase)
                    guard count > 0 else { continue }
                    page.sample([("route", name), ("cause", "\(cause.word)"), ("phase", "\(phase.word)")], count)
                }
            }
        }
        page.family("responses_total", .counter, "Answers that callers were given, by class of status.")
        for (index, name) in names.enumerated() {
            for code in StatusClass.allCases {
                page.sample(
                    [("route", name), ("code_class", "\(code.word)")], parts.responses(ofRoute: index, code))
            }
        }
        page.family(
            "request_duration_seconds", .histogram, "From a request's first byte to the end of its answer.")
        for (index, name) in names.enumerated() { page.histogram([("route", name)], parts.latency(ofRoute: index)) }
        page.family("requests_in_flight", .gauge, "Requests that have begun and not ended.")
        page.sample(parts.inFlight)
    }

    private func writeTraffic(to page: inout MetricsText) {
        page.family("connections", .gauge, "Connections that are open.")
        page.sample([("kind", "inbound")], UInt64(max(0, observatory.connections())))
        page.family("connections_accepted_total", .counter, "Callers' connections that were accepted.")
        page.sample(parts.sum(.accepted))
        page.family("request_bytes_total", .counter, "Bytes that callers sent, without TLS.")
        page.sample(parts.sum(.requestBytes))
        page.family("response_bytes_total", .counter, "Bytes that callers were sent, without TLS.")
        page.sample(parts.sum(.responseBytes))
        page.family("retries_total", .counter, "Times a request was sealed or connected again.")
        page.sample(parts.sum(.retries))
        page.family("log_dropped_total", .counter, "Lines of the access log that found no room and were dropped.")
        page.sample(parts.sum(.linesDropped))
        page.family("replays_total", .counter, "Requests that were answered from the store.")
        page.sample(parts.replays)
    }

    // MARK: - Upstreams

    private func writeUpstreams(to page: inout MetricsText) {
        let names = parts.settings.upstreams.map(\.name)
        page.family(
            "upstream_duration_seconds", .histogram, "From a request's sending to the first byte of its answer.")
        for (index, name) in names.enumerated() {
            page.histogram([("upstream", name)], parts.latency(ofUpstream: index))
        }
        page.family("upstream_connections", .gauge, "Connections to upstreams, by what they do.")
        for (index, name) in names.enumerated() {
            for use in ConnectionUse.allCases {
                page.sample(
                    [("upstream", name), ("state", "\(use.word)")],
                    parts.sum(ofUpstream: index) { $0.connections(use) })
            }
        }
        page.family("upstream_connects_total", .counter, "Attempts to connect, by address and result.")
        for (index, name) in names.enumerated() {
            for result in ConnectResult.allCases {
                page.sample(
                    [("upstream", name), ("result", "\(result.word)")],
                    parts.sum(ofUpstream: index) { $0.connects(result) })
            }
        }
        page.family("signatures_refused_total", .counter, "Answers of 401: the upstream refused a signature.")
        for (index, name) in names.enumerated() {
            page.sample([("upstream", name)], parts.sum(ofUpstream: index) { $0.refusedSignatures })
        }
        page.family(
            "secret_changes_total", .counter, "Times a worker went over to a credential's other secret after a 401.")
        for (index, name) in names.enumerated() {
            page.sample([("upstream", name)], parts.sum(ofUpstream: index) { $0.secretChanges })
        }
        page.family("pool_waiting", .gauge, "Requests that wait for a connection.")
        for (index, name) in names.enumerated() {
            page.sample([("upstream", name)], parts.sum(ofUpstream: index) { $0.waiting })
        }
        page.family("breaker_open", .gauge, "Workers whose circuit breaker is not closed.")
        for (index, upstream) in parts.settings.upstreams.enumerated() where upstream.breaker != nil {
            page.sample([("upstream", upstream.name)], parts.sum(ofUpstream: index) { $0.isBreakerOpen ? 1 : 0 })
        }
        let now = Clock.monotonicNanoseconds()
        page.family(
            "upstream_clock_skew_seconds", .gauge,
            "Our clock less the upstream's, as its answers of the last minutes say; absent where they say nothing.")
        for (index, name) in names.enumerated() {
            if let seconds = parts.skew(ofUpstream: index, at: now) {
                page.sample([("upstream", name)], signed: seconds)
            }
        }
    }

    // MARK: - The store

    private func writeStore(_ store: ObservedStore, to page: inout MetricsText) {
        page.family("store_up", .gauge, "Whether the store of idempotency keys works.")
        page.sample(store.state == .working ? 1 : 0)
        let counts = store.counts
        func counter(_ name: StaticString, _ help: StaticString, _ count: Int, to page: inout MetricsText) {
            page.family(name, .counter, help)
            page.sample(UInt64(max(0, count)))
        }
        counter("idempotency_claims_total", "Requests that wanted their key.", counts.claims, to: &page)
        counter("idempotency_claimed_total", "Those that got it.", counts.claimed, to: &page)
        counter("idempotency_replayed_total", "Those that got an answer from before.", counts.replayed, to: &page)
        counter("idempotency_waited_total", "Those that had to wait for an equal one.", counts.waited, to: &page)
        counter("idempotency_reused_total", "Those whose key belongs to another request.", counts.reused, to: &page)
        counter(
            "idempotency_unknown_outcomes_total", "Outcomes that became unknown.", counts.unknownOutcomes, to: &page)
        counter(
            "idempotency_failures_total", "Batches of the store that failed, and attempts to open it.",
            counts.failures, to: &page)
        counter("idempotency_commits_total", "Batches that became durable.", counts.commits, to: &page)
        counter(
            "idempotency_purged_total", "Keys that were forgotten at the end of their time.", counts.purged, to: &page)
        page.family("idempotency_keys", .gauge, "Keys that are kept.")
        page.sample(UInt64(max(0, counts.keys)))
        page.family("idempotency_keys_limit", .gauge, "Keys that may be kept.")
        page.sample(UInt64(max(0, parts.settings.store?.limits.maxKeys ?? 0)))
        page.family("idempotency_keys_unknown", .gauge, "Keys of unknown outcome, at most 10000, looked at every 10 s.")
        page.sample(UInt64(max(0, counts.unknownKeys)))
        page.family("idempotency_pending", .gauge, "Outcomes that the store has not taken yet.")
        page.sample(UInt64(max(0, counts.pending)))
    }

    // MARK: - Limits

    private func writePace(to page: inout MetricsText) {
        guard !parts.pacers.isEmpty else { return }
        let now = Clock.monotonicNanoseconds()
        let figures = parts.pacers.map { ($0, $0.pacer.figures(now: now)) }
        func labels(_ pacer: NamedPacer) -> [MetricLabel] {
            [("credential", pacer.credential), ("upstream", pacer.upstream)]
        }
        page.family("pace_waiting", .gauge, "Requests that wait for their turn at the pace.")
        for (pacer, figure) in figures { page.sample(labels(pacer), UInt64(max(0, figure.waiting))) }
        page.family("pace_queue_limit", .gauge, "Requests that may wait for their turn.")
        for (pacer, _) in figures {
            let queue = parts.settings.upstreams.first { $0.name == pacer.upstream }?.pace?.queue ?? 0
            page.sample(labels(pacer), UInt64(max(0, queue)))
        }
        page.family("pace_running", .gauge, "Requests that have their turn.")
        for (pacer, figure) in figures { page.sample(labels(pacer), UInt64(max(0, figure.running))) }
        page.family(
            "pace_share_percent", .gauge, "The part of the pace that is used since the upstream asked for less.")
        for (pacer, figure) in figures { page.sample(labels(pacer), UInt64(max(0, figure.sharePercent))) }
    }

    private func writeQuotas(to page: inout MetricsText) {
        let names = parts.settings.quotas.map(\.name)
        guard !names.isEmpty else { return }
        page.family("quota_refused_total", .counter, "Requests that a quota refused.")
        for (index, name) in names.enumerated() { page.sample([("quota", name)], parts.refused(byQuota: index)) }
        page.family("quota_reported_total", .counter, "Requests that a quota would have refused, and only reports.")
        for (index, name) in names.enumerated() { page.sample([("quota", name)], parts.reported(byQuota: index)) }
        guard let figures = parts.limits?.figures() else { return }
        page.family("quota_keys", .gauge, "Counts of quotas that are kept.")
        page.sample(UInt64(max(0, figures.keys)))
        page.family("quota_forgotten_total", .counter, "Counts that were forgotten before their time.")
        page.sample(figures.forgotten)
    }

    // MARK: - Configuration and certificates

    private func writeConfiguration(to page: inout MetricsText) {
        let reloads = observatory.reloads
        page.family("reloads_total", .counter, "Reloads of the configuration, by result.")
        page.sample([("result", "ok")], reloads.done)
        page.sample([("result", "refused")], reloads.refused)
        page.family("config_last_reload_successful", .gauge, "Whether the last reload, or the start, was taken.")
        page.sample(observatory.isLastReloadRefused ? 0 : 1)
        page.family(
            "config_last_reload_success_timestamp_seconds", .gauge, "When the configuration in use was taken.")
        page.sample(UInt64(max(0, observatory.configurationLoadedAt)))
    }

    private func writeCertificates(to page: inout MetricsText) {
        var samples: [([MetricLabel], UInt64)] = []
        for (index, upstream) in parts.settings.upstreams.enumerated() {
            guard let end = parts.certificateEnd(ofUpstream: index) else { continue }
            samples.append(([("kind", "upstream"), ("name", upstream.name)], end))
        }
        for certificate in parts.listenerCertificates {
            samples.append(([("kind", "listener"), ("name", certificate.name)], UInt64(max(0, certificate.end))))
        }
        guard !samples.isEmpty else { return }
        page.family(
            "tls_certificate_expiry_timestamp_seconds", .gauge,
            "When a certificate ends: the listener's own, or the upstream's of the last handshake.")
        for (labels, value) in samples { page.sample(labels, value) }
    }
}
