// The admin listener's thread: accepts, answers, ends what takes too long, and looks at the counts once per second.
// Relies on AdminConnection for what is said. Refuses more than 64 connections at a time: others wait in the backlog.
// Shares no thread and no lock with the workers.

internal import Config
internal import Net
internal import Synchronization

/// The listener, bound: it takes rights that a process may give up before it has threads.
struct AdminBinding: ~Copyable {
    let listener: Listener
    /// What is bound, with the port that the system chose.
    let address: String

    init(_ address: ListenAddress) throws(StartFailure) {
        do {
            listener = try Self.bind(address)
            self.address = listener.localAddress().map { "\($0)" } ?? address.text
        } catch let error as SystemError {
            throw StartFailure("the admin listener cannot be bound: \(error)")
        } catch {
            throw StartFailure("the admin listener has an owner or group that is not known here")
        }
    }

    private static func bind(_ address: ListenAddress) throws -> Listener {
        switch address {
        case .tcp(let host, let port):
            guard let address = SocketAddress(literal: host, port: port) else {
                preconditionFailure("Config takes only literal addresses")
            }
            // Not shared: a second gateway on the same address is a mistake.
            return try Listener.tcp(address, reusePort: false, backlog: 64)
        case .unix(let path, let mode, let owner, let group):
            return try Listener.unix(
                path: path, mode: UInt32(mode ?? 0o660), uid: try Accounts.user(owner),
                gid: try Accounts.group(group), backlog: 64)
        case .passed: preconditionFailure("Config takes no passed socket here")
        }
    }
}

/// The listener's thread. Thread-safe.
final class AdminServer: Sendable {
    let address: String
    private let wakeUp: WakeUp
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Starts to answer.
    init(_ binding: consuming AdminBinding, _ observatory: Observatory) throws(StartFailure) {
        address = binding.address
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            self.wakeUp = wakeUp
            let handover = Handover(try AdminLoop(binding.listener, wakeUp, AdminPages(observatory)))
            let started = try WorkerThread.start(name: "admin") { [self] in
                var loop = handover.take()
                while !isStopping.load(ordering: .acquiring) { loop.turn() }
            }
            var running = Optional(started)
            thread.withLock { $0 = running.take() }
        } catch {
            throw StartFailure("the admin listener's thread could not be started: \(error)")
        }
    }

    /// Ends it; what was not yet answered is not.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeUp.wake()
        thread.withLock { $0.take() }?.join()
    }
}

/// What the thread does.
struct AdminLoop: ~Copyable {
    private static let wakeUpSlot: UInt32 = .max
    private static let listenerSlot: UInt32 = .max - 1
    /// How long the listener rests where no descriptor can be had.
    private static let pauseMilliseconds: UInt64 = 100

    private let listener: Listener
    private var poller: Poller
    private var pages: AdminPages
    /// By their slots.
    private var connections: [AdminConnection?] = Array(repeating: nil, count: AdminLimits.maxConnections)
    private var generations: [UInt32] = Array(repeating: 0, count: AdminLimits.maxConnections)
    private var open = 0
    /// The poller is not asked about the listener until then; nil while it is.
    private var pausedUntil: UInt64?

    init(_ listener: consuming Listener, _ wakeUp: WakeUp, _ pages: AdminPages) throws(SystemError) {
        let poller = try Poller(maxEvents: AdminLimits.maxConnections + 2)
        try poller.add(wakeUp, Token(slot: Self.wakeUpSlot, generation: 0))
        try poller.add(listener, Token(slot: Self.listenerSlot, generation: 0))
        self.poller = poller
        self.listener = listener
        self.pages = pages
    }

    /// Waits for something to do, and does it.
    mutating func turn() {
        guard let count = try? poller.wait(milliseconds: wait()) else { preconditionFailure("epoll_wait refused") }
        let now = Clock.monotonicMilliseconds()
        for index in 0..<count {
            let token = poller.event(index).token
            switch token.slot {
            case Self.wakeUpSlot: break
            case Self.listenerSlot: accept(now)
            default:
                let slot = Int(token.slot)
                if generations[slot] == token.generation, let connection = connections[slot] {
                    proceed(connection, slot, now)
                }
            }
        }
        endLate(now)
        if let until = pausedUntil, now >= until, open < AdminLimits.maxConnections { resume(now) }
        let instant = Clock.monotonicNanoseconds()
        if instant >= pages.nextSampleAt { pages.sample(at: instant) }
    }

    /// Milliseconds until something is due; at most a second.
    private func wait() -> Int {
        let instant = Clock.monotonicNanoseconds()
        let now = instant / 1_000_000
        var next = pages.nextSampleAt > instant ? (pages.nextSampleAt - instant) / 1_000_000 + 1 : 0
        for case let connection? in connections {
            next = min(next, connection.deadline > now ? connection.deadline - now : 0)
        }
        if let until = pausedUntil, open < AdminLimits.maxConnections {
            next = min(next, until > now ? until - now : 0)
        }
        return Int(min(next, 1_000))
    }

    private mutating func accept(_ now: UInt64) {
        while pausedUntil == nil {
            guard let slot = connections.firstIndex(where: { $0 == nil }) else { return pause(until: now) }
            switch listener.accept() {
            case .accepted(let socket): begin(AdminConnection(socket, now: now), slot, now)
            case .none: return
            case .exhausted: return pause(until: now + Self.pauseMilliseconds)
            case .failed: return pause(until: now + Self.pauseMilliseconds)
            }
        }
    }

    private mutating func begin(_ connection: AdminConnection, _ slot: Int, _ now: UInt64) {
        let token = Token(slot: UInt32(slot), generation: generations[slot])
        // No memory for a registration: the other side sees its connection closed.
        guard (try? poller.add(connection.socket, token)) != nil else { return }
        connections[slot] = connection
        open += 1
        proceed(connection, slot, now)
    }

    private mutating func proceed(_ connection: AdminConnection, _ slot: Int, _ now: UInt64) {
        if !connection.proceed(pages, now: now) { end(slot) }
    }

    private mutating func end(_ slot: Int) {
        connections[slot] = nil
        generations[slot] &+= 1
        open -= 1
    }

    private mutating func endLate(_ now: UInt64) {
        for slot in connections.indices {
            if let connection = connections[slot], now >= connection.deadline { end(slot) }
        }
    }

    private mutating func pause(until time: UInt64) {
        poller.remove(listener)
        pausedUntil = time
    }

    private mutating func resume(_ now: UInt64) {
        do throws(SystemError) {
            try poller.add(listener, Token(slot: Self.listenerSlot, generation: 0))
            pausedUntil = nil
        } catch {
            pausedUntil = now + Self.pauseMilliseconds
        }
    }
}
