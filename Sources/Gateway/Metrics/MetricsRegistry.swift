// Which counts a configuration's routes, upstreams and quotas have: those of the same name go on over a reload, and
// those of names that are gone go with the last request that refers to them. So their number is bounded by the present
// configuration. Relies on names being unique in one configuration. Used by the main thread.

package import Config
internal import Policy

/// One worker's counts under one configuration. Immutable; the counts within are not.
package final class WorkerMetrics: Sendable {
    /// The same over all configurations.
    package let worker: WorkerCounters
    /// Of requests that got no route.
    package let noRoute: RouteCounters
    /// By the indexes of the settings.
    package let routes: [RouteCounters]
    package let upstreams: [UpstreamCounters]
    package let quotas: [QuotaCounters]

    init(
        worker: WorkerCounters, noRoute: RouteCounters, routes: [RouteCounters], upstreams: [UpstreamCounters],
        quotas: [QuotaCounters]
    ) {
        self.worker = worker
        self.noRoute = noRoute
        self.routes = routes
        self.upstreams = upstreams
        self.quotas = quotas
    }
}

/// The counts of all workers by name.
package struct MetricsRegistry {
    private struct Names {
        var routes: [String] = []
        var upstreams: [String] = []
        var quotas: [String] = []
    }

    private var names = Names()
    /// By the workers' indexes, under the configuration that was used last.
    package private(set) var metrics: [WorkerMetrics]

    package init(workers: Int) {
        metrics = (0..<workers).map { _ in
            WorkerMetrics(
                worker: WorkerCounters(), noRoute: RouteCounters(), routes: [], upstreams: [], quotas: [])
        }
    }

    /// The counts under `settings`, for each worker. Nothing changes until `use`.
    package func metrics(for settings: Settings) -> [WorkerMetrics] {
        let next = Self.names(settings)
        return metrics.map { old in
            WorkerMetrics(
                worker: old.worker, noRoute: old.noRoute,
                routes: Self.pick(next.routes, from: names.routes, old.routes, RouteCounters.init),
                upstreams: Self.pick(next.upstreams, from: names.upstreams, old.upstreams, UpstreamCounters.init),
                quotas: Self.pick(next.quotas, from: names.quotas, old.quotas, QuotaCounters.init))
        }
    }

    /// From now on these are the counts: those that `metrics(for:)` has given for `settings`.
    package mutating func use(_ metrics: [WorkerMetrics], for settings: Settings) {
        names = Self.names(settings)
        self.metrics = metrics
    }

    private static func names(_ settings: Settings) -> Names {
        Names(
            routes: settings.routes.map(\.name), upstreams: settings.upstreams.map(\.name),
            quotas: settings.quotas.map(\.name))
    }

    private static func pick<Counters>(
        _ next: [String], from names: [String], _ old: [Counters], _ make: () -> Counters
    ) -> [Counters] {
        let known = Dictionary(zip(names, old)) { first, _ in first }
        return next.map { known[$0] ?? make() }
    }
}
