// Connections to upstreams: names, addresses, TLS, the pool, and the writing of sealed requests.

internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing
internal import Synchronization

/// A worker's accounts of one upstream.
struct UpstreamBook: ~Copyable {
    var pool: Pool
    var breaker: CircuitBreaker?
    var idleLimit = IdleLimit()

    init(_ settings: UpstreamSettings) {
        breaker = settings.breaker.map { CircuitBreaker($0) }
        pool = Pool(maxConnections: settings.maxConnections, maxWaiting: settings.maxWaiting)
    }
}

/// A worker's view of one upstream.
final class UpstreamState {
    private static let ids = Atomic<UInt64>(0)

    /// Names it in answers that come from other threads.
    let id: UInt64
    let settings: UpstreamSettings
    let tls: TLSClientContext?
    /// What every request asks.
    let book: Owned<UpstreamBook>
    var skew = ClockSkew()
    /// Unix seconds at which its clock was looked at last.
    var clockSeenAt: Int64 = 0
    /// Monotonic milliseconds until which nothing more is said of it.
    var skewToldUntil: UInt64 = 0
    var known: KnownAddresses<SocketAddress>
    /// A reload has put another in its place: it serves whom it has, and keeps no connection.
    var isRetired = false
    /// Connections that wait for the name.
    var waitingForName: [UpstreamConnection] = []
    let counters: UpstreamCounters

    init(_ settings: UpstreamSettings, _ counters: UpstreamCounters) throws(TLSProblem) {
        self.counters = counters
        id = Self.ids.add(1, ordering: .relaxed).newValue
        self.settings = settings
        tls =
            settings.isTLS
            ? try TLSClientContext(caFile: settings.caFile, serverName: settings.serverName) : nil
        book = Owned(UpstreamBook(settings))
        known = KnownAddresses(literal: SocketAddress(literal: settings.host, port: settings.port))
    }
}

extension Worker {
    // MARK: - The pool

    mutating func connect(_ context: ExchangeContext, fresh: Bool) -> Event? {
        let upstream = route(&context.state).upstream
        guard admits(upstream, &context.state) else { return .connectionFailed(.circuitOpen) }
        switch upstream.book.state.pool.ask(context.state.inbound, fresh: fresh) {
        case .idle(let slot):
            guard case .upstream(let connection) = slots[slot] else { preconditionFailure("an idle connection exists") }
            guard now - connection.idleSince < UInt64(idleMilliseconds(upstream)) else {
                forget(connection)
                return open(upstream, for: context)
            }
            lend(connection, to: context)
            return .connectionLent(reused: true)
        case .open: return open(upstream, for: context)
        case .replace(let slot):
            guard case .upstream(let connection) = slots[slot] else { preconditionFailure("an idle connection exists") }
            forget(connection)
            return open(upstream, for: context)
        case .wait:
            upstream.counters.waits()
            return nil
        case .full:
            forgive(&context.state)
            return .connectionFailed(.poolFull)
        }
    }

    /// Asks the breaker, once per request: a second try of the same request is a part of the first.
    private mutating func admits(_ upstream: UpstreamState, _ context: inout ExchangeState) -> Bool {
        guard context.breakerVerdict == nil, let verdict = upstream.book.state.breaker?.admit(at: now) else {
            return true
        }
        context.breakerVerdict = verdict
        noteBreaker(upstream)
        return verdict != .refuse
    }

    /// Tells the breaker how a request that it let pass has ended.
    mutating func judge(_ context: ExchangeContext, _ cause: Cause) {
        guard let verdict = context.state.breakerVerdict, verdict != .refuse, let route = context.state.route else {
            return
        }
        switch cause {
        case .completed: route.upstream.book.state.breaker?.succeeded(asProbe: verdict == .probe)
        case .upstreamUnreachable, .upstreamLost, .upstreamUnusable, .upstreamTimeout:
            route.upstream.book.state.breaker?.failed(at: now, asProbe: verdict == .probe)
        case .replayed, .refused, .callerLeft, .callerTimeout, .stopped:
            if verdict == .probe { route.upstream.book.state.breaker?.probeWasLost(at: now) }
        }
        noteBreaker(route.upstream)
    }

    /// The request does not get as far as the upstream, whose breaker learns nothing from it.
    private func forgive(_ context: inout ExchangeState) {
        if context.breakerVerdict == .probe, let route = context.route {
            route.upstream.book.state.breaker?.probeWasLost(at: now)
        }
        context.breakerVerdict = nil
    }

    private mutating func lend(_ connection: UpstreamConnection, to context: ExchangeContext) {
        timers.cancel(TimerID(slot: connection.slot))
        connection.state = .lent
        connection.lentAt = now
        connection.context = context
        context.state.upstream = connection
    }

    mutating func returnConnection(_ context: ExchangeContext) {
        guard let connection = context.state.upstream.take() else { return }
        connection.context = nil
        let state = connection.upstream
        if connection.isUsed && state.book.state.idleLimit.isSuspicious {
            state.book.state.idleLimit.answered(afterIdle: connection.lentAt - connection.idleSince)
        }
        connection.idleSince = now
        connection.isUsed = true
        let keep = idleMilliseconds(state) > 0 && !draining && !state.isRetired && staysQuiet(connection)
        follow(state.book.state.pool.returned(connection.slot, keep: keep), connection)
    }

    /// How long a connection may carry nothing and still be used.
    private func idleMilliseconds(_ upstream: UpstreamState) -> Int {
        upstream.book.state.idleLimit.bound(upstream.settings.keepAliveMilliseconds, now: now)
    }

    /// A connection was lost before a byte of the answer came. Soon after it was lent, it had been idle for too long.
    mutating func learn(from connection: UpstreamConnection) {
        guard connection.isUsed, now - connection.lentAt < Worker.idleCloseMilliseconds else { return }
        connection.upstream.book.state.idleLimit.lost(
            afterIdle: connection.lentAt - connection.idleSince, openedAt: connection.openedAt, now: now)
    }

    mutating func closeConnection(_ context: ExchangeContext) {
        guard let connection = context.state.upstream.take() else { return }
        close(connection)
    }

    /// The exchange asks no more: it leaves the queue, or its connection is not opened to the end.
    mutating func cancelConnect(_ context: ExchangeContext) {
        let upstream = route(&context.state).upstream
        if upstream.book.state.pool.withdraw(context.state.inbound) { return upstream.counters.waitsNoMore() }
        if let index = openings.firstIndex(where: { $0.upstream === upstream && $0.exchange == context.state.inbound })
        {
            openings.remove(at: index)
            return follow(upstream.book.state.pool.closed(), upstream)
        }
        closeConnection(context)
    }

    /// Closes a connection that was lent or was being opened; its place goes to whoever waits.
    mutating func close(_ connection: UpstreamConnection) {
        guard connection.state != .closed else { return }
        forget(connection)
        follow(connection.upstream.book.state.pool.closed(), connection.upstream)
    }

    /// Takes a connection out of poller, timers and table; the pool has been told, or is told next.
    private mutating func forget(_ connection: UpstreamConnection) {
        if connection.state == .resolving {
            connection.upstream.waitingForName.removeAll { $0 === connection }
        }
        connection.state = .closed
        connection.context = nil
        connection.close(poller)
        timers.cancel(TimerID(slot: connection.slot))
        slots.release(connection.slot)
    }

    private mutating func follow(_ next: Pool.Next, _ connection: UpstreamConnection) {
        switch next {
        case .keep:
            connection.state = .idle
            arm(connection.slot, after: idleMilliseconds(connection.upstream))
        case .close: close(connection)
        case .lend(let exchange):
            guard let context = context(of: exchange) else { preconditionFailure("who waits is there") }
            connection.upstream.counters.waitsNoMore()
            lend(connection, to: context)
            drive(context, .connectionLent(reused: true))
        case .nothing, .open: preconditionFailure("a connection that came back is kept, lent or closed")
        }
    }

    private mutating func follow(_ next: Pool.Next, _ upstream: UpstreamState) {
        switch next {
        case .nothing: break
        case .open(let exchange):
            upstream.counters.waitsNoMore()
            openings.append((upstream, exchange))
        case .keep, .close, .lend: preconditionFailure("a connection that is gone is not lent")
        }
    }

    private func context(of exchange: UInt32) -> ExchangeContext? {
        guard case .inbound(let connection) = slots[exchange] else { return nil }
        return connection.context
    }

    mutating func openForWaiting(_ upstream: UpstreamState, _ exchange: UInt32) {
        guard let context = context(of: exchange) else { preconditionFailure("who waits is there") }
        if let event = open(upstream, for: context) { drive(context, event) }
    }

    // MARK: - Opening

    /// Begins to open a connection; an event where it is decided at once.
    private mutating func open(_ upstream: UpstreamState, for context: ExchangeContext) -> Event? {
        let token = slots.take()
        let connection = UpstreamConnection(slot: token.slot, upstream: upstream, now: now)
        slots.set(token.slot, .upstream(connection))
        connection.context = context
        context.state.upstream = connection
        let asks = askForName(upstream)
        guard upstream.known.all.isEmpty else { return begin(connection) }
        if asks {
            upstream.waitingForName.append(connection)
            return nil
        }
        context.state.upstream = nil
        upstream.counters.connect(.nameUnknown)
        close(connection)
        return .connectionFailed(.nameUnknown)
    }

    /// Asks for the name where the last answer is too old; the old one is used meanwhile. True where an answer comes.
    private mutating func askForName(_ state: UpstreamState) -> Bool {
        switch state.known.need(at: now) {
        case .nothing: return false
        case .wait: return true
        case .ask: break
        }
        let mailbox = mailbox
        let id = state.id
        let isTaken = shared.resolver.ask(host: state.settings.host, port: state.settings.port) { answer in
            _ = mailbox.post(.resolved(upstream: id, answer))
        }
        if isTaken {
            state.known.asked(at: now)
            askedNames[id] = state
        }
        return isTaken
    }

    mutating func nameResolved(_ id: UInt64, _ answer: ResolvedAddresses) {
        guard let state = askedNames.removeValue(forKey: id) else { return }
        state.known.answered(answer.addresses, at: now, holdsFor: state.settings.resolveMilliseconds)
        let waiting = state.waitingForName
        state.waitingForName.removeAll()
        for connection in waiting {
            guard let context = connection.context else { continue }
            if state.known.all.isEmpty {
                state.counters.connect(.nameUnknown)
                fail(connection, .nameUnknown)
            } else if let event = begin(connection) {
                drive(context, event)
            }
        }
    }

    /// The first address. All of them are tried, each for its share of the time for connecting.
    private mutating func begin(_ connection: UpstreamConnection) -> Event? {
        connection.firstAddress = connection.upstream.known.nextFirst()
        connection.attempt = 0
        return tryNext(connection)
    }

    private mutating func tryNext(_ connection: UpstreamConnection) -> Event? {
        let state = connection.upstream
        let addresses = state.known.all
        while connection.attempt < addresses.count {
            let address = addresses[(connection.firstAddress + connection.attempt) % addresses.count]
            connection.attempt += 1
            do {
                let socket = try Socket.connect(to: address)
                try poller.add(socket, slots.renew(connection.slot))
                connection.begin(socket)
                connection.state = .connecting
                arm(connection.slot, after: max(1, state.settings.timeouts.connectMilliseconds / addresses.count))
                return nil
            } catch {
                state.counters.connect(.refused)
                connection.lastFailure = .refused
            }
        }
        let failure = connection.lastFailure
        connection.context?.state.upstream = nil
        close(connection)
        return .connectionFailed(failure)
    }

    private mutating func fail(_ connection: UpstreamConnection, _ failure: ConnectFailure) {
        let context = connection.context
        context?.state.upstream = nil
        close(connection)
        if let context { drive(context, .connectionFailed(failure)) }
    }

    /// This address is of no use; the next one, if there is one.
    private mutating func tryNextAfter(_ failure: ConnectFailure, _ connection: UpstreamConnection) {
        let context = connection.context
        if let result = ConnectResult(failure) { connection.upstream.counters.connect(result) }
        connection.close(poller)
        connection.lastFailure = failure
        if let event = tryNext(connection), let context { drive(context, event) }
    }

    mutating func upstreamLate(_ connection: UpstreamConnection) {
        switch connection.state {
        case .connecting, .handshaking: tryNextAfter(.timeout, connection)
        case .idle: closeIdle(connection)
        case .resolving, .lent, .closed: break
        }
    }

    mutating func closeIdle(_ connection: UpstreamConnection) {
        let known = connection.upstream.book.state.pool.idleClosed(connection.slot)
        precondition(known, "an idle connection is in its pool")
        forget(connection)
    }

    // MARK: - Events

    /// The first look at an event: what it says of the bytes to come is noted, and those of an answer are read. Also
    /// while a connection is being opened: what comes with the end of that has no event of its own.
    mutating func readAhead(_ connection: UpstreamConnection, _ readiness: Readiness) {
        connection.note(readiness)
        guard connection.state == .lent, readiness != .writable, let context = connection.context else { return }
        guard context.state.exchange.phase == .sent && !context.state.stalled else { return }
        _ = receiveAnswer(connection, context)
    }

    /// The second look, after `readAhead` of all events.
    mutating func upstreamReady(_ connection: UpstreamConnection, _ readiness: Readiness) {
        switch connection.state {
        case .connecting:
            guard readiness != [] else { return }
            if connection.connectError() != nil { return tryNextAfter(.refused, connection) }
            guard readiness.contains(.writable) else { return }
            connected(connection)
        case .handshaking: shakeHands(connection)
        case .idle:
            guard readiness.contains(.readable) || readiness.contains(.closedForReading) || readiness.contains(.failed)
            else { return }
            if !staysQuiet(connection) { closeIdle(connection) }
        case .lent:
            guard let context = connection.context else { return }
            if readiness.contains(.writable), let event = write(connection, &context.state) { drive(context, event) }
            relay(connection, context)
        case .resolving, .closed: break
        }
    }

    private mutating func connected(_ connection: UpstreamConnection) {
        guard let tls = connection.upstream.tls else { return ready(connection) }
        do {
            try connection.startTLS(tls)
        } catch {
            return tryNextAfter(.tlsFailed, connection)
        }
        connection.state = .handshaking
        shakeHands(connection)
    }

    private mutating func shakeHands(_ connection: UpstreamConnection) {
        switch connection.handshake() {
        case .done:
            connection.noteCertificate()
            ready(connection)
        case .wantRead, .wantWrite: break
        case .failed(let problem): tryNextAfter(problem.isCertificate ? .certificateRefused : .tlsFailed, connection)
        }
    }

    private mutating func ready(_ connection: UpstreamConnection) {
        connection.upstream.counters.connect(.connected)
        guard let context = connection.context else { return close(connection) }
        lend(connection, to: context)
        drive(context, .connectionLent(reused: false))
    }

    /// Whether an idle connection may still carry a request: nothing came but what TLS says to itself.
    private mutating func staysQuiet(_ connection: UpstreamConnection) -> Bool {
        connection.isQuiet(&scratch)
    }

    // MARK: - Writing

    mutating func prepareToSend(_ context: inout ExchangeState) {
        guard let connection = context.upstream else { preconditionFailure("a request is sent on a lent connection") }
        context.received.clear()
        context.answer.begin(context.method)
        context.written = 0
        connection.writtenBefore = connection.bytesWritten
    }

    /// Writes the sealed request, unless it has lost its connection in this stage. What a new connection has said
    /// before is read afterwards: its event has passed.
    mutating func writeRequest(_ context: inout ExchangeState) -> Event? {
        guard context.exchange.phase == .sealed, let connection = context.upstream else { return nil }
        let event = write(connection, &context)
        if connection.readable { relayLater(connection) }
        return event
    }

    /// Writes what is left of the sealed request; an event once all of it is with the kernel, or nothing of it will be.
    /// What was sealed is wiped then, while the caches have it: a retry is sealed anew.
    ///
    /// A connection that was used before is looked at once more: what came since the poller was asked would pass for
    /// the answer to this request, and an end would leave open whether it was taken.
    private mutating func write(_ connection: UpstreamConnection, _ context: inout ExchangeState) -> Event? {
        if context.written == 0 && connection.isUsed {
            if knowsAll != true { connection.look() }
            guard staysQuiet(connection) else {
                learn(from: connection)
                return .upstreamLost(UpstreamLoss(nothingTaken: true))
            }
        }
        let event =
            context.bodyIsOwn
            ? write(context.sealed, context.body, ByteRange(0, context.body.count), connection, &context.written)
            : write(context.sealed, context.input, context.reader.body, connection, &context.written)
        if case .requestWritten = event, let sealed = context.sealed.take() { sealBuffers.give(sealed.recycle()) }
        return event
    }

    private mutating func write(
        _ sealed: borrowing SealedRequest?, _ buffer: borrowing ByteBuffer, _ range: ByteRange,
        _ connection: UpstreamConnection, _ written: inout Int
    ) -> Event? {
        switch sealed {
        case .none: return nil
        case .some(let sealed):
            let body = buffer.bytes.slice(range)
            precondition(body.count == sealed.bodyLength, "what is sent is what was sealed")
            let front = sealed.wire
            let total = sealed.head.count + body.count
            guard written < total else { return nil }
            while written < total {
                let first = front.extracting(droppingFirst: min(written, front.count))
                let rest = sealed.carriesBody ? Span() : body.extracting(droppingFirst: max(0, written - front.count))
                switch connection.write(first, rest) {
                case .bytes(let count): written += count
                case .wouldBlock: return nil
                case .end, .truncated, .failed, .tlsFailed:
                    // With a part of it on the way the upstream may have answered: the poller reports the end, and what
                    // can still be read is read then.
                    guard written == 0 else { return nil }
                    learn(from: connection)
                    return .upstreamLost(UpstreamLoss(nothingTaken: true))
                }
            }
            return .requestWritten
        }
    }

    /// Whether not one byte of the request can have been read: the kernel refused the first of them, or proves it.
    func nothingWasTaken(_ connection: UpstreamConnection, _ context: ExchangeContext) -> Bool {
        context.state.written == 0 || connection.provesNothingTaken()
    }
}
