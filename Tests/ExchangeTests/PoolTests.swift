// Which connection a request gets: order, bounds at their edges, and a random comparison with a plain model.
// Relies on the pool's public face only.

import Exchange
import TestSupport
import Testing

@Suite struct PoolTests {
    @Test func theMostRecentlyUsedIsLentFirst() {
        var pool = Pool(maxConnections: 3, maxWaiting: 0)
        for exchange in 1...3 as ClosedRange<UInt32> { #expect(pool.ask(exchange, fresh: false) == .open) }
        #expect(pool.ask(4, fresh: false) == .full)
        for connection in [10, 11, 12] as [UInt32] { #expect(pool.returned(connection, keep: true) == .keep) }
        #expect(pool.idleCount == 3 && pool.open == 3)
        #expect(pool.ask(5, fresh: false) == .idle(12))
        #expect(pool.returned(12, keep: true) == .keep)
        #expect(pool.ask(6, fresh: false) == .idle(12))
        #expect(pool.ask(7, fresh: false) == .idle(11))
        #expect(pool.ask(8, fresh: false) == .idle(10))
        #expect(pool.ask(9, fresh: false) == .full)
    }

    @Test(arguments: [1, 2, 7])
    func asManyAreOpenedAsMayBe(_ limit: Int) {
        var pool = Pool(maxConnections: limit, maxWaiting: 1)
        for exchange in 0..<limit { #expect(pool.ask(UInt32(exchange), fresh: false) == .open) }
        #expect(pool.open == limit)
        #expect(pool.ask(100, fresh: false) == .wait)
        #expect(pool.open == limit && pool.waitingCount == 1)
    }

    @Test(arguments: [0, 1, 5])
    func asManyWaitAsMay(_ limit: Int) {
        var pool = Pool(maxConnections: 1, maxWaiting: limit)
        #expect(pool.ask(0, fresh: false) == .open)
        for exchange in 0..<limit { #expect(pool.ask(UInt32(exchange + 1), fresh: false) == .wait) }
        #expect(pool.ask(50, fresh: false) == .full && pool.ask(51, fresh: true) == .full)
        #expect(pool.waitingCount == limit)
        guard limit > 0 else { return }
        #expect(pool.withdraw(1) == true)
        #expect(pool.ask(52, fresh: false) == .wait && pool.ask(53, fresh: false) == .full)
    }

    @Test func whoWaitsLongestIsServedFirst() {
        var pool = Pool(maxConnections: 1, maxWaiting: 1_000)
        #expect(pool.ask(0, fresh: false) == .open)
        for exchange in 1...300 as ClosedRange<UInt32> { #expect(pool.ask(exchange, fresh: false) == .wait) }
        for exchange in 1...300 as ClosedRange<UInt32> {
            let next = exchange % 2 == 0 ? pool.returned(9, keep: true) : pool.closed()
            #expect(next == (exchange % 2 == 0 ? .lend(to: exchange) : .open(for: exchange)))
            #expect(pool.waitingCount == 300 - Int(exchange) && pool.open == 1 && pool.idleCount == 0)
        }
        #expect(pool.returned(9, keep: true) == .keep)
    }

    @Test func whoWithdrawsIsNotServed() {
        var pool = Pool(maxConnections: 1, maxWaiting: 8)
        #expect(pool.ask(0, fresh: false) == .open)
        for exchange in 1...4 as ClosedRange<UInt32> { #expect(pool.ask(exchange, fresh: false) == .wait) }
        #expect(pool.closed() == .open(for: 1))
        #expect(!pool.withdraw(1) && !pool.withdraw(0) && !pool.withdraw(77))
        #expect(pool.withdraw(3) && !pool.withdraw(3))
        #expect(pool.returned(9, keep: true) == .lend(to: 2))
        #expect(pool.withdraw(4) && pool.waitingCount == 0)
        #expect(pool.closed() == .nothing && pool.open == 0)
        #expect(pool.ask(5, fresh: false) == .open)
    }

    @Test func aFreshOneIsOpenedWhileThereMayBeMore() {
        var pool = Pool(maxConnections: 2, maxWaiting: 1)
        #expect(pool.ask(0, fresh: false) == .open)
        #expect(pool.returned(10, keep: true) == .keep)
        #expect(pool.ask(1, fresh: true) == .open && pool.open == 2 && pool.idleCount == 1)
        // At the bound the idle one gives its place.
        #expect(pool.ask(2, fresh: true) == .replace(10) && pool.open == 2 && pool.idleCount == 0)
        #expect(pool.ask(3, fresh: true) == .wait)
        #expect(pool.ask(4, fresh: true) == .full)
    }

    @Test func whoWaitsForAFreshOneIsNotLentAUsedOne() {
        var pool = Pool(maxConnections: 1, maxWaiting: 2)
        #expect(pool.ask(0, fresh: false) == .open)
        #expect(pool.ask(1, fresh: true) == .wait)
        #expect(pool.ask(2, fresh: false) == .wait)
        #expect(pool.returned(10, keep: true) == .close)
        #expect(pool.closed() == .open(for: 1))
        #expect(pool.returned(11, keep: true) == .lend(to: 2))
    }

    @Test func whatMayNotBeKeptIsClosed() {
        var pool = Pool(maxConnections: 1, maxWaiting: 1)
        #expect(pool.ask(0, fresh: false) == .open)
        #expect(pool.returned(10, keep: false) == .close && pool.open == 1)
        #expect(pool.closed() == .nothing && pool.open == 0)
        #expect(pool.ask(1, fresh: false) == .open)
        #expect(pool.ask(2, fresh: false) == .wait)
        #expect(pool.returned(11, keep: false) == .close)
        #expect(pool.closed() == .open(for: 2) && pool.open == 1 && pool.waitingCount == 0)
    }

    @Test func anIdleOneThatEndsLeavesItsPlace() {
        var pool = Pool(maxConnections: 1, maxWaiting: 0)
        #expect(pool.ask(0, fresh: false) == .open)
        #expect(pool.idleClosed(10) == false)
        #expect(pool.returned(10, keep: true) == .keep)
        #expect(!pool.idleClosed(11) && pool.idleClosed(10) && !pool.idleClosed(10))
        #expect(pool.open == 0 && pool.idleCount == 0)
        #expect(pool.ask(1, fresh: false) == .open)
    }
}
