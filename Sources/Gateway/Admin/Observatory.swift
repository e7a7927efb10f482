// What the admin listener may look at: counts, levels and the present settings, published by the threads that own them.
// Relies on atomics and on one lock that no worker takes. Refuses to hold anything of a request.

internal import Config
internal import Net
internal import Policy
internal import Store
internal import Synchronization

/// A pace and whose it is.
struct NamedPacer: Sendable {
    let credential: String
    let upstream: String
    let pacer: SharedPacer
}

/// The parts of the gateway under the present configuration.
struct ObservedParts: Sendable {
    let settings: Settings
    /// By the workers' indexes.
    let metrics: [WorkerMetrics]
    let pacers: [NamedPacer]
    /// nil where there are no quotas.
    let limits: LimitTable?
    /// Until when the certificates of listeners hold, in seconds since 1970.
    let listenerCertificates: [(name: String, end: Int64)]
}

/// The state of the store as its thread last saw it.
struct ObservedStore: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case opening
        case working
        case failing(StoreFailure)

        /// As in answers.
        var word: String {
            switch self {
            case .opening: "opening"
            case .working: "ok"
            case .failing(let failure): failure.rawValue
            }
        }
    }
    var state = State.opening
    var counts = StoreCounts()
}

/// All of it. Thread-safe.
final class Observatory: Sendable {
    /// After how long within one turn a worker counts as stuck.
    static let stuckNanoseconds: UInt64 = 5_000_000_000

    let process = ProcessFigures()
    let version: String
    /// Seconds since 1970.
    let startedAt = Clock.realtimeSeconds()
    let startedAtMonotonic = Clock.monotonicNanoseconds()
    /// Inbound connections of the process.
    let connections: @Sendable () -> Int

    private let published = Mutex<ObservedParts?>(nil)
    private let storeState = Mutex<ObservedStore?>(nil)
    private let drainBegan = Atomic<Bool>(false)
    private let reloadsDone = Atomic<UInt64>(0)
    private let reloadsRefused = Atomic<UInt64>(0)
    private let lastReloadRefused = Atomic<Bool>(false)
    private let loadedAt = Atomic<Int64>(Clock.realtimeSeconds())

    init(version: String, connections: @escaping @Sendable () -> Int) {
        self.version = version
        self.connections = connections
    }

    // MARK: - For those who publish

    /// A configuration is in use.
    func publish(_ parts: ObservedParts) { published.withLock { $0 = parts } }

    /// Where there is a store.
    func publish(_ store: ObservedStore) { storeState.withLock { $0 = store } }

    func beginDrain() { drainBegan.store(true, ordering: .relaxed) }

    func reloaded() {
        reloadsDone.add(1, ordering: .relaxed)
        lastReloadRefused.store(false, ordering: .relaxed)
        loadedAt.store(Clock.realtimeSeconds(), ordering: .relaxed)
    }

    func reloadRefused() {
        reloadsRefused.add(1, ordering: .relaxed)
        lastReloadRefused.store(true, ordering: .relaxed)
    }

    // MARK: - For the admin listener

    /// nil before everything is set up.
    var parts: ObservedParts? { published.withLock { $0 } }
    /// nil where there is no store.
    var store: ObservedStore? { storeState.withLock { $0 } }
    var isDraining: Bool { drainBegan.load(ordering: .relaxed) }
    var reloads: (done: UInt64, refused: UInt64) {
        (reloadsDone.load(ordering: .relaxed), reloadsRefused.load(ordering: .relaxed))
    }
    var isLastReloadRefused: Bool { lastReloadRefused.load(ordering: .relaxed) }
    /// When the configuration in use was read, in seconds since 1970.
    var configurationLoadedAt: Int64 { loadedAt.load(ordering: .relaxed) }

    /// Workers that have been in one turn for too long.
    func stuckWorkers(at now: UInt64) -> Int {
        guard let parts else { return 0 }
        return parts.metrics.count { metrics in
            let turn = metrics.worker.turn
            return turn > 0 && now > turn && now - turn > Self.stuckNanoseconds
        }
    }
}
