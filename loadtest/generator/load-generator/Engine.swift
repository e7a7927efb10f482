// Sends what is due, reads what comes, and counts: one thread, one poller, non-blocking sockets.
// Relies on Net for sockets and clocks, on LoadGeneration for every rule. Refuses to run on after a thousand errors, or
// against a target that takes no connection.

internal import LoadGeneration
internal import Net

/// Why a run cannot go on; one sentence that names the place and the remedy.
struct GeneratorFailure: Error {
    let message: String
}

struct Engine: ~Copyable {
    /// Errors after which a run is given up: what it measured would mean nothing.
    private static let maxErrors = 1_000
    /// Due requests that may wait for a connection.
    private static let maxQueued = 1 << 20
    /// Nanoseconds for making all connections at the start, and for the last answers at the end.
    private static let patience: UInt64 = 10_000_000_000
    private static let second: UInt64 = 1_000_000_000

    private let settings: GeneratorSettings
    private let address: SocketAddress
    private var poller: Poller
    private var connections: [Connection] = []
    /// With keys, one request per connection, since each has a number of its own; else one for all.
    private var requests: [RequestTemplate]
    private var free: DueQueue
    private var queue: DueQueue
    private var room: [UInt8]
    private var report = GeneratorReport()
    private var number: UInt64 = 0
    private var inFlight = 0
    private var ready = 0
    /// Nanoseconds of the clock: when the measured time begins and ends.
    private var from: UInt64 = 0
    private var until: UInt64 = 0
    private var isEnding = false

    /// An engine for the settings; connects when it runs.
    static func make(_ settings: GeneratorSettings) throws(GeneratorFailure) -> Engine {
        let address =
            switch settings.place {
            case .tcp(let host, let port): SocketAddress(literal: host, port: port)
            case .unix(let path): SocketAddress(unixPath: path)
            }
        guard let address, address.isLoopback else {
            throw GeneratorFailure(message: "--target is not an address of this machine")
        }
        let poller = try ask { () throws(SystemError) in try Poller(maxEvents: 512) }
        return Engine(settings, address, poller)
    }

    private init(_ settings: GeneratorSettings, _ address: SocketAddress, _ poller: consuming Poller) {
        self.settings = settings
        self.address = address
        self.poller = poller
        let host = address.unixPath == nil ? address.description : "localhost"
        let request = RequestTemplate(
            host: host, path: settings.path, bodyBytes: settings.bodyBytes, keys: settings.keys)
        requests = Array(repeating: request, count: settings.keys.isEmpty ? 1 : settings.connections)
        free = DueQueue(capacity: settings.connections)
        queue = DueQueue(capacity: Self.maxQueued)
        room = Array(repeating: 0, count: 64 << 10)
    }

    private static func ask<T: ~Copyable>(_ call: () throws(SystemError) -> T) throws(GeneratorFailure) -> T {
        do throws(SystemError) { return try call() } catch {
            throw GeneratorFailure(message: "\(error); raise the limit (ulimit -n), or see that the target listens")
        }
    }

    /// Runs to the end and gives what was counted.
    mutating func run() throws(GeneratorFailure) -> GeneratorReport {
        try connectAll()
        from = Clock.monotonicNanoseconds() + settings.warmUp * Self.second
        until = from + settings.seconds * Self.second
        switch settings.pace {
        case .open(let rate): try runOpen(rate)
        case .closed: try runClosed()
        }
        try takeLast()
        report.deepestQueue = queue.deepest
        report.measured = settings.seconds * Self.second
        return report
    }

    private mutating func connectAll() throws(GeneratorFailure) {
        for slot in 0..<settings.connections { connections.append(try connection(slot, 0)) }
        let limit = Clock.monotonicNanoseconds() + Self.patience
        while ready < connections.count {
            try takeEvents(nanoseconds: 100_000_000)
            guard report.errors.sum == 0, Clock.monotonicNanoseconds() < limit else {
                throw GeneratorFailure(message: "\(address) does not take connections; see that the target listens")
            }
        }
    }

    private func connection(_ slot: Int, _ generation: UInt32) throws(GeneratorFailure) -> Connection {
        let address = address
        let made = try Self.ask { () throws(SystemError) in try Connection(to: address, generation: generation) }
        try Self.ask { () throws(SystemError) in
            try poller.add(made.socket, Token(slot: UInt32(slot), generation: generation))
        }
        return made
    }

    private mutating func runOpen(_ rate: UInt64) throws(GeneratorFailure) {
        var schedule = Schedule(begin: Clock.monotonicNanoseconds(), rate: rate)
        while schedule.next < until {
            let now = Clock.monotonicNanoseconds()
            guard schedule.next <= now else {
                try takeEvents(nanoseconds: schedule.next - now)
                continue
            }
            let due = schedule.next
            schedule.advance()
            if due >= from { report.lateness.record(now - due) }
            if let slot = free.pop() {
                try send(Int(slot), due: due)
            } else if !queue.push(due) {
                report.errors.overflowed += 1
            }
            // What comes is looked at between two due requests as well: a generator that is behind must not go blind.
            if schedule.next <= now { try takeEvents(nanoseconds: 0) }
        }
    }

    private mutating func runClosed() throws(GeneratorFailure) {
        while let slot = free.pop() { try send(Int(slot), due: Clock.monotonicNanoseconds()) }
        while Clock.monotonicNanoseconds() < until { try takeEvents(nanoseconds: 100_000_000) }
    }

    /// Takes the answers to what was sent, and sends what waits; no more becomes due.
    private mutating func takeLast() throws(GeneratorFailure) {
        isEnding = true
        let limit = Clock.monotonicNanoseconds() + Self.patience
        while inFlight > 0 || queue.count > 0, Clock.monotonicNanoseconds() < limit {
            try takeEvents(nanoseconds: 100_000_000)
        }
        report.errors.unanswered += inFlight + queue.count
    }

    private mutating func takeEvents(nanoseconds: UInt64) throws(GeneratorFailure) {
        let count: Int
        do throws(SystemError) { count = try poller.wait(nanoseconds: nanoseconds) } catch {
            throw GeneratorFailure(message: "\(error); Linux 5.11 or later is needed")
        }
        for index in 0..<count {
            let (token, readiness) = poller.event(index)
            let slot = Int(token.slot)
            guard connections[slot].generation == token.generation else { continue }
            try handle(slot, readiness)
        }
    }

    private mutating func handle(_ slot: Int, _ readiness: Readiness) throws(GeneratorFailure) {
        let connection = connections[slot]
        if connection.state == .connecting {
            guard connection.socket.finishConnect() == nil, !readiness.contains(.closed) else {
                report.errors.connect += 1
                return try renew(slot)
            }
            guard readiness.contains(.writable) else { return }
            connection.state = .idle
            ready += 1
            // As wrk does: a caller that asks for room to write at all times costs the target of a Unix socket a walk
            // to this poller with every read.
            try watchWriting(false, slot)
            try becomeFree(slot)
            return
        }
        if readiness.contains(.writable), connection.state == .busy { try write(slot) }
        let isLast =
            readiness.contains(.closedForReading) || readiness.contains(.closed)
            || readiness.contains(.failed)
        if readiness.contains(.readable) || isLast { try read(slot, toTheEnd: isLast) }
    }

    /// Puts a request on a free connection.
    private mutating func send(_ slot: Int, due: UInt64) throws(GeneratorFailure) {
        let connection = connections[slot]
        connection.state = .busy
        connection.due = due
        connection.written = 0
        if !settings.keys.isEmpty { requests[slot].setNumber(number) }
        number += 1
        report.sent += 1
        inFlight += 1
        try write(slot)
    }

    private mutating func write(_ slot: Int) throws(GeneratorFailure) {
        let connection = connections[slot]
        let index = settings.keys.isEmpty ? 0 : slot
        while connection.written < requests[index].bytes.count {
            // A failure is told to the reader, too, who sees the answer that may have come before it.
            switch Self.write(requests[index].bytes, connection) {
            case .bytes(let count): connection.written += count
            case .wouldBlock: return try watchWriting(true, slot)
            case .end, .truncated, .failed, .tlsFailed: return
            }
        }
    }

    private func watchWriting(_ watches: Bool, _ slot: Int) throws(GeneratorFailure) {
        let connection = connections[slot]
        guard connection.watchesWriting != watches else { return }
        connection.watchesWriting = watches
        let token = Token(slot: UInt32(slot), generation: connection.generation)
        try Self.ask { () throws(SystemError) in
            try poller.change(connection.socket, token, to: watches ? .both : .reading)
        }
    }

    private static func write(_ bytes: [UInt8], _ connection: Connection) -> IOResult {
        connection.socket.write(bytes.span.extracting(droppingFirst: connection.written))
    }

    private mutating func read(_ slot: Int, toTheEnd: Bool) throws(GeneratorFailure) {
        let connection = connections[slot]
        while true {
            var span = room.mutableSpan
            switch connection.socket.read(into: &span) {
            case .bytes(let count):
                guard try take(slot, connection, count) else { return }
                if count < room.count && !toTheEnd { return }
            case .wouldBlock: return
            case .end, .truncated, .failed, .tlsFailed:
                if connection.state == .busy {
                    report.errors.socket += 1
                    inFlight -= 1
                } else {
                    report.reconnects += 1
                }
                return try renew(slot)
            }
        }
    }

    /// Takes `count` bytes that were read; false where the connection was given up.
    private mutating func take(_ slot: Int, _ connection: Connection, _ count: Int) throws(GeneratorFailure) -> Bool {
        var verdict = AnswerScanner.Verdict.unreadable
        if connection.state == .busy { verdict = connection.scanner.take(room.span.extracting(first: count)) }
        switch verdict {
        case .incomplete: return true
        case .complete(let status, let used) where used == count && isWritten(connection):
            if (200...299).contains(status) {
                report.answered += 1
                let now = Clock.monotonicNanoseconds()
                if isMeasured(connection.due, now) { report.latency.record(now - connection.due) }
            } else {
                report.errors.status += 1
            }
            connection.state = .idle
            inFlight -= 1
            try endAfterTooManyErrors()
            try becomeFree(slot)
            return true
        case .complete, .unreadable:
            report.errors.unreadable += 1
            if connection.state == .busy { inFlight -= 1 }
            try renew(slot)
            return false
        }
    }

    private func isWritten(_ connection: Connection) -> Bool {
        connection.written == requests[settings.keys.isEmpty ? 0 : requests.count - 1].bytes.count
    }

    /// Open: what was due within the measured time, whenever it was answered. Closed: what was answered within it.
    private func isMeasured(_ due: UInt64, _ now: UInt64) -> Bool {
        settings.pace == .closed ? now >= from && now < until : due >= from
    }

    private mutating func becomeFree(_ slot: Int) throws(GeneratorFailure) {
        if let due = queue.pop() {
            try send(slot, due: due)
        } else if settings.pace == .closed && from > 0 && !isEnding {
            let now = Clock.monotonicNanoseconds()
            if now < until { try send(slot, due: now) }
        } else {
            _ = free.push(UInt64(slot))
        }
    }

    /// Makes a connection anew in the place of one that is of no more use.
    private mutating func renew(_ slot: Int) throws(GeneratorFailure) {
        try endAfterTooManyErrors()
        let wasFree = connections[slot].state == .idle
        if connections[slot].state != .connecting { ready -= 1 }
        // An idle connection stands in the ring of free ones: it is taken out by turning the ring once.
        if wasFree { removeFromFree(slot) }
        connections[slot] = try connection(slot, connections[slot].generation &+ 1)
    }

    private mutating func removeFromFree(_ slot: Int) {
        for _ in 0..<free.count {
            if let other = free.pop(), Int(other) != slot { _ = free.push(other) }
        }
    }

    private func endAfterTooManyErrors() throws(GeneratorFailure) {
        let errors = report.errors
        guard errors.sum <= Self.maxErrors else {
            throw GeneratorFailure(
                message: "given up after \(errors.sum) errors (connect \(errors.connect), socket \(errors.socket), "
                    + "status \(errors.status), unreadable \(errors.unreadable)); see what the target says")
        }
    }
}
