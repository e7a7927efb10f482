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

    /// How long the access log may take to write what is left at the end.
    private static let logEndMilliseconds = 2_000

    let log: OperatorLog
    private let source: ConfigurationSource
    /// Files outside of what the configuration named at the start cannot be opened any more.
    var filesAreRestricted = false
    /// What the process did to itself at the start.
    private let process: ProcessSettings
    private var reloadOnChange: ProcessSettings.ReloadOnChange
    private let accessLog: AccessLog
    /// Where it goes; nil for standard output.
    private var logPath: String?
    private var listeners: Listeners
    private var fleet: Fleet
    private let notices: Mailbox<Notice>
    private var desk: NoticeDesk
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
    private let manager: ServiceNotice
    /// Counts of quotas go on over reloads. Made with the first quota, which a reload may bring.
    private var counts: LimitTable?
    let observatory: Observatory
    private(set) var registry: MetricsRegistry
    private let inbound = InboundCount()
    var admin: AdminServer?
    let adminAddress: ListenAddress?

    /// Runs until SIGTERM or SIGINT; SIGHUP reads `source` again, of which `settings` were loaded last. `version` is
    /// what the admin listener says.
    package static func run(
        _ settings: Settings, version: String, log: OperatorLog, source: ConfigurationSource
    ) throws(StartFailure) -> RunEnd {
        source.keep()
        let gateway = try Gateway(settings, version: version, log: log, source: source)
        try gateway.prepareProcess(settings)
        // Before any caller comes, who might take the last descriptor.
        var watch = try gateway.makeWatch(settings)
        try gateway.start(settings)
        return try gateway.serve(&watch)
    }

    private init(
        _ settings: Settings, version: String, log: OperatorLog, source: ConfigurationSource
    ) throws(StartFailure) {
        workers = settings.workers ?? ProcessControl.cpuCount()
        // First of all: where standard output is closed, nothing of ours must get its number.
        logPath = settings.log.path
        accessLog = try Self.makeLog(settings.log.path, workers: workers)
        let inbound = self.inbound
        observatory = Observatory(version: version) { inbound.value }
        registry = MetricsRegistry(workers: settings.workers ?? ProcessControl.cpuCount())
        adminAddress = settings.admin
        self.log = log
        self.source = source
        process = settings.process
        reloadOnChange = settings.process.reloadOnChange
        listeners = Listeners(workers: workers)
        manager = try ServiceNotice(log: log)
        pacers = Pacers(workers: workers, office)
        fleet = try Fleet()
        notices = Mailbox(limit: Notice.limit, wakeUp: fleet.mainWakeUp)
        desk = NoticeDesk(notices, log: log)
    }

    private func start(_ settings: Settings) throws(StartFailure) {
        let plans = plans(settings)
        var change = try listeners.change(to: settings.listeners)
        let admin = try settings.admin.map { (address) throws(StartFailure) in try AdminBinding(address) }
        // Threads inherit what the process has given up: none is there yet.
        try confine(settings)
        try startAdmin(admin)
        let store = try makeStore(settings)
        let shared = Shared(
            resolver: try Self.makeResolver(), store: store, log: try startLog(), notices: notices,
            connections: inbound)
        let metrics = registry.metrics(for: settings)
        registry.use(metrics, for: settings)
        for index in change.added.indices {
            let generation = try Self.generation(plans[index], metrics[index])
            let worker = try fleet.addWorker(shared, generation, change.added[index], index: index)
            change.added[index] = []
            office.add(fleet.mailbox(index))
            try fleet.start(worker, index: index)
        }
        publish(settings, plans[0], change.certificates)
        log.write(.info, "ready", ("workers", .number(fleet.size)), ("listeners", .words(change.addresses)))
        listeners.warnOfUnused(log)
        manager.serving(change.addresses)
        ProcessControl.giveBackPages()
    }

    /// One for each worker.
    private func plans(_ settings: Settings) -> [Plan] {
        if counts == nil && !settings.quotas.isEmpty { counts = LimitTable(capacity: settings.connections.quotaKeys) }
        let pacers = pacers.pacers(for: settings)
        var plans: [Plan] = []
        for _ in 0..<workers {
            plans.append(
                Plan(
                    settings, workers: workers, inherited: inherited, ownStoreKey: ownStoreKey, pacers: pacers,
                    counts: counts, sharing: plans.first))
        }
        return plans
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
            let keeper = try StoreKeeper(wanted, office, observatory, log: log)
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

    private static func generation(_ plan: Plan, _ metrics: WorkerMetrics) throws(StartFailure) -> Generation {
        do {
            return try Generation(plan, metrics)
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
        var files: FileWatch
        /// Monotonic milliseconds at which files that change are looked at: when they began to, and when they rest.
        var latest: UInt64 = 0
        var due: UInt64?

        /// How long the files must have rested, and how long that is waited for.
        static let restMilliseconds: UInt64 = 200
        static let patienceMilliseconds: UInt64 = 2_000

        var millisecondsToWait: Int {
            guard let due else { return -1 }
            let now = Clock.monotonicMilliseconds()
            return due > now ? Int(due - now) : 0
        }

        /// Whether it is time to read changed files again.
        mutating func filesHaveChanged() -> Bool {
            let now = Clock.monotonicMilliseconds()
            if files.takeEvents() {
                if due == nil { latest = now + Self.patienceMilliseconds }
                due = min(now + Self.restMilliseconds, latest)
            }
            guard let at = due, now >= at else { return false }
            due = nil
            return files.hasChanged()
        }
    }

    /// The files that are read again when they change.
    private static func watched(_ settings: Settings) -> [String] {
        switch settings.process.reloadOnChange {
        case .none: []
        case .secrets: settings.files.secrets
        case .all: settings.files.secrets + [settings.files.configuration].compactMap { $0 }
        }
    }

    private func makeWatch(_ settings: Settings) throws(StartFailure) -> Watch {
        do {
            let poller = try Poller(maxEvents: 4)
            let source = try SignalSource(Self.signals)
            try poller.add(source, Token(slot: 0, generation: 0))
            try poller.add(fleet.mainWakeUp, Token(slot: 1, generation: 0))
            var files = try FileWatch()
            files.watch(Self.watched(settings))
            try poller.add(files, Token(slot: 2, generation: 0))
            return Watch(poller: poller, signals: source, files: files)
        } catch {
            throw StartFailure("the main thread cannot wait for signals: \(error)")
        }
    }

    private func serve(_ watch: inout Watch) throws(StartFailure) -> RunEnd {
        do {
            while fleet.running > 0 {
                _ = try watch.poller.wait(milliseconds: soonest(watch.millisecondsToWait, manager.rest))
                while let signal = watch.signals.take() { take(signal, &watch.files) }
                if watch.filesHaveChanged() && !draining {
                    log.write(.info, "files have changed")
                    reload(reloadOnChange == .all ? .all : .secrets, &watch.files)
                }
                tellOfReloads()
                desk.write(at: Clock.monotonicMilliseconds())
                manager.turn(&fleet)
            }
        } catch {
            throw StartFailure("the main thread cannot wait for signals: \(error)")
        }
        let clean = fleet.join()
        store?.stop()
        admin?.stop()
        endLog()
        log.write(.info, "stopped", ("clean", .flag(clean)))
        return clean ? .drained : .cutShort
    }

    private func take(_ signal: Signal, _ files: inout FileWatch) {
        switch signal {
        case .terminate, .interrupt:
            let message: StaticString = draining ? "stopping now" : "draining"
            log.write(.info, message, ("signal", .number(Int(signal.rawValue))))
            if !draining { manager.stopping() }
            observatory.beginDrain()
            fleet.tell(draining ? .stop : .drain)
            draining = true
        case .hangup: if !draining { reload(.all, &files) }
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
    private func reload(_ scope: ConfigurationSource.Scope, _ files: inout FileWatch) {
        manager.reloading()
        defer { ProcessControl.giveBackPages() }
        // What is replaced from here on is seen as another change.
        _ = files.hasChanged()
        let (new, problems) = source.load(scope)
        for problem in problems { report(problem) }
        guard let new else {
            observatory.reloadRefused()
            log.write(.error, "reload refused: the configuration has problems; nothing changed")
            tellOfRestrictedFiles()
            return tellOfRefusal()
        }
        do throws(StartFailure) {
            try apply(new)
            source.keep()
            reloadOnChange = new.process.reloadOnChange
            files.watch(Self.watched(new))
        } catch {
            observatory.reloadRefused()
            log.write(.error, "reload refused; nothing changed", ("reason", .text(error.reason)))
            tellOfRestrictedFiles()
            tellOfRefusal()
        }
    }

    /// Reloads that workers are still taking up are told when they are done.
    private func tellOfRefusal() {
        if reloads.isEmpty { manager.serving(listeners.addresses, "; the last reload was refused") }
    }

    private func apply(_ new: Settings) throws(StartFailure) {
        try checkStore(new)
        let plans = plans(new)
        var generations: [Generation] = []
        let metrics = registry.metrics(for: new)
        for index in 0..<fleet.size { generations.append(try Self.generation(plans[index], metrics[index])) }
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
        registry.use(metrics, for: new)
        publish(new, plans[0], change.certificates)
        warnOfAdmin(new)
        if isOtherProcess(new.process) {
            log.write(.warning, "user, group and hardening change with a restart")
        }
    }

    private func isOtherProcess(_ new: ProcessSettings) -> Bool {
        new.user != process.user || new.group != process.group || new.hasSeccomp != process.hasSeccomp
            || new.hasLandlock != process.hasLandlock
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
            observatory.reloaded()
            log.write(.info, "reloaded", ("listeners", .words(addresses)))
            if reloads.isEmpty && !draining { manager.serving(addresses) }
        }
    }

    /// Problems name places and keys of the configuration, never values of secret ones.
    private func report(_ problem: Problem) {
        log.write(problem.severity == .error ? .error : .warning, "configuration", ("problem", .text(problem.text)))
    }
}
