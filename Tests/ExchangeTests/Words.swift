// Commands as words, so that expectations are read like the life of a request.
// Relies on nothing but the rooms' public faces.

import Exchange
import Policy

/// What callers are told about sending.
func word(_ sent: Sent) -> String {
    switch sent {
    case .nothing: "unsent"
    case .maybe(let lost): "maybe \(lost.rawValue)"
    case .earlier(let lost): "earlier \(lost.rawValue)"
    }
}

func word(_ command: Command, _ refusal: Refusal?) -> String {
    switch command {
    case .admit: "admit"
    case .sendContinue: "continue"
    case .collectBody: "collect"
    case .examineBody: "examine"
    case .claimKey: "claim"
    case .withdrawClaim: "withdraw"
    case .giveUpClaim(let loss): "give up \(loss)"
    case .askPace: "pace"
    case .leavePace(let wasSent): wasSent ? "leave pace sent" : "leave pace"
    case .makeDraft: "draft"
    case .connect(let fresh): fresh ? "connect fresh" : "connect"
    case .seal: "seal"
    case .send: "send"
    case .relayAnswer: "relay"
    case .holdAnswer: "hold"
    case .recordAnswer: "record"
    case .awaitRecord: "await"
    case .deliverAnswer: "deliver"
    case .replayAnswer: "replay"
    case .respond: refusal.map { "respond \($0.status) \($0.error) \(word($0.sent))" } ?? "respond nothing"
    case .breakAnswer: "break"
    case .cancelConnect: "cancel"
    case .returnConnection: "return"
    case .closeConnection: "close"
    case .flushAnswer: "flush"
    case .setDeadline(let deadline): "by \(deadline)"
    case .clearDeadline: "clear"
    case .finish(let outcome): "finish \(outcome.cause) \(outcome.phase)"
    }
}

extension Exchange {
    /// What it says to a fact.
    mutating func advance(_ event: Event) -> Commands {
        var commands = Commands()
        advance(event, into: &commands)
        return commands
    }
}

/// What the exchange says to a fact.
func told(_ exchange: inout Exchange, _ event: Event) -> String {
    let commands = exchange.advance(event)
    return (0..<commands.count).map { word(commands[$0], exchange.refusal) }.joined(separator: ", ")
}

/// The commands after the last of `events`, which a new exchange is given in order.
func last(_ events: [Event]) -> String {
    var exchange = Exchange()
    var said = ""
    for event in events { said = told(&exchange, event) }
    return said
}
