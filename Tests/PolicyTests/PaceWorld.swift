// A world of callers, a pacer and an upstream under a clock of the test's own: events in the order of time, and notes
// of who went when. Everything random comes from the seed.

import Policy
import TestSupport

/// Drives one pacer.
struct PaceWorld {
    /// One caller's habit.
    struct Habit {
        /// Requests are asked so many nanoseconds apart, give or take a half.
        var pause: UInt64
        /// How long a caller waits, in nanoseconds; nil for as long as it takes.
        var patience: UInt64?
    }

    /// How a request ended.
    enum End: Equatable {
        case waiting, running, done, refused, cancelled
    }

    struct Request {
        let caller: Int
        let deadline: UInt64
        var end: End
    }

    private(set) var pacer: Pacer
    private(set) var now: UInt64
    private(set) var requests: [PaceTicket: Request] = [:]
    /// When requests were told to go, without those that gave their place back.
    private(set) var starts: [(ticket: PaceTicket, time: UInt64)] = []
    private(set) var served: [Int]
    /// What must not happen.
    private(set) var faults: [String] = []
    /// The rate as it is without pacer.
    private let reference: Bucket

    private let habits: [Habit]
    private var nextAsk: [UInt64]
    private var ends: [(time: UInt64, ticket: PaceTicket)] = []
    private let service: ClosedRange<UInt64>
    /// One in so many requests is cancelled; 0 for none.
    private let cancels: Int
    private var number: UInt64 = 0
    private var seed: Seed

    init(_ settings: PaceSettings, _ habits: [Habit], service: ClosedRange<UInt64>, cancels: Int = 0, seed: Seed) {
        pacer = Pacer(settings)
        reference = Bucket(settings.rate)
        self.habits = habits
        self.service = service
        self.cancels = cancels
        self.seed = seed
        now = UInt64.random(in: 0...1 << 40, using: &self.seed)
        served = Array(repeating: 0, count: habits.count)
        nextAsk = []
        for habit in habits { nextAsk.append(now + UInt64.random(in: 0...habit.pause, using: &self.seed)) }
    }

    /// Lets the world go on for so many nanoseconds.
    mutating func run(for time: UInt64) {
        let end = now + time
        while true {
            let asking = nextAsk.indices.min { nextAsk[$0] < nextAsk[$1] } ?? 0
            let ending = ends.indices.min { ends[$0].time < ends[$1].time }
            let wake = pacer.nextWake(now: now) ?? .max
            let next = min(wake, nextAsk[asking], ending.map { ends[$0].time } ?? .max)
            guard next <= end else { break }
            now = next
            if wake == next {
                tick()
            } else if let ending, ends[ending].time == next {
                finish(ending)
            } else {
                ask(asking)
            }
        }
        now = end
    }

    /// What one more request is told that it will not wait for, nil where it is let in; changes nothing.
    func refusal(patience: UInt64) -> UInt64? {
        var copy = pacer
        let ticket = PaceTicket(worker: 1, number: 0)
        guard case .refuse(let retryAfter) = copy.ask(ticket, caller: 0, now: now, deadline: now + patience) else {
            return nil
        }
        return retryAfter
    }

    /// From now on nobody comes.
    mutating func stopAsking() {
        for caller in nextAsk.indices { nextAsk[caller] = .max }
    }

    mutating func upstreamAsked(wait: UInt64) { pacer.upstreamAsked(wait: wait, now: now) }

    private mutating func ask(_ caller: Int) {
        let pause = habits[caller].pause
        nextAsk[caller] = now + UInt64.random(in: (pause / 2)...(pause + pause / 2), using: &seed)
        number += 1
        let ticket = PaceTicket(worker: 0, number: number)
        let deadline = habits[caller].patience.map { now + $0 } ?? .max
        let latest = min(deadline, now + UInt64(pacer.settings.maxWait))
        switch pacer.ask(ticket, caller: UInt64(caller), now: now, deadline: deadline) {
        case .go:
            requests[ticket] = Request(caller: caller, deadline: now, end: .running)
            start(ticket)
        case .wait: requests[ticket] = Request(caller: caller, deadline: latest, end: .waiting)
        case .refuse(let retryAfter):
            requests[ticket] = Request(caller: caller, deadline: now, end: .refused)
            if retryAfter == 0 { faults.append("refused for no time") }
        }
        check()
        if cancels > 0, Int.random(in: 0..<cancels, using: &seed) == 0 { cancelOne() }
    }

    private mutating func tick() {
        var notices: [PaceNotice] = []
        pacer.tick(now: now, into: &notices)
        if notices.isEmpty && pacer.nextWake(now: now) == now { faults.append("woken for nothing, and again") }
        for notice in notices {
            if requests[notice.ticket]?.end != .waiting { faults.append("a notice for one that does not wait") }
            switch notice.answer {
            case .go:
                if let deadline = requests[notice.ticket]?.deadline, deadline < now { faults.append("went too late") }
                start(notice.ticket)
            case .refuse(let retryAfter):
                requests[notice.ticket]?.end = .refused
                if retryAfter == 0 { faults.append("refused for no time") }
            case .wait: faults.append("told to wait once more")
            }
        }
        check()
    }

    private mutating func start(_ ticket: PaceTicket) {
        requests[ticket]?.end = .running
        starts.append((ticket, now))
        if let caller = requests[ticket]?.caller { served[caller] += 1 }
        if cancels == 0 && !reference.admits(at: now) { faults.append("went above the rate") }
        ends.append((now + UInt64.random(in: service, using: &seed), ticket))
    }

    private mutating func finish(_ index: Int) {
        let ticket = ends.remove(at: index).ticket
        requests[ticket]?.end = .done
        pacer.finished(ticket, now: now)
        check(isSettled: false)
    }

    /// One that waits or runs leaves without having sent anything.
    private mutating func cancelOne() {
        let candidates = requests.filter { $0.value.end == .waiting || $0.value.end == .running }.keys
        guard let ticket = candidates.sorted(by: { $0.value < $1.value }).randomElement(using: &seed) else { return }
        pacer.cancel(ticket)
        starts.removeAll { $0.ticket == ticket }
        ends.removeAll { $0.ticket == ticket }
        requests[ticket]?.end = .cancelled
        check(isSettled: false)
    }

    private mutating func check(isSettled: Bool = true) {
        let running = pacer.runningCount
        if running > pacer.settings.concurrency { faults.append("\(running) at once") }
        if running != ends.count { faults.append("\(running) run for the pacer, \(ends.count) in the world") }
        if pacer.waitingCount > pacer.settings.queue { faults.append("the queue is beyond its bound") }
        // With somebody waiting, a free place and a free rate, a wake-up is due.
        if isSettled && cancels == 0 && pacer.waitingCount > 0 && running < pacer.settings.concurrency
            && reference.limit.wait(reference.state, at: now) == 0 && pacer.nextWake(now: now) != now
        {
            faults.append("somebody waits for nothing")
        }
    }

    /// Whether all requests ended but those that wait or run as the pacer has it.
    var isAccounted: Bool {
        requests.values.count { $0.end == .waiting } == pacer.waitingCount
            && requests.values.count { $0.end == .running } == pacer.runningCount
    }
}
