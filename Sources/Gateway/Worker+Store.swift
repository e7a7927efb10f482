// The idempotency key of a request: found, asked for, given back or settled.
// Relies on the exchange for when, on KeyVault for names and encryption, on the store's thread for the verdict. Refuses
// to keep a key that is granted to a request which no longer wants it: each claim is settled once.

internal import Config
internal import Exchange
internal import HTTP
internal import Policy
internal import Store

/// What an exchange has of the store, beside what its machine knows.
struct KeyHold {
    /// Names the question to the store; 0 where none is open.
    var serial: UInt64 = 0
    /// Under which names the key was asked for, the current one first; empty where none was.
    var names: [ClaimName] = []
    /// The keys that made the names, which seal and open the answer.
    var vault: KeyVault?
    /// The answer goes into `held`, not to the caller.
    var holdsAnswer = false
    /// The answer does not fit: what is recorded is that there was one.
    var isOutgrown = false
    /// The store has yet to say that it has the answer; until then the upstream is read no further.
    var awaitsRecord = false
    /// Coding of the held answer's body.
    var coding = HeldCoding.none
    /// The store was asked, and has not said its last word.
    var isUsed: Bool { !names.isEmpty }
}

/// How a held answer's body is coded.
enum HeldCoding: Equatable {
    case none
    case known(ContentCoding)
    case unknown
}

extension Worker {
    // MARK: - Asking

    /// Finds the key and asks for it.
    mutating func claimKey(_ context: inout ExchangeState) -> Event? {
        let route = route(&context)
        useNextKeys()
        guard let idempotency = route.idempotency, shared.store != nil, let vault else {
            preconditionFailure("the configuration gives a route with keys a store")
        }
        let finding = findKey(context, idempotency, vault)
        defer { vault.forgetKey() }
        switch finding {
        case .absent: return idempotency.settings.required ? .requestRefused(.keyMissing) : .keyNotNeeded
        case .malformed: return .requestRefused(.keyMalformed)
        case .found: break
        }
        claims += 1
        context.key.serial = claims
        context.key.vault = vault
        context.key.names = names(context, route, idempotency, vault)
        context.trail.keyID = context.key.names.first?.key.value.prefix
        if generation.plan.settings.log.correlation == .plain { context.trail.key = vault.safeKey() }
        let claim = Claim(
            ticket: ticket(context), names: context.key.names, route: route.settings.name,
            onUnknown: idempotency.settings.onUnknown,
            repeatAfterMilliseconds: idempotency.settings.repeatAfterMilliseconds)
        questions.append(.claim(claim))
        return nil
    }

    /// Hands in what was asked and settled in this turn: the store's thread is woken once.
    mutating func handInQuestions() {
        guard !questions.isEmpty, let keeper = shared.store else { return }
        let batch = questions
        questions.removeAll(keepingCapacity: true)
        if keeper.ask(batch) { return }
        keeper.settle(batch.filter { if case .settle = $0 { true } else { false } })
        for case .claim(let claim) in batch {
            guard let context = asker(claim.ticket), context.state.exchange.phase == .collected else { continue }
            context.state.key = KeyHold()
            drive(context, storeFailed(&context.state, .overloaded))
        }
    }

    private func ticket(_ context: borrowing ExchangeState) -> Ticket {
        Ticket(worker: UInt16(index), slot: context.inbound, serial: context.key.serial)
    }

    /// The first of the route's places that the request has; the key is left in the vault.
    private func findKey(
        _ context: borrowing ExchangeState, _ idempotency: ServedIdempotency, _ vault: KeyVault
    ) -> HeaderKey.Finding {
        for place in idempotency.places {
            let finding: HeaderKey.Finding
            switch place {
            case .header(let name): finding = vault.takeKey(called: name, in: context.reader.head, context.input)
            case .field(let index):
                guard !context.reader.body.isEmpty else { continue }
                let found = scanner.found(index)
                guard found.state == .present else { continue }
                finding =
                    context.bodyIsOwn
                    ? vault.takeKey(context.body, found.value)
                    : vault.takeKey(context.input, context.reader.body, found.value)
            }
            if finding != .absent { return finding }
        }
        return .absent
    }

    private func names(
        _ context: borrowing ExchangeState, _ route: ServedRoute, _ idempotency: ServedIdempotency, _ vault: KeyVault
    ) -> [ClaimName] {
        if context.bodyIsOwn {
            vault.canonicalise(context.body, ByteRange(0, context.body.count), idempotency)
        } else {
            vault.canonicalise(context.input, context.reader.body, idempotency)
        }
        return vault.names(route, context.method, context.input, context.reader.head.target)
    }

    /// What a store that cannot be asked means for this request.
    private func storeFailed(_ context: inout ExchangeState, _ failure: StoreFailure) -> Event {
        switch route(&context).idempotency?.settings.onStoreFailure {
        case .forward: .keyNotNeeded
        case .refuse, nil: .requestRefused(.storeFailed(failure))
        }
    }

    /// The store was not heard of in time. What it says later is not listened to, and a key that it grants is free.
    mutating func storeIsLate(_ context: ExchangeContext) {
        guard context.state.exchange.phase == .collected else { return recorded(context, .deadlinePassed(.store)) }
        let event = storeFailed(&context.state, .timeout)
        if case .keyNotNeeded = event { withdrawClaim(&context.state) }
        drive(context, event)
    }

    // MARK: - Giving back

    mutating func withdrawClaim(_ context: inout ExchangeState) {
        if context.key.isUsed { settle(&context, .free, wantsReply: false) }
    }

    mutating func giveUpClaim(_ context: inout ExchangeState, _ loss: ClaimLoss) {
        let end: ClaimEnd
        switch loss {
        case .nothingSent: end = .free
        case .noAnswer: end = .unknown
        case .unusableAnswer:
            end = route(&context).idempotency?.settings.onError == .free ? .free : .unknown
        }
        settle(&context, end, wantsReply: false)
    }

    /// Says what became of the key; afterwards only the reply to this is of interest, if any is.
    mutating func settle(_ context: inout ExchangeState, _ end: ClaimEnd, wantsReply: Bool) {
        guard let name = context.key.names.first else {
            preconditionFailure("a key is settled that was asked for")
        }
        let settlement = Settlement(ticket: ticket(context), key: name.key, end: end, wantsReply: wantsReply)
        questions.append(.settle(settlement))
        if !wantsReply { context.key = KeyHold() }
    }

    // MARK: - Verdicts

    mutating func storeReplied(_ reply: StoreReply) {
        switch reply {
        case .claim(let ticket, let verdict):
            guard let context = asker(ticket), context.state.exchange.phase == .collected else { return }
            drive(context, event(verdict, &context.state))
        case .settled(let ticket):
            guard let context = asker(ticket), context.state.key.awaitsRecord else { return }
            recorded(context)
        }
    }

    /// Who asked, if that request still wants to know.
    private func asker(_ ticket: Ticket) -> ExchangeContext? {
        guard ticket.slot < slots.count, case .inbound(let connection) = slots[ticket.slot],
            let context = connection.context, context.state.key.serial == ticket.serial
        else { return nil }
        return context
    }

    private mutating func event(_ verdict: ClaimVerdict, _ context: inout ExchangeState) -> Event {
        let lost = route(&context).settings.lostAnswer
        switch verdict {
        case .claimed: return .keyClaimed
        case .waiting: return .keyInFlight
        case .replay(let answer): return remember(answer, &context)
        case .done, .reused, .busy, .unknown, .failed: break
        }
        // The question is answered: there is nothing to withdraw.
        context.key = KeyHold()
        switch verdict {
        case .done: return .requestRefused(.keyDone.aboutEarlier(.assumeSuccess))
        case .reused: return .requestRefused(.keyReused)
        case .busy: return .requestRefused(.keyBusy.aboutEarlier(lost))
        case .unknown(nil): return .requestRefused(.keyUnknown.aboutEarlier(lost))
        case .unknown(let milliseconds?):
            return .requestRefused(.keyUnknown(againAfterMilliseconds: milliseconds).aboutEarlier(lost))
        case .failed(let failure): return storeFailed(&context, failure)
        case .claimed, .waiting, .replay: preconditionFailure("these were dealt with above")
        }
    }

    /// Takes the stored answer into `held`, to be given to the caller.
    private func remember(_ answer: StoredAnswer, _ context: inout ExchangeState) -> Event {
        guard let vault = context.key.vault else { preconditionFailure("who asked the store has its keys") }
        let names = context.key.names
        context.key = KeyHold()
        if vault.open(answer, names, into: &context.held) { return .answerRemembered }
        // Its key is not among the store's any more, or the record was damaged. That it was carried out is known.
        context.held.wipe()
        return .requestRefused(.keyDone.aboutEarlier(.assumeSuccess))
    }
}
