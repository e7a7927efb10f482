// The way back: the upstream's answer is read, written afresh and handed to the caller, no faster than the caller takes
// it. What is held for a slow caller is bounded by the two buffers of the exchange.

internal import Exchange
internal import HTTP
internal import Net
internal import Policy

extension Worker {
    /// Output that is gathered before it is written in any case.
    private static let gatherBytes = 32 * 1024

    enum FlushResult { case done, stalled, broken }

    /// Reads of one answer in one turn: a fast answer to a fast caller does not keep the others waiting.
    private static let readsPerTurn = 16

    /// Goes on with the answer until more bytes are needed, the caller stalls, or the connection is given up.
    mutating func relay(_ connection: UpstreamConnection, _ context: ExchangeContext) {
        // Until the request is sealed there is nothing to be answered.
        guard context.state.exchange.phase > .connected else { return }
        var reads = 0
        while connection.context === context && connection.state == .lent && !context.state.stalled
            && !context.state.key.awaitsRecord
        {
            switch context.state.nextStep(limits, connection.end) {
            case .needMore:
                guard reads < Worker.readsPerTurn else { return relayLater(connection) }
                reads += 1
                if receiveAnswer(connection, context) { continue }
                return waitForAnswer(context)
            case .interim: continue
            case .head:
                countAnswer(connection, &context.state)
                noteClock(&context.state)
                drive(context, judgeSignature(&context.state))
            case .payload(let count):
                noteDenial(count, &context.state)
                deliver(count, context)
            case .complete(let reusable):
                // Wiped while the caches have it.
                answerBuffers.takeBack(&context.state.received)
                if context.state.chunksOut { context.state.output.append("0\r\n\r\n") }
                tellOfDenial(&context.state)
                return drive(context, .answerCompleted(reusable: reusable))
            case .refused(let refusal):
                withdrawAnswer(&context.state)
                return drive(context, .answerRefused(refusal))
            case .ended(let begun):
                withdrawAnswer(&context.state)
                let nothing = !begun && nothingWasTaken(connection, context)
                if !begun { learn(from: connection) }
                return drive(context, .upstreamLost(UpstreamLoss(nothingTaken: nothing)))
            }
        }
    }

    /// What an answer's head says of the secret that its request was sealed with.
    private mutating func judgeSignature(_ context: inout ExchangeState) -> Event {
        let signer = route(&context).signer
        guard context.answer.head.status == 401 else {
            if context.triesOtherSecret && signer.accepted(context.secret) { tellOfSecret(&context) }
            return .answerHeadArrived
        }
        route(&context).upstream.counters.refusedSignature()
        if context.triesOtherSecret {
            signer.bothWereRefused(at: now)
        } else if signer.hasOther(at: now) && context.exchange.mayTryOtherSecret {
            context.triesOtherSecret = true
            context.secret = 1 - context.secret
            return .signatureRefused
        }
        return .answerHeadArrived
    }

    private func tellOfSecret(_ context: inout ExchangeState) {
        let name = route(&context).credentialName
        route(&context).upstream.counters.changedSecret()
        _ = shared.notices.post(.secretChanged(credential: name, toNext: context.secret == 1))
    }

    /// A broken answer of which the caller has no byte is replaced by one of our own, which says what is known.
    private mutating func withdrawAnswer(_ context: inout ExchangeState) {
        guard context.exchange.phase == .answered, !context.answerIsOnWire, !context.exchange.callerIsGone else {
            return
        }
        context.exchange.withdrawAnswer()
        context.output.clear()
        context.pendingPayload = 0
    }

    /// What lies there is read when all others had their turns.
    mutating func relayLater(_ connection: UpstreamConnection) {
        guard !connection.queued else { return }
        connection.queued = true
        answersToGoOn.append(connection)
    }

    mutating func relayQueued(_ connection: UpstreamConnection) {
        connection.queued = false
        if let context = connection.context { relay(connection, context) }
    }

    /// One read. True where something came, if only the end.
    mutating func receiveAnswer(_ connection: UpstreamConnection, _ context: ExchangeContext) -> Bool {
        guard connection.readable else { return false }
        answerBuffers.lend(to: &context.state.received)
        context.state.received.compact()
        // The buffer has room for the longest head, unless a reload has allowed longer ones since it was made.
        if context.state.received.room == 0 { context.state.received.reserve(limits.maxHead + 1_024) }
        precondition(context.state.received.room > 0, "what is decoded is used before more is read")
        switch connection.read(into: &context.state.received) {
        case .bytes:
            if context.state.exchange.phase == .answered && context.state.deadline == .idle {
                touchIdle(&context.state)
            }
        case .wouldBlock:
            connection.readable = false
            if context.state.received.count == 0 { answerBuffers.takeBack(&context.state.received) }
            return false
        case .end: connection.end = .orderly
        case .truncated, .failed, .tlsFailed: connection.end = .broken
        }
        return true
    }

    private mutating func touchIdle(_ context: inout ExchangeState) {
        let route = route(&context)
        let at = min(now &+ UInt64(route.timeouts.idleMilliseconds), context.totalDeadline)
        timers.arm(TimerID(slot: context.inbound), at: at)
    }

    /// Nothing more for now: what was gathered goes out.
    private mutating func waitForAnswer(_ context: ExchangeContext) {
        guard context.state.output.count > 0 else { return }
        flushed(flush(context), context)
    }

    private mutating func deliver(_ count: Int, _ context: ExchangeContext) {
        context.state.trail.answerBytes += count
        if context.state.key.holdsAnswer {
            hold(count, context)
        } else if context.state.exchange.callerIsGone {
            context.state.dropPayload(count)
        } else if context.state.chunksOut {
            followPayload(count, &context.state)
            context.state.gatherChunk(count)
            if context.state.output.count >= Worker.gatherBytes { flushed(flush(context), context) }
        } else {
            followPayload(count, &context.state)
            // A short answer goes out as one run of bytes; of a long one the payload is written from where it lies.
            if count <= context.state.output.room && context.state.output.count > 0 {
                // Written with what follows, or once nothing does.
                context.state.gatherPayload(count)
            } else {
                context.state.pendingPayload = count
                flushed(flush(context), context)
            }
        }
    }

    private mutating func flushed(_ result: FlushResult, _ context: ExchangeContext) {
        switch result {
        case .done: break
        case .stalled: drive(context, .callerStalled)
        case .broken: callerGone(inbound(context))
        }
    }

    /// Writes what is held for the caller, the payload from where it lies.
    mutating func flush(_ context: ExchangeContext) -> FlushResult {
        if context.state.output.count + context.state.pendingPayload == 0 { return .done }
        let connection = inbound(context)
        let result = flush(&context.state, to: connection.transport)
        return result == .stalled && !watchWriting(connection) ? .broken : result
    }

    /// The caller took less than it was offered, for the first time: its poller's entry is changed, once for its life.
    private mutating func watchWriting(_ connection: InboundConnection) -> Bool {
        guard !connection.watchesWriting else { return true }
        connection.watchesWriting = true
        return (try? poller.watchWriting(connection.transport, slots.token(connection.slot))) != nil
    }

    private mutating func flush(
        _ context: inout ExchangeState, to transport: borrowing InboundTransport
    ) -> FlushResult {
        let before = context.output.count + context.pendingPayload
        let result = write(
            &context.output, payload: &context.pendingPayload, of: &context.received, &context.answer, to: transport)
        let rest = context.output.count + context.pendingPayload
        if rest < before { context.answerIsOnWire = true }
        if result != .broken { metrics.worker.add(.responseBytes, UInt64(before - rest)) }
        if result == .stalled {
            context.stalled = true
            // What TLS could not hand to the kernel it keeps as it is, encrypted: the same bytes must follow.
            if transport.isTLS { context.answerIsOnWire = true }
        }
        return result
    }

    /// The buffers are borrowed once for the whole: each reach into a context is checked for exclusivity at run time.
    private mutating func write(
        _ output: inout ByteBuffer, payload: inout Int, of received: inout ByteBuffer, _ answer: inout AnswerReader,
        to transport: borrowing InboundTransport
    ) -> FlushResult {
        while output.count + payload > 0 {
            switch transport.write(output.bytes, received.bytes.extracting(first: payload)) {
            case .bytes(let count):
                let ofOutput = min(count, output.count)
                output.consume(ofOutput)
                if count > ofOutput {
                    payload -= count - ofOutput
                    answer.consume(count - ofOutput, &received)
                }
            case .wouldBlock: return .stalled
            case .end, .truncated, .failed, .tlsFailed:
                answer.consume(payload, &received)
                payload = 0
                output.clear()
                return .broken
            }
        }
        return .done
    }

    mutating func callerTakesAgain(_ connection: InboundConnection, _ context: ExchangeContext) {
        context.state.stalled = false
        switch flush(context) {
        case .stalled: return drive(context, .callerStalled)
        case .broken: return callerGone(connection)
        case .done: break
        }
        if context.state.exchange.phase == .settled { return drive(context, .answerDelivered) }
        drive(context, .callerResumed)
        if let upstream = context.state.upstream { relay(upstream, context) }
    }

    /// The answer's head, written afresh: only fields that the parser accepted, one framing, ours.
    mutating func relayHead(_ context: inout ExchangeState) {
        // The connection ends only where its answer says so: nobody risks a request on it.
        if draining { context.closes = true }
        // What is left of an interim answer goes out with it, and cannot be taken back.
        context.answerIsOnWire = context.output.count > 0
        if !context.exchange.callerIsGone { context.trail.status = context.answer.head.status }
        guard context.held.count == 0 else { return relayHeld(&context) }
        notePace(&context)
        followAnswer(&context, isEncoded: context.answer.head.value(.contentEncoding) != nil)
        if !context.exchange.callerIsGone {
            outputBuffers.lend(to: &context.output)
            context.chunksOut = writeHead(
                of: context.answer, context.received, context.fields, closes: context.closes, to: &context.output)
        }
        context.answer.takeHead(&context.received)
    }

    /// True where the payload goes out in chunks. The buffers are borrowed once, as in `write`.
    private mutating func writeHead(
        of answer: borrowing AnswerReader, _ received: borrowing ByteBuffer, _ fields: borrowing ByteBuffer,
        closes: Bool, to output: inout ByteBuffer
    ) -> Bool {
        output.append("HTTP/1.1 ")
        output.appendDecimal(answer.head.status)
        output.append(" ")
        output.append(received.bytes.slice(answer.head.reason))
        output.append("\r\n")
        output.appendForwardedFields(of: answer.head, from: received.bytes)
        output.append(fields.bytes)
        return Self.writeFraming(of: answer, closes: closes, to: &output)
    }

    /// The end of an answer's head: one framing, ours. True where the payload goes out in chunks.
    static func writeFraming(of answer: borrowing AnswerReader, closes: Bool, to output: inout ByteBuffer) -> Bool {
        var inChunks = false
        switch answer.head.framing {
        case .none:
            // For HEAD and 304 it says how long the content would be (RFC 9110 section 8.6); a 204 has none.
            if let length = answer.head.contentLength, answer.head.status != 204 { appendLength(length, to: &output) }
        case .length(let length):
            appendLength(length, to: &output)
        case .chunked, .untilClose:
            inChunks = true
            output.append("Transfer-Encoding: chunked\r\n")
        }
        output.append(closes ? "Connection: close\r\n\r\n" : "\r\n")
        return inChunks
    }

    private static func appendLength(_ length: Int, to output: inout ByteBuffer) {
        output.append("Content-Length: ")
        output.appendDecimal(length)
        output.append("\r\n")
    }

    /// An answer of the gateway's own. The connection lives on only where the request was read to its end.
    mutating func respond(_ context: ExchangeContext, _ refusal: Refusal) -> Event? {
        if !context.state.closes && !context.state.bodyIsWhole {
            context.state.closes = context.state.readBody(limits) != .complete
        }
        context.state.wipeLeftovers()
        if draining { context.state.closes = true }
        let product = context.state.route?.settings.product ?? generation.plan.fallbackProduct
        beginTrail(&context.state)
        let id = requestIDs.id(context.state.trail.number).text
        write(refusal, &context.state, product, id)
        return flushAnswer(context)
    }

    private mutating func write(_ refusal: Refusal, _ context: inout ExchangeState, _ product: Product, _ id: [UInt8]) {
        outputBuffers.lend(to: &context.output)
        let bytes = Self.write(
            refusal, context.fields, product, id, close: context.closes, body: context.method != .head,
            to: &context.output)
        context.trail.answered(refusal, bytes: bytes)
    }

    private static func write(
        _ refusal: Refusal, _ fields: borrowing ByteBuffer, _ product: Product, _ id: [UInt8], close: Bool,
        body: Bool, to output: inout ByteBuffer
    ) -> Int {
        refusal.write(
            to: &output, product: product, requestID: id.span, fields: fields.bytes, close: close, body: body)
    }

    /// The last of the answer goes to the kernel.
    mutating func flushAnswer(_ context: ExchangeContext) -> Event? {
        switch flush(context) {
        case .done:
            outputBuffers.takeBack(&context.state.output)
            return .answerDelivered
        case .stalled: return .callerStalled
        case .broken: return .callerLeft
        }
    }
}
