// The gateway's side of the admin listener: bound first, told what is in use, stopped last.
// Relies on Observatory. Refuses to change the listener's address without a restart.

internal import Config
internal import Net
internal import Policy
internal import Signing

extension Gateway {
    /// Starts to answer, where an address was bound. Threads are started once the process has given up its rights.
    func startAdmin(_ binding: consuming AdminBinding?) throws(StartFailure) {
        guard let binding else { return }
        let server = try AdminServer(binding, observatory)
        log.write(.info, "admin listener", ("address", .text(server.address)))
        admin = server
    }

    /// A configuration is in use.
    func publish(_ settings: Settings, _ plan: Plan, _ certificates: [(name: String, end: Int64)]) {
        observatory.publish(
            ObservedParts(
                settings: settings, metrics: registry.metrics, pacers: Self.named(plan.pacers, settings),
                limits: plan.counts, listenerCertificates: certificates))
    }

    /// Each pacer once, with its names.
    private static func named(_ pacers: [SharedPacer?], _ settings: Settings) -> [NamedPacer] {
        var seen: Set<ObjectIdentifier> = []
        return zip(settings.routes, pacers).compactMap { route, pacer in
            guard let pacer, seen.insert(ObjectIdentifier(pacer)).inserted else { return nil }
            return NamedPacer(
                credential: settings.credentials[route.credential].name,
                upstream: settings.upstreams[route.upstream].name, pacer: pacer)
        }
    }

    /// The listener stays where it is.
    func warnOfAdmin(_ new: Settings) {
        guard new.admin != adminAddress else { return }
        log.write(.warning, "the admin listener changes with a restart")
    }
}
