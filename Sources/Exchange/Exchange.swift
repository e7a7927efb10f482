// The life of a request: order and nothing else. Each arm is one fact in one phase, and names what comes next.
// Details (what a failure means, how an exchange ends) are in Exchange+Ends.swift.

internal import HTTP
package import Policy

/// One request and its answer. Facts in, commands out; never sees a descriptor, a clock or a C handle.
package struct Exchange: ~Copyable {
    /// Times a request may be sealed: the first, one again after a reused connection had died, one in reserve.
    package static let maxAttempts = 3

    package private(set) var phase: Phase = .received
    package internal(set) var outcome: Outcome?
    /// What `respond` says; nil before it. Here and not in the command, where it would be copied with each.
    package internal(set) var refusal: Refusal?
    var connection: Hold = .none
    /// Times a connection was asked for.
    package internal(set) var attempts = 0
    var requestWritten = false
    var answerComplete = false
    var answerStarted = false
    var callerGone = false

    private(set) var route = RouteFacts(expectsContinue: false, lostAnswer: .unknown)
    var turn: TurnHold = .none
    var claim: ClaimHold = .none

    /// What the exchange has of a connection.
    enum Hold: Equatable { case none, asked, lent(reused: Bool) }

    /// What the exchange has of a turn at the upstream's pace.
    enum TurnHold: Equatable { case none, asked, held }

    /// What the exchange has of an idempotency key: nothing, a question, the key; then its answer is with the store,
    /// whole, or as one that is too large to be kept.
    enum ClaimHold: Equatable { case none, asked, held, recording, marking }

    package init() {}

    /// The caller has a part of the upstream's answer, or will have.
    package var answerBegan: Bool { answerStarted }
    /// A refused signature may be followed by another attempt.
    package var mayTryOtherSecret: Bool { mayTryAgain() && !answerStarted }
    /// Nobody is left to give an answer to.
    package var callerIsGone: Bool { callerGone }

    /// The answer that was begun is not to be given to the caller, who has no byte of it: what comes next may be
    /// answered by the gateway.
    package mutating func withdrawAnswer() {
        precondition(phase == .answered, "an answer that is under way")
        answerStarted = false
    }

    /// Takes one fact and says what to do, in place of what `commands` said before. Facts that can no longer matter
    /// yield nothing.
    package mutating func advance(_ event: Event, into commands: inout Commands) {
        commands.removeAll()
        switch (phase, event) {
        case (.received, .headArrived):
            commands.add(.admit)
        case (.received, .routeFound(let route)):
            self.route = route
            phase = .admitted
            if route.expectsContinue { commands.add(.sendContinue) }
            commands.add(.setDeadline(.body))
            commands.add(.collectBody)
        case (.admitted, .bodyArrived):
            commands.add(.examineBody)
        case (.admitted, .bodyExamined):
            phase = .collected
            if route.isIdempotent { askForKey(&commands) } else { remembered(&commands) }
        case (.collected, .keyClaimed), (.collected, .keyNotNeeded):
            remember(&commands, event)
        case (.collected, .keyInFlight):
            commands.add(.setDeadline(.equalRequest))
        case (.collected, .answerRemembered):
            replay(&commands)
        case (.remembered, .paceGranted):
            turn = .held
            paced(&commands)
        case (.paced, .draftMade):
            phase = .drafted
            connect(&commands, fresh: false)
        case (.drafted, .connectionLent(let reused)):
            connection = .lent(reused: reused)
            phase = .connected
            commands.add(.seal)
        case (.connected, .requestSealed):
            phase = .sealed
            commands.add(.setDeadline(.write))
            commands.add(.send)
        case (.sealed, .requestWritten):
            requestWritten = true
            phase = .sent
            commands.add(.setDeadline(.firstByte))
        case (.sealed, .answerHeadArrived), (.sent, .answerHeadArrived):
            // An answer may come before the request was taken whole; such a connection is not used again.
            phase = .answered
            if claim == .held { hold(&commands) } else { relay(&commands) }
        case (.sealed, .signatureRefused), (.sent, .signatureRefused):
            sealWithOther(&commands)
        case (.answered, .requestWritten):
            requestWritten = true
        case (.answered, .answerOutgrown):
            record(&commands, as: .marking)
        case (.answered, .answerCompleted(let reusable)):
            settle(&commands, reusable: reusable && requestWritten)
        case (.answered, .answerRecorded):
            recorded(&commands)
        case (.settled, .answerDelivered):
            finish(&commands, .completed)
        default:
            end(&commands, event)
        }
    }

    private mutating func remember(_ commands: inout Commands, _ event: Event) {
        if case .keyClaimed = event { claim = .held } else { claim = .none }
        remembered(&commands)
    }

    private mutating func remembered(_ commands: inout Commands) {
        phase = .remembered
        guard route.isPaced else { return paced(&commands) }
        turn = .asked
        commands.add(.setDeadline(.pace))
        commands.add(.askPace)
    }

    private mutating func paced(_ commands: inout Commands) {
        phase = .paced
        commands.add(.makeDraft)
    }

    func mayTryAgain() -> Bool { attempts < Self.maxAttempts && !callerGone }

    mutating func connect(_ commands: inout Commands, fresh: Bool) {
        phase = .drafted
        attempts += 1
        connection = .asked
        requestWritten = false
        commands.add(.setDeadline(.connect))
        commands.add(.connect(fresh: fresh))
    }

    mutating func relay(_ commands: inout Commands) {
        answerStarted = true
        commands.add(.setDeadline(.idle))
        commands.add(.relayAnswer)
    }

    private mutating func settle(_ commands: inout Commands, reusable: Bool) {
        answerComplete = true
        if claim == .held { return settleHeld(&commands, reusable: reusable) }
        phase = .settled
        release(&commands, reusable: reusable)
        leavePace(&commands, wasSent: true)
        if callerGone {
            finish(&commands, .callerLeft)
        } else {
            commands.add(.flushAnswer)
        }
    }

    mutating func reach(_ next: Phase) { phase = next }
}
