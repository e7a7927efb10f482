// The pacer among threads: each request is answered once, and no more than the concurrency is on its way.
// Time is a counter that every step of every thread moves on.

import Policy
import Synchronization
import Testing

/// What the threads share.
private final class Shop: Sendable {
    static let workers = 4
    static let perWorker = 2_000

    let clock = Atomic<UInt64>(0)
    let running = Atomic<Int>(0)
    let most = Atomic<Int>(0)
    let boxes: [Box] = (0..<workers).map { _ in Box() }
    let pacer: SharedPacer

    final class Box: Sendable {
        let notices = Mutex<[PaceNotice]>([])
    }

    init(_ settings: PaceSettings) {
        let boxes = boxes
        pacer = SharedPacer(
            settings,
            deliver: boxes.map { box in { @Sendable notice in box.notices.withLock { $0.append(notice) } } })
    }

    /// A microsecond later.
    func now() -> UInt64 { clock.add(1_000, ordering: .relaxed).newValue }

    /// Notes that one more is on its way.
    func go() {
        let count = running.add(1, ordering: .sequentiallyConsistent).newValue
        _ = most.max(count, ordering: .relaxed)
    }
}

/// What one thread saw.
private struct Tally: Equatable {
    var gone = 0
    var refused = 0
    var cancelled = 0
    var faults = 0

    static func + (one: Tally, other: Tally) -> Tally {
        Tally(
            gone: one.gone + other.gone, refused: one.refused + other.refused,
            cancelled: one.cancelled + other.cancelled, faults: one.faults + other.faults)
    }
}

@Suite struct SharedPacerTests {
    /// Asks for its share of requests, at most 20 at once, until all are answered; every 50th leaves while it waits.
    private static func work(_ worker: Int, in shop: Shop) -> Tally {
        var tally = Tally()
        var waiting: Set<PaceTicket> = []
        var left: Set<PaceTicket> = []
        var running: [PaceTicket] = []
        var asked: UInt64 = 0
        while asked < Shop.perWorker || !waiting.isEmpty || !running.isEmpty {
            if let ticket = running.popLast() {
                tally.gone += 1
                shop.running.subtract(1, ordering: .sequentiallyConsistent)
                _ = shop.pacer.finished(ticket, now: shop.now())
            }
            if asked < Shop.perWorker && waiting.count + running.count < 20 {
                let ticket = PaceTicket(worker: worker, number: asked)
                asked += 1
                switch shop.pacer.ask(ticket, caller: asked % 3, now: shop.now(), deadline: .max).answer {
                case .go:
                    shop.go()
                    running.append(ticket)
                case .wait: waiting.insert(ticket)
                case .refuse: tally.refused += 1
                }
                if asked % 50 == 0, waiting.remove(ticket) != nil {
                    left.insert(ticket)
                    tally.cancelled += 1
                    _ = shop.pacer.cancel(ticket, now: shop.now())
                }
            }
            let notices = shop.boxes[worker].notices.withLock { notices in
                defer { notices.removeAll() }
                return notices
            }
            for notice in notices {
                if left.remove(notice.ticket) != nil { continue }
                if waiting.remove(notice.ticket) == nil { tally.faults += 1 }
                if notice.answer == .go {
                    shop.go()
                    running.append(notice.ticket)
                } else {
                    tally.refused += 1
                }
            }
            _ = shop.pacer.tick(now: shop.now())
        }
        return tally
    }

    @Test func eachRequestIsAnsweredOnceAndNoMoreRunThanMay() async {
        var settings = PaceSettings()
        settings.rate = RateLimitSettings(count: 200_000, perNanoseconds: 1_000_000_000, burst: 5)
        settings.queue = 30
        let shop = Shop(settings)
        let tally = await withTaskGroup(of: Tally.self) { group in
            for worker in 0..<Shop.workers { group.addTask { Self.work(worker, in: shop) } }
            return await group.reduce(Tally(), +)
        }
        #expect(tally.faults == 0)
        #expect(tally.gone + tally.refused + tally.cancelled == Shop.workers * Shop.perWorker)
        #expect(tally.gone > 0 && shop.most.load(ordering: .relaxed) <= 5)
        let figures = shop.pacer.figures(now: shop.now())
        #expect(figures.waiting == 0 && figures.running == 0 && figures.sharePercent == 100)
    }

    @Test func everyCallSaysWhenTheNextTickIsDue() {
        let delivered = Mutex<[PaceNotice]>([])
        let pacer = SharedPacer(PaceSettings(), deliver: [{ notice in delivered.withLock { $0.append(notice) } }])
        let tickets = (0..<7).map { PaceTicket(worker: 0, number: $0) }
        let replies = tickets.map { pacer.ask($0, caller: 1, now: 0, deadline: .max) }
        #expect(replies.map(\.answer) == [.go, .go, .go, .go, .go, .wait, .wait])
        // All places are taken: only the end of the first wait is due.
        #expect(replies.map(\.wake) == [nil, nil, nil, nil, nil, 10_000_000_001, 10_000_000_001])
        #expect(pacer.finished(tickets[0], now: 100) == 200_000_000)
        #expect(pacer.finished(tickets[1], now: 200_000_000) == 400_000_000)
        #expect(delivered.withLock { $0 } == [PaceNotice(ticket: tickets[5], answer: .go)])
        #expect(pacer.cancel(tickets[6], now: 200_000_001) == nil)
    }
}
