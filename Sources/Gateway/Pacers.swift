// The pacers of the process: one per credential and upstream, shared by all workers, kept across reloads, so that a
// reload does not begin a second count beside the first.
// Relies on Policy's pacer for every decision. Refuses nothing.

internal import Config
internal import Net
internal import Policy
internal import Signing

/// All pacers. Used by the main thread.
final class Pacers {
    private struct Name: Hashable {
        let credential: String
        let upstream: String
    }

    private var pacers: [Name: SharedPacer] = [:]
    private let deliver: [@Sendable (PaceNotice) -> Void]

    /// For so many workers, who hear through `office`.
    init(workers: Int, _ office: PostOffice) {
        deliver = (0..<workers).map { index in { notice in office.post([.pace(notice)], to: index) } }
    }

    /// The pacer of each route, nil where its upstream has no pace. One that is known goes on under its new settings.
    func pacers(for settings: Settings) -> [SharedPacer?] {
        var seen: Set<Name> = []
        return settings.routes.map { route in
            let upstream = settings.upstreams[route.upstream]
            guard let pace = upstream.pace else { return nil }
            let name = Name(credential: settings.credentials[route.credential].name, upstream: upstream.name)
            if let known = pacers[name] {
                if seen.insert(name).inserted { _ = known.adopt(pace, now: Clock.monotonicNanoseconds()) }
                return known
            }
            seen.insert(name)
            let fresh = SharedPacer(pace, deliver: deliver)
            pacers[name] = fresh
            return fresh
        }
    }
}
