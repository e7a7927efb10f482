// The upstream's pace: a request asks for its turn, waits for it where it must, and leaves its place when it has ended.
// Relies on the shared pacer for every decision, and on this worker's timers to wake it in time.

internal import Exchange
internal import HTTP
internal import Net
internal import Policy
internal import Signing

extension Worker {
    /// Asks for the request's turn.
    mutating func askPace(_ context: inout ExchangeState) -> Event? {
        guard let pacer = route(&context).pacer, let caller = context.caller?.id else {
            preconditionFailure("who asks for a turn has a pace and is known")
        }
        turns += 1
        let ticket = PaceTicket(worker: index, number: turns)
        let now = Clock.monotonicNanoseconds()
        let left = context.totalDeadline > self.now ? context.totalDeadline - self.now : 0
        let (answer, wake) = pacer.ask(ticket, caller: caller, now: now, deadline: now + left * 1_000_000)
        arm(pacer, wake, now)
        switch answer {
        case .go:
            context.turn = ticket
            return .paceGranted
        case .wait:
            context.turn = ticket
            waitingTurns[ticket.number] = context.inbound
            return nil
        case .refuse(let nanoseconds): return .requestRefused(Self.paceRefusal(nanoseconds))
        }
    }

    private static func paceRefusal(_ nanoseconds: UInt64) -> Refusal {
        var refusal = Refusal.paceExceeded
        refusal.retryAfter = FieldSeconds.retryAfter(nanoseconds)
        return refusal
    }

    /// The request needs its turn no more; one that was refused has none.
    mutating func leavePace(_ context: inout ExchangeState, _ wasSent: Bool) {
        guard let ticket = context.turn, let pacer = route(&context).pacer else { return }
        context.turn = nil
        waitingTurns[ticket.number] = nil
        let now = Clock.monotonicNanoseconds()
        let wake = wasSent ? pacer.finished(ticket, now: now) : pacer.cancel(ticket, now: now)
        arm(pacer, wake, now)
    }

    /// The wait of one of our requests is over. One that is gone has given its turn back itself.
    mutating func paceNoticed(_ notice: PaceNotice) {
        guard let slot = waitingTurns.removeValue(forKey: notice.ticket.number), slot < slots.count,
            case .inbound(let connection) = slots[slot], let context = connection.context,
            context.state.turn == notice.ticket
        else { return }
        switch notice.answer {
        case .go: drive(context, .paceGranted)
        case .refuse(let nanoseconds):
            context.state.turn = nil
            drive(context, .requestRefused(Self.paceRefusal(nanoseconds)))
        case .wait: preconditionFailure("a notice ends a wait")
        }
    }

    // MARK: - Waking the pacer

    /// Somebody has to call the pacer then: each worker that is told so does.
    private mutating func arm(_ pacer: SharedPacer, _ wake: UInt64?, _ now: UInt64) {
        guard let wake else { return }
        let id = ObjectIdentifier(pacer)
        let slot = pacerSlots[id] ?? addSlot(for: pacer, id)
        let milliseconds = wake > now ? (wake - now + 999_999) / 1_000_000 : 0
        timers.arm(TimerID(slot: slot), at: self.now &+ max(1, milliseconds))
    }

    private mutating func addSlot(for pacer: SharedPacer, _ id: ObjectIdentifier) -> UInt32 {
        let token = slots.take()
        slots.set(token.slot, .pacer(pacer))
        pacerSlots[id] = token.slot
        return token.slot
    }

    /// A reload has changed paces: who waits here may go sooner than was thought.
    mutating func wakePacers() {
        for slot in Array(pacerSlots.values) {
            if case .pacer(let pacer) = slots[slot] { pacerLate(pacer) }
        }
    }

    mutating func pacerLate(_ pacer: SharedPacer) {
        let now = Clock.monotonicNanoseconds()
        arm(pacer, pacer.tick(now: now), now)
    }

    // MARK: - What the upstream asks for

    /// An answer of 429, or of 503 with a time, asks for less. Its head is still where it was read.
    mutating func notePace(_ context: inout ExchangeState) {
        let status = context.answer.head.status
        guard status == 429 || status == 503, let pacer = route(&context).pacer else { return }
        let seconds = Self.retryAfter(context.answer, context.received, unixSeconds: date.unixSeconds)
        guard status == 429 || seconds != nil else { return }
        let now = Clock.monotonicNanoseconds()
        arm(pacer, pacer.upstreamAsked(wait: UInt64(seconds ?? 0) * 1_000_000_000, now: now), now)
    }

    private static func retryAfter(
        _ answer: borrowing AnswerReader, _ received: borrowing ByteBuffer, unixSeconds: Int64
    ) -> Int? {
        guard let value = answer.head.value(.retryAfter) else { return nil }
        return RetryAfter.seconds(received.bytes.slice(value), unixSeconds: unixSeconds) { text in
            HTTPDate.parse(text)
        }
    }
}
