// A simulated gateway: many callers, one upstream with few connections. It carries out commands as the real one does,
// with invented bytes and time, and stops at the first complaint of the referee.
// Relies on Ledger for what is promised; which fact comes next is in World+Facts.swift. All chance comes from one seed.

import Exchange
import HTTP
import Policy
import TestSupport

/// One request: the machine, the referee, and what was said.
final class SimulatedRequest {
    enum Entry {
        case fact(Event)
        case order(Command)
    }

    let id: UInt32
    var exchange = Exchange()
    var ledger = Ledger()
    var connection: UInt32?
    var trace: [Entry] = []

    init(_ id: UInt32) { self.id = id }

    var story: String {
        trace.map { entry in
            switch entry {
            case .fact(let event): "\n  \(event)"
            case .order(let command): "\n      \(word(command, nil))"
            }
        }.joined()
    }
}

struct SimulatedConnection {
    enum State { case opening, lent, idle }
    var state: State
    var holder: UInt32?
    /// The upstream has ended it, and nobody knows yet.
    var isDead = false
}

final class World {
    let shape: Shape
    var random: Seed
    var pool: Pool
    var active: [SimulatedRequest] = []
    var connections: [UInt32: SimulatedConnection] = [:]
    /// The model of the pool's queue.
    var waiting: [UInt32] = []
    /// Places in the pool that became free for waiting requests.
    var openings: [UInt32] = []
    var remaining: Int
    var complaint: String?
    var tally = Tally()
    private var lastID: UInt32 = 0

    /// Bounds of one world, drawn from its seed.
    struct Shape {
        let maxConnections: Int
        let maxWaiting: Int
        let maxActive: Int
        /// In percent: how often what can go wrong does.
        let trouble: Int
        /// In percent: how many new connections are dead from the start.
        let stillborn: Int
        let stops: Bool
        /// In percent: how many requests need an idempotency key.
        let idempotent: Int
        /// In percent: how many requests wait for a turn.
        let paced: Int
    }

    init(seed: UInt64, requests: Int) {
        random = Seed(seed)
        shape = Shape(
            maxConnections: Int.random(in: 1...5, using: &random), maxWaiting: Int.random(in: 0...8, using: &random),
            maxActive: Int.random(in: 1...16, using: &random),
            trouble: [0, 1, 4, 15, 40].randomElement(using: &random) ?? 5,
            stillborn: [0, 0, 10, 50].randomElement(using: &random) ?? 0, stops: Bool.random(using: &random),
            idempotent: [0, 50, 100].randomElement(using: &random) ?? 50,
            paced: [0, 50, 100].randomElement(using: &random) ?? 50)
        pool = Pool(maxConnections: shape.maxConnections, maxWaiting: shape.maxWaiting)
        remaining = requests
    }

    func newID() -> UInt32 {
        lastID += 1
        return lastID
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    /// Something goes wrong.
    func trouble() -> Bool { chance(shape.trouble) }

    func complain(_ text: String, _ request: SimulatedRequest? = nil) {
        guard complaint == nil else { return }
        complaint = text + (request.map { ", request \($0.id):" + $0.story } ?? "")
    }

    // MARK: - The loop of the gateway

    func drive(_ request: SimulatedRequest, _ event: Event) {
        var next: Event? = event
        while let event = next, complaint == nil {
            request.trace.append(.fact(event))
            if let fault = request.ledger.note(event) { complain(fault, request) }
            let todo = request.exchange.advance(event)
            next = nil
            for index in 0..<todo.count {
                if next != nil { complain("a command that is not the last reported a fact", request) }
                request.trace.append(.order(todo[index]))
                if let fault = request.ledger.judge(todo[index], request.exchange.refusal) { complain(fault, request) }
                guard complaint == nil else { return }
                next = perform(todo[index], request)
            }
        }
        if complaint == nil, let fault = request.ledger.atRest() { complain(fault, request) }
    }

    private func perform(_ command: Command, _ request: SimulatedRequest) -> Event? {
        switch command {
        case .admit: return admit()
        case .collectBody: return collect(request)
        case .examineBody: return trouble() ? .requestRefused(Refusal(JSONProblem.badSyntax)) : .bodyExamined
        case .makeDraft: return trouble() ? .requestRefused(.fieldDiffers) : .draftMade
        case .connect(let fresh): return connect(request, fresh: fresh)
        case .seal: return trouble() && chance(20) ? .requestRefused(.signedHeaderRepeated) : .requestSealed
        case .send: return write(request)
        case .respond, .flushAnswer, .deliverAnswer, .replayAnswer: return deliver()
        case .claimKey: return claim()
        case .askPace: return chance(50) ? .paceGranted : nil
        case .awaitRecord: return chance(20) ? .answerRecorded : nil
        case .cancelConnect: cancel(request)
        case .returnConnection: giveBack(request)
        case .closeConnection: closeLent(request)
        case .finish(let outcome): finish(request, outcome)
        case .sendContinue, .relayAnswer, .breakAnswer, .setDeadline, .clearDeadline, .withdrawClaim, .giveUpClaim,
            .leavePace, .holdAnswer, .recordAnswer:
            break
        }
        return nil
    }

    private func admit() -> Event {
        if trouble() { return .requestRefused(chance(50) ? .noRoute : .unsupportedMediaType) }
        let lost = LostAnswer.allCases.randomElement(using: &random) ?? .unknown
        return .routeFound(
            RouteFacts(
                expectsContinue: chance(20), lostAnswer: lost, isIdempotent: chance(shape.idempotent),
                isPaced: chance(shape.paced)))
    }

    private func claim() -> Event? {
        if trouble() { return .requestRefused(chance(50) ? .keyMissing : .storeFailed(.overloaded)) }
        return chance(5) ? .keyNotNeeded : nil
    }

    private func collect(_ request: SimulatedRequest) -> Event? {
        if chance(50) { return .bodyArrived }
        if trouble() { return chance(50) ? .callerLeft : .requestRefused(Refusal(HTTPRefusal.bodyTooLarge)) }
        return nil
    }

    private func deliver() -> Event {
        if trouble() { return .callerLeft }
        return chance(20) ? .callerStalled : .answerDelivered
    }

    /// Some of the request goes to the kernel; from there the upstream may take it.
    func write(_ request: SimulatedRequest) -> Event? {
        guard let id = request.connection, let connection = connections[id] else { return nil }
        if connection.isDead && chance(50) { return .upstreamLost(UpstreamLoss(nothingTaken: true)) }
        if !connection.isDead && chance(70) { request.ledger.taken = true }
        return chance(60) ? .requestWritten : nil
    }

    private func finish(_ request: SimulatedRequest, _ outcome: Outcome) {
        tally.count(outcome, attempts: request.ledger.attempts)
        if request.exchange.phase != .logged || request.exchange.outcome != outcome {
            complain("the machine does not know its own end", request)
        }
        active.removeAll { $0 === request }
        // Whatever is still said to it, nothing follows.
        let late: [Event] = [
            .answerDelivered, .callerLeft, .stopped, .callerResumed, .callerStalled, .requestWritten,
            .answerHeadArrived, .answerCompleted(reusable: true), .upstreamLost(UpstreamLoss(nothingTaken: true)),
            .deadlinePassed(.connect), .connectionLent(reused: false), .bodyArrived,
        ]
        for event in late where request.exchange.advance(event).count > 0 { complain("heard after the end", request) }
    }

    // MARK: - Connections, as the gateway keeps them

    private func connect(_ request: SimulatedRequest, fresh: Bool) -> Event? {
        switch pool.ask(request.id, fresh: fresh) {
        case .idle(let id):
            lend(id, to: request)
            return .connectionLent(reused: true)
        case .open: return open(for: request)
        case .replace(let id):
            if connections[id]?.state != .idle { complain("a connection is replaced that is not idle", request) }
            connections[id] = nil
            return open(for: request)
        case .wait:
            tally.waited += 1
            if fresh { tally.waitedForFresh += 1 }
            waiting.append(request.id)
            return nil
        case .full: return .connectionFailed(.poolFull)
        }
    }

    private func lend(_ id: UInt32, to request: SimulatedRequest) {
        if connections[id]?.state != .idle { complain("a connection is lent that is not idle", request) }
        connections[id]?.state = .lent
        connections[id]?.holder = request.id
        request.connection = id
    }

    func open(for request: SimulatedRequest) -> Event? {
        if trouble() && chance(30) {
            follow(pool.closed())
            return .connectionFailed(.refused)
        }
        let id = newID()
        connections[id] = SimulatedConnection(state: .opening, holder: request.id)
        request.connection = id
        return nil
    }

    private func cancel(_ request: SimulatedRequest) {
        if pool.withdraw(request.id) {
            if !waiting.contains(request.id) { complain("withdrawn without waiting", request) }
            waiting.removeAll { $0 == request.id }
        } else if openings.contains(request.id) {
            openings.removeAll { $0 == request.id }
            follow(pool.closed())
        } else {
            closeLent(request)
        }
    }

    func closeLent(_ request: SimulatedRequest) {
        guard let id = request.connection, connections[id]?.holder == request.id else {
            return complain("a connection is closed that is not held", request)
        }
        connections[id] = nil
        request.connection = nil
        follow(pool.closed())
    }

    private func giveBack(_ request: SimulatedRequest) {
        guard let id = request.connection, connections[id]?.holder == request.id, connections[id]?.state == .lent else {
            return complain("a connection comes back that was not lent", request)
        }
        request.connection = nil
        connections[id]?.holder = nil
        connections[id]?.state = .idle
        switch pool.returned(id, keep: !chance(5)) {
        case .keep: break
        case .close:
            connections[id] = nil
            follow(pool.closed())
        case .lend(let other):
            guard let next = takeWaiting(other) else { return }
            lend(id, to: next)
            drive(next, .connectionLent(reused: true))
        case .nothing, .open: complain("a connection that came back is kept, lent or closed", request)
        }
    }

    func follow(_ next: Pool.Next) {
        switch next {
        case .nothing: break
        case .open(let id): if takeWaiting(id) != nil { openings.append(id) }
        case .keep, .close, .lend: complain("a connection that is gone is not lent")
        }
    }

    /// Who waits longest, which must be who the pool names.
    private func takeWaiting(_ id: UInt32) -> SimulatedRequest? {
        guard waiting.first == id, let request = active.first(where: { $0.id == id }) else {
            complain("\(id) is served, and \(waiting.first.map { "\($0)" } ?? "nobody") waits longest")
            return nil
        }
        waiting.removeFirst()
        return request
    }
}

/// What came to pass, so that a simulation that proves nothing is noticed.
struct Tally {
    var outcomes: [String: Int] = [:]
    var causes: [Cause: Int] = [:]
    var finished = 0
    var retried = 0
    var waited = 0
    var waitedForFresh = 0

    mutating func count(_ outcome: Outcome, attempts: Int) {
        outcomes["\(outcome.cause) \(outcome.phase)", default: 0] += 1
        causes[outcome.cause, default: 0] += 1
        finished += 1
        if attempts > 1 { retried += 1 }
    }

    mutating func add(_ other: Tally) {
        outcomes.merge(other.outcomes, uniquingKeysWith: +)
        causes.merge(other.causes, uniquingKeysWith: +)
        finished += other.finished
        retried += other.retried
        waited += other.waited
        waitedForFresh += other.waitedForFresh
    }
}
