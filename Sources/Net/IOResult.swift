// What one read or write came to: the words in which every stream of this room answers.
// Relies on SystemError and TLSProblem for the reasons. Refuses to carry text that a peer chose.

/// The result of one read or write.
package enum IOResult: Equatable, Sendable {
    /// So many bytes were moved; at least 1.
    case bytes(Int)
    /// Nothing can be moved now; the poller will say when.
    case wouldBlock
    /// The peer ended its side in order: FIN on a plain socket, close_notify under TLS.
    case end
    /// The TCP stream ended without TLS's close_notify: what was read may be cut short (RFC 8446 6.1).
    case truncated
    /// The system refused: ECONNRESET, EPIPE, ETIMEDOUT and their like.
    case failed(SystemError)
    /// TLS refused.
    case tlsFailed(TLSProblem)
}
