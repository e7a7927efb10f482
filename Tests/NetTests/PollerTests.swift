// Looking ahead: what was asked for before its turn is not lost, comes in its order, and says whether it was all.

import Net
import Testing

@Suite struct PollerTests {
    /// A poller for so many events per wait, and wake-ups in the slots 0..<`count`.
    private func wakeUps(_ count: UInt32, perWait: Int) throws -> WakeUps {
        var all = WakeUps(poller: try Poller(maxEvents: perWait))
        for slot in 0..<count {
            let wakeUp = try WakeUp()
            try all.poller.add(wakeUp, Token(slot: slot, generation: 1))
            all.wakeUps.append(wakeUp)
        }
        return all
    }

    private struct WakeUps: ~Copyable {
        var poller: Poller
        var wakeUps: [WakeUp] = []

        init(poller: consuming Poller) { self.poller = poller }

        func slots(_ range: Range<Int>) -> [UInt32] { range.map { poller.event($0).token.slot } }
    }

    @Test func whatWasFoundAheadComesWithTheNextWaitInFront() throws {
        var all = try wakeUps(4, perWait: 8)
        all.wakeUps[2].wake()
        #expect(try all.poller.wait(milliseconds: 0) == 1)
        all.wakeUps[3].wake()
        all.wakeUps[0].wake()
        let found = all.poller.lookAhead()
        #expect(all.slots(found.events) == [3, 0] && found.isAll)
        all.wakeUps[1].wake()
        let more = all.poller.lookAhead()
        #expect(all.slots(more.events) == [1] && more.isAll)
        let none = all.poller.lookAhead()
        #expect(none.events.isEmpty && none.isAll)
        all.wakeUps[2].wake()
        // It does not wait, for there is something to do.
        let count = try all.poller.wait(milliseconds: -1)
        #expect(all.slots(0..<count) == [3, 0, 1, 2])
        #expect(try all.poller.wait(milliseconds: 0) == 0, "each is given once")
    }

    @Test func aWaitDoesNotWaitWhileSomethingWasFoundAhead() throws {
        var all = try wakeUps(1, perWait: 8)
        all.wakeUps[0].wake()
        #expect(all.poller.lookAhead().events.count == 1)
        #expect(try all.poller.wait(milliseconds: -1) == 1)
    }

    /// At the edge of its room it cannot say that it was all; one event less, and it can.
    @Test(arguments: [(found: UInt32(3), isAll: true), (4, false), (5, false)])
    func withoutRoomItIsNotAll(_ row: (found: UInt32, isAll: Bool)) throws {
        var all = try wakeUps(5, perWait: 4)
        for slot in 0..<Int(row.found) { all.wakeUps[slot].wake() }
        let found = all.poller.lookAhead()
        #expect(found.events.count == min(4, Int(row.found)) && found.isAll == row.isAll)
        if !row.isAll {
            let more = all.poller.lookAhead()
            #expect(more.events.isEmpty && !more.isAll, "there is no room")
        }
        var seen: [UInt32] = []
        while true {
            let count = try all.poller.wait(milliseconds: 0)
            if count == 0 { break }
            seen += all.slots(0..<count)
        }
        #expect(seen == Array(0..<row.found), "nothing is lost")
    }
}
