// Listeners, bound before any worker hears of them: TCP ones once per worker (SO_REUSEPORT), Unix ones once, shared, as
// are sockets that we were started with.
// A reload binds what is new and names what is gone; what stays the same is not touched, but its certificates are read
// again.

internal import Config
internal import Net

/// What a start or a reload changes.
struct ListenerChange {
    /// New listeners, for each worker.
    var added: [[ListenerBox]]
    /// The TLS of listeners that stay, for each worker.
    var renewed: [[RenewedTLS]]
    /// Names of listeners that are no more.
    var removed: [String] = []
    /// The addresses that are bound now, for the log and for whoever started us.
    var addresses: [String] = []
    /// Unix sockets whose mode or owner differ: that takes a restart.
    var unchanged: [String] = []
    /// Until when the certificates of all listeners hold, by the listeners' names.
    var certificates: [(name: String, end: Int64)] = []

    fileprivate mutating func note(_ tls: TLSServerContext?, of listener: String) {
        if let end = tls?.certificateEnd() { certificates.append((listener, end)) }
    }
}

/// By what a listener that stays speaks from now on.
struct RenewedTLS {
    let listener: String
    /// nil: plain.
    let tls: TLSServerContext?
}

/// The addresses on which the process listens.
struct Listeners {
    private struct Bound {
        let address: ListenAddress
        let name: String
        /// What the system says is bound, with the port that it chose.
        let text: String
    }

    private let workers: Int
    private let passed = PassedSockets()
    private var bound: [Bound] = []
    /// Ports that sockets of ours are or were bound to: who is found there may be one of them.
    private var ownPorts: Set<UInt16> = []

    /// Made before descriptors are opened that live on: it takes over those that were passed.
    init(workers: Int) { self.workers = workers }

    /// What is bound now.
    var addresses: [String] { bound.map(\.text) }

    /// Says which passed sockets nobody serves: their callers would wait for ever.
    func warnOfUnused(_ log: OperatorLog) {
        let served = Set(bound.map(\.name))
        let unused = passed.names.filter { !served.contains("fd:\($0)") }
        guard !unused.isEmpty else { return }
        log.write(.warning, "sockets were passed that no listener serves; bind fd:NAME", ("names", .words(unused)))
    }

    /// Binds what is new. Where that fails nothing has changed.
    mutating func change(to settings: [ListenerSettings]) throws(StartFailure) -> ListenerChange {
        let none: [[RenewedTLS]] = Array(repeating: [], count: workers)
        var change = ListenerChange(added: Array(repeating: [], count: workers), renewed: none)
        var next: [Bound] = []
        // Before anything is bound: what is found on a port later may be a socket of ours.
        for listener in settings { try refuseOthers(listener) }
        for listener in settings {
            let name = Self.name(listener.address)
            if let known = bound.first(where: { $0.name == name }) {
                if known.address != listener.address { change.unchanged.append(known.text) }
                for worker in 0..<workers {
                    let tls = try Self.makeTLS(listener)
                    if worker == 0 { change.note(tls, of: listener.name) }
                    change.renewed[worker].append(RenewedTLS(listener: name, tls: tls))
                }
                next.append(known)
            } else {
                let text = try bind(listener, name, &change)
                next.append(Bound(address: listener.address, name: name, text: text))
            }
        }
        change.removed = bound.filter { old in !next.contains { $0.name == old.name } }.map(\.name)
        change.addresses = next.map(\.text)
        bound = next
        return change
    }

    private static func name(_ address: ListenAddress) -> String {
        switch address {
        case .tcp(let host, let port): "\(host) \(port)"
        case .unix(let path, _, _, _): "unix:\(path)"
        case .passed(let name, _): "fd:\(name)"
        }
    }

    private mutating func bind(
        _ listener: ListenerSettings, _ name: String, _ change: inout ListenerChange
    ) throws(StartFailure) -> String {
        do {
            switch listener.address {
            case .tcp(let host, let port): return try bindTCP(host, port, listener, name, &change)
            case .unix(let path, let mode, let owner, let group):
                return try bindUnix(path, (mode, owner, group), name, &change)
            case .passed(let passed, let isOpenMeant):
                return try takePassed(passed, isOpenMeant, listener, name, &change)
            }
        } catch let error as StartFailure {
            throw error
        } catch let error as SystemError {
            throw StartFailure("listener \"\(listener.name)\" cannot be bound: \(error)")
        } catch {
            throw StartFailure("listener \"\(listener.name)\" has an owner or group that is not known here")
        }
    }

    /// Each worker has its own: OpenSSL's handle and the room beside it are used without a lock.
    private static func makeTLS(_ listener: ListenerSettings) throws(StartFailure) -> TLSServerContext? {
        guard let tls = listener.tls else { return nil }
        do {
            return try TLSServerContext(
                certificateFile: tls.certificateFile, keyFile: tls.keyFile, clientCAFile: tls.clientCAFile,
                requiresClientCertificate: tls.clientCAFile != nil && tls.clientCertificate == .required)
        } catch {
            throw StartFailure("TLS of the listener \"\(listener.name)\" cannot be set up: \(error.text)")
        }
    }

    /// Workers share a port on purpose. Another gateway there would get a part of our callers, with a pace of its own
    /// and other idempotency keys, and nobody would be told.
    private func refuseOthers(_ listener: ListenerSettings) throws(StartFailure) {
        guard case .tcp(let host, let port) = listener.address, port != 0, !ownPorts.contains(port) else { return }
        let address = Self.socketAddress(host, port)
        do throws(SystemError) {
            try Listener.checkFree(address)
        } catch {
            // Whatever else is wrong with the address, its `bind` says.
            guard error.isAddressInUse else { return }
            throw StartFailure("listener \"\(listener.name)\" cannot be bound: another process listens on \(address)")
        }
    }

    private static func socketAddress(_ host: String, _ port: UInt16) -> SocketAddress {
        guard let address = SocketAddress(literal: host, port: port) else {
            preconditionFailure("Config takes only literal addresses")
        }
        return address
    }

    private mutating func bindTCP(
        _ host: String, _ port: UInt16, _ settings: ListenerSettings, _ name: String, _ change: inout ListenerChange
    ) throws -> String {
        var address = Self.socketAddress(host, port)
        for worker in 0..<workers {
            let listener = try Listener.tcp(address)
            // Port 0 is chosen by the system once; the other workers share it.
            if let bound = listener.localAddress() { address = bound }
            let tls = try Self.makeTLS(settings)
            if worker == 0 { change.note(tls, of: settings.name) }
            change.added[worker].append(ListenerBox(listener, name: name, tls: tls))
        }
        ownPorts.insert(address.port)
        return "\(address)"
    }

    private func bindUnix(
        _ path: String, _ rights: (mode: UInt16?, owner: String?, group: String?), _ name: String,
        _ change: inout ListenerChange
    ) throws -> String {
        let listener = try Listener.unix(
            path: path, mode: UInt32(rights.mode ?? 0o660), uid: try Accounts.user(rights.owner),
            gid: try Accounts.group(rights.group))
        for worker in 1..<max(1, workers) {
            change.added[worker].append(ListenerBox(try listener.duplicate(), name: name, wantsPeerCredentials: true))
        }
        change.added[0].append(ListenerBox(listener, name: name, wantsPeerCredentials: true))
        return "unix:\(path)"
    }

    /// All workers share its backlog. What it is was the service manager's choice, and is looked at only here.
    private func takePassed(
        _ passedName: String, _ isOpenMeant: Bool, _ settings: ListenerSettings, _ name: String,
        _ change: inout ListenerChange
    ) throws -> String {
        let who = "listener \"\(settings.name)\""
        do {
            let listener = try passed.listener(passedName)
            let address = listener.localAddress()
            if let address, !address.isLoopback, !isOpenMeant {
                throw StartFailure(
                    "\(who) was passed \(address), which others on the network can reach; add unsafe_bind: true")
            }
            if address == nil, settings.tls != nil {
                throw StartFailure("\(who) was passed a Unix socket, which has no TLS")
            }
            for worker in 0..<workers {
                let box = ListenerBox(
                    try listener.duplicate(), name: name, tls: try Self.makeTLS(settings),
                    wantsPeerCredentials: address == nil)
                change.added[worker].append(box)
            }
            return address.map { "\($0)" } ?? name
        } catch let problem as PassedSockets.Problem {
            throw StartFailure("\(who) cannot be taken over: " + Self.words(problem, passedName, passed.names))
        }
    }

    private static func words(_ problem: PassedSockets.Problem, _ name: String, _ names: [String]) -> String {
        switch problem {
        case .absent where names.isEmpty: "no sockets were passed (LISTEN_FDS); start it by its .socket unit"
        case .absent: "no socket called \(name) was passed; there are \(names.joined(separator: ", "))"
        case .several(let count): "\(count) sockets are called \(name); give each its own FileDescriptorName="
        case .notListening: "what was passed as \(name) is not a listening stream socket"
        case .failed(let error): "\(error)"
        }
    }
}
