// What one simulated request was told and told to do: the referee. It knows the promises of the design (never twice,
// one outcome, one answer, a fresh seal for each sending, no connection kept or lost) and complains of a broken one.
// Relies on facts being noted before the commands that follow them are judged. Knows nothing of the machine's phases.

import Exchange
import Policy

struct Ledger {
    enum Hold { case none, asked, lent }
    enum Answer: Equatable {
        case none, arrived
        case whole(reusable: Bool)
    }
    /// The commands that come once, in this order.
    private enum Step: Int { case nothing, admit, sayContinue, collect, examine, claim, pace, draft }
    /// What the request has of a turn at the upstream's pace.
    enum Turn { case none, asked, held }
    /// What the request has of an idempotency key.
    enum Key { case none, asked, waiting, held, recording, marking, recorded, remembered }

    private var step = Step.nothing
    private var expectsContinue = false
    private var bodyIsWhole = false
    private var isExamined = false
    private var isDrafted = false
    private var isSealed = false
    private var wantsFresh = false
    private var seals = 0
    private var flushed = false
    private var broke = false
    private var delivered = false
    private(set) var lostAnswer = LostAnswer.unknown
    private var needsKey = false
    private var mayDraft = false
    private var needsTurn = false
    private var refusedByStore: Sent?
    private var causes: Set<Cause> = []
    /// A sending that no proof has undone.
    private var mayBeSent = false

    private(set) var key = Key.none
    private(set) var turn = Turn.none
    private(set) var attempts = 0
    private(set) var hold = Hold.none
    private(set) var answer = Answer.none
    private(set) var isSending = false
    private(set) var isWritten = false
    private(set) var responded = false
    private(set) var relayed = false
    /// An answer that the store has was given.
    private(set) var kept = false
    private(set) var callerGone = false
    private(set) var stalled = false
    private(set) var deadline: Deadline?
    private(set) var outcome: Outcome?
    /// The truth, which the machine is not told: the upstream has read a byte of the request.
    var taken = false

    var isCollecting: Bool { step == .collect && !bodyIsWhole && !responded }
    /// The last of an answer is on its way to the caller.
    var isDelivering: Bool { (responded || flushed || kept) && !delivered }
    /// The answer waits for the store.
    var isRecording: Bool { key == .recording || key == .marking }

    // MARK: - Facts

    /// Takes down a fact; a complaint where the world itself broke a promise.
    mutating func note(_ event: Event) -> String? {
        switch event {
        case .headArrived: break
        case .routeFound(let route):
            expectsContinue = route.expectsContinue
            lostAnswer = route.lostAnswer
            needsKey = route.isIdempotent
            mayDraft = !route.isIdempotent
            needsTurn = route.isPaced
        case .bodyArrived: bodyIsWhole = true
        case .bodyExamined: isExamined = true
        case .keyClaimed, .keyNotNeeded, .keyInFlight, .answerRemembered, .answerOutgrown, .answerRecorded:
            return noteKey(event)
        case .paceGranted:
            if turn != .asked { return "a turn for who did not ask" }
            turn = .held
        case .draftMade: isDrafted = true
        case .requestSealed: isSealed = true
        case .requestWritten: isWritten = true
        case .connectionLent(let reused):
            hold = .lent
            if reused && wantsFresh { return "a used connection is lent to who asked for a fresh one" }
        case .answerHeadArrived: answer = .arrived
        case .signatureRefused:
            // The upstream looked at nothing else.
            (taken, mayBeSent, answer) = (false, false, .none)
        case .answerCompleted(let reusable): answer = .whole(reusable: reusable)
        case .callerStalled: stalled = true
        case .callerResumed: stalled = false
        case .answerDelivered:
            delivered = true
            if relayed || kept && key != .remembered { causes.insert(.completed) }
        case .requestRefused, .connectionFailed, .answerRefused, .upstreamLost, .callerLeft, .deadlinePassed, .stopped:
            noteEnd(event)
        }
        return nil
    }

    private mutating func noteEnd(_ event: Event) {
        switch event {
        case .requestRefused(let refusal):
            causes.insert(.refused)
            if key == .asked || key == .waiting { refusedByStore = refusal.sent }
        case .connectionFailed:
            hold = .none
            causes.insert(.upstreamUnreachable)
        case .answerRefused: causes.insert(.upstreamUnusable)
        case .upstreamLost(let loss):
            causes.insert(.upstreamLost)
            if loss.nothingTaken { mayBeSent = false }
        case .callerLeft:
            causes.insert(.callerLeft)
            callerGone = true
        case .deadlinePassed(let deadline): notePassed(deadline)
        case .stopped: causes.insert(.stopped)
        case .headArrived, .routeFound, .bodyArrived, .bodyExamined, .keyClaimed, .keyNotNeeded, .keyInFlight,
            .answerRemembered, .answerOutgrown, .answerRecorded, .paceGranted, .draftMade, .connectionLent,
            .requestSealed,
            .requestWritten, .answerHeadArrived, .signatureRefused, .answerCompleted, .answerDelivered, .callerStalled,
            .callerResumed:
            preconditionFailure("such a fact ends nothing")
        }
    }

    private mutating func notePassed(_ deadline: Deadline) {
        switch deadline {
        case .body: causes.insert(.callerTimeout)
        case .store:
            if key == .recording || key == .marking { _ = noteKey(.answerRecorded) } else { causes.insert(.refused) }
        case .pace: causes.insert(.refused)
        case .equalRequest:
            causes.insert(.refused)
            refusedByStore = .earlier(lostAnswer)
        case .connect: causes.insert(.upstreamUnreachable)
        case .write, .firstByte, .idle: causes.insert(.upstreamTimeout)
        case .callerWrite:
            causes.insert(.callerLeft)
            callerGone = true
        }
    }

    /// The keys' part of the facts. The world reports none that was not asked for.
    private mutating func noteKey(_ event: Event) -> String? {
        switch (event, key) {
        case (.keyClaimed, .asked), (.keyClaimed, .waiting): (key, mayDraft) = (.held, true)
        case (.keyNotNeeded, .asked): (key, mayDraft) = (.none, true)
        case (.keyInFlight, .asked): key = .waiting
        case (.answerRemembered, .asked), (.answerRemembered, .waiting):
            key = .remembered
            causes.insert(.replayed)
        case (.answerOutgrown, .held): break
        case (.answerRecorded, .recording), (.answerRecorded, .marking): key = .recorded
        default: return "a fact about a key that was not asked for"
        }
        return nil
    }

    // MARK: - Commands

    /// A complaint where the command breaks a promise.
    mutating func judge(_ command: Command, _ refusal: Refusal?) -> String? {
        if outcome != nil { return "a command after the end" }
        switch command {
        case .admit: return advance(.admit, true)
        case .sendContinue: return advance(.sayContinue, expectsContinue)
        case .collectBody: return advance(.collect, !responded)
        case .examineBody: return advance(.examine, bodyIsWhole && !responded)
        case .claimKey, .withdrawClaim, .giveUpClaim, .recordAnswer, .awaitRecord: return judgeKey(command)
        case .askPace:
            turn = .asked
            return advance(.pace, needsTurn && isExamined && mayDraft && !responded && deadline == .pace)
        case .leavePace(let wasSent):
            defer { turn = .none }
            if turn == .none { return "no turn to leave" }
            // Where an answer came to what nobody took, the turn counts.
            return wasSent == (mayBeSent || relayed) ? nil : "a turn is left as \(wasSent ? "sent" : "unsent")"
        case .makeDraft: return advance(.draft, isExamined && mayDraft && needsTurn == (turn == .held) && !responded)
        case .connect(let fresh): return judgeConnect(fresh)
        case .seal, .send: return judgeSending(command)
        case .holdAnswer: return key == .held && answer == .arrived && deadline == .idle ? nil : "nothing to hold"
        case .deliverAnswer, .replayAnswer: return judgeKept(command)
        case .relayAnswer, .respond, .breakAnswer, .flushAnswer: return judgeAnswer(command, refusal)
        case .cancelConnect, .returnConnection, .closeConnection: return judgeRelease(command)
        case .setDeadline(let new):
            deadline = new
            return new == .callerWrite && callerGone ? "a limit for a caller who is gone" : nil
        case .clearDeadline:
            deadline = nil
            return nil
        case .finish(let final): return judgeFinish(final)
        }
    }

    private mutating func advance(_ next: Step, _ allowed: Bool) -> String? {
        let isLater = next.rawValue > step.rawValue
        step = next
        return isLater && allowed ? nil : "\(next) is not due"
    }

    private mutating func judgeKey(_ command: Command) -> String? {
        switch command {
        case .claimKey:
            key = .asked
            return advance(.claim, needsKey && isExamined && !responded && deadline == .store)
        case .withdrawClaim:
            defer { key = .none }
            return key == .asked || key == .waiting ? nil : "nothing to withdraw"
        case .giveUpClaim(let loss):
            defer { key = .none }
            if key != .held { return "no key to give up" }
            let isUnsent = loss == .nothingSent
            return isUnsent == !mayBeSent ? nil : "a key is given up as \(loss)"
        case .recordAnswer:
            defer { key = isWhole ? .recording : .marking }
            return key == .held && answer != .none && !responded && !relayed ? nil : "nothing to record"
        default: return key == .recording || key == .marking ? nil : "nothing is recorded"
        }
    }

    private var isWhole: Bool {
        if case .whole = answer { true } else { false }
    }

    /// An answer that the store has, now or from before.
    private mutating func judgeKept(_ command: Command) -> String? {
        defer { kept = true }
        if responded || relayed || kept { return "a second answer" }
        if callerGone { return "an answer for nobody" }
        if hold != .none { return "answered with a connection in hand" }
        if case .replayAnswer = command { return key == .remembered ? nil : "nothing is remembered" }
        defer { key = .recorded }
        return key == .recorded || causes.contains(.stopped) ? nil : "given away before the store has it"
    }

    private mutating func judgeConnect(_ fresh: Bool) -> String? {
        defer {
            hold = .asked
            attempts += 1
            (seals, isSealed, isSending, isWritten, wantsFresh) = (0, false, false, false, fresh)
        }
        if !isDrafted { return "a connection without a draft" }
        if hold != .none { return "a second connection" }
        if taken || mayBeSent { return "tried again though bytes may have been taken" }
        if callerGone { return "tried for a caller who is gone" }
        if needsTurn && turn != .held { return "tried out of turn" }
        if responded || relayed { return "tried after an answer was begun" }
        if fresh != (attempts > 0) { return "a retry takes a fresh connection, and only a retry does" }
        return attempts < Exchange.maxAttempts ? nil : "too many attempts"
    }

    private mutating func judgeSending(_ command: Command) -> String? {
        if hold != .lent { return "no connection is lent" }
        if responded || relayed || answer != .none { return "an answer was begun" }
        if isSending { return "sent already" }
        guard case .send = command else {
            seals += 1
            return seals == 1 ? nil : "sealed twice"
        }
        defer { (isSending, mayBeSent) = (true, true) }
        if !isSealed || seals != 1 { return "sent without a seal of its own" }
        if taken || mayBeSent { return "sent twice" }
        return deadline == .write ? nil : "sent without a limit"
    }

    private mutating func judgeRelease(_ command: Command) -> String? {
        defer { hold = .none }
        if case .cancelConnect = command { return hold == .asked ? nil : "nothing was asked" }
        if hold != .lent { return "no connection is lent" }
        let isWhole = answer == .whole(reusable: true) && isWritten
        if case .returnConnection = command { return isWhole ? nil : "a connection that cannot be used is returned" }
        return isWhole ? "a connection that can be used is closed" : nil
    }

    private mutating func judgeAnswer(_ command: Command, _ refusal: Refusal?) -> String? {
        switch command {
        case .relayAnswer:
            defer { relayed = true }
            if responded || relayed || kept { return "a second answer" }
            if key == .held || key == .marking && !callerGone { return "relayed before the store has it" }
            // Nobody waits for what nobody will get.
            if key == .marking { key = .recorded }
            return answer == .arrived && deadline == .idle ? nil : "nothing to relay, or no limit"
        case .respond:
            defer { responded = true }
            // A stop waits for nobody.
            if isRecording && causes.contains(.stopped) { key = .recorded }
            if isRecording { return "answered while an answer is recorded" }
            guard let refusal else { return "answered with nothing" }
            if responded || relayed || kept { return "a second answer" }
            if callerGone { return "an answer for nobody" }
            if hold != .none { return "answered with a connection in hand" }
            if key == .held || key == .asked || key == .waiting { return "answered with a key in hand" }
            if turn != .none { return "answered with a turn in hand" }
            if deadline != .callerWrite { return "answered without a limit" }
            if let said = refusedByStore { return refusal.sent == said ? nil : "says \(word(refusal.sent))" }
            return refusal.sent == (mayBeSent ? .maybe(lostAnswer) : .nothing) ? nil : "says \(word(refusal.sent))"
        case .breakAnswer:
            defer { broke = true }
            return relayed && !broke && !flushed && !callerGone && hold == .none ? nil : "nothing to break"
        default:
            defer { flushed = true }
            guard case .whole = answer, relayed, !flushed, !callerGone, hold == .none else { return "nothing to flush" }
            return nil
        }
    }

    private mutating func judgeFinish(_ final: Outcome) -> String? {
        outcome = final
        if deadline != nil { return "a limit survives the end" }
        if hold != .none { return "a connection survives the end" }
        if key == .held || key == .asked || key == .waiting { return "a key survives the end" }
        if turn != .none { return "a turn survives the end" }
        if !causes.contains(final.cause) { return "nothing happened that is \(final.cause)" }
        if callerGone || causes.contains(.stopped) { return nil }
        return delivered || broke ? nil : "the caller is left without an end of its answer"
    }

    // MARK: - Rest

    /// A complaint where a request rests without the limit that will wake it.
    func atRest() -> String? {
        guard outcome == nil else { return deadline == nil ? nil : "a limit survives the end" }
        let expected: Deadline? =
            if isCollecting {
                .body
            } else if key == .asked || key == .waiting {
                key == .asked ? .store : .equalRequest
            } else if turn == .asked {
                .pace
            } else if isRecording {
                .store
            } else if isDelivering {
                .callerWrite
            } else if hold == .asked {
                .connect
            } else if answer != .none {
                stalled && !callerGone ? .callerWrite : .idle
            } else if isSending {
                isWritten ? .firstByte : .write
            } else {
                nil
            }
        if expected == nil { return "rests where nothing can happen" }
        return deadline == expected ? nil : "rests under \(deadline.map { "\($0)" } ?? "no limit")"
    }
}
