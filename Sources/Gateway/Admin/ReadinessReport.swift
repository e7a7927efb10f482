// Whether the gateway can serve: what is looked at, and what is said where it cannot.
// Relies on what the threads have published. Refuses to say ready in doubt.

internal import HTTP
internal import Net
internal import Store

/// The checks of /readyz, as of now.
struct ReadinessReport {
    struct Check {
        let name: StaticString
        /// `ok`, or what is the matter, in our own words.
        let state: String
    }

    private(set) var checks: [Check] = []

    init(_ observatory: Observatory) {
        let parts = observatory.parts
        add("configuration", parts == nil ? "loading" : nil)
        // They are read with the configuration, which is refused without them, and kept in memory.
        add("secrets", parts == nil ? "loading" : nil)
        let stuck = observatory.stuckWorkers(at: Clock.monotonicNanoseconds())
        add("workers", stuck > 0 ? "\(stuck) stuck" : nil)
        if let store = observatory.store { add("store", store.state == .working ? nil : store.state.word) }
        add("drain", observatory.isDraining ? "draining" : nil)
    }

    private mutating func add(_ name: StaticString, _ problem: String?) {
        checks.append(Check(name: name, state: problem ?? "ok"))
    }

    var isReady: Bool { checks.allSatisfy { $0.state == "ok" } }

    func write(to document: inout JSONDocument) {
        document.add("ready", isReady)
        document.object("checks") { document in
            for check in checks { document.add(check.name, check.state) }
        }
        document.array("reasons") { document in
            for check in checks where check.state != "ok" { document.element("\(check.name): \(check.state)") }
        }
    }
}
