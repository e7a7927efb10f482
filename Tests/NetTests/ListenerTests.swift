// Listeners: Unix paths and their rights, shared ports, and what happens when descriptors run out.

import Net
import TestSupport
import Testing

@Suite struct ListenerTests {
    private func accept(_ listener: borrowing Listener, _ loop: inout Loop) throws -> Socket {
        try loop.wait(0, for: .readable)
        guard case .accepted(let socket) = listener.accept() else { throw TestProblem.notAccepted }
        return socket
    }

    @Test func aUnixListenerHasItsModeAndKnowsItsPeer() throws {
        let file = TemporaryFile("peer.sock")
        let listener = try Listener.unix(path: file.path, mode: 0o620)
        #expect(permissions(of: file.path) == 0o620)
        var loop = try Loop()
        try loop.poller.add(listener, Token(slot: 0, generation: 0))
        let near = try Socket.connect(to: SocketAddress(unixPath: file.path)!)
        let far = try accept(listener, &loop)
        let peer = far.peerCredentials()
        #expect(peer?.pid == ProcessControl.processID())
        #expect(peer?.uid == userID())
        #expect(near.bytesTakenByPeer() == nil)
        #expect(near.send([1]) == .bytes(1))
        #expect(far.readSome(4).1 == [1])
    }

    @Test func aTCPPeerHasNoCredentials() throws {
        let pair = try Pair()
        #expect(pair.far!.peerCredentials() == nil)
        #expect(pair.near!.peerCredentials() == nil)
    }

    @Test func aUnixPathIsTakenOverOnlyIfNobodyAnswers() throws {
        let file = TemporaryFile("stale.sock")
        leaveStaleSocket(at: file.path)
        #expect(ProcessControl.fileExists(file.path))
        let listener = try Listener.unix(path: file.path)
        let second = #expect(throws: SystemError.self) { _ = try Listener.unix(path: file.path) }
        #expect(second?.name.description == "EADDRINUSE")
        let shared = try listener.duplicate()
        #expect(shared.localAddress() == nil)
    }

    @Test func aUnixPathIsGoneWithItsListener() throws {
        let file = TemporaryFile("gone.sock")
        do {
            let listener = try Listener.unix(path: file.path)
            do { _ = try listener.duplicate() }
            #expect(ProcessControl.fileExists(file.path))
            _ = consume listener
        }
        #expect(!ProcessControl.fileExists(file.path))
    }

    @Test func aFileThatIsNoSocketIsNotReplaced() throws {
        let file = TemporaryFile("file")
        Identity("some file").write(to: file.path)
        let problem = #expect(throws: SystemError.self) { _ = try Listener.unix(path: file.path) }
        #expect(problem?.name.description == "EEXIST")
        #expect(ProcessControl.fileExists(file.path))
        #expect(throws: SystemError.self) { _ = try Listener.unix(path: "/nonexistent/dir/a.sock") }
    }

    @Test func workersShareAPortButStrangersDoNot() throws {
        let first = try Listener.tcp(anyPort)
        let address = first.localAddress()!
        #expect(address.port != 0)
        _ = try Listener.tcp(address)
        let problem = #expect(throws: SystemError.self) { _ = try Listener.tcp(address, reusePort: false) }
        #expect(problem?.name.description == "EADDRINUSE")
        _ = consume first
    }

    @Test func anAddressIsFreeUnlessSomebodyListensThere() throws {
        let listener = try Listener.tcp(anyPort)
        let address = listener.localAddress()!
        let problem = #expect(throws: SystemError.self) { try Listener.checkFree(address) }
        #expect(problem?.name.description == "EADDRINUSE")
        // A connection that our end closes first is in the way of no listener.
        let caller = try Socket.connect(to: address)
        var loop = try Loop()
        try loop.poller.add(listener, Token(slot: 0, generation: 0))
        _ = try accept(listener, &loop)
        _ = consume caller
        _ = consume listener
        try Listener.checkFree(address)
        try Listener.checkFree(address)
        _ = try Listener.tcp(address)
    }

    @Test func anEmptyBacklogIsNone() throws {
        let listener = try Listener.tcp(anyPort)
        guard case .none = listener.accept() else { throw TestProblem.notAccepted }
    }

    /// In a child process, since the limit is the process's: descriptors run out, the listener is paused, the poller is
    /// quiet though callers wait, and goes on when it is resumed.
    @Test func exhaustionPausesAndDoesNotSpin() async {
        await #expect(processExitsWith: .success) {
            let listener = try Listener.tcp(anyPort)
            var poller = try Poller()
            let token = Token(slot: 0, generation: 0)
            try poller.add(listener, token)
            let caller = try Socket.connect(to: listener.localAddress()!)
            var hoard: [Hoarded] = []
            try ProcessControl.setDescriptorLimit(100)
            while let one = try? Hoarded() { hoard.append(one) }

            #expect(try poller.wait(milliseconds: 5000) == 1)
            guard case .exhausted(let error) = listener.accept() else { throw TestProblem.notAccepted }
            #expect(error.name.description == "EMFILE")
            // A level-triggered listener would be reported again at once.
            #expect(try poller.wait(milliseconds: 0) == 1)
            poller.remove(listener)
            for _ in 0..<10 { #expect(try poller.wait(milliseconds: 5) == 0) }

            hoard.removeAll()
            try poller.add(listener, token)
            #expect(try poller.wait(milliseconds: 5000) == 1)
            guard case .accepted(let accepted) = listener.accept() else { throw TestProblem.notAccepted }
            _ = accepted.write([1].span)
            _ = consume caller
        }
    }
}

/// One descriptor held.
private final class Hoarded {
    let wakeUp: WakeUp
    init() throws { wakeUp = try WakeUp() }
}
