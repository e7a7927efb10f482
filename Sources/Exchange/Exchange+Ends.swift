// How an exchange ends when it does not simply go on: refusals, losses, deadlines, callers who leave.
// Relies on one rule: while no byte can have been taken, everything may be undone; afterwards nothing is sent twice.

internal import HTTP
internal import Policy

extension Exchange {
    /// Facts that are the same in every phase, or that end the exchange.
    mutating func end(_ commands: inout Commands, _ event: Event) {
        guard phase != .logged else { return }
        switch event {
        case .requestRefused(let refusal): refuse(&commands, refusal, .refused)
        case .connectionFailed(let failure): unreachable(&commands, failure)
        case .upstreamLost(let loss): lost(&commands, loss)
        case .answerRefused: unusable(&commands)
        case .deadlinePassed(let deadline): late(&commands, deadline)
        case .callerLeft: callerLeft(&commands)
        case .callerStalled: if !callerGone && isDelivering { commands.add(.setDeadline(.callerWrite)) }
        case .callerResumed: resumed(&commands)
        case .answerDelivered: break
        case .stopped: stopped(&commands)
        case .answerCompleted, .answerHeadArrived, .signatureRefused, .requestWritten:
            // Late facts of a connection that was given up in the same turn.
            precondition(phase == .settled, "an answer belongs to a sent request")
        case .headArrived, .routeFound, .bodyArrived, .bodyExamined, .keyClaimed, .keyNotNeeded, .keyInFlight,
            .answerRemembered, .paceGranted, .draftMade, .connectionLent, .requestSealed, .answerOutgrown,
            .answerRecorded:
            preconditionFailure("a step was reported out of its order")
        }
    }

    /// An answer of the gateway's own is on its way out, or the upstream's is.
    private var isDelivering: Bool { phase == .answered || phase == .settled }

    /// Ends with an answer of the gateway's own. What is held of a connection is given up first.
    mutating func refuse(_ commands: inout Commands, _ refusal: Refusal, _ cause: Cause) {
        precondition(!answerStarted, "an answer that was begun is broken, not followed by another")
        precondition(self.refusal == nil, "a request gets one answer")
        outcome = Outcome(cause, phase)
        dropClaim(&commands, Self.loss(refusal.sent, cause))
        release(&commands, reusable: false)
        leavePace(&commands, wasSent: refusal.sent != .nothing)
        reach(.settled)
        if callerGone {
            finish(&commands, cause)
        } else {
            commands.add(.setDeadline(.callerWrite))
            self.refusal = refusal
            commands.add(.respond)
        }
    }

    private mutating func unreachable(_ commands: inout Commands, _ failure: ConnectFailure) {
        guard connection == .asked else { return }
        connection = .none
        let refusal: Refusal
        switch failure {
        case .poolFull: refusal = .poolFull
        case .circuitOpen: refusal = .circuitOpen
        case .timeout: refusal = .connectTimeout
        case .refused: refusal = .connectRefused
        case .nameUnknown: refusal = .nameUnknown
        case .certificateRefused: refusal = .certificateRefused
        case .tlsFailed: refusal = .tlsFailed
        }
        refuse(&commands, refusal, .upstreamUnreachable)
    }

    /// The connection broke. Sent again only where the upstream's kernel took not one byte of the request.
    private mutating func lost(_ commands: inout Commands, _ loss: UpstreamLoss) {
        guard case .lent = connection, !answerComplete else { return }
        release(&commands, reusable: false)
        if answerStarted {
            breakOff(&commands, .upstreamLost)
        } else if loss.nothingTaken && phase < .answered && mayTryAgain() {
            connect(&commands, fresh: true)
        } else if loss.nothingTaken {
            refuse(&commands, .connectionLost, .upstreamLost)
        } else {
            let refusal: Refusal = phase == .answered ? .answerIncomplete : .connectionLost
            refuse(&commands, refusal.afterSending(route.lostAnswer), .upstreamLost)
        }
    }

    /// Sealed anew with the credential's other secret: a refused signature means that nothing was carried out.
    mutating func sealWithOther(_ commands: inout Commands) {
        precondition(mayTryAgain(), "another secret is tried where another attempt may be made")
        release(&commands, reusable: false)
        connect(&commands, fresh: true)
    }

    private mutating func unusable(_ commands: inout Commands) {
        guard case .lent = connection, !answerComplete else { return }
        release(&commands, reusable: false)
        if answerStarted {
            breakOff(&commands, .upstreamUnusable)
        } else {
            refuse(&commands, .answerUnusable.afterSending(route.lostAnswer), .upstreamUnusable)
        }
    }

    private mutating func late(_ commands: inout Commands, _ deadline: Deadline) {
        switch deadline {
        case .body:
            if phase == .admitted { refuse(&commands, .bodyTimeout, .callerTimeout) }
        case .store: storeIsLate(&commands)
        case .equalRequest:
            if claim == .asked { refuse(&commands, .keyInFlight.aboutEarlier(route.lostAnswer), .refused) }
        case .pace:
            if turn == .asked { refuse(&commands, .paceExceeded, .refused) }
        case .connect:
            if connection == .asked { refuse(&commands, .connectTimeout, .upstreamUnreachable) }
        case .write:
            if case .lent = connection { lateAnswer(&commands, .writeTimeout) }
        case .firstByte, .idle:
            if case .lent = connection { lateAnswer(&commands, .answerTimeout) }
        case .callerWrite:
            if isDelivering { callerLeft(&commands) }
        }
    }

    private mutating func lateAnswer(_ commands: inout Commands, _ refusal: Refusal) {
        release(&commands, reusable: false)
        if answerStarted {
            breakOff(&commands, .upstreamTimeout)
        } else {
            refuse(&commands, refusal.afterSending(route.lostAnswer), .upstreamTimeout)
        }
    }

    /// The caller is gone. Before anything was sent the request is dropped; afterwards its answer is still read, so
    /// that the outcome is known and the connection stays whole.
    private mutating func callerLeft(_ commands: inout Commands) {
        guard !callerGone else { return }
        callerGone = true
        switch phase {
        case .received, .admitted, .collected, .remembered, .paced, .drafted, .connected:
            dropClaim(&commands, .nothingSent)
            release(&commands, reusable: false)
            leavePace(&commands, wasSent: false)
            finish(&commands, .callerLeft)
        case .sealed, .sent, .answered:
            // What is with the store already needs nobody to wait for it.
            if claim == .recording { return finish(&commands, .callerLeft) }
            if answerStarted { commands.add(.setDeadline(.idle)) }
        case .settled:
            finish(&commands, .callerLeft)
        case .logged:
            break
        }
    }

    private mutating func resumed(_ commands: inout Commands) {
        if phase == .answered && !callerGone { commands.add(.setDeadline(.idle)) }
    }

    /// The gateway stops: what was sent is reported as what it is, everything else was not sent.
    private mutating func stopped(_ commands: inout Commands) {
        if answerStarted {
            if phase == .settled { finish(&commands, .stopped) } else { breakOff(&commands, .stopped) }
            return
        }
        switch phase {
        case .received, .admitted, .collected, .remembered, .paced, .drafted, .connected:
            refuse(&commands, .draining, .stopped)
        case .answered where claim == .recording: recorded(&commands)
        case .sealed, .sent, .answered:
            refuse(&commands, .stoppedAfterSending.afterSending(route.lostAnswer), .stopped)
        case .settled: finish(&commands, .stopped)
        case .logged: preconditionFailure("after the end nothing is heard")
        }
    }

    /// Ends an answer that the caller has a part of: never to be taken for a whole one.
    private mutating func breakOff(_ commands: inout Commands, _ cause: Cause) {
        outcome = Outcome(cause, phase)
        release(&commands, reusable: false)
        leavePace(&commands, wasSent: true)
        if !callerGone { commands.add(.breakAnswer) }
        finish(&commands, cause)
    }

    /// Gives up what is held of a connection; every lent one is returned or closed exactly once.
    mutating func release(_ commands: inout Commands, reusable: Bool) {
        switch connection {
        case .none: break
        case .asked: commands.add(.cancelConnect)
        case .lent: commands.add(reusable ? .returnConnection : .closeConnection)
        }
        connection = .none
    }

    /// Gives up what is held of the pace; every turn is left exactly once.
    mutating func leavePace(_ commands: inout Commands, wasSent: Bool) {
        if turn != .none { commands.add(.leavePace(wasSent: wasSent && turn == .held)) }
        turn = .none
    }

    /// The one end: the outcome that was decided first stands.
    mutating func finish(_ commands: inout Commands, _ cause: Cause) {
        let final = outcome ?? Outcome(cause, phase)
        outcome = final
        reach(.logged)
        commands.add(.clearDeadline)
        commands.add(.finish(final))
    }
}
