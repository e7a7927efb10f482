// The pages of the admin listener, by their paths.
// Relies on one file per page. Refuses other paths, and to answer with a part of a path.

internal import HTTP
internal import Net

/// The paths that there are.
enum AdminPath: String, CaseIterable {
    case health = "/healthz"
    case readiness = "/readyz"
    case metrics = "/metrics"
    case status = "/status"
    case config = "/config"
    case version = "/version"

    /// nil for any other.
    init?(_ path: Span<UInt8>) {
        guard path.count <= 16 else { return nil }
        var bytes: [UInt8] = []
        for index in path.indices { bytes.append(path[index]) }
        self.init(rawValue: String(decoding: bytes, as: UTF8.self))
    }
}

/// Makes the answers. The admin thread's.
struct AdminPages {
    let observatory: Observatory
    private var history = RateHistory()

    init(_ observatory: Observatory) { self.observatory = observatory }

    /// When `sample` is due, in monotonic nanoseconds.
    var nextSampleAt: UInt64 { history.nextAt }

    /// Notes the counts of this second.
    mutating func sample(at now: UInt64) {
        guard let parts = observatory.parts else { return }
        history.note(ended: parts.sum(.ended), parts.latency, at: now)
    }

    /// The answer for a path; nil for one that there is not.
    func answer(_ path: AdminPath?) -> AdminAnswer {
        switch path {
        case nil:
            return AdminAnswer(.notFound, "There are /healthz, /readyz, /metrics, /status, /config and /version.")
        case .health: return AdminAnswer(.ok, "ok")
        case .readiness:
            let readiness = ReadinessReport(observatory)
            return Self.json(readiness.isReady ? .ok : .unavailable) { document in readiness.write(to: &document) }
        case .version: return Self.json { document in document.add("version", observatory.version) }
        case .metrics: return ofParts { parts in metrics(parts) }
        case .status:
            return ofParts { parts in
                Self.json { document in
                    StatusPage(observatory: observatory, parts: parts, history: history).write(to: &document)
                }
            }
        case .config:
            return ofParts { parts in
                Self.json { document in
                    ConfigPage(settings: parts.settings, workers: parts.metrics.count).write(to: &document)
                }
            }
        }
    }

    private func metrics(_ parts: ObservedParts) -> AdminAnswer {
        var page = MetricsText()
        MetricsPage(observatory: observatory, parts: parts).write(to: &page)
        return AdminAnswer(.ok, .metrics, page.finish())
    }

    private func ofParts(_ body: (ObservedParts) -> AdminAnswer) -> AdminAnswer {
        guard let parts = observatory.parts else { return AdminAnswer(.unavailable, "The gateway is starting.") }
        return body(parts)
    }

    private static func json(_ status: AdminStatus = .ok, _ body: (inout JSONDocument) -> Void) -> AdminAnswer {
        var document = JSONDocument()
        body(&document)
        return AdminAnswer(status, .json, document.finish())
    }
}
