// What the tests of this room share: a pair of connected sockets, bytes, and a poller that is waited on by token.
// Relies on real loopback sockets. Refuses to wait longer than ten seconds for an event.

import Net
import Testing

/// The loopback address with a port that the system chooses.
let anyPort = SocketAddress(literal: "127.0.0.1", port: 0)!

/// Bytes to write, all the same.
func bytes(_ count: Int, _ value: UInt8 = 0x61) -> [UInt8] { [UInt8](repeating: value, count: count) }

/// A poller with its bookkeeping: what was reported for each slot, whatever its order.
struct Loop: ~Copyable {
    var poller: Poller

    init() throws { poller = try Poller() }

    /// Waits until all of `wanted` was reported for `slot`, in one event or several.
    mutating func wait(_ slot: UInt32, for wanted: Readiness) throws {
        var seen: Readiness = []
        let end = Clock.monotonicMilliseconds() + 10_000
        while !seen.isSuperset(of: wanted) {
            guard Clock.monotonicMilliseconds() < end else { throw TestProblem.noEvent(slot, wanted.rawValue) }
            let count = try poller.wait(milliseconds: 100)
            for i in 0..<count {
                let event = poller.event(i)
                if event.token.slot == slot { seen.formUnion(event.readiness) }
            }
        }
    }
}

enum TestProblem: Error {
    case noEvent(UInt32, UInt32)
    case notAccepted
    case unexpected(IOResult)
}

/// Two ends of a TCP connection, both registered: slot 1 is the one that connected, slot 2 the accepted one.
struct Pair: ~Copyable {
    var loop: Loop
    var near: Socket?
    var far: Socket?

    init() throws {
        try self.init(listener: Listener.tcp(anyPort))
    }

    init(listener: consuming Listener) throws {
        var loop = try Loop()
        let address = listener.localAddress()!
        let socket = try Socket.connect(to: address)
        try loop.poller.add(listener, Token(slot: 0, generation: 0))
        try loop.poller.add(socket, Token(slot: 1, generation: 0))
        try loop.wait(0, for: .readable)
        guard case .accepted(let accepted) = listener.accept() else { throw TestProblem.notAccepted }
        try loop.poller.add(accepted, Token(slot: 2, generation: 0))
        #expect(socket.finishConnect() == nil)
        self.loop = consume loop
        near = consume socket
        far = consume accepted
    }

    /// Reads at the far end until `count` bytes came or the stream ended.
    mutating func farRead(_ count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let (result, some) = far!.readSome(65536)
            switch result {
            case .bytes: all += some
            case .wouldBlock: try loop.wait(2, for: .readable)
            case .end, .truncated, .failed, .tlsFailed: return all
            }
        }
        return all
    }
}

extension Socket {
    /// One read into fresh room.
    func readSome(_ size: Int) -> (IOResult, [UInt8]) {
        var room = bytes(size, 0)
        var span = room.mutableSpan
        let result = read(into: &span)
        if case .bytes(let count) = result { return (result, Array(room[..<count])) }
        return (result, [])
    }

    /// One write.
    func send(_ bytes: [UInt8]) -> IOResult { write(bytes.span) }

    /// One write from two runs.
    func send(_ first: [UInt8], _ second: [UInt8]) -> IOResult { write(first.span, second.span) }
}
