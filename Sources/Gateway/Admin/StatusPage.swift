// The page /status: how the gateway fares, for a person or a script that wants one look.
// Relies on Totals, and on RateHistory for what was lately. Refuses whatever a caller chose: names are configured ones.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Store

/// Writes the page.
struct StatusPage {
    let observatory: Observatory
    let parts: ObservedParts
    let history: RateHistory

    func write(to document: inout JSONDocument) {
        let now = Clock.monotonicNanoseconds()
        document.add("version", observatory.version)
        document.add("started_at", Int(observatory.startedAt))
        document.add("uptime_seconds", (now - observatory.startedAtMonotonic) / 1_000_000_000)
        ReadinessReport(observatory).write(to: &document)
        writeRequests(at: now, to: &document)
        writeRoutes(to: &document)
        document.array("callers") { document in
            for caller in parts.settings.callers ?? [] { document.element(caller.name) }
        }
        writeUpstreams(to: &document)
        writePace(at: now, to: &document)
        writeQuotas(to: &document)
        writeStore(to: &document)
        writeProcess(to: &document)
        writeCertificates(to: &document)
    }

    // MARK: - Requests

    private func writeRequests(at now: UInt64, to document: inout JSONDocument) {
        let ended = parts.sum(.ended)
        let latency = parts.latency
        document.object("requests") { document in
            document.add("ended", ended)
            document.add("in_flight", parts.inFlight)
            document.add("retries", parts.sum(.retries))
            document.add("replays", parts.replays)
            document.object("per_second") { document in
                document.add("last_1s", thousandths: history.rate(seconds: 1, ended: ended, at: now))
                document.add("last_10s", thousandths: history.rate(seconds: 10, ended: ended, at: now))
                document.add("last_60s", thousandths: history.rate(seconds: 60, ended: ended, at: now))
            }
            document.object("latency") { document in
                document.object("last_60s") { document in
                    Self.write(history.latency(seconds: 60, latency, at: now), to: &document)
                }
                document.object("since_start") { document in Self.write(latency, to: &document) }
            }
            document.object("outcomes") { document in
                for cause in Cause.allCases {
                    let counts = Phase.allCases.map { ($0, parts.requests(cause, $0)) }.filter { $0.1 > 0 }
                    guard !counts.isEmpty else { continue }
                    document.object(cause.word) { document in
                        for (phase, count) in counts { document.add(phase.word, count) }
                    }
                }
            }
        }
    }

    /// Estimates in milliseconds; null where nothing was counted.
    private static func write(_ latency: LatencyHistogram, to document: inout JSONDocument) {
        document.add("count", latency.total)
        func add(_ name: StaticString, _ share: Double, to document: inout JSONDocument) {
            if let microseconds = latency.quantile(share) {
                document.add(name, thousandths: microseconds)
            } else {
                document.add(name, UInt64?.none)
            }
        }
        add("p50_ms", 0.5, to: &document)
        add("p90_ms", 0.9, to: &document)
        add("p99_ms", 0.99, to: &document)
    }

    private func writeRoutes(to document: inout JSONDocument) {
        document.array("routes") { document in
            for (index, name) in parts.routeNames.enumerated() {
                document.element { document in
                    document.add("name", name)
                    document.object("responses") { document in
                        for code in StatusClass.allCases {
                            document.add(code.word, parts.responses(ofRoute: index, code))
                        }
                    }
                    document.object("latency") { document in
                        Self.write(parts.latency(ofRoute: index), to: &document)
                    }
                }
            }
        }
    }

    // MARK: - Upstreams and limits

    private func writeUpstreams(to document: inout JSONDocument) {
        document.add("connections", max(0, observatory.connections()))
        document.array("upstreams") { document in
            for (index, upstream) in parts.settings.upstreams.enumerated() {
                document.element { document in
                    document.add("name", upstream.name)
                    document.object("connections") { document in
                        for use in ConnectionUse.allCases {
                            document.add(use.word, parts.sum(ofUpstream: index) { $0.connections(use) })
                        }
                    }
                    document.add("waiting", parts.sum(ofUpstream: index) { $0.waiting })
                    document.add("breakers_open", parts.sum(ofUpstream: index) { $0.isBreakerOpen ? 1 : 0 })
                    if let seconds = parts.skew(ofUpstream: index, at: Clock.monotonicNanoseconds()) {
                        document.add("clock_skew_seconds", Int(seconds))
                    }
                    document.object("connects") { document in
                        for result in ConnectResult.allCases {
                            document.add(result.word, parts.sum(ofUpstream: index) { $0.connects(result) })
                        }
                    }
                    document.object("latency") { document in
                        Self.write(parts.latency(ofUpstream: index), to: &document)
                    }
                }
            }
        }
    }

    private func writePace(at now: UInt64, to document: inout JSONDocument) {
        document.array("pace") { document in
            for named in parts.pacers {
                let figures = named.pacer.figures(now: now)
                document.element { document in
                    document.add("credential", named.credential)
                    document.add("upstream", named.upstream)
                    document.add("waiting", figures.waiting)
                    document.add("running", figures.running)
                    document.add("share_percent", figures.sharePercent)
                }
            }
        }
    }

    private func writeQuotas(to document: inout JSONDocument) {
        document.array("quotas") { document in
            for (index, quota) in parts.settings.quotas.enumerated() {
                document.element { document in
                    document.add("name", quota.name)
                    document.add("refused", parts.refused(byQuota: index))
                    document.add("reported", parts.reported(byQuota: index))
                }
            }
        }
        if let figures = parts.limits?.figures() {
            document.add("quota_keys", figures.keys)
            document.add("quota_keys_forgotten", figures.forgotten)
        }
    }

    // MARK: - The rest

    private func writeStore(to document: inout JSONDocument) {
        guard let store = observatory.store else { return }
        let counts = store.counts
        document.object("store") { document in
            document.add("state", store.state.word)
            document.add("keys", counts.keys)
            document.add("keys_of_unknown_outcome", counts.unknownKeys)
            document.add("pending", counts.pending)
            document.add("claims", counts.claims)
            document.add("claimed", counts.claimed)
            document.add("replayed", counts.replayed)
            document.add("waited", counts.waited)
            document.add("reused", counts.reused)
            document.add("unknown_outcomes", counts.unknownOutcomes)
            document.add("failures", counts.failures)
            document.add("commits", counts.commits)
            document.add("purged", counts.purged)
        }
    }

    private func writeProcess(to document: inout JSONDocument) {
        let reloads = observatory.reloads
        document.object("reloads") { document in
            document.add("ok", reloads.done)
            document.add("refused", reloads.refused)
            document.add("last_was_refused", observatory.isLastReloadRefused)
            document.add("configuration_since", Int(observatory.configurationLoadedAt))
        }
        document.object("process") { document in
            document.add("workers", parts.metrics.count)
            document.add("resident_bytes", observatory.process.residentBytes())
            document.add("open_descriptors", observatory.process.openDescriptors())
            document.add("processor_seconds", thousandths: observatory.process.processorNanoseconds() / 1_000_000)
        }
    }

    private func writeCertificates(to document: inout JSONDocument) {
        document.array("certificates") { document in
            for (index, upstream) in parts.settings.upstreams.enumerated() {
                guard let end = parts.certificateEnd(ofUpstream: index) else { continue }
                document.element { document in
                    document.add("upstream", upstream.name)
                    document.add("ends_at", end)
                }
            }
            for certificate in parts.listenerCertificates {
                document.element { document in
                    document.add("listener", certificate.name)
                    document.add("ends_at", Int(certificate.end))
                }
            }
        }
    }
}
