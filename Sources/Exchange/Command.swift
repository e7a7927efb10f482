// What is to be done: imperatives. The gateway carries them out, in order; the last of a list may report an event.

package enum Command: Sendable {
    /// Find the route; check method and media type.
    case admit
    /// Write `100 Continue`.
    case sendContinue
    /// Read the body to its end, within its limit.
    case collectBody
    /// Validate the body and find the fields that matter.
    case examineBody
    /// Find the idempotency key and ask the store for it.
    case claimKey
    /// What the store says of the key is no longer of interest; should it be given, it is given back.
    case withdrawClaim
    /// The claimed key gets no answer.
    case giveUpClaim(ClaimLoss)
    /// Ask for the request's turn at the upstream's pace.
    case askPace
    /// The turn is over, or no longer wanted; `wasSent` says whether the upstream has seen anything of the request.
    case leavePace(wasSent: Bool)
    /// Splice what the program adds into the body.
    case makeDraft
    /// Ask the pool for a connection; `fresh` for one that carried no request yet.
    case connect(fresh: Bool)
    /// Date, digest and sign.
    case seal
    /// Write the sealed request and read the answer at the same time.
    case send
    /// Give the caller the answer's head, written afresh, and then the body as it comes.
    case relayAnswer
    /// Hold the answer back, head and body, until the store has it.
    case holdAnswer
    /// Give the store what is known of the answer that is held.
    case recordAnswer
    /// Wait for the store; reports `answerRecorded` where there is nothing to wait for.
    case awaitRecord
    /// Give the caller the answer that was held back.
    case deliverAnswer
    /// Give the caller the answer that the store had.
    case replayAnswer
    /// Write an answer of the gateway's own: `Exchange.refusal`.
    case respond
    /// End the caller's connection so that it cannot take what it has for a whole answer.
    case breakAnswer
    /// Withdraw the question to the pool.
    case cancelConnect
    case returnConnection
    case closeConnection
    /// Hand what is left for the caller to the kernel; reports `answerDelivered` when all is.
    case flushAnswer
    case setDeadline(Deadline)
    case clearDeadline
    /// Report the outcome, free the slot, go on with the connection.
    case finish(Outcome)
}

/// At most six commands, in order, without a heap. Filled where they are read: given back, they would be read as words
/// of bytes that were written one by one a moment ago, and a processor waits until such bytes have reached its cache.
package struct Commands: Sendable {
    private var items: InlineArray<6, Command> = .init(repeating: .clearDeadline)
    private var used: UInt8 = 0

    package init() {}

    package var count: Int { Int(used) }

    package subscript(index: Int) -> Command { items[index] }

    mutating func removeAll() { used = 0 }

    mutating func add(_ command: Command) {
        items[count] = command
        used += 1
    }
}
