// What callers, listeners and routes say together: callers that cannot arrive, tokens that others could read on their
// way, routes that nobody may use. Relies on a configuration without errors. Refuses nothing: each is a warning.

/// What is looked at together.
struct CallerChecks {
    var callers: [ReadCaller]
    var listeners: [ListenerSettings]
    /// The elements of the key `routes`, one per route.
    var routes: [Field]

    func warn() {
        for caller in callers { warn(caller) }
        guard callers.allSatisfy({ $0.settings.routes != nil }) else { return }
        let used = Set(callers.flatMap { $0.settings.routes ?? [] })
        for (index, route) in routes.enumerated() where !used.contains(index) {
            route.warn("no caller may use it", "Name it in the routes of a caller, or remove it")
        }
    }

    private func warn(_ caller: ReadCaller) {
        switch caller.settings.identity {
        case .peer:
            if listeners.contains(where: \.mayBeUnix) { return }
            caller.field.warn(
                "can never call: uid and gid are known on Unix sockets only", "Add a listener with bind: unix:/path")
        case .certificate:
            if listeners.contains(where: { $0.tls?.clientCAFile != nil }) { return }
            caller.field.warn(
                "can never call: no listener asks for client certificates", "Add tls with client_ca to a listener")
        case .token:
            guard let listener = listeners.first(where: \.isOpenToTheNetwork) else { return }
            caller.field.warn(
                "others on the network can read its token where it calls the listener \(listener.name)",
                "Add tls to the listener")
        }
    }
}

extension ListenerSettings {
    fileprivate var mayBeUnix: Bool {
        switch address {
        case .unix: true
        case .passed: tls == nil
        case .tcp: false
        }
    }

    /// Whether what is sent to it may cross a network in the clear.
    fileprivate var isOpenToTheNetwork: Bool {
        switch address {
        case .tcp(let host, _): tls == nil && AddressLiteral(host)?.isLoopback != true
        case .passed(_, let isOpenMeant): tls == nil && isOpenMeant
        case .unix: false
        }
    }
}
