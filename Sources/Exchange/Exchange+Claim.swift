// The idempotency key within the life of a request: asked for before anything is sent, given up or settled before the
// caller hears how it ended.
// Relies on the gateway and the store for what a key is. Refuses to let a caller have an answer that the store has not.

internal import Policy

extension Exchange {
    mutating func askForKey(_ commands: inout Commands) {
        claim = .asked
        commands.add(.setDeadline(.store))
        commands.add(.claimKey)
    }

    mutating func replay(_ commands: inout Commands) {
        claim = .none
        outcome = Outcome(.replayed, phase)
        reach(.settled)
        commands.add(.setDeadline(.callerWrite))
        commands.add(.replayAnswer)
    }

    /// The answer of a claimed request is read to its end before the caller has a byte of it.
    mutating func hold(_ commands: inout Commands) {
        commands.add(.setDeadline(.idle))
        commands.add(.holdAnswer)
    }

    /// The store is told; the caller waits for it, and nobody else does.
    mutating func record(_ commands: inout Commands, as next: ClaimHold) {
        precondition(claim == .held, "an answer is recorded once")
        commands.add(.recordAnswer)
        claim = next
        guard !callerGone else {
            claim = .none
            return next == .marking ? relay(&commands) : finish(&commands, .callerLeft)
        }
        commands.add(.setDeadline(.store))
        commands.add(.awaitRecord)
    }

    /// The held answer is whole.
    mutating func settleHeld(_ commands: inout Commands, reusable: Bool) {
        release(&commands, reusable: reusable)
        leavePace(&commands, wasSent: true)
        record(&commands, as: .recording)
    }

    /// The store has it, or is not waited for any longer: what is known is given to the caller in any case.
    mutating func recorded(_ commands: inout Commands) {
        switch claim {
        case .recording:
            claim = .none
            answerStarted = true
            reach(.settled)
            commands.add(.deliverAnswer)
        case .marking:
            claim = .none
            relay(&commands)
        case .none, .asked, .held: preconditionFailure("nothing was to be recorded")
        }
    }

    /// The store did not answer in time.
    mutating func storeIsLate(_ commands: inout Commands) {
        switch claim {
        case .asked: refuse(&commands, .storeFailed(.timeout), .refused)
        case .recording, .marking: recorded(&commands)
        case .none, .held: break
        }
    }

    /// Gives up what is held of a key; every claim is settled, given up or withdrawn exactly once.
    mutating func dropClaim(_ commands: inout Commands, _ loss: ClaimLoss) {
        switch claim {
        case .none, .recording, .marking: break
        case .asked: commands.add(.withdrawClaim)
        case .held: commands.add(.giveUpClaim(loss))
        }
        claim = .none
    }

    /// What a refusal says of the request says what becomes of its key.
    static func loss(_ sent: Sent, _ cause: Cause) -> ClaimLoss {
        if sent == .nothing { return .nothingSent }
        return cause == .upstreamUnusable ? .unusableAnswer : .noAnswer
    }
}
