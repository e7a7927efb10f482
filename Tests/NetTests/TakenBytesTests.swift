// What the kernel can say of bytes that may or may not have reached the peer, and what it cannot.
// "Never twice" stands on this: a request is sent again only on proof that nothing of it was taken.

import Net
import Testing

@Suite struct TakenBytesTests {
    /// Waits, without sleeping, until the peer's kernel acknowledged `count` bytes (delayed by up to 40 ms).
    private func waitUntilTaken(_ count: UInt64, _ socket: borrowing Socket) -> UInt64? {
        let end = Clock.monotonicMilliseconds() + 10_000
        while Clock.monotonicMilliseconds() < end {
            if socket.bytesTakenByPeer() == count { break }
        }
        return socket.bytesTakenByPeer()
    }

    @Test func nothingIsTakenBeforeAnythingIsWritten() throws {
        let pair = try Pair()
        #expect(pair.near!.bytesTakenByPeer() == 0)
        #expect(pair.far!.bytesTakenByPeer() == 0)
    }

    @Test func aPeerThatClosedBeforeTheWriteTakesNothing() throws {
        var pair = try Pair()
        pair.far = nil
        try pair.loop.wait(1, for: .closedForReading)
        #expect(pair.near!.send(bytes(100)) == .bytes(100))
        try pair.loop.wait(1, for: [.failed, .closed])
        #expect(pair.near!.bytesTakenByPeer() == 0)
        // The FIN came first, so the end is read though a reset followed.
        #expect(pair.near!.readSome(10).0 == .end)
        #expect(pair.near!.provesNothingTaken(since: 0) == true)
    }

    /// Fifty exchanges: the kernel now delays acknowledgements. Returns what was written.
    private func converse(_ pair: inout Pair) throws -> UInt64 {
        for _ in 0..<50 {
            #expect(pair.near!.send(bytes(100)) == .bytes(100))
            _ = try pair.farRead(100)
            #expect(pair.far!.send(bytes(200)) == .bytes(200))
            try pair.loop.wait(1, for: .readable)
            #expect(pair.near!.readSome(1000).0 == .bytes(200))
        }
        return 5000
    }

    @Test func aPeerThatClosedAfterAnExchangeTakesNothingOfTheNext() throws {
        var pair = try Pair()
        let mark = try converse(&pair)
        pair.far = nil
        try pair.loop.wait(1, for: .closedForReading)
        #expect(pair.near!.bytesTakenByPeer() == mark)
        #expect(pair.near!.send(bytes(100)) == .bytes(100))
        try pair.loop.wait(1, for: [.failed, .closed])
        #expect(pair.near!.bytesTakenByPeer() == mark)
        #expect(pair.near!.provesNothingTaken(since: mark) == true)
        // The proof took the error; asked again, there is none.
        #expect(pair.near!.provesNothingTaken(since: mark) == false)
    }

    @Test func aPeerThatClosedAndIsYetToResetTakesNothing() throws {
        var pair = try Pair()
        let mark = try converse(&pair)
        pair.far = nil
        try pair.loop.wait(1, for: .closedForReading)
        #expect(pair.near!.provesNothingTaken(since: mark) == true)
        #expect(pair.near!.provesNothingTaken(since: mark - 1) == false)
        #expect(pair.near!.send(bytes(100)) == .bytes(100))
        try pair.loop.wait(1, for: [.failed, .closed])
        let verdict = pair.near!.finishConnect()
        #expect(verdict?.isBrokenPipe == true)
    }

    @Test func aPeerThatReadsAndClosesHasTaken() throws {
        var pair = try Pair()
        let mark = try converse(&pair)
        #expect(pair.near!.send(bytes(100)) == .bytes(100))
        #expect(try pair.farRead(100).count == 100)
        pair.far = nil
        try pair.loop.wait(1, for: .closedForReading)
        #expect(pair.near!.readSome(10).0 == .end)
        // The FIN carried the acknowledgement.
        #expect(pair.near!.bytesTakenByPeer() == mark + 100)
        #expect(pair.near!.provesNothingTaken(since: mark) == false)
    }

    @Test func bytesInThePeersKernelAreTakenWhetherReadOrNot() throws {
        var pair = try Pair()
        #expect(pair.near!.send(bytes(100)) == .bytes(100))
        #expect(waitUntilTaken(100, pair.near!) == 100)
        pair.far!.resetOnClose()
        pair.far = nil
        try pair.loop.wait(1, for: [.failed, .closed])
        #expect(pair.near!.bytesTakenByPeer() == 100)
        #expect(pair.near!.provesNothingTaken(since: 0) == false)
    }

    /// The trap: in a conversation the kernel delays acknowledgements, and a reset does not carry them. The peer has
    /// read the request, yet the count (mostly) stands where it was, and once its error was taken Linux reads as an
    /// end. Neither may pass for a proof, whoever took the error.
    @Test(arguments: ["nobody", "read", "verdict", "write"])
    func aPeerThatReadsAndResetsIsNoProof(takenBy: String) throws {
        var pair = try Pair()
        let mark = try converse(&pair)
        #expect(pair.near!.send(bytes(100)) == .bytes(100))
        #expect(try pair.farRead(100).count == 100)
        pair.far!.resetOnClose()
        pair.far = nil
        try pair.loop.wait(1, for: [.failed, .closed])
        let taken = pair.near!.bytesTakenByPeer()
        #expect(taken == mark || taken == mark + 100)
        switch takenBy {
        case "read":
            guard case .failed = pair.near!.readSome(10).0 else { throw TestProblem.notAccepted }
        case "verdict":
            let verdict = pair.near!.finishConnect()
            #expect(verdict?.isBrokenPipe == false)
        case "write": guard case .failed = pair.near!.send([1]) else { throw TestProblem.notAccepted }
        default: break
        }
        #expect(pair.near!.provesNothingTaken(since: mark) == false)
        #expect(pair.near!.provesNothingTaken(since: mark) == false)
    }

    @Test func anAnswerThatIsUnreadIsNoProof() throws {
        var pair = try Pair()
        #expect(pair.far!.send([1]) == .bytes(1))
        pair.far!.shutdownWriting()
        try pair.loop.wait(1, for: [.readable, .closedForReading])
        #expect(pair.near!.provesNothingTaken(since: 0) == false)
        #expect(pair.near!.readSome(10).0 == .bytes(1))
        #expect(pair.near!.provesNothingTaken(since: 0) == true)
    }

    @Test func anOpenConnectionIsNoProof() throws {
        let pair = try Pair()
        #expect(pair.near!.provesNothingTaken(since: 0) == false)
    }
}
