// What happened: facts, in the past tense. The machine learns of the world through these and nothing else.

package import HTTP
package import Policy

/// Why no connection could be had. Not a byte was sent.
package enum ConnectFailure: UInt8, CaseIterable, Sendable {
    case poolFull, circuitOpen, timeout, refused, nameUnknown, certificateRefused, tlsFailed
}

/// How a lent connection ended before the answer was whole.
package struct UpstreamLoss: Equatable, Sendable {
    /// The upstream's kernel acknowledged not one byte of this request, so nothing can have read one.
    package var nothingTaken: Bool

    package init(nothingTaken: Bool) { self.nothingTaken = nothingTaken }
}

/// The time that a deadline limits.
package enum Deadline: UInt8, CaseIterable, Sendable {
    /// Until the body is in.
    case body
    /// Until the store says whether the key may be had, or that an answer is recorded.
    case store
    /// Until the equal request that is on its way has its outcome.
    case equalRequest
    /// Until the upstream's pace lets the request go. The pace has bounds of its own; this is the last resort.
    case pace
    /// Until the pool lends a connection: pool wait, name, connect and TLS handshake.
    case connect
    /// Until the upstream has taken the request.
    case write
    /// Until the first byte of the answer.
    case firstByte
    /// Between two parts of the answer.
    case idle
    /// Until the caller takes a part of the answer.
    case callerWrite
}

/// Why a claimed key gets no answer.
package enum ClaimLoss: UInt8, CaseIterable, Sendable {
    /// Not a byte of the request was taken.
    case nothingSent
    /// It may have been carried out, and no answer came.
    case noAnswer
    /// An answer came that cannot be used.
    case unusableAnswer
}

/// What the exchange needs to know of a route.
package struct RouteFacts: Equatable, Sendable {
    /// The caller waits for `100 Continue`.
    package var expectsContinue: Bool
    package var lostAnswer: LostAnswer
    /// A request needs its idempotency key.
    package var isIdempotent: Bool
    /// The upstream has a pace.
    package var isPaced: Bool

    package init(expectsContinue: Bool, lostAnswer: LostAnswer, isIdempotent: Bool = false, isPaced: Bool = false) {
        self.expectsContinue = expectsContinue
        self.lostAnswer = lostAnswer
        self.isIdempotent = isIdempotent
        self.isPaced = isPaced
    }
}

package enum Event: Sendable {
    /// The head was parsed and its framing decided.
    case headArrived
    /// A check refused the request before anything was sent. Indirect: it is the one large fact, and the room for it
    /// would be copied with every other.
    indirect case requestRefused(Refusal)
    /// Route, method and media type fit.
    case routeFound(RouteFacts)
    /// The body is complete.
    case bodyArrived
    /// The body is one valid JSON object, or there is none and none is needed.
    case bodyExamined
    /// The idempotency key is this request's, durably.
    case keyClaimed
    /// The request has no key and needs none, or goes without the store's protection.
    case keyNotNeeded
    /// An equal request is on its way; another fact follows once it has its outcome.
    case keyInFlight
    /// The request had its answer before, and here it is.
    case answerRemembered
    /// The upstream's pace lets the request go.
    case paceGranted
    /// What the program adds is in the body.
    case draftMade
    case connectionLent(reused: Bool)
    case connectionFailed(ConnectFailure)
    /// The request was sealed.
    case requestSealed
    /// The last byte of the request was handed to the kernel.
    case requestWritten
    case answerHeadArrived
    /// The upstream refused the signature, so it did nothing else, and the credential has another secret to try.
    case signatureRefused
    /// The answer is whole and has been handed to the relay.
    case answerCompleted(reusable: Bool)
    /// The answer that is held back for the store is larger than what is kept.
    case answerOutgrown
    /// The store has recorded what is known of the answer.
    case answerRecorded
    /// The answer, or what came before the whole of it, cannot be read in exactly one way.
    case answerRefused(HTTPRefusal)
    case upstreamLost(UpstreamLoss)
    /// The last byte for the caller was handed to the kernel.
    case answerDelivered
    /// The caller takes no more for now.
    case callerStalled
    /// The caller takes again.
    case callerResumed
    case callerLeft
    case deadlinePassed(Deadline)
    /// The gateway stops now.
    case stopped
}
