// Callers' connections: accepting, reading requests, closing. What a request means is the exchange's business.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing
internal import Synchronization

/// A listener and the slot in which the poller finds it.
final class ListenerBox {
    let listener: Listener
    /// The address as the operator gave it: what a reload compares.
    let name: String
    /// Callers speak TLS by this; nil: they do not. A reload puts another in its place, for callers to come.
    var tls: TLSServerContext?
    /// Whether callers are asked of the kernel: they are processes of this machine.
    let wantsPeerCredentials: Bool
    var slot: UInt32 = 0
    var paused = false
    /// Nobody new comes into the backlog; it goes once who is in it was taken.
    var isClosing = false

    init(
        _ listener: consuming Listener, name: String, tls: TLSServerContext? = nil, wantsPeerCredentials: Bool = false
    ) {
        self.listener = listener
        self.name = name
        self.tls = tls
        self.wantsPeerCredentials = wantsPeerCredentials
    }
}

extension Worker {
    // MARK: - Accepting

    /// Takes the callers that wait, up to a bound per turn, so that those who were accepted are served as well. True
    /// where nobody waits any more.
    @discardableResult
    mutating func accept(_ box: ListenerBox) -> Bool {
        guard !box.paused else { return false }
        for _ in 0..<64 {
            guard shared.connections.value < generation.plan.maxInbound else {
                pauseListener(box)
                return false
            }
            switch box.listener.accept() {
            case .accepted(let socket): open(socket, box)
            case .none: return true
            case .exhausted:
                pauseListener(box)
                return false
            case .failed:
                pauseListener(box)
                return false
            }
        }
        return false
    }

    /// Nothing can be accepted now: callers wait in the backlog, and the poller is not asked about them for a while.
    private mutating func pauseListener(_ box: ListenerBox) {
        guard !box.paused else { return }
        box.paused = true
        pausedListeners += 1
        poller.remove(box.listener)
        timers.arm(TimerID(slot: box.slot), at: now + Worker.acceptPauseMilliseconds)
    }

    /// The pause is over: by time, or because a connection went and left its place.
    private mutating func resumeListener(_ box: ListenerBox) {
        guard box.paused else { return }
        box.paused = false
        pausedListeners -= 1
        do {
            try poller.add(box.listener, slots.token(box.slot))
        } catch {
            pauseListener(box)
        }
    }

    mutating func listenerLate(_ box: ListenerBox) {
        resumeListener(box)
        if box.isClosing { lastCall(box) }
    }

    /// Closes a listener without a reset for those whom the kernel has let in: it takes no more, they are accepted, and
    /// a moment later, for handshakes that were on their way, it goes.
    mutating func beginClosing(_ box: ListenerBox) {
        guard !box.isClosing else { return }
        box.isClosing = true
        let isLastCall = box.listener.refuseNewcomers()
        guard !box.paused else { return }
        if isLastCall { return lastCall(box) }
        timers.arm(TimerID(slot: box.slot), at: now + Worker.lastCallMilliseconds)
        accept(box)
    }

    private mutating func lastCall(_ box: ListenerBox) {
        guard accept(box) else {
            if !box.paused { timers.arm(TimerID(slot: box.slot), at: now + Worker.lastCallMilliseconds) }
            return
        }
        timers.cancel(TimerID(slot: box.slot))
        poller.remove(box.listener)
        slots.release(box.slot)
        listeners.removeAll { $0 === box }
    }

    private mutating func open(_ socket: consuming Socket, _ box: ListenerBox) {
        let peer = box.wantsPeerCredentials ? socket.peerCredentials().map { InboundPeer.unix($0) } : nil
        let token = slots.take()
        let connection: InboundConnection
        do {
            let transport = try InboundTransport(socket, box.tls)
            connection = InboundConnection(transport: transport, peer: peer ?? .none, slot: token.slot)
            try poller.add(connection.transport, token)
        } catch {
            // No memory for TLS or another registration: the caller sees its connection closed.
            slots.release(token.slot)
            return
        }
        slots.set(token.slot, .inbound(connection))
        metrics.worker.add(.accepted)
        inboundCount += 1
        shared.connections.add()
        arm(token.slot, after: patience(connectionLimits.headTimeoutMilliseconds))
        proceed(connection)
    }

    /// How long a connection may go without a request: less while the gateway drains.
    func patience(_ milliseconds: Int) -> Int {
        draining ? min(milliseconds, Worker.farewellMilliseconds) : milliseconds
    }

    mutating func closeInbound(_ connection: InboundConnection) {
        switch connection.state {
        // Between two requests all that was said is whole; TLS says so. An answer that breaks off has no such end.
        case .idle, .head: connection.transport.sayGoodbye()
        case .handshaking, .body, .exchange, .lingering: break
        case .closed: return
        }
        connection.state = .closed
        dropContext(connection)
        timers.cancel(TimerID(slot: connection.slot))
        poller.remove(connection.transport)
        slots.release(connection.slot)
        inboundCount -= 1
        shared.connections.subtract()
        if pausedListeners > 0 { for box in listeners { resumeListener(box) } }
    }

    // MARK: - Reading

    /// The first look at an event: what it says of the bytes to come is noted, and those of a new request are read. A
    /// caller that has sent ahead has a context: what lies there comes first, and nothing is read behind it.
    mutating func readAhead(_ connection: InboundConnection, _ readiness: Readiness) {
        guard connection.state != .closed else { return }
        connection.note(readiness)
        if readiness.contains(.failed) || readiness.contains(.closed) { return }
        if connection.state == .idle && connection.context == nil { _ = receive(connection) }
    }

    /// The second look, after `readAhead` of all events.
    mutating func inboundReady(_ connection: InboundConnection, _ readiness: Readiness) {
        guard connection.state != .closed else { return }
        if readiness.contains(.failed) || readiness.contains(.closed) { return callerGone(connection) }
        if readiness.contains(.writable), let context = connection.context, context.state.stalled {
            callerTakesAgain(connection, context)
        }
        proceed(connection)
    }

    /// Reads and steps until the caller has nothing more, or until the exchange has the word. One request at a time:
    /// what was sent behind one that is answered already waits in `goOn`, and others have their turns.
    mutating func proceed(_ connection: InboundConnection) {
        while true {
            switch connection.state {
            case .handshaking:
                guard shakeHands(connection) else { return }
                continue
            case .idle, .head:
                if connection.queued { return }
                if let context = connection.context, context.state.input.count > 0 {
                    guard readHead(connection, context) else { break }
                    continue
                }
            case .body:
                if let context = connection.context, readBody(connection, context) { continue }
            case .lingering: return linger(connection)
            case .exchange, .closed: return
            }
            guard receive(connection) else { return }
        }
    }

    /// True once the handshake is done. A caller that was refused gets the alert that says why, so far as TLS has one.
    private mutating func shakeHands(_ connection: InboundConnection) -> Bool {
        switch connection.transport.handshake() {
        case .wantRead, .wantWrite: return false
        case .failed:
            beginLinger(connection)
            return false
        case .done:
            connection.state = .idle
            // TLS may hold a request that came with the last of the handshake.
            connection.readable = true
            if let identity = connection.transport.peerIdentity() { connection.peer = .certificate(identity) }
            arm(connection.slot, after: patience(connectionLimits.headTimeoutMilliseconds))
            return true
        }
    }

    /// One read. False where the caller has no more for now, or is gone.
    private mutating func receive(_ connection: InboundConnection) -> Bool {
        guard connection.readable else { return false }
        let context = connection.context ?? borrow(for: connection)
        if context.state.input.room == 0 {
            guard account(for: &context.state, context.state.input.capacity) else {
                refuseForMemory(connection, context)
                return false
            }
            context.state.input.reserve(context.state.input.capacity)
        }
        switch connection.read(into: &context.state.input) {
        case .bytes(let count):
            metrics.worker.add(.requestBytes, UInt64(count))
            return true
        case .wouldBlock:
            connection.readable = false
            if connection.state == .idle { dropContext(connection) }
            return false
        case .end:
            connection.ended = true
            connection.readable = false
            callerEnded(connection)
            return false
        case .truncated, .failed, .tlsFailed:
            callerGone(connection)
            return false
        }
    }

    private mutating func refuseForMemory(_ connection: InboundConnection, _ context: ExchangeContext) {
        connection.state = .exchange
        context.state.closes = true
        drive(context, .requestRefused(.memoryFull))
    }

    /// True where the state moved on.
    private mutating func readHead(_ connection: InboundConnection, _ context: ExchangeContext) -> Bool {
        beginTrail(&context.state)
        switch context.state.readHead(limits) {
        case .needMore:
            if connection.state == .idle {
                connection.state = .head
                arm(connection.slot, after: connectionLimits.headTimeoutMilliseconds)
            }
            return false
        case .refused(let refusal):
            connection.state = .exchange
            context.state.method = context.state.reader.head.method
            context.state.closes = true
            drive(context, .requestRefused(Refusal(refusal)))
            return true
        case .complete:
            connection.state = .exchange
            context.state.method = context.state.reader.head.method
            readTrace(&context.state)
            context.state.closes = !context.state.reader.head.keepAlive || connectionLimits.keepAliveMilliseconds == 0
            drive(context, .headArrived)
            return true
        }
    }

    /// True where the state moved on.
    private mutating func readBody(_ connection: InboundConnection, _ context: ExchangeContext) -> Bool {
        switch context.state.readBody(limits) {
        case .needMore:
            hashArrived(&context.state)
            return false
        case .refused(let refusal):
            connection.state = .exchange
            context.state.closes = true
            drive(context, .requestRefused(Refusal(refusal)))
        case .complete:
            connection.state = .exchange
            context.state.bodyIsWhole = true
            drive(context, .bodyArrived)
        }
        return true
    }

    /// Digests what has come of the body while the rest is on its way, where the body is sent as it comes.
    private mutating func hashArrived(_ context: inout ExchangeState) {
        guard context.coding == nil && !route(&context).additions.alwaysInserts else { return }
        if context.hashed < 0 { context.hashed = 0 }
        let body = context.reader.body
        let start = Int(body.start) + context.hashed
        guard start < Int(body.end) else { return }
        context.hash(ByteRange(start, Int(body.end)))
        context.hashed = body.count
    }

    // MARK: - Ends

    /// The caller sends no more. A request that was whole gets its answer all the same; half a one is dropped.
    private mutating func callerEnded(_ connection: InboundConnection) {
        switch connection.state {
        case .handshaking, .idle, .head, .lingering: closeInbound(connection)
        case .body: callerGone(connection)
        case .exchange, .closed: break
        }
    }

    /// The caller takes no more, or its connection broke.
    mutating func callerGone(_ connection: InboundConnection) {
        guard connection.state == .exchange || connection.state == .body, let context = connection.context else {
            return closeInbound(connection)
        }
        connection.state = .exchange
        connection.ended = true
        connection.readable = false
        context.state.closes = true
        context.state.stalled = false
        context.state.output.clear()
        context.state.pendingPayload = 0
        drive(context, .callerLeft)
        // What was held back for the caller is read to its end now, without it.
        if let upstream = context.state.upstream { relay(upstream, context) }
    }

    mutating func inboundLate(_ connection: InboundConnection) {
        switch connection.state {
        case .handshaking, .idle, .lingering: closeInbound(connection)
        case .head:
            guard let context = connection.context else { return closeInbound(connection) }
            connection.state = .exchange
            context.state.closes = true
            drive(context, .requestRefused(.headTimeout))
        case .body, .exchange:
            guard let context = connection.context, let deadline = context.state.deadline else { return }
            connection.state = .exchange
            // A caller who takes nothing is as good as gone: what was held back for it is read to its end without it.
            if deadline == .callerWrite { return callerGone(connection) }
            if deadline == .store { return storeIsLate(context) }
            drive(context, .deadlinePassed(deadline))
        case .closed: break
        }
    }

    /// Throws away what a refused caller still sends, so that our answer reaches it before the connection ends.
    mutating func beginLinger(_ connection: InboundConnection) {
        connection.transport.shutdownWriting()
        if connection.ended { return closeInbound(connection) }
        connection.state = .lingering
        timers.arm(TimerID(slot: connection.slot), at: now + Worker.lingerMilliseconds)
        linger(connection)
    }

    private mutating func linger(_ connection: InboundConnection) {
        guard connection.readable else { return }
        let context = borrow(for: connection)
        defer { if connection.state != .closed { dropContext(connection) } }
        for _ in 0..<16 {
            context.state.input.clear()
            switch connection.transport.discard(into: &context.state.input) {
            case .bytes: continue
            case .wouldBlock:
                connection.readable = false
                return
            case .end, .truncated, .failed, .tlsFailed: return closeInbound(connection)
            }
        }
        queue(connection)
    }

    // MARK: - Contexts

    private mutating func borrow(for connection: InboundConnection) -> ExchangeContext {
        let context = contexts.take(inputCapacity: limits.maxHead + 4_096)
        context.state.inbound = connection.slot
        connection.context = context
        return context
    }

    /// Back to the pool, wiped; a long body by a sweep.
    mutating func dropContext(_ connection: InboundConnection) {
        guard let context = connection.context.take() else { return }
        release(&context.state)
        answerBuffers.takeBack(&context.state.received)
        outputBuffers.takeBack(&context.state.output)
        context.state.wipe()
        if contexts.give(context) { arm(sweepSlot, after: ContextPool.sweepMilliseconds) }
    }

    /// To be gone on with after the events of this turn.
    mutating func queue(_ connection: InboundConnection) {
        guard !connection.queued else { return }
        connection.queued = true
        goOn.append(connection)
    }
}
