// How an exchange ends when it does not simply go on: refusals, losses, deadlines, callers who leave.
// Relies on one rule: while no byte can have been taken, everything may be undone; afterwards nothing is sent twice.

internal import HTTP
internal import Policy

extension Exchange {
    /// Facts that are the same in every phase, or that end the exchange.
    mutating func end(_ todo: inout Commands, _ event: Event) {
        guard phase != .logged else { return }
        switch event {
        case .requestRefused(let refusal): refuse(&todo, refusal, .refused)
        case .connectionFailed(let failure): unreachable(&todo, failure)
        case .upstreamLost(let loss): lost(&todo, loss)
        case .answerRefused: unusable(&todo)
        case .deadlinePassed(let deadline): late(&todo, deadline)
        case .callerLeft: callerLeft(&todo)
        case .callerStalled: if !callerGone && isDelivering { todo.add(.setDeadline(.callerWrite)) }
        case .callerResumed: resumed(&todo)
        case .answerDelivered: break
        case .stopped: stopped(&todo)
        case .answerCompleted, .answerHeadArrived, .requestWritten:
            // Late facts of a connection that was given up in the same turn.
            precondition(phase == .settled, "an answer belongs to a sent request")
        case .headArrived, .routeFound, .bodyArrived, .bodyExamined, .draftMade, .connectionLent, .requestSealed:
            preconditionFailure("a step was reported out of its order")
        }
    }

    /// An answer of the gateway's own is on its way out, or the upstream's is.
    private var isDelivering: Bool { phase == .answered || phase == .settled }

    /// Ends with an answer of the gateway's own. What is held of a connection is given up first.
    private mutating func refuse(_ todo: inout Commands, _ refusal: Refusal, _ cause: Cause) {
        precondition(!answerStarted, "an answer that was begun is broken, not followed by another")
        outcome = Outcome(cause, phase)
        release(&todo, reusable: false)
        reach(.settled)
        if callerGone {
            finish(&todo, cause)
        } else {
            todo.add(.setDeadline(.callerWrite))
            todo.add(respond: refusal)
        }
    }

    private mutating func unreachable(_ todo: inout Commands, _ failure: ConnectFailure) {
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
        refuse(&todo, refusal, .upstreamUnreachable)
    }

    /// The connection broke. Sent again only where the upstream's kernel took not one byte of the request.
    private mutating func lost(_ todo: inout Commands, _ loss: UpstreamLoss) {
        guard case .lent = connection, !answerComplete else { return }
        release(&todo, reusable: false)
        if answerStarted {
            breakOff(&todo, .upstreamLost)
        } else if loss.nothingTaken && mayTryAgain() {
            connect(&todo, fresh: true)
        } else if loss.nothingTaken {
            refuse(&todo, .connectionLost, .upstreamLost)
        } else {
            let refusal: Refusal = phase == .answered ? .answerIncomplete : .connectionLost
            refuse(&todo, refusal.afterSending(lostAnswer), .upstreamLost)
        }
    }

    private mutating func unusable(_ todo: inout Commands) {
        guard case .lent = connection, !answerComplete else { return }
        release(&todo, reusable: false)
        if answerStarted {
            breakOff(&todo, .upstreamUnusable)
        } else {
            refuse(&todo, .answerUnusable.afterSending(lostAnswer), .upstreamUnusable)
        }
    }

    private mutating func late(_ todo: inout Commands, _ deadline: Deadline) {
        switch deadline {
        case .body:
            if phase == .admitted { refuse(&todo, .bodyTimeout, .callerTimeout) }
        case .connect:
            if connection == .asked { refuse(&todo, .connectTimeout, .upstreamUnreachable) }
        case .write:
            if case .lent = connection { lateAnswer(&todo, .writeTimeout) }
        case .firstByte, .idle:
            if case .lent = connection { lateAnswer(&todo, .answerTimeout) }
        case .callerWrite:
            if isDelivering { callerLeft(&todo) }
        }
    }

    private mutating func lateAnswer(_ todo: inout Commands, _ refusal: Refusal) {
        release(&todo, reusable: false)
        if answerStarted {
            breakOff(&todo, .upstreamTimeout)
        } else {
            refuse(&todo, refusal.afterSending(lostAnswer), .upstreamTimeout)
        }
    }

    /// The caller is gone. Before anything was sent the request is dropped; afterwards its answer is still read, so
    /// that the outcome is known and the connection stays whole.
    private mutating func callerLeft(_ todo: inout Commands) {
        guard !callerGone else { return }
        callerGone = true
        switch phase {
        case .received, .admitted, .collected, .remembered, .paced, .drafted, .connected:
            release(&todo, reusable: false)
            finish(&todo, .callerLeft)
        case .sealed, .sent, .answered:
            if answerStarted { todo.add(.setDeadline(.idle)) }
        case .settled:
            finish(&todo, .callerLeft)
        case .logged:
            break
        }
    }

    private mutating func resumed(_ todo: inout Commands) {
        if phase == .answered && !callerGone { todo.add(.setDeadline(.idle)) }
    }

    /// The gateway stops: what was sent is reported as what it is, everything else was not sent.
    private mutating func stopped(_ todo: inout Commands) {
        if answerStarted {
            if phase == .settled { finish(&todo, .stopped) } else { breakOff(&todo, .stopped) }
            return
        }
        switch phase {
        case .received, .admitted, .collected, .remembered, .paced, .drafted, .connected:
            refuse(&todo, .draining, .stopped)
        case .sealed, .sent: refuse(&todo, .stoppedAfterSending.afterSending(lostAnswer), .stopped)
        case .settled: finish(&todo, .stopped)
        case .answered, .logged: preconditionFailure("an answer was begun, and after the end nothing is heard")
        }
    }

    /// Ends an answer that the caller has a part of: never to be taken for a whole one.
    private mutating func breakOff(_ todo: inout Commands, _ cause: Cause) {
        outcome = Outcome(cause, phase)
        release(&todo, reusable: false)
        if !callerGone { todo.add(.breakAnswer) }
        finish(&todo, cause)
    }

    /// Gives up what is held of a connection; every lent one is returned or closed exactly once.
    mutating func release(_ todo: inout Commands, reusable: Bool) {
        switch connection {
        case .none: break
        case .asked: todo.add(.cancelConnect)
        case .lent: todo.add(reusable ? .returnConnection : .closeConnection)
        }
        connection = .none
    }

    /// The one end: the outcome that was decided first stands.
    mutating func finish(_ todo: inout Commands, _ cause: Cause) {
        let final = outcome ?? Outcome(cause, phase)
        outcome = final
        reach(.logged)
        todo.add(.clearDeadline)
        todo.add(.finish(final))
    }
}
