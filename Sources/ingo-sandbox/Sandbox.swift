// The sandbox as a whole: judges a request, hands it to its product, remembers it; and the control endpoints.
// Relies on one lock per kind of memory, none held while another is taken. Refuses unsigned requests.

import Synchronization

/// How much is printed of each request.
enum Printing: String, Sendable {
    case full
    case line
    case none
}

/// Shared by all connections.
final class Sandbox: Sendable {
    private let judge: SignatureJudge
    private let polls: Int
    private let printing: Printing
    private let world: Mutex<World>
    private let journal = Mutex(Journal())
    private let ordered = Mutex<[OrderedMisbehaviour]>([])

    init(programs: [Program], polls: Int, printing: Printing) {
        judge = SignatureJudge(programs: programs)
        self.polls = polls
        self.printing = printing
        world = Mutex(World(polls: polls))
    }

    // MARK: Counting

    /// Notes a connection; gives its number.
    func connectionOpened() -> Int {
        journal.withLock {
            $0.connections += 1
            $0.open += 1
            $0.mostOpen = max($0.mostOpen, $0.open)
            return $0.connections
        }
    }

    func connectionClosed() { journal.withLock { $0.open -= 1 } }

    func requestBegan() -> Int {
        journal.withLock {
            $0.pace.began(at: HostSystem.monotonicNanoseconds)
            $0.requests += 1
            $0.inFlight += 1
            $0.mostInFlight = max($0.mostInFlight, $0.inFlight)
            return $0.requests
        }
    }

    /// Before its answer is written, or its connection closed: whoever has the answer may send the next one.
    func requestAnswered() { journal.withLock { $0.pace.ended() } }

    func requestEnded() { journal.withLock { $0.inFlight -= 1 } }

    func requestMalformed() { journal.withLock { $0.malformed += 1 } }

    // MARK: Misbehaviour

    /// What goes wrong with this request: by its own header, else by order. Nil if the header cannot be read.
    func misbehaviour(for request: ReceivedRequest) -> Misbehaviour? {
        let header = request.values("x-sandbox-misbehave")
        if !header.isEmpty { return Misbehaviour(header.map(\.text).joined(separator: ",")) }
        return ordered.withLock { orders in
            guard let index = orders.firstIndex(where: { $0.path == "*" || $0.path == request.path }) else {
                return Misbehaviour("")
            }
            orders[index].times -= 1
            defer { if orders[index].times <= 0 { orders.remove(at: index) } }
            return orders[index].what
        }
    }

    // MARK: Products

    /// Judges and answers. `running` must be handed to `finish` before the answer is sent.
    func answer(
        _ request: ReceivedRequest, number: Int, connection: Int, insteadStatus: Int?
    ) -> (answer: SandboxAnswer, running: Bytes?) {
        let verdict = judge.judge(request, now: HostSystem.unixTime)
        var outcome: IngoPay.Outcome
        var username: String?
        switch verdict {
        case .refused(let cause, _):
            outcome = .init(answer: .unauthorized(cause))
        case .verified(let index):
            let program = judge.programs[index]
            username = program.username.text
            outcome = insteadStatus == nil ? route(request, program) : .init(answer: .kong(500, ""))
        }
        if let insteadStatus { outcome = .init(answer: Self.failure(insteadStatus, request.path)) }
        let entry = JournalEntry(
            number: number, connection: connection, request: request, verdict: verdict, username: username,
            status: outcome.answer.status)
        record(entry)
        return (outcome.answer, outcome.running)
    }

    /// Notes a request whose body was never read.
    func recordUnread(_ request: ReceivedRequest, number: Int, connection: Int, status: Int) {
        record(
            JournalEntry(
                number: number, connection: connection, request: request,
                verdict: .refused(.cannotBeVerified, why: "body not read"), username: nil, status: status))
    }

    func finish(_ running: Bytes) { world.withLock { IngoPay.finish(&$0, running) } }

    private func record(_ entry: JournalEntry) {
        switch printing {
        case .none: break
        case .line: HostSystem.say(entry.line)
        case .full: HostSystem.say(entry.page)
        }
        journal.withLock { $0.add(entry) }
    }

    private func route(_ request: ReceivedRequest, _ program: Program) -> IngoPay.Outcome {
        let path = request.path
        let json = WireJSON.parse(request.body) ?? .null
        var call = ProductCall(path: path, program: program, json: json, request: request)
        for prefix in ["/api/v4/", "/api/v3/"] where path.utf8.starts(with: prefix.utf8) {
            call.path = String(path.dropFirst(prefix.utf8.count - 1))
            return world.withLock { .init(answer: Banking.answer(&$0, call)) }
        }
        if path.utf8.starts(with: "/gateway/".utf8) { return world.withLock { IngoPay.answer(&$0, call) } }
        return .init(answer: .kong(404, "no Route matched with those values"))
    }

    /// A failure that was ordered, in the form of the product it stands in for.
    private static func failure(_ status: Int, _ path: String) -> SandboxAnswer {
        var answer: SandboxAnswer
        if path.utf8.starts(with: "/api/".utf8) {
            answer = BankingRefusal(code: 1030, message: "ordered failure").answer(status: status)
        } else {
            answer = IngoPayRefusal(code: status, message: "ordered failure")
                .answer(nested: path == "/gateway/v12/debit/process", status: status)
        }
        if status == 429 || status == 503 { answer.fields.append(("Retry-After", "1")) }
        return answer
    }

    // MARK: Control

    /// The control endpoints: unsigned, plain JSON, never seen by the journal.
    func control(_ request: ReceivedRequest) -> SandboxAnswer {
        switch (request.method.text, request.path) {
        case ("GET", "/_sandbox/ledger"): return SandboxAnswer(200, world.withLock { $0.ledgerJSON })
        case ("GET", "/_sandbox/counts"): return SandboxAnswer(200, journal.withLock { $0.counts })
        case ("GET", "/_sandbox/requests"):
            let last = request.parameter("last")?.decimal ?? Journal.maxEntries
            let entries = journal.withLock { $0.entries.suffix(last) }
            return SandboxAnswer(200, .array(entries.map(\.json)))
        case ("POST", "/_sandbox/reset"):
            let fresh = World(polls: polls)
            world.withLock { $0 = fresh }
            journal.withLock { $0.clear() }
            ordered.withLock { $0 = [] }
            return SandboxAnswer(200, ["reset": true])
        case ("POST", "/_sandbox/misbehave"): return order(request)
        case (_, _): return .kong(404, "no such control endpoint")
        }
    }

    private func order(_ request: ReceivedRequest) -> SandboxAnswer {
        let json = WireJSON.parse(request.body) ?? .null
        let times = json["times"] == nil ? 1 : json["times"]?.number?.decimal ?? 0
        guard let path = json["path"]?.string, let what = json["what"]?.string,
            let misbehaviour = Misbehaviour(what.text), times > 0
        else { return .kong(400, "expected {\"path\": \"/..\" or \"*\", \"what\": \"..\", \"times\": N}") }
        ordered.withLock { $0.append(OrderedMisbehaviour(path: path.text, what: misbehaviour, times: times)) }
        return SandboxAnswer(200, ["ordered": .text(what.text), "path": .text(path.text), "times": .int(times)])
    }
}
