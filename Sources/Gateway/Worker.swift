// One thread's share of the gateway: its poller, listeners, connections, pools and timers. Nothing here is shared with
// another worker but the mailbox and the count of connections.
// This file: what a worker has, and its loop. What it does is in the extensions.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing
internal import Store
internal import Synchronization

/// What other threads say to a worker.
enum Message: Sendable {
    case resolved(upstream: UInt64, ResolvedAddresses)
    case store(StoreReply)
    case pace(PaceNotice)
    case reload(Reload)
    case drain
    case stop
}

/// How many callers' connections the process has. Thread-safe.
final class InboundCount: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .relaxed) }
    func add() { count.add(1, ordering: .relaxed) }
    func subtract() { count.subtract(1, ordering: .relaxed) }
}

/// What all workers share.
final class Shared: Sendable {
    let resolver: Resolver
    /// nil where no route has idempotency keys.
    let store: StoreKeeper?
    /// What the operator is to be told.
    let notices: Mailbox<Notice>
    let log: AccessLog
    /// Inbound connections of the process.
    let connections: InboundCount
    /// Bytes of request bodies that are held, beyond the first buffers.
    let buffered = Atomic<Int>(0)

    init(
        resolver: Resolver, store: StoreKeeper?, log: AccessLog, notices: Mailbox<Notice>, connections: InboundCount
    ) {
        self.connections = connections
        self.notices = notices
        self.resolver = resolver
        self.log = log
        self.store = store
    }
}

/// One worker: what it owns, and its loop.
///
/// Its steps are mutating, also those that change nothing: of one that is not, called from one that is, this compiler
/// copies the whole worker (1,112 bytes).
struct Worker: ~Copyable {
    /// How long a listener rests when no descriptor or connection can be had.
    static let acceptPauseMilliseconds: UInt64 = 100
    /// How long a listener that closes waits for handshakes that were on their way.
    static let lastCallMilliseconds: UInt64 = 20
    /// How soon after it was lent a connection must be lost to count as closed while it was idle.
    static let idleCloseMilliseconds: UInt64 = 250
    /// How long an idle caller may still begin a request while the gateway drains.
    static let farewellMilliseconds = 500
    /// How long a refused caller may go on sending before its connection is closed.
    static let lingerMilliseconds: UInt64 = 2_000

    /// Bytes of a body that is read in parts, each digested at once, and written at once: a processor's second cache
    /// (1 MiB and more) does not keep it until the end of the stage.
    static let longBody = 262_144
    /// Bytes of a body up to which a request is sealed at the end of the stage, with all others: a longer one is
    /// digested while the caches have it.
    static let shortBody = 4_096

    let shared: Shared
    /// Which of the workers this is, from 0.
    let index: Int
    /// What new requests are served by.
    var generation: Generation
    /// The counts of `generation`.
    var metrics: WorkerMetrics
    /// The store's keys by which a request is claimed, whichever configuration it was admitted under: equal requests
    /// must find each other. Kept where a reload takes the store away, for requests that were begun with it.
    var vault: KeyVault?
    /// The keys of a reload that not every worker has taken up when this one did.
    var nextVault: (keys: KeyVault, progress: ReloadProgress)?
    var poller: Poller
    var timers: TimerWheel
    var slots = SlotTable()
    let mailbox: Mailbox<Message>
    var listeners: [ListenerBox]
    var scanner = JSONScanner()
    /// Whose body the scanner's findings are about.
    var scanned: UInt32?
    var edits = JSONEdits()
    /// For ids in whole bodies: apart from `scanner`, whose findings are still to be used.
    var idScanner = JSONScanner()
    var requestIDs: RequestIDs
    /// Lines of the access log that were written in this turn.
    var lines = LogLines(capacity: LogBuffer.firstCapacity)
    /// How the last request ended, as its line says it.
    var lastEnd: LoggedEnd?
    var lastEndLines = LogLines(capacity: 256)
    /// Where they are handed over.
    let logBuffer: LogBuffer
    /// Questions to the store so far: each has its number.
    var claims: UInt64 = 0
    /// What the store is asked and told at the end of this turn.
    var questions: [StoreQuestion] = []
    /// Turns that were asked for so far: each has its number.
    var turns: UInt64 = 0
    /// The slots of those whose turn has not come, by the numbers of their tickets.
    var waitingTurns: [UInt64: UInt32] = [:]
    /// The slots whose timers wake the pacers.
    var pacerSlots: [ObjectIdentifier: UInt32] = [:]
    /// For bodies in the log.
    var redactors: [AnswerRedactor] = []
    /// For ids in the log.
    var idFinders: [IDFinder] = []
    /// For callers' tokens.
    var tokenHasher = BodyHasher()
    /// For looking at idle connections.
    var scratch = ByteBuffer(capacity: 512)

    /// Monotonic milliseconds, read once per turn.
    var now: UInt64
    /// The same in nanoseconds.
    var turn: UInt64
    /// The wall clock, read once per turn.
    var logTime: LogTime
    /// The date of requests sealed now; made once per second.
    var date: HTTPDate
    var contexts = ContextPool()
    /// For sealed requests until they are written, for what comes from upstreams until it was used, for what goes to
    /// callers.
    var sealBuffers = BufferPool(capacity: 2_048)
    var answerBuffers: BufferPool
    var outputBuffers = BufferPool(capacity: 2_048)
    /// Connections with bytes left to look at when their exchange had ended.
    var goOn: [InboundConnection] = []
    /// Answers whose turn was over before their bytes were.
    var answersToGoOn: [UpstreamConnection] = []
    /// Places in pools that became free for waiting exchanges.
    var openings: [(upstream: UpstreamState, exchange: UInt32)] = []
    /// Upstreams whose names were asked for, by id.
    var askedNames: [UInt64: UpstreamState] = [:]
    var inboundCount = 0
    var pausedListeners = 0
    var draining = false
    var drainDeadline: UInt64 = .max
    var stopped = false
    /// Requests were ended before their time.
    var wasCutShort = false
    /// The slot whose timer ends a drain: the mailbox's, which has no other.
    private(set) var drainSlot: UInt32 = 0
    /// The slot whose timer sweeps the spare contexts.
    private(set) var sweepSlot: UInt32 = 0
    private var goingOn: [InboundConnection] = []
    /// Exchanges that have left something to the end of the stage.
    private var due: [ExchangeContext?] = []
    /// Since requests began to be written at the end of this stage: whether the poller has told all that had happened
    /// by then; nil before.
    private(set) var knowsAll: Bool?
    /// The events of this turn.
    private var upstreamEvents: [(connection: UpstreamConnection?, readiness: Readiness)] = []
    private var inboundEvents: [(connection: InboundConnection?, readiness: Readiness)] = []
    private var otherEvents: [Token] = []
    private var expired: [TimerID] = []
    private var messages: [Message] = []

    init(
        shared: Shared, generation: Generation, mailbox: Mailbox<Message>, poller: consuming Poller, index: Int
    ) {
        self.shared = shared
        logBuffer = shared.log.buffers[index]
        self.index = index
        self.generation = generation
        metrics = generation.metrics
        answerBuffers = BufferPool(capacity: generation.answerCapacity)
        vault = generation.vault
        turn = Clock.monotonicNanoseconds()
        now = turn / 1_000_000
        let time = Clock.realtimeMilliseconds()
        date = HTTPDate(unixSeconds: time / 1_000)
        logTime = LogTime(unixMilliseconds: time)
        timers = TimerWheel(now: now)
        self.mailbox = mailbox
        self.poller = poller
        listeners = []
        requestIDs = RequestIDs(worker: index)
    }

    /// Takes the mailbox's wake-up and the listeners into the poller; once, before `run`.
    mutating func begin(_ wakeUp: WakeUp, _ listeners: [ListenerBox]) throws(SystemError) {
        let token = slots.take()
        slots.set(token.slot, .mailbox)
        drainSlot = token.slot
        sweepSlot = slots.take().slot
        slots.set(sweepSlot, .contexts)
        try poller.add(wakeUp, token)
        for box in listeners { try listen(box) }
    }

    var limits: HTTPLimits { generation.limits }
    var connectionLimits: ConnectionLimits { generation.connectionLimits }

    mutating func listen(_ box: ListenerBox) throws(SystemError) {
        let token = slots.take()
        box.slot = token.slot
        slots.set(token.slot, .listener(box))
        listeners.append(box)
        try poller.add(box.listener, token)
    }

    /// Serves until it is told to stop and nothing is left to do.
    mutating func run() {
        while !stopped {
            let wait = hasLeftovers || lines.count > 0 ? 0 : timers.millisecondsToWait(now: now)
            metrics.worker.setTurn(0)
            guard let count = try? poller.wait(milliseconds: wait) else { preconditionFailure("epoll_wait refused") }
            tick()
            handleEvents(count)
            handleLeftovers()
            handleTimers()
            if draining { continueDrain() }
            handInQuestions()
            handOverLines()
        }
        metrics.worker.setTurn(0)
        logBuffer.takeLast(&lines)
    }

    private mutating func tick() {
        turn = Clock.monotonicNanoseconds()
        now = turn / 1_000_000
        metrics.worker.setTurn(turn)
        let time = Clock.realtimeMilliseconds()
        logTime.set(unixMilliseconds: time)
        let seconds = time / 1_000
        if seconds != date.unixSeconds { date = HTTPDate(unixSeconds: seconds) }
    }

    /// Upstream events come first: a connection that was closed while it was idle is noticed before a request of the
    /// same batch could be given to it. Each half goes in stages (decision 0013): everything is read, then worked on,
    /// then sealed, then written.
    private mutating func handleEvents(_ count: Int) {
        for index in 0..<count {
            let event = poller.event(index)
            switch slots.find(event.token) {
            case .upstream(let connection):
                readAhead(connection, event.readiness)
                upstreamEvents.append((connection, event.readiness))
            case .inbound(let connection): inboundEvents.append((connection, event.readiness))
            case .listener, .mailbox: otherEvents.append(event.token)
            case .free, .pacer, .contexts: break
            }
        }
        for index in upstreamEvents.indices {
            let readiness = upstreamEvents[index].readiness
            if let connection = upstreamEvents[index].connection.take() { upstreamReady(connection, readiness) }
        }
        upstreamEvents.removeAll(keepingCapacity: true)
        endStage()
        for index in inboundEvents.indices {
            let readiness = inboundEvents[index].readiness
            guard let connection = inboundEvents[index].connection.take() else { continue }
            readAhead(connection, readiness)
            inboundEvents[index].connection = connection
        }
        for index in inboundEvents.indices {
            let readiness = inboundEvents[index].readiness
            if let connection = inboundEvents[index].connection.take() { inboundReady(connection, readiness) }
        }
        inboundEvents.removeAll(keepingCapacity: true)
        for token in otherEvents {
            switch slots.find(token) {
            case .listener(let box): accept(box)
            case .mailbox: readMailbox()
            case .free, .inbound, .upstream, .pacer, .contexts: break
            }
        }
        otherEvents.removeAll(keepingCapacity: true)
        endStage()
    }

    /// Does the rest of a step at the end of this stage, and tells the exchange then.
    mutating func postpone(_ work: DueWork, _ context: ExchangeContext) {
        context.state.due = work
        due.append(context)
    }

    /// Ends a stage: what is due is done for all, and then the exchanges hear of it, which may make more due. Nothing
    /// is due when the worker waits. Contexts are taken out and put back, which counts no reference.
    mutating func endStage() {
        var told = 0
        while told < due.count {
            let end = due.count
            for index in told..<end {
                guard let context = due[index].take() else { continue }
                doDue(context)
                due[index] = context
            }
            knowsAll = nil
            while told < end {
                let context = due[told].take()
                told += 1
                guard let context else { continue }
                if let event = context.state.outcomeOfDue.take() {
                    drive(context, event)
                } else {
                    armDeadline(&context.state)
                }
            }
        }
        due.removeAll(keepingCapacity: true)
    }

    private mutating func doDue(_ context: ExchangeContext) {
        let work = context.state.due
        context.state.due = .nothing
        switch work {
        case .nothing: break
        case .seal: context.state.outcomeOfDue = sealDue(&context.state)
        case .request:
            if knowsAll == nil { knowsAll = lookAhead() }
            context.state.outcomeOfDue = writeRequest(&context.state)
        case .answer: context.state.outcomeOfDue = flushAnswer(context)
        }
    }

    /// Asks the poller what has happened since the turn began, before requests are written: connections that have
    /// spoken are not to carry one. The events themselves wait for the next turn. True where that was all.
    private mutating func lookAhead() -> Bool {
        let found = poller.lookAhead()
        for index in found.events {
            let event = poller.event(index)
            if case .upstream(let connection) = slots.find(event.token) { connection.note(event.readiness) }
        }
        return found.isAll
    }

    private var hasLeftovers: Bool {
        !(goOn.isEmpty && openings.isEmpty && answersToGoOn.isEmpty && questions.isEmpty)
    }

    /// One round: what is left after it waits for the events of the next turn, which do not wait for it.
    private mutating func handleLeftovers() {
        guard hasLeftovers else { return }
        swap(&goOn, &goingOn)
        for connection in goingOn {
            connection.queued = false
            proceed(connection)
        }
        goingOn.removeAll(keepingCapacity: true)
        let answers = answersToGoOn
        answersToGoOn.removeAll(keepingCapacity: true)
        for connection in answers { relayQueued(connection) }
        let places = openings
        openings.removeAll(keepingCapacity: true)
        for place in places { openForWaiting(place.upstream, place.exchange) }
        endStage()
    }

    private mutating func handleTimers() {
        expired.removeAll(keepingCapacity: true)
        timers.advance(to: now, expired: &expired)
        for id in expired {
            switch slots[id.slot] {
            case .inbound(let connection): inboundLate(connection)
            case .upstream(let connection): upstreamLate(connection)
            case .listener(let box): listenerLate(box)
            case .pacer(let pacer): pacerLate(pacer)
            case .contexts: contexts.sweep()
            case .free, .mailbox: break
            }
        }
        endStage()
    }

    private mutating func readMailbox() {
        messages.removeAll(keepingCapacity: true)
        mailbox.drain(into: &messages)
        for message in messages {
            switch message {
            case .resolved(let upstream, let answer): nameResolved(upstream, answer)
            case .store(let reply): storeReplied(reply)
            case .pace(let notice): paceNoticed(notice)
            case .reload(let reload): take(reload)
            case .drain: beginDrain()
            case .stop: stopNow()
            }
        }
    }

    mutating func arm(_ slot: UInt32, after milliseconds: Int) {
        timers.arm(TimerID(slot: slot), at: now &+ UInt64(milliseconds))
    }
}
