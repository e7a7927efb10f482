// The whole: binds listeners, starts one worker per core, listens to signals, drains and stops.

package import Config
internal import HTTP
internal import Net
internal import Policy

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
package enum Gateway {
    private static let signals: [Signal] = [.terminate, .interrupt, .hangup]

    /// Runs until SIGTERM or SIGINT. `ready` is called once every listener is bound, with their addresses.
    package static func run(
        _ settings: Settings, log: OperatorLog, ready: ([String]) -> Void = { _ in }
    ) throws(StartFailure) -> RunEnd {
        try prepareProcess(settings, log)
        let plan = Plan(settings)
        let count = settings.workers ?? ProcessControl.cpuCount()
        var bound = try Listeners(settings.listeners, workers: count)
        let shared = Shared(plan: plan, resolver: try makeResolver())
        var fleet = try Fleet()
        for index in 0..<count {
            let worker = try fleet.addWorker(shared: shared, listeners: bound.take(index), index: index)
            try fleet.start(worker, index: index)
        }
        log.write(.info, "ready", ("workers", .number(count)), ("listeners", .words(bound.names)))
        ready(bound.names)
        return try waitForTheEnd(&fleet, settings, log)
    }

    private static func makeResolver() throws(StartFailure) -> Resolver {
        do {
            return try Resolver()
        } catch {
            throw StartFailure("the resolver's thread could not be started")
        }
    }

    private static func prepareProcess(_ settings: Settings, _ log: OperatorLog) throws(StartFailure) {
        do {
            try ProcessControl.forbidMemoryDumps()
            try ProcessControl.ignoreBrokenPipes()
            try Signal.block(signals)
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

    private static func waitForTheEnd(
        _ fleet: inout Fleet, _ settings: Settings, _ log: OperatorLog
    ) throws(StartFailure) -> RunEnd {
        var draining = false
        do {
            var poller = try Poller(maxEvents: 4)
            let source = try SignalSource(signals)
            try poller.add(source, Token(slot: 0, generation: 0))
            try poller.add(fleet.workerEnded, Token(slot: 1, generation: 0))
            while fleet.running > 0 {
                _ = try poller.wait(milliseconds: -1)
                while let signal = source.take() {
                    switch signal {
                    case .terminate, .interrupt:
                        log.write(
                            .info, draining ? "stopping now" : "draining", ("signal", .number(Int(signal.rawValue))))
                        fleet.tell(draining ? .stop : .drain)
                        draining = true
                    case .hangup:
                        log.write(.warning, "SIGHUP: reloading is not built in this version; nothing changed")
                    case .quit, .user1, .user2, .windowChange: break
                    }
                }
            }
        } catch {
            throw StartFailure("the main thread cannot wait for signals: \(error)")
        }
        let clean = fleet.join()
        log.write(.info, "stopped", ("clean", .flag(clean)))
        return clean ? .drained : .cutShort
    }
}
