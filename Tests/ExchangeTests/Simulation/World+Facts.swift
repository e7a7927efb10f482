// Which fact comes next: one that can happen where a request, a connection or the whole gateway stands, by chance.
// Relies on World for carrying out what follows. Only facts that the real gateway can meet are reported.

import Exchange
import HTTP
import Policy

extension World {
    /// Runs until all requests have ended; a complaint where a promise was broken.
    func run() -> String? {
        let stopAt = shape.stops ? Int.random(in: 0...(remaining * 8), using: &random) : Int.max
        var steps = 0
        while complaint == nil && (remaining > 0 || !active.isEmpty) {
            if steps == stopAt { stop() } else { step() }
            checkPool()
            steps += 1
            if steps > 1_000_000 { complain("no end is reached") }
        }
        if complaint == nil { close() }
        return complaint
    }

    private func step() {
        if remaining > 0 && active.count < shape.maxActive && (active.isEmpty || chance(20)) { return arrive() }
        if !openings.isEmpty && chance(30) { return openForWaiting() }
        if pool.idleCount > 0 && chance(10) { return loseIdle() }
        if let request = active.randomElement(using: &random) { happen(to: request) }
    }

    private func arrive() {
        remaining -= 1
        let request = SimulatedRequest(newID())
        active.append(request)
        let refused = trouble() && chance(20)
        drive(request, refused ? .requestRefused(Refusal(HTTPRefusal.badTarget)) : .headArrived)
    }

    private func openForWaiting() {
        let id = openings.removeFirst()
        guard let request = active.first(where: { $0.id == id }) else { return complain("who waits is there") }
        if let event = open(for: request) { drive(request, event) }
    }

    /// An idle connection ends: noticed, or not yet.
    private func loseIdle() {
        let idle = connections.filter { $0.value.state == .idle }.keys.sorted()
        guard let id = idle.randomElement(using: &random) else { return complain("an idle connection is missing") }
        if chance(50) {
            connections[id]?.isDead = true
            return
        }
        connections[id] = nil
        if !pool.idleClosed(id) { complain("the pool does not know its idle connection") }
    }

    // MARK: - What happens to one request

    private func happen(to request: SimulatedRequest) {
        let ledger = request.ledger
        if trouble() && chance(15) { return drive(request, .callerLeft) }
        if trouble() && chance(15), let deadline = ledger.deadline { return drive(request, .deadlinePassed(deadline)) }
        if ledger.isCollecting {
            drive(request, trouble() ? .requestRefused(Refusal(HTTPRefusal.badChunk)) : .bodyArrived)
        } else if ledger.key == .asked || ledger.key == .waiting {
            storeHappens(to: request)
        } else if ledger.turn == .asked {
            drive(request, trouble() ? .requestRefused(.paceExceeded) : .paceGranted)
        } else if ledger.isRecording {
            drive(request, .answerRecorded)
        } else if ledger.isDelivering {
            drive(request, chance(30) ? .callerStalled : .answerDelivered)
        } else if ledger.hold == .asked {
            connectionHappens(to: request)
        } else if ledger.isSending {
            upstreamHappens(to: request)
        }
    }

    /// The store's verdict on a key; who waits for an equal request gets another one.
    private func storeHappens(to request: SimulatedRequest) {
        if trouble() {
            let unknown = Refusal.keyUnknown.aboutEarlier(request.ledger.lostAnswer)
            return drive(request, .requestRefused(chance(50) ? .keyReused : unknown))
        }
        if chance(20) { return drive(request, .answerRemembered) }
        drive(request, request.ledger.key == .asked && chance(30) ? .keyInFlight : .keyClaimed)
    }

    private func connectionHappens(to request: SimulatedRequest) {
        // Who waits can only wait.
        guard let id = request.connection else { return }
        if trouble() {
            let failures = ConnectFailure.allCases.filter { $0 != .poolFull }
            connections[id] = nil
            request.connection = nil
            follow(pool.closed())
            return drive(request, .connectionFailed(failures.randomElement(using: &random) ?? .refused))
        }
        guard chance(60) else { return }
        connections[id]?.state = .lent
        connections[id]?.isDead = chance(shape.stillborn)
        drive(request, .connectionLent(reused: false))
    }

    private func upstreamHappens(to request: SimulatedRequest) {
        guard let id = request.connection, let connection = connections[id] else {
            return complain("a request without its connection", request)
        }
        if connection.isDead && chance(70) { return lose(request) }
        if !request.ledger.isWritten && chance(35) {
            if let event = write(request) { drive(request, event) }
            return
        }
        if trouble() { return chance(50) ? lose(request) : drive(request, .answerRefused(.badChunk)) }
        if request.ledger.answer == .none {
            // An answer may come before the request was read, or written whole.
            guard chance(request.ledger.isWritten ? 50 : 30) else { return }
            let isRefused = chance(10) && request.exchange.mayTryOtherSecret
            drive(request, isRefused ? .signatureRefused : .answerHeadArrived)
        } else if request.ledger.key == .held {
            if chance(40) {
                drive(request, chance(20) ? .answerOutgrown : .answerCompleted(reusable: chance(80)))
            }
        } else if request.ledger.stalled && !request.ledger.callerGone {
            drive(request, chance(40) ? .callerStalled : .callerResumed)
        } else if chance(15) && !request.ledger.callerGone {
            drive(request, .callerStalled)
        } else if chance(40) {
            drive(request, .answerCompleted(reusable: chance(80)))
        }
    }

    /// The connection ends. That nothing was taken is said only where it is true, and even then not always.
    private func lose(_ request: SimulatedRequest) {
        let nothing = !request.ledger.taken && request.ledger.answer == .none && chance(80)
        drive(request, .upstreamLost(UpstreamLoss(nothingTaken: nothing)))
    }

    // MARK: - The whole

    /// The gateway stops now: every request ends, at the latest when its caller's connection is closed.
    private func stop() {
        remaining = 0
        for request in active where request.ledger.outcome == nil {
            drive(request, .stopped)
            if request.ledger.outcome == nil { drive(request, .callerLeft) }
            if request.ledger.outcome == nil { complain("a request survives the stop", request) }
        }
        if !active.isEmpty { complain("a request survives the stop", active[0]) }
    }

    private func checkPool() {
        let idle = connections.values.count { $0.state == .idle }
        if pool.idleCount != idle { complain("the pool counts \(pool.idleCount) idle, there are \(idle)") }
        if pool.open != connections.count + openings.count {
            complain("the pool counts \(pool.open) open, there are \(connections.count) and \(openings.count) places")
        }
        if pool.waitingCount != waiting.count { complain("the pool's queue is not who waits") }
        if pool.open < 0 || pool.open > shape.maxConnections { complain("\(pool.open) connections") }
        if waiting.count > shape.maxWaiting { complain("\(waiting.count) wait") }
        if idle > 0 && !waiting.isEmpty { complain("somebody waits while a connection is idle") }
        for request in active where request.ledger.hold == .none && request.connection != nil {
            complain("a connection is held by who gave it up", request)
        }
    }

    /// Nobody is left: all connections are idle, and once they are closed the pool is empty.
    private func close() {
        if !waiting.isEmpty || !openings.isEmpty { complain("somebody waits after the end") }
        for id in connections.keys.sorted() where !pool.idleClosed(id) { complain("a connection leaked") }
        if pool.open != 0 || pool.idleCount != 0 || pool.waitingCount != 0 { complain("the pool is not empty") }
    }
}
