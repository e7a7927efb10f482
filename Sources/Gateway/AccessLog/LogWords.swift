// The words of a line: phases, causes, methods, and what is said of a request that was sent or was not.
// Relies on the enums of the rooms; a new case without a word does not compile.

internal import Exchange
internal import HTTP
internal import Policy

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

    /// The request was carried through.
    var isSuccess: Bool {
        switch self {
        case .completed, .replayed: true
        case .refused, .callerLeft, .callerTimeout, .upstreamUnreachable, .upstreamLost, .upstreamUnusable,
            .upstreamTimeout, .stopped:
            false
        }
    }

    /// The fault is on our side of the caller.
    var isFault: Bool {
        switch self {
        case .upstreamUnreachable, .upstreamLost, .upstreamUnusable, .upstreamTimeout: true
        case .completed, .replayed, .refused, .callerLeft, .callerTimeout, .stopped: false
        }
    }
}

extension Sent {
    /// What became of the request, and what is to be assumed of it; nil where nothing is.
    var words: (sent: StaticString, outcome: StaticString?) {
        switch self {
        case .nothing: ("nothing", nil)
        case .maybe(let lost): ("maybe", lost.word)
        case .earlier(let lost): ("earlier", lost.word)
        }
    }
}

extension LostAnswer {
    fileprivate var word: StaticString {
        switch self {
        case .assumeSuccess: "assume-success"
        case .assumeFailure: "assume-failure"
        case .unknown: "unknown"
        }
    }
}
