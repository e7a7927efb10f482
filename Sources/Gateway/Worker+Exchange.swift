// Carries out what the exchange says. No rule of its own: each command has one arm, and what was learnt goes back as an
// event.

internal import Config
internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing
internal import Synchronization

extension Worker {
    /// Gives the exchange a fact and carries out what follows, until nothing does.
    mutating func drive(_ context: ExchangeContext, _ event: Event) {
        countBeginning(&context.state)
        var next: Event? = event
        var commands = Commands()
        while let event = next {
            context.state.advance(event, turn: turn, into: &commands)
            next = nil
            for index in 0..<commands.count {
                precondition(next == nil, "only the last command of a list reports an event")
                next = perform(commands[index], context)
            }
        }
        armDeadline(&context.state)
    }

    private mutating func perform(_ command: Command, _ context: ExchangeContext) -> Event? {
        switch command {
        case .admit: return admit(context)
        case .sendContinue: sendContinue(context)
        case .collectBody: return collectBody(context)
        case .examineBody: return examineBody(&context.state)
        case .claimKey: return claimKey(&context.state)
        case .withdrawClaim: withdrawClaim(&context.state)
        case .giveUpClaim(let loss): giveUpClaim(&context.state, loss)
        case .askPace: return askPace(&context.state)
        case .leavePace(let wasSent): leavePace(&context.state, wasSent)
        case .makeDraft: return makeDraft(&context.state)
        case .connect(let fresh): return connect(context, fresh: fresh)
        case .seal:
            if context.state.bodyToSend.count > Worker.shortBody { return seal(&context.state) }
            postpone(.seal, context)
        case .send:
            prepareToSend(&context.state)
            if context.state.sealedBodyLength > Worker.longBody { return writeRequest(&context.state) }
            postpone(.request, context)
        case .relayAnswer: relayHead(&context.state)
        case .holdAnswer: return holdAnswer(&context.state)
        case .recordAnswer: recordAnswer(&context.state)
        case .awaitRecord: context.state.key.awaitsRecord = true
        case .deliverAnswer: return deliverKept(context, isReplay: false)
        case .replayAnswer: return deliverKept(context, isReplay: true)
        case .respond:
            guard let refusal = context.state.exchange.refusal else {
                preconditionFailure("an answer of our own says what it refuses")
            }
            return respond(context, refusal)
        case .breakAnswer: context.state.closes = true
        case .cancelConnect: cancelConnect(context)
        case .returnConnection: returnConnection(context)
        case .closeConnection: closeConnection(context)
        case .flushAnswer: postpone(.answer, context)
        case .setDeadline(let deadline):
            context.state.deadline = deadline
            context.state.deadlineIsNew = true
            if context.state.exchange.phase == .settled { boundDelivery(&context.state) }
        case .clearDeadline:
            context.state.deadline = nil
            context.state.deadlineIsNew = false
            timers.cancel(TimerID(slot: context.state.inbound))
        case .finish(let outcome): finish(context, outcome)
        }
        return nil
    }

    func inbound(_ context: ExchangeContext) -> InboundConnection {
        guard case .inbound(let connection) = slots[context.state.inbound], connection.context === context else {
            preconditionFailure("an exchange belongs to a connection")
        }
        return connection
    }

    func route(_ context: inout ExchangeState) -> ServedRoute {
        guard let route = context.route else { preconditionFailure("an admitted request has a route") }
        return route
    }

    // MARK: - Before the connection

    private mutating func sendContinue(_ context: ExchangeContext) {
        outputBuffers.lend(to: &context.state.output)
        context.state.output.append("HTTP/1.1 100 Continue\r\n\r\n")
        if flush(context) == .done { outputBuffers.takeBack(&context.state.output) }
    }

    private mutating func collectBody(_ context: ExchangeContext) -> Event? {
        switch context.state.readBody(limits) {
        case .complete:
            context.state.bodyIsWhole = true
            return .bodyArrived
        case .refused(let refusal):
            context.state.closes = true
            return .requestRefused(Refusal(refusal))
        case .needMore:
            if case .length(let length) = context.state.reader.head.framing {
                guard account(for: &context.state, length) else { return .requestRefused(.memoryFull) }
                context.state.input.reserve(context.state.reader.head.length + length - context.state.input.count)
            }
            let connection = inbound(context)
            connection.state = .body
            if connection.ended { return .callerLeft }
            return nil
        }
    }

    /// Puts bytes of a body on the process's account; false where that would be more than it may hold. What fits the
    /// first buffer is not counted: that is bounded by the number of connections.
    func account(for context: inout ExchangeState, _ bytes: Int) -> Bool {
        guard bytes > limits.maxHead else { return true }
        let total = shared.buffered.add(bytes, ordering: .relaxed).newValue
        context.onAccount += bytes
        return total <= connectionLimits.maxBuffered
    }

    /// Takes a body off the account.
    func release(_ context: inout ExchangeState) {
        guard context.onAccount > 0 else { return }
        shared.buffered.subtract(context.onAccount, ordering: .relaxed)
        context.onAccount = 0
    }

    private mutating func examineBody(_ context: inout ExchangeState) -> Event {
        let body = context.reader.body
        guard !body.isEmpty else { return withoutBody(&context) }
        if let coding = context.coding, let refusal = inflate(&context, coding) { return .requestRefused(refusal) }
        if let failure = scan(&context) { return .requestRefused(Refusal(failure.problem)) }
        return .bodyExamined
    }

    /// Validates the body and leaves in the scanner where its fields stand.
    private mutating func scan(_ context: inout ExchangeState) -> JSONFailure? {
        let additions = route(&context).additions
        scanned = context.inbound
        return context.bodyIsOwn
            ? scan(context.body, ByteRange(0, context.body.count), additions)
            : scan(context.input, context.reader.body, additions)
    }

    /// What is examined, signed and sent is the JSON itself, without its coding.
    private func inflate(_ context: inout ExchangeState, _ coding: ContentCoding) -> Refusal? {
        context.bodyIsOwn = true
        let failure = inflate(context.input, context.reader.body, coding, into: &context.body)
        guard account(for: &context, context.body.count) else { return .memoryFull }
        switch failure {
        case nil: return nil
        case .tooLarge: return Refusal(.bodyTooLarge)
        case .broken: return .compressedBodyBroken
        }
    }

    private func inflate(
        _ input: borrowing ByteBuffer, _ body: ByteRange, _ coding: ContentCoding, into plain: inout ByteBuffer
    ) -> InflateFailure? {
        Inflater.inflate(input.bytes.slice(body), coding, into: &plain, limit: limits.maxBody)
    }

    private mutating func scan(_ input: borrowing ByteBuffer, _ body: ByteRange, _ additions: BodyAdditions)
        -> JSONFailure?
    {
        additions.scan(input.bytes.slice(body), with: &scanner, maxDepth: limits.maxJSONDepth)
    }

    /// Reads and deletions may come without a body, unless the credential puts something into it.
    private func withoutBody(_ context: inout ExchangeState) -> Event {
        switch context.method {
        case .get, .head, .delete, .options:
            return route(&context).additions.alwaysInserts ? .requestRefused(.bodyMissing) : .bodyExamined
        case .post, .put, .patch:
            guard context.reader.head.framing == .none else { return .requestRefused(.bodyMissing) }
            context.closes = true
            return .requestRefused(.lengthRequired)
        }
    }

    /// Splices what the program adds into a copy of the body; the caller's bytes stay as they came.
    private mutating func makeDraft(_ context: inout ExchangeState) -> Event {
        let body = context.reader.body
        guard !body.isEmpty else { return .draftMade }
        let additions = route(&context).additions
        // The scanner is the worker's: where another body was looked at meanwhile, this one is looked at again.
        if scanned != context.inbound, let failure = scan(&context) {
            return .requestRefused(Refusal(failure.problem))
        }
        edits.removeAll()
        let problem =
            context.bodyIsOwn
            ? collectEdits(context.body, ByteRange(0, context.body.count), additions)
            : collectEdits(context.input, body, additions)
        if let problem { return .requestRefused(Refusal(problem)) }
        guard !edits.isEmpty else { return .draftMade }
        context.ownBody()
        edits.apply(to: &context.body)
        return .draftMade
    }

    private mutating func collectEdits(
        _ input: borrowing ByteBuffer, _ body: ByteRange, _ additions: BodyAdditions
    ) -> BodyAdditions.Problem? {
        additions.collect(scanner, of: input.bytes.slice(body), into: &edits)
    }

    // MARK: - The seal

    /// The seal that was left to the end of the stage, unless the exchange has lost its connection meanwhile.
    mutating func sealDue(_ context: inout ExchangeState) -> Event? {
        guard context.exchange.phase == .connected && context.upstream != nil else { return nil }
        return seal(&context)
    }

    /// Request line, Host and forwarded headers are written, then all is dated, digested and signed.
    private mutating func seal(_ context: inout ExchangeState) -> Event {
        let route = route(&context)
        let digest = context.digestOfBody()
        let draft = draft(sealBuffers.take(), context.method, context.reader, context.input, context.trail, route)
        let signer = route.signer
        if signer.repeatsSignedHeader(draft) {
            sealBuffers.give(draft.recycle())
            return .requestRefused(.signedHeaderRepeated)
        }
        let body = context.bodyToSend
        if !context.triesOtherSecret { context.secret = signer.current }
        let sealed = signer.seal(draft, digest: digest, bodyLength: body.count, date: date, by: context.secret)
        context.sealed =
            context.bodyIsOwn ? carrying(sealed, context.body, body) : carrying(sealed, context.input, body)
        context.written = 0
        return .requestSealed
    }

    private func carrying(
        _ sealed: consuming SealedRequest, _ buffer: borrowing ByteBuffer, _ body: ByteRange
    ) -> SealedRequest {
        sealed.carrying(buffer.bytes.slice(body))
    }

    private func draft(
        _ buffer: consuming ByteBuffer, _ method: Method, _ reader: borrowing RequestReader,
        _ input: borrowing ByteBuffer, _ trail: borrowing RequestTrail, _ route: ServedRoute
    ) -> Draft {
        let head = input.bytes
        let whole = reader.head.target
        let stripped = startsWith(route.stripPrefix, head, whole) ? route.stripPrefix.count : 0
        let target = ByteRange(Int(whole.start) + stripped, Int(whole.end))
        var draft = Draft(
            head: buffer, method: method, authority: route.authority, basePath: route.basePath,
            target: head.slice(target))
        draft.appendForwardedFields(of: reader.head, from: head, hasTrace: trail.hasTrace)
        draft.append(trail.trace)
        return draft
    }

    private func startsWith(_ prefix: [UInt8], _ head: Span<UInt8>, _ target: ByteRange) -> Bool {
        spanHasPrefix(head.slice(target), prefix.span)
    }

    // MARK: - Deadlines and the end

    /// Arms the last deadline that was set: those before it were over within this turn, and so may the one be under
    /// which something is due.
    mutating func armDeadline(_ context: inout ExchangeState) {
        guard context.deadlineIsNew, context.due == .nothing, let deadline = context.deadline else { return }
        context.deadlineIsNew = false
        let milliseconds: Int
        switch deadline {
        case .body: milliseconds = connectionLimits.bodyTimeoutMilliseconds
        case .callerWrite: milliseconds = connectionLimits.writeTimeoutMilliseconds
        case .store: milliseconds = shared.store?.limits.timeoutMilliseconds ?? 0
        case .pace: milliseconds = route(&context).paceMilliseconds
        case .equalRequest: milliseconds = route(&context).idempotency?.settings.waitMilliseconds ?? 0
        case .connect: milliseconds = route(&context).timeouts.connectMilliseconds
        case .write, .idle: milliseconds = route(&context).timeouts.idleMilliseconds
        case .firstByte: milliseconds = route(&context).timeouts.firstByteMilliseconds
        }
        timers.arm(TimerID(slot: context.inbound), at: min(now &+ UInt64(milliseconds), context.totalDeadline))
    }

    /// From here on only the caller is waited for: it has the total once more, and no longer, however it drips.
    private func boundDelivery(_ context: inout ExchangeState) {
        guard !context.deliveryIsBounded else { return }
        context.deliveryIsBounded = true
        let total =
            context.route?.timeouts.totalMilliseconds ?? connectionLimits.writeTimeoutMilliseconds
        context.totalDeadline = now &+ UInt64(total)
    }

    private mutating func finish(_ context: ExchangeContext, _ outcome: Outcome) {
        let end = Clock.monotonicNanoseconds()
        count(&context.state, outcome, at: end)
        log(&context.state, outcome, at: end)
        judge(context, outcome.cause)
        release(&context.state)
        context.state.deadlineIsNew = false
        let connection = inbound(context)
        let unread = context.state.reader.consumed < context.state.input.count || connection.readable
        if outcome.cause == .callerLeft || (outcome.cause != .completed && context.state.exchange.answerBegan) {
            return closeInbound(connection)
        }
        if context.state.closes || connection.ended {
            dropContext(connection)
            if unread || !connection.ended { return beginLinger(connection) }
            connection.transport.sayGoodbye()
            return closeInbound(connection)
        }
        connection.state = .idle
        if unread {
            context.state.resetForNext()
            queue(connection)
        } else {
            dropContext(connection)
        }
        arm(connection.slot, after: patience(connectionLimits.keepAliveMilliseconds))
    }
}
