// The whole: binds listeners, starts one worker per core, listens to signals, reloads, drains and stops.

package import Config
internal import HTTP
internal import Net
internal import Policy
internal import Signing

/// Why the gateway could not start; one sentence for the operator.
package struct StartFailure: Error {
    package let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// How a run ended.
package enum RunEnd: Equatable, Sendable {
    /// Told to stop, and everything in flight was done.
    case drained
    /// Told to stop twice, or the time for draining was over.
    case cutShort
}

/// The running gateway. `run` returns when a signal told it to stop.
package final class Gateway {
    private static let signals: [Signal] = [.terminate, .interrupt, .hangup, .user1]

    /// Reads the configuration anew, for a reload.
    package typealias Source = () -> (settings: Settings?, problems: [Problem])

    /// How long the access log may take to write what is left at the end.
    private static let logEndMilliseconds = 2_000

    private let log: OperatorLog
    private let accessLog: AccessLog
    /// Where it goes; nil for standard output.
    private var logPath: String?
    private let source: Source
    private var listeners: Listeners
    private var fleet: Fleet
    private var draining = false
    /// Those that not every worker has taken up.
    private var reloads: [(progress: ReloadProgress, addresses: [String])] = []
    /// Descriptors that were open before we opened any.
    private let inherited = ProcessControl.openDescriptors()
    /// For a store in memory that was given no key: nobody else needs to know it.
    private let ownStoreKey = Gateway.randomKey()
    private var store: StoreKeeper?
    private let office = PostOffice()
    private let workers: Int
    private let pacers: Pacers
    private let notice: ServiceNotice
    /// Counts of quotas go on over reloads. Made with the first quota, which a reload may bring.
    private var counts: LimitTable?

    /// Runs until SIGTERM or SIGINT; SIGHUP reads `source` again.
    package static func run(
        _ settings: Settings, log: OperatorLog, source: @escaping Source
    ) throws(StartFailure) -> RunEnd {
        let gateway = try Gateway(settings, log: log, source: source)
        try gateway.prepareProcess(settings)
        // Before any caller comes, who might take the last descriptor.
        var watch = try gateway.makeWatch()
        try gateway.start(settings)
        return try gateway.serve(&watch)
    }

    private init(_ settings: Settings, log: OperatorLog, source: @escaping Source) throws(StartFailure) {
        self.log = log
        self.source = source
        workers = settings.workers ?? ProcessControl.cpuCount()
        // First of all: where standard output is closed, nothing of ours must get its number.
        logPath = settings.log.path
        accessLog = try Self.makeLog(settings.log.path, workers: workers)
        listeners = Listeners(workers: workers)
        notice = try ServiceNotice(log: log)
        pacers = Pacers(workers: workers, office)
        fleet = try Fleet()
    }

    private func start(_ settings: Settings) throws(StartFailure) {
        let plan = plan(settings)
        let store = try makeStore(settings)
        var change = try listeners.change(to: settings.listeners)
        let shared = Shared(resolver: try Self.makeResolver(), store: store, log: try startLog())
        for index in change.added.indices {
            let generation = try Self.generation(plan)
            let worker = try fleet.addWorker(shared, generation, change.added[index], index: index)
            change.added[index] = []
            office.add(fleet.mailbox(index))
            try fleet.start(worker, index: index)
        }
        log.write(.info, "ready", ("workers", .number(fleet.size)), ("listeners", .words(change.addresses)))
        listeners.warnOfUnused(log)
        notice.serving(change.addresses)
    }

    private func plan(_ settings: Settings) -> Plan {
        if counts == nil && !settings.quotas.isEmpty { counts = LimitTable(capacity: settings.connections.quotaKeys) }
        return Plan(
            settings, workers: workers, inherited: inherited, ownStoreKey: ownStoreKey,
            pacers: pacers.pacers(for: settings), counts: counts)
    }

    private static func randomKey() -> SecretBytes {
        var generator = SystemRandomNumberGenerator()
        var bytes = ByteBuffer(capacity: 32)
        while bytes.room > 0 { bytes.append(byte: UInt8.random(in: 0...255, using: &generator)) }
        return SecretBytes(copying: bytes.bytes)
    }

    private func makeStore(_ settings: Settings) throws(StartFailure) -> StoreKeeper? {
        guard let wanted = settings.store else { return nil }
        do {
            let keeper = try StoreKeeper(wanted, office, log: log)
            try keeper.start()
            store = keeper
            return keeper
        } catch {
            throw StartFailure("the store's thread could not be started: \(error)")
        }
    }

    private static func makeLog(_ path: String?, workers: Int) throws(StartFailure) -> AccessLog {
        do throws(SystemError) {
            return try AccessLog(workers: workers, try AccessLog.open(path))
        } catch {
            throw StartFailure("the access log \(path ?? "on standard output") cannot be opened: \(error)")
        }
    }

    private func startLog() throws(StartFailure) -> AccessLog {
        do throws(SystemError) {
            try accessLog.start(log)
            return accessLog
        } catch {
            throw StartFailure("the access log's thread could not be started: \(error)")
        }
    }

    private static func generation(_ plan: Plan) throws(StartFailure) -> Generation {
        do {
            return try Generation(plan)
        } catch {
            throw StartFailure("TLS to an upstream cannot be set up: \(error.text)")
        }
    }

    private static func makeResolver() throws(StartFailure) -> Resolver {
        do {
            return try Resolver()
        } catch {
            throw StartFailure("the resolver's thread could not be started")
        }
    }

    private func prepareProcess(_ settings: Settings) throws(StartFailure) {
        do {
            try ProcessControl.forbidMemoryDumps()
            try ProcessControl.ignoreBrokenPipes()
            try Signal.block(Self.signals)
            let descriptors = try ProcessControl.raiseDescriptorLimit()
            let wanted = settings.connections.maxConnections + 1_024
            if descriptors < wanted {
                log.write(
                    .warning, "fewer descriptors than limits.max_connections may need",
                    ("limit", .number(descriptors)), ("wanted", .number(wanted)))
            }
        } catch {
            throw StartFailure("the process could not be prepared: \(error)")
        }
    }

    // MARK: - Signals

    /// What the main thread waits for.
    private struct Watch: ~Copyable {
        var poller: Poller
        let signals: SignalSource
    }

    private func makeWatch() throws(StartFailure) -> Watch {
        do {
            let poller = try Poller(maxEvents: 4)
            let source = try SignalSource(Self.signals)
            try poller.add(source, Token(slot: 0, generation: 0))
            try poller.add(fleet.mainWakeUp, Token(slot: 1, generation: 0))
            return Watch(poller: poller, signals: source)
        } catch {
            throw StartFailure("the main thread cannot wait for signals: \(error)")
        }
    }

    private func serve(_ watch: inout Watch) throws(StartFailure) -> RunEnd {
        do {
            while fleet.running > 0 {
                _ = try watch.poller.wait(milliseconds: notice.rest)
                while let signal = watch.signals.take() { take(signal) }
                tellOfReloads()
                notice.turn(&fleet)
            }
        } catch {
            throw StartFailure("the main thread cannot wait for signals: \(error)")
        }
        let clean = fleet.join()
        store?.stop()
        endLog()
        log.write(.info, "stopped", ("clean", .flag(clean)))
        return clean ? .drained : .cutShort
    }

    private func take(_ signal: Signal) {
        switch signal {
        case .terminate, .interrupt:
            let message: StaticString = draining ? "stopping now" : "draining"
            log.write(.info, message, ("signal", .number(Int(signal.rawValue))))
            if !draining { notice.stopping() }
            fleet.tell(draining ? .stop : .drain)
            draining = true
        case .hangup: if !draining { reload() }
        case .user1: reopenLog()
        case .quit, .user2, .windowChange: break
        }
    }

    /// After a rotation the name is that of another file.
    private func reopenLog() {
        guard let path = logPath else { return }
        do throws(SystemError) {
            accessLog.replace(try AccessLog.open(path))
            log.write(.info, "the access log is opened again", ("path", .text(path)))
        } catch {
            log.write(
                .error, "the access log cannot be opened again; the old file is used", ("path", .text(path)),
                ("error", .text("\(error)")))
        }
    }

    private func endLog() {
        switch accessLog.stop(within: Self.logEndMilliseconds) {
        case 0: break
        case let lines?: log.write(.warning, "log lines could not be written", ("lines", .number(lines)))
        case nil: log.write(.warning, "the access log's last lines could not be written")
        }
    }

    /// Everything that can fail happens here, before any worker is told: a bad configuration changes nothing.
    private func reload() {
        notice.reloading()
        let (new, problems) = source()
        for problem in problems { report(problem) }
        guard let new else {
            log.write(.error, "reload refused: the configuration has problems; nothing changed")
            return tellOfRefusal()
        }
        do throws(StartFailure) {
            try checkStore(new)
            let plan = plan(new)
            var generations: [Generation] = []
            for _ in 0..<fleet.size { generations.append(try Self.generation(plan)) }
            let file = try Self.openLog(new.log.path, insteadOf: logPath)
            let change = try listeners.change(to: new.listeners)
            useLog(file, new.log.path)
            let progress = ReloadProgress(workers: fleet.size, fleet.mainWakeUp)
            for index in 0..<fleet.size {
                fleet.tell(index, .reload(Reload(generations[index], change, worker: index, progress)))
            }
            for address in change.unchanged {
                log.write(
                    .warning, "mode and owner of a Unix socket change with a restart", ("listener", .text(address)))
            }
            if (new.workers ?? fleet.size) != fleet.size {
                log.write(.warning, "the number of workers changes with a restart", ("workers", .number(fleet.size)))
            }
            reloads.append((progress, change.addresses))
        } catch {
            log.write(.error, "reload refused; nothing changed", ("reason", .text(error.reason)))
            tellOfRefusal()
        }
    }

    /// Reloads that workers are still taking up are told when they are done.
    private func tellOfRefusal() {
        if reloads.isEmpty { notice.serving(listeners.addresses, "; the last reload was refused") }
    }

    /// The log's file, where that is another one than before.
    private static func openLog(_ path: String?, insteadOf old: String?) throws(StartFailure) -> LogFile? {
        guard path != old else { return nil }
        do throws(SystemError) {
            return try AccessLog.open(path)
        } catch {
            throw StartFailure("the access log \(path ?? "on standard output") cannot be opened: \(error)")
        }
    }

    private func useLog(_ file: consuming LogFile?, _ path: String?) {
        guard let file else { return }
        accessLog.replace(file)
        logPath = path
    }

    /// Keys of the store change with a reload; the store itself stays what and where it is.
    private func checkStore(_ new: Settings) throws(StartFailure) {
        guard let wanted = new.store else { return }
        guard let store else { throw StartFailure("a store is added with a restart") }
        let isSame =
            wanted.kind == store.settings.kind && wanted.path == store.settings.path
            && wanted.limits == store.settings.limits
        if !isSame { log.write(.warning, "kind, path and bounds of the store change with a restart") }
    }

    /// A reload is told once no worker serves new requests by the old configuration.
    private func tellOfReloads() {
        while let (progress, addresses) = reloads.first, progress.isDone {
            reloads.removeFirst()
            log.write(.info, "reloaded", ("listeners", .words(addresses)))
            if reloads.isEmpty && !draining { notice.serving(addresses) }
        }
    }

    /// Problems name places and keys of the configuration, never values of secret ones.
    private func report(_ problem: Problem) {
        log.write(problem.severity == .error ? .error : .warning, "configuration", ("problem", .text(problem.text)))
    }
}
