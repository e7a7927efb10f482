// What the service manager hears: that the gateway serves, reloads, stops, and that its workers still turn.
// Relies on Net's ServiceManager; without one nothing is said. Refuses to say that all is well for workers that gave no
// sign of life since they were asked.

internal import Net

/// The gateway's words to its service manager. For the main thread.
final class ServiceNotice {
    private let manager: ServiceManager?
    private let log: OperatorLog
    private var watchdog: Watchdog?
    /// A manager that is gone is told of once.
    private var hasFailed = false

    init(log: OperatorLog) throws(StartFailure) {
        self.log = log
        do {
            manager = try ServiceManager.fromEnvironment()
            watchdog = manager?.watchdogMilliseconds.map {
                Watchdog(milliseconds: $0, now: Clock.monotonicMilliseconds())
            }
        } catch {
            throw StartFailure("the service manager (NOTIFY_SOCKET) cannot be told: \(error)")
        }
    }

    /// The listeners serve.
    func serving(_ addresses: [String], _ remark: String = "") {
        tell("READY=1\nSTATUS=serving on \(addresses.joined(separator: ", "))\(remark)")
    }

    /// A reload begins. systemd compares the time with that of its own request.
    func reloading() {
        tell("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonicNanoseconds() / 1_000)\nSTATUS=reloading")
    }

    func stopping() { tell("STOPPING=1\nSTATUS=draining: calls in flight are finished") }

    /// For how many milliseconds nothing is to be done here; -1: for ever.
    var rest: Int { watchdog?.rest(now: Clock.monotonicMilliseconds()) ?? -1 }

    /// Asks workers for a sign of life and passes it on, when it is time.
    func turn(_ pulse: inout some Pulse & ~Copyable) {
        if watchdog?.turn(now: Clock.monotonicMilliseconds(), &pulse) == true { tell("WATCHDOG=1") }
    }

    private func tell(_ message: String) {
        do throws(SystemError) {
            try manager?.tell(message)
            hasFailed = false
        } catch {
            guard !hasFailed else { return }
            hasFailed = true
            log.write(.warning, "the service manager cannot be told", ("reason", .text("\(error)")))
        }
    }
}
