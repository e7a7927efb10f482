// The store's own thread: takes the workers' questions in batches, so that one sync serves all that came meanwhile, and
// posts the answers to the workers' mailboxes.
// Relies on KeyDesk for every decision. Refuses more claims than its bound; what settles a claim is always taken, since
// there are no more of those than claims were granted.

internal import Config
internal import HTTP
internal import Net
internal import Policy
internal import Store
internal import Synchronization

/// The door of the store for all workers. Thread-safe.
final class StoreKeeper: Sendable {
    let settings: StoreSettings
    private let questions: Mailbox<StoreQuestion>
    private let wakeUp: WakeUp
    private let office: PostOffice
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)
    private let log: OperatorLog
    private let observatory: Observatory

    var limits: StoreLimits { settings.limits }

    /// `limits.maxQuestions` claims may wait.
    init(
        _ settings: StoreSettings, _ office: PostOffice, _ observatory: Observatory, log: OperatorLog
    ) throws(SystemError) {
        self.observatory = observatory
        observatory.publish(ObservedStore())
        self.office = office
        self.settings = settings
        self.log = log
        wakeUp = try WakeUp()
        questions = Mailbox(limit: settings.limits.maxQuestions, wakeUp: wakeUp)
    }

    /// Starts the thread, which opens the store. That it cannot be opened is told in the log, and tried again.
    func start() throws(SystemError) {
        let poller = try Poller(maxEvents: 1)
        try poller.add(wakeUp, Token(slot: 0, generation: 0))
        let handover = Handover(poller)
        let started = try WorkerThread.start(name: "store") { [self] in
            var poller = handover.take()
            run(&poller)
        }
        var running = Optional(started)
        thread.withLock { $0 = running.take() }
    }

    /// Asks for keys, and says what became of claimed ones, in order; false where as many questions wait as may.
    func ask(_ batch: [StoreQuestion]) -> Bool { questions.post(batch) }

    /// Says what became of claimed keys.
    func settle(_ batch: [StoreQuestion]) { questions.postAlways(batch) }

    /// Answers what was asked so far and closes the store. Called once the workers have ended: nobody asks any more.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeUp.wake()
        thread.withLock { $0.take() }?.join()
    }

    // MARK: - On the thread

    private static func instants() -> Instants {
        Instants(bootMilliseconds: Clock.bootMilliseconds(), wallMilliseconds: Clock.realtimeMilliseconds())
    }

    private func makeStore() -> any KeyStore {
        switch (settings.kind, settings.path) {
        case (.sqlite, let path?): SQLiteStore(path: path, maxSize: settings.limits.maxSize)
        case (.memory, _), (.sqlite, nil): MemoryStore()
        }
    }

    private func run(_ poller: inout Poller) {
        let desk = KeyDesk(makeStore(), settings.limits, bootID: Clock.bootID())
        var told: StoreFailure?
        var batch: [StoreQuestion] = []
        var replies: [StoreReply] = []
        var maintenance = Int64.min
        while true {
            let isLast = isStopping.load(ordering: .acquiring)
            questions.drain(into: &batch)
            desk.process(batch, at: Self.instants(), into: &replies)
            batch.removeAll(keepingCapacity: true)
            post(&replies)
            if isLast { break }
            if Clock.bootMilliseconds() >= maintenance {
                maintenance = Clock.bootMilliseconds() + Int64(desk.maintain(at: Self.instants()))
            }
            tell(desk.health, &told)
            observatory.publish(Self.observed(desk))
            let rest = max(0, maintenance - Clock.bootMilliseconds())
            guard (try? poller.wait(milliseconds: Int(rest))) != nil else {
                preconditionFailure("epoll_wait refused")
            }
        }
        desk.close(at: Self.instants())
        tell(desk.counts)
    }

    private static func observed(_ desk: KeyDesk) -> ObservedStore {
        ObservedStore(state: desk.health.map { .failing($0) } ?? .working, counts: desk.counts)
    }

    /// To each worker what is for it, in one go.
    private func post(_ replies: inout [StoreReply]) {
        guard !replies.isEmpty else { return }
        for worker in 0..<office.workers {
            office.post(replies.filter { $0.worker == worker }.map { .store($0) }, to: worker)
        }
        replies.removeAll(keepingCapacity: true)
    }

    /// Says once that the store has failed, and once that it works again.
    private func tell(_ health: StoreFailure?, _ told: inout StoreFailure?) {
        guard health != told else { return }
        told = health
        let path = settings.path ?? "memory"
        if let health {
            log.write(
                .error, "the store of idempotency keys fails", ("store", .text(path)),
                ("failure", .text(health.rawValue)))
        } else {
            log.write(.info, "the store of idempotency keys works", ("store", .text(path)))
        }
    }

    private func tell(_ counts: StoreCounts) {
        log.write(
            .info, "the store of idempotency keys is closed", ("claims", .number(counts.claims)),
            ("claimed", .number(counts.claimed)), ("replayed", .number(counts.replayed)),
            ("waited", .number(counts.waited)), ("reused", .number(counts.reused)),
            ("unknown", .number(counts.unknownOutcomes)), ("failures", .number(counts.failures)),
            ("commits", .number(counts.commits)), ("purged", .number(counts.purged)),
            ("keys", .number(counts.keys)), ("unwritten", .number(counts.pending)))
    }
}

extension StoreReply {
    /// Which worker it is for.
    fileprivate var worker: Int {
        switch self {
        case .claim(let ticket, _), .settled(let ticket): Int(ticket.worker)
        }
    }
}
