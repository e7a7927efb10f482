// The words of causes and phases in metrics: those of the documents.
// Relies on the enums of the rooms; a new case without a word does not compile.

package import Exchange

extension Phase {
    /// As in the documents.
    package var word: StaticString {
        switch self {
        case .received: "received"
        case .admitted: "admitted"
        case .collected: "collected"
        case .remembered: "remembered"
        case .paced: "paced"
        case .drafted: "drafted"
        case .connected: "connected"
        case .sealed: "sealed"
        case .sent: "sent"
        case .answered: "answered"
        case .settled: "settled"
        case .logged: "logged"
        }
    }
}

extension Cause {
    /// As in the documents.
    package var word: StaticString {
        switch self {
        case .completed: "completed"
        case .replayed: "replayed"
        case .refused: "refused"
        case .callerLeft: "caller-left"
        case .callerTimeout: "caller-timeout"
        case .upstreamUnreachable: "upstream-unreachable"
        case .upstreamLost: "upstream-lost"
        case .upstreamUnusable: "upstream-unusable"
        case .upstreamTimeout: "upstream-timeout"
        case .stopped: "stopped"
        }
    }
}
