// The two kinds of connections that a worker holds, and the table in which poller events find them.

internal import Exchange
internal import HTTP
internal import Net
internal import Policy

/// A caller's connection. Small on purpose: an idle one has no buffers, and a plain one fits a block of 64 bytes.
final class InboundConnection {
    enum State {
        /// TLS agrees on keys; no byte of a request can have come.
        case handshaking
        /// No byte of a request has come.
        case idle
        /// A head has begun.
        case head
        /// The body is being read.
        case body
        /// The request is complete, or refused; the rest is up to the exchange.
        case exchange
        /// Our last byte is written; what still comes is thrown away until the caller closes, bounded.
        case lingering
        case closed
    }

    /// Flags in one byte: as four, they would make the object need the next larger block.
    private struct Marks: OptionSet {
        let rawValue: UInt8
        static let readable = Marks(rawValue: 1)
        static let sawEnd = Marks(rawValue: 2)
        static let ended = Marks(rawValue: 4)
        static let queued = Marks(rawValue: 8)
        static let watchesWriting = Marks(rawValue: 16)
    }

    let transport: InboundTransport
    /// Known from the start on a Unix socket, after the handshake under TLS.
    var peer: InboundPeer
    var context: ExchangeContext?
    let slot: UInt32
    var state: State
    private var marks = Marks.readable

    /// `state` is `handshaking` under TLS, else `idle`.
    init(transport: consuming InboundTransport, peer: InboundPeer, slot: UInt32) {
        state = transport.isTLS ? .handshaking : .idle
        self.transport = transport
        self.peer = peer
        self.slot = slot
    }

    /// The kernel, or TLS, may have bytes that were not read.
    var readable: Bool {
        get { marks.contains(.readable) }
        set { set(.readable, newValue) }
    }
    /// An event said that the caller's bytes end: read on until the end is met, no other edge will come.
    var sawEnd: Bool {
        get { marks.contains(.sawEnd) }
        set { set(.sawEnd, newValue) }
    }
    /// The caller said that no more comes.
    var ended: Bool {
        get { marks.contains(.ended) }
        set { set(.ended, newValue) }
    }
    /// It is in the list of connections to go on with.
    var queued: Bool {
        get { marks.contains(.queued) }
        set { set(.queued, newValue) }
    }

    /// The poller reports room to write: the caller has once taken less than it was offered.
    var watchesWriting: Bool {
        get { marks.contains(.watchesWriting) }
        set { set(.watchesWriting, newValue) }
    }

    /// What an event says of the bytes to come.
    func note(_ readiness: Readiness) {
        guard readiness != .writable else { return noteWritable() }
        readable = true
        transport.noteReadable()
        if readiness.contains(.closedForReading) { sawEnd = true }
    }

    /// TLS may have waited to write before it could read on: the answer to a key update.
    private func noteWritable() {
        if transport.isTLS { readable = true }
    }

    private func set(_ mark: Marks, _ isSet: Bool) {
        if isSet { marks.insert(mark) } else { marks.remove(mark) }
    }

    /// One read into the buffer's free room; keeps `readable` true to what may still be there.
    func read(into buffer: inout ByteBuffer) -> IOResult {
        var mayHaveMore = false
        let result = transport.read(into: &buffer, mayHaveMore: &mayHaveMore)
        if case .bytes = result { readable = mayHaveMore || sawEnd }
        return result
    }
}

/// A connection to an upstream.
final class UpstreamConnection {
    enum State {
        /// The name is being resolved.
        case resolving
        /// TCP is connecting to the address with this index.
        case connecting
        case handshaking
        case lent
        case idle
        case closed

        /// As it is counted.
        fileprivate var use: ConnectionUse? {
            switch self {
            case .resolving, .connecting, .handshaking: .opening
            case .lent: .lent
            case .idle: .idle
            case .closed: nil
            }
        }
    }

    let slot: UInt32
    let upstream: UpstreamState
    var state = State.resolving {
        didSet { countUse(before: oldValue.use, now: state.use) }
    }
    /// The stream, once there is one.
    let wire = Owned<Transport?>(nil)
    var context: ExchangeContext?
    /// The next address to try, counted from `firstAddress`.
    var attempt = 0
    var firstAddress = 0
    var lastFailure = ConnectFailure.refused
    /// The kernel may have bytes that were not read.
    var readable = false
    /// It is in the list of answers to go on with.
    var queued = false
    /// An event said that the upstream's bytes end: read on until the end is met.
    var sawEnd = false
    /// How the upstream's bytes ended, once they did.
    var end: StreamEnd?
    /// Monotonic milliseconds: when it was made, since when it carries nothing, and when it was lent.
    let openedAt: UInt64
    var idleSince: UInt64 = 0
    var lentAt: UInt64 = 0
    /// It has carried a request before.
    var isUsed = false
    /// Bytes that the transport had written before the present request.
    var writtenBefore: UInt64 = 0
    /// Bytes that the plain socket has taken since it was connected.
    private var plainBytesWritten: UInt64 = 0

    init(slot: UInt32, upstream: UpstreamState, now: UInt64) {
        self.slot = slot
        self.upstream = upstream
        openedAt = now
        countUse(before: nil, now: state.use)
    }

    private func countUse(before: ConnectionUse?, now: ConnectionUse?) {
        guard before != now else { return }
        if let before { upstream.counters.ended(before) }
        if let now { upstream.counters.began(now) }
    }

    /// Begins with a socket of which nothing is known yet: that of the next address, where one before was of no use.
    func begin(_ socket: consuming Socket) {
        wire.state = .plain(socket)
        readable = false
        sawEnd = false
    }

    /// What an event says of the bytes to come.
    func note(_ readiness: Readiness) {
        if readiness != .writable {
            readable = true
            noteReadable()
        }
        if readiness.contains(.closedForReading) || readiness.contains(.closed) || readiness.contains(.failed) {
            sawEnd = true
        }
    }

    private func noteReadable() {
        switch wire.state {
        case .none: break
        case .some(let transport): transport.noteReadable()
        }
    }

    /// One read into the buffer's free room; keeps `readable` true to what the socket may still hold.
    func read(into buffer: inout ByteBuffer) -> IOResult {
        var room = buffer.free
        let offered = room.count
        switch wire.state {
        case .none: return .wouldBlock
        case .some(let transport):
            let result = transport.read(into: &room)
            if case .bytes(let count) = result {
                readable = readable && (sawEnd || transport.mayHaveMore(count: count, room: offered))
                buffer.commit(count)
            }
            return result
        }
    }

    func write(_ head: Span<UInt8>, _ body: Span<UInt8>) -> IOResult {
        switch wire.state {
        case .none: return .wouldBlock
        case .some(let transport):
            let result = transport.write(head, body)
            if case .bytes(let count) = result { plainBytesWritten += UInt64(count) }
            return result
        }
    }

    /// Bytes that the socket has taken, TLS framing and handshake included.
    var bytesWritten: UInt64 {
        switch wire.state {
        case .none: 0
        case .some(let transport): transport.bytesWritten(plainCount: plainBytesWritten)
        }
    }

    /// Whether the upstream's kernel took nothing of the present request, with proof (`Socket.provesNothingTaken`).
    func provesNothingTaken() -> Bool {
        switch wire.state {
        case .none: false
        case .some(let transport): transport.provesNothingTaken(since: writtenBefore)
        }
    }

    func connectError() -> SystemError? {
        switch wire.state {
        case .none: nil
        case .some(let transport): transport.finishConnect()
        }
    }

    /// Puts TLS over the connected socket.
    func startTLS(_ context: TLSClientContext) throws(TLSProblem) {
        guard let plain = wire.state.take(), let socket = plain.takeSocket() else {
            preconditionFailure("TLS is put over a connected socket, once")
        }
        wire.state = .tls(try TLSStream(context: context, socket: socket))
    }

    func handshake() -> HandshakeResult {
        switch wire.state {
        case .none: .failed(.closedDuringHandshake)
        case .some(let transport): transport.handshake()
        }
    }

    /// Asks the socket itself whether something came that no event has told of yet.
    func look() { if !readable && !isSilent { note(.readable) } }

    private var isSilent: Bool {
        switch wire.state {
        case .none: true
        case .some(let transport): transport.isSilent()
        }
    }

    /// Looks at an unused connection: nothing must have come but what TLS says to itself.
    func isQuiet(_ scratch: inout ByteBuffer) -> Bool {
        guard end == nil else { return false }
        guard readable else { return true }
        defer { scratch.wipe() }
        while readable {
            scratch.clear()
            switch read(into: &scratch) {
            case .wouldBlock: readable = false
            case .bytes, .end, .truncated, .failed, .tlsFailed: return false
            }
        }
        return true
    }

    /// Ends the stream; what TLS has to say goodbye is said.
    func close(_ poller: borrowing Poller) {
        guard let stream = wire.state.take() else { return }
        poller.remove(stream)
        stream.shutdownWriting()
    }
}

/// What stands in a slot.
enum Occupant {
    case free
    case inbound(InboundConnection)
    case upstream(UpstreamConnection)
    case listener(ListenerBox)
    case mailbox
    /// No descriptor: only its timer.
    case pacer(SharedPacer)
    /// The worker's spare contexts. No descriptor: only the timer of their sweep.
    case contexts
}

/// The worker's table of descriptors: a poller event names a slot and the generation it was meant for, so an event for
/// a descriptor that was closed and reused in the same batch finds nobody.
struct SlotTable {
    private var occupants: [Occupant] = []
    private var generations: [UInt32] = []
    private var free: [UInt32] = []

    /// Takes a free slot; `set` fills it.
    mutating func take() -> Token {
        if let slot = free.popLast() { return Token(slot: slot, generation: generations[Int(slot)]) }
        occupants.append(.free)
        generations.append(1)
        return Token(slot: UInt32(occupants.count - 1), generation: 1)
    }

    mutating func set(_ slot: UInt32, _ occupant: Occupant) { occupants[Int(slot)] = occupant }

    /// Frees a slot; events that were meant for its occupant are refused from now on.
    mutating func release(_ slot: UInt32) {
        occupants[Int(slot)] = .free
        generations[Int(slot)] &+= 1
        free.append(slot)
    }

    /// The occupant stays, its descriptor is another one: events for the old one are refused from now on.
    mutating func renew(_ slot: UInt32) -> Token {
        generations[Int(slot)] &+= 1
        return token(slot)
    }

    func token(_ slot: UInt32) -> Token { Token(slot: slot, generation: generations[Int(slot)]) }

    /// Who is meant by an event; `free` where that one is gone.
    func find(_ token: Token) -> Occupant {
        generations[Int(token.slot)] == token.generation ? occupants[Int(token.slot)] : .free
    }

    subscript(slot: UInt32) -> Occupant { occupants[Int(slot)] }

    var count: Int { occupants.count }
}
