// The answer of a claimed request: held back until the store has it, then given to the caller; and the same answer for
// those who ask again.
// Relies on KeptAnswer for its form. Refuses to hold more than the store keeps: then the key is marked as done, and the
// answer streams as any other.

internal import Exchange
internal import HTTP
internal import Policy
internal import Store

extension Worker {
    // MARK: - Holding

    /// The answer's head is taken down; its body is to follow.
    mutating func holdAnswer(_ context: inout ExchangeState) -> Event? {
        context.key.holdsAnswer = true
        notePace(&context)
        followAnswer(&context, isEncoded: context.answer.head.value(.contentEncoding) != nil)
        // What is left of an interim answer goes out before it.
        context.held.clear()
        Self.beginHeld(context.answer, context.received, in: &context.held)
        context.key.coding = Self.coding(context.answer, context.received)
        var length = 0
        if case .length(let known) = context.answer.head.framing { length = known }
        context.answer.takeHead(&context.received)
        return mayHold(&context, length) ? nil : outgrow(&context)
    }

    private static func beginHeld(
        _ answer: borrowing AnswerReader, _ received: borrowing ByteBuffer, in held: inout ByteBuffer
    ) {
        KeptAnswer.begin(answer.head, from: received.bytes, in: &held)
    }

    private static func coding(_ answer: borrowing AnswerReader, _ received: borrowing ByteBuffer) -> HeldCoding {
        guard let value = answer.head.value(.contentEncoding) else { return .none }
        return ContentCoding(received.bytes.slice(value)).map { .known($0) } ?? .unknown
    }

    /// Whether so many more bytes are kept, and may be held in memory until then.
    private func mayHold(_ context: inout ExchangeState, _ more: Int) -> Bool {
        guard let limits = shared.store?.limits else { return false }
        guard context.held.count + more <= limits.maxAnswer else { return false }
        guard context.held.capacity < context.held.count + more else { return true }
        return account(for: &context, context.held.count + more)
    }

    private func outgrow(_ context: inout ExchangeState) -> Event {
        context.key.isOutgrown = true
        return .answerOutgrown
    }

    /// Payload of a held answer.
    mutating func hold(_ count: Int, _ context: ExchangeContext) {
        guard mayHold(&context.state, count) else { return drive(context, outgrow(&context.state)) }
        followPayload(count, &context.state)
        context.state.holdPayload(count)
    }

    // MARK: - Recording

    /// Gives the store what is known of the answer.
    mutating func recordAnswer(_ context: inout ExchangeState) {
        context.key.holdsAnswer = false
        if !context.key.isOutgrown { context.trail.recordedAt = turn }
        let status = context.answer.head.status
        let end: ClaimEnd
        switch finality(&context, status) {
        case .unknown: end = .unknown
        case .free: end = .free
        case .final:
            if context.key.isOutgrown {
                end = .done(status: status)
            } else {
                guard let vault = context.key.vault, let name = context.key.names.first else {
                    preconditionFailure("a held answer belongs to a claimed key")
                }
                end = .answered(vault.seal(context.held, status: status, name))
            }
        }
        settle(&context, end, wantsReply: true)
    }

    private mutating func finality(_ context: inout ExchangeState, _ status: Int) -> IdempotencyRules.Finality {
        guard let idempotency = route(&context).idempotency else {
            preconditionFailure("a held answer belongs to a route with keys")
        }
        let finality = IdempotencyRules.finality(status: status, idempotency.settings.onError)
        guard finality == .final, !idempotency.code.pointers.isEmpty else { return finality }
        // Of an answer that is too large, or that cannot be read, the code is not known.
        if context.key.isOutgrown || context.key.coding == .unknown { return .final }
        return hasFinalCode(&context, idempotency) ? .final : .unknown
    }

    /// Whether the code in the answer's body says that this is its last word.
    private mutating func hasFinalCode(_ context: inout ExchangeState, _ idempotency: ServedIdempotency) -> Bool {
        // The scanner's findings are about no request from here on.
        scanned = nil
        guard let kept = keptForm(context.held) else { return true }
        guard case .known(let coding) = context.key.coding else {
            return scanCode(context.held, from: kept.bodyStart, idempotency, &context.trail.productCode)
        }
        var plain = ByteBuffer(capacity: 4_096)
        guard inflate(context.held, from: kept.bodyStart, coding, into: &plain) == nil else { return true }
        return scanCode(plain, from: 0, idempotency, &context.trail.productCode)
    }

    private func keptForm(_ held: borrowing ByteBuffer) -> KeptAnswer? { KeptAnswer(held.bytes) }

    private func inflate(
        _ held: borrowing ByteBuffer, from start: Int, _ coding: ContentCoding, into plain: inout ByteBuffer
    ) -> InflateFailure? {
        Inflater.inflate(held.bytes.extracting(start..<held.count), coding, into: &plain, limit: 16 << 20)
    }

    private mutating func scanCode(
        _ body: borrowing ByteBuffer, from start: Int, _ idempotency: ServedIdempotency, _ number: inout Int?
    ) -> Bool {
        let json = body.bytes.extracting(start..<body.count)
        guard scanner.scan(json, query: idempotency.code, maxDepth: limits.maxJSONDepth) == nil else { return true }
        let found = scanner.found(0)
        guard found.state == .present else { return true }
        let isQuoted = found.kind == .string
        let text = json.slice(found.value)
        // Codes are short; what is longer is none of those that the route names.
        guard text.count <= 66 else { return true }
        var code: [UInt8] = []
        for index in (isQuoted ? 1 : 0)..<text.count - (isQuoted ? 1 : 0) { code.append(text[index]) }
        let isNumber = (1...6).contains(code.count) && code.allSatisfy { (0x30...0x39).contains($0) }
        if isNumber { number = code.reduce(0) { $0 * 10 + Int($1 - 0x30) } }
        return !idempotency.settings.isOpen(String(decoding: code, as: UTF8.self))
    }

    /// The store has it, or is waited for no longer: the caller may have it too.
    mutating func recorded(_ context: ExchangeContext, _ event: Event = .answerRecorded) {
        context.state.key = KeyHold()
        drive(context, event)
        // Where the answer streams after all, the rest of it was not read meanwhile.
        if let upstream = context.state.upstream { relay(upstream, context) }
    }

    // MARK: - Giving

    /// Writes the answer that was held back, or kept from before, for this caller.
    mutating func deliverKept(_ context: ExchangeContext, isReplay: Bool) -> Event? {
        if draining { context.state.closes = true }
        context.state.key = KeyHold()
        if isReplay { followKept(&context.state) }
        let kept = writeKept(&context.state, isReplay)
        context.state.trail.status = kept.status
        context.state.trail.answerBytes = context.state.held.count - kept.bodyStart
        context.state.held.wipe()
        return flushAnswer(context)
    }

    private mutating func writeKept(_ context: inout ExchangeState, _ isReplay: Bool) -> KeptAnswer {
        outputBuffers.lend(to: &context.output)
        return Self.writeKept(
            context.held, context.fields, context.method, isReplay: isReplay, closes: context.closes,
            to: &context.output)
    }

    private static func writeKept(
        _ held: borrowing ByteBuffer, _ fields: borrowing ByteBuffer, _ method: Method, isReplay: Bool, closes: Bool,
        to output: inout ByteBuffer
    ) -> KeptAnswer {
        guard let kept = KeptAnswer(held.bytes) else { preconditionFailure("what is given was taken down here") }
        kept.write(
            of: held.bytes, own: fields.bytes, to: method, isReplay: isReplay, closes: closes, to: &output)
        return kept
    }

    /// What was held of an answer that streams after all: its head with its framing, and the body so far.
    mutating func relayHeld(_ context: inout ExchangeState) {
        context.key = KeyHold()
        if !context.exchange.callerIsGone {
            outputBuffers.lend(to: &context.output)
            context.chunksOut = Self.writeOutgrown(
                context.held, context.answer, context.fields, closes: context.closes, to: &context.output)
        }
        context.held.wipe()
    }

    private static func writeOutgrown(
        _ held: borrowing ByteBuffer, _ answer: borrowing AnswerReader, _ fields: borrowing ByteBuffer, closes: Bool,
        to output: inout ByteBuffer
    ) -> Bool {
        guard let kept = KeptAnswer(held.bytes) else { preconditionFailure("what is given was taken down here") }
        kept.writeHead(of: held.bytes, own: fields.bytes, to: &output)
        let inChunks = writeFraming(of: answer, closes: closes, to: &output)
        let body = held.bytes.extracting(kept.bodyStart..<held.count)
        guard !body.isEmpty else { return inChunks }
        if inChunks { output.appendChunkSize(body.count) }
        output.append(body)
        if inChunks { output.append("\r\n") }
        return inChunks
    }
}
