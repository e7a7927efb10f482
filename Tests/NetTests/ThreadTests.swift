// What crosses threads: wake-ups, mailboxes, names, signals.

import Net
import Testing

@Suite struct ThreadTests {
    @Test func eachWakeIsReportedOnceAndAgain() throws {
        var poller = try Poller()
        let wakeUp = try WakeUp()
        try poller.add(wakeUp, Token(slot: 7, generation: 1))
        #expect(try poller.wait(milliseconds: 0) == 0)
        for _ in 0..<3 {
            wakeUp.wake()
            wakeUp.wake()
            #expect(try poller.wait(milliseconds: 5000) == 1)
            #expect(poller.event(0).token == Token(slot: 7, generation: 1))
            #expect(try poller.wait(milliseconds: 0) == 0)
        }
    }

    @Test func aReaderGivesASignOfLifeWhenItLooksAndNotBefore() throws {
        let wakeUp = try WakeUp()
        let mailbox = Mailbox<Int>(limit: 1, wakeUp: wakeUp)
        var poller = try Poller()
        try poller.add(wakeUp, Token(slot: 0, generation: 0))
        let before = mailbox.askForSign()
        #expect(mailbox.timesDrained == before)
        #expect(try poller.wait(milliseconds: 5_000) == 1)
        #expect(mailbox.timesDrained == before, "it was woken and has not looked")
        var batch: [Int] = []
        mailbox.drain(into: &batch)
        #expect(batch.isEmpty && mailbox.timesDrained == before + 1)
    }

    @Test func manyPostersAndOneReaderLoseNothing() throws {
        let wakeUp = try WakeUp()
        let mailbox = Mailbox<Int>(limit: 1000, wakeUp: wakeUp)
        var poller = try Poller()
        try poller.add(wakeUp, Token(slot: 0, generation: 0))
        let posters = 4
        let each = 20_000
        for poster in 0..<posters {
            _ = try WorkerThread.start(name: "poster") {
                for i in 0..<each {
                    while !mailbox.post(poster * each + i) {}
                }
            }
        }
        var last = [Int](repeating: -1, count: posters)
        var batch: [Int] = []
        var count = 0
        while count < posters * each {
            guard try poller.wait(milliseconds: 10_000) > 0 else { throw TestProblem.noEvent(0, 0) }
            mailbox.drain(into: &batch)
            for element in batch {
                #expect(last[element / each] < element % each)
                last[element / each] = element % each
            }
            count += batch.count
            batch.removeAll(keepingCapacity: true)
        }
        #expect(last.allSatisfy { $0 == each - 1 })
    }

    @Test func aFullMailboxRefuses() throws {
        let mailbox = Mailbox<Int>(limit: 2, wakeUp: try WakeUp())
        #expect(mailbox.post(1))
        #expect(mailbox.post(2))
        #expect(!mailbox.post(3))
        var batch: [Int] = []
        mailbox.drain(into: &batch)
        #expect(batch == [1, 2])
        #expect(mailbox.post(4))
    }

    @Test func aBatchIsTakenWholeOrNotAtAll() throws {
        let mailbox = Mailbox<Int>(limit: 2, wakeUp: try WakeUp())
        #expect(mailbox.post([]) && mailbox.post([1]) && mailbox.post([2, 3, 4]))
        #expect(!mailbox.post([5]))
        var batch: [Int] = []
        mailbox.drain(into: &batch)
        #expect(batch == [1, 2, 3, 4])
    }

    @Test func whatMustNotBeLostIsTakenBeyondTheLimit() throws {
        let wakeUp = try WakeUp()
        let mailbox = Mailbox<Int>(limit: 1, wakeUp: wakeUp)
        var poller = try Poller()
        try poller.add(wakeUp, Token(slot: 0, generation: 0))
        mailbox.postAlways([])
        #expect(try poller.wait(milliseconds: 0) == 0)
        mailbox.postAlways([1, 2])
        #expect(try poller.wait(milliseconds: 5_000) == 1)
        mailbox.postAlways([3])
        #expect(!mailbox.post(4))
        var batch: [Int] = []
        mailbox.drain(into: &batch)
        #expect(batch == [1, 2, 3])
    }

    @Test func theBootHasOneNameAndItsClockRunsOn() {
        #expect(Clock.bootID().utf8.count == 36 && Clock.bootID() == Clock.bootID())
        let first = Clock.bootMilliseconds()
        #expect(Clock.bootMilliseconds() >= first && first >= Int64(Clock.monotonicMilliseconds()) - 1_000)
        #expect(abs(Clock.realtimeMilliseconds() / 1_000 - Clock.realtimeSeconds()) <= 1)
    }

    @Test func joinWaitsForTheEnd() throws {
        let mailbox = Mailbox<Int>(limit: 2, wakeUp: try WakeUp())
        let thread = try WorkerThread.start(name: "a name that is too long for the kernel") { _ = mailbox.post(5) }
        thread.join()
        var batch: [Int] = []
        mailbox.drain(into: &batch)
        #expect(batch == [5])
    }

    @Test func blockedSignalsComeThroughThePoller() throws {
        try Signal.block([.user1, .user2])
        let source = try SignalSource([.user1, .user2])
        var poller = try Poller()
        try poller.add(source, Token(slot: 3, generation: 0))
        #expect(source.take() == nil)
        try Signal.user2.raise()
        #expect(try poller.wait(milliseconds: 5000) == 1)
        #expect(source.take() == .user2)
        #expect(source.take() == nil)
        #expect(try poller.wait(milliseconds: 0) == 0)
    }

    @Test func clocksGoForward() {
        let first = Clock.monotonicNanoseconds()
        let coarse = Clock.monotonicCoarseNanoseconds()
        #expect(Clock.monotonicNanoseconds() >= first)
        #expect(coarse <= Clock.monotonicNanoseconds())
        #expect(Clock.realtimeSeconds() >= 1_600_000_000)
        #expect(abs(Clock.realtimeSeconds() - Clock.realtimeCoarseSeconds()) <= 1)
    }
}

@Suite struct ResolverTests {
    private func ask(_ host: String) throws -> ResolvedAddresses {
        let resolver = try Resolver()
        let wakeUp = try WakeUp()
        let mailbox = Mailbox<ResolvedAddresses>(limit: 1, wakeUp: wakeUp)
        var poller = try Poller()
        try poller.add(wakeUp, Token(slot: 0, generation: 0))
        #expect(resolver.ask(host: host, port: 8443) { _ = mailbox.post($0) })
        #expect(try poller.wait(milliseconds: 60_000) == 1)
        var batch: [ResolvedAddresses] = []
        mailbox.drain(into: &batch)
        return batch[0]
    }

    @Test func localhostHasLoopbackAddresses() throws {
        let answer = try ask("localhost")
        #expect(answer.host == "localhost")
        #expect(answer.problem == nil)
        #expect(!answer.addresses.isEmpty)
        #expect(answer.addresses.allSatisfy { $0.isLoopback && $0.port == 8443 })
        #expect(Set(answer.addresses).count == answer.addresses.count)
        #expect(answer.answeredAt <= Clock.monotonicMilliseconds())
    }

    @Test func aNameThatCannotExistHasAProblem() throws {
        let answer = try ask("no-such-host.invalid")
        #expect(answer.addresses.isEmpty)
        #expect(answer.problem != nil)
    }

    @Test func theQueueIsBounded() throws {
        let resolver = try Resolver(queueLimit: 2)
        let gate = Mailbox<Int>(limit: 1, wakeUp: try WakeUp())
        // The first answer blocks the thread until the test lets it go on, so that the queue fills.
        let started = try WakeUp()
        var poller = try Poller()
        try poller.add(started, Token(slot: 0, generation: 0))
        #expect(
            resolver.ask(host: "localhost", port: 1) { _ in
                started.wake()
                while gate.post(0) { break }
                while !gate.post(1) {}
            })
        #expect(try poller.wait(milliseconds: 60_000) == 1)
        #expect(resolver.ask(host: "localhost", port: 1) { _ in })
        #expect(resolver.ask(host: "localhost", port: 1) { _ in })
        #expect(!resolver.ask(host: "localhost", port: 1) { _ in })
        var batch: [Int] = []
        while batch.isEmpty { gate.drain(into: &batch) }
    }
}
