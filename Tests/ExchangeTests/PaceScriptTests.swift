// Scripts of facts about an upstream's pace, with the commands that must follow: a turn is asked for, waited for, and
// left exactly once, with the truth about whether anything was sent.
// Relies on Words.swift. The order in which facts can come at random is the simulation's matter.

import Exchange
import Policy
import Testing

/// Places where a paced request rests, and the facts that bring it there.
private enum Rest: CaseIterable, Sendable {
    case asked, granted, drafted, connected, sealed, sent, answered, claimed

    private static let route = RouteFacts(expectsContinue: false, lostAnswer: .unknown, isPaced: true)

    var events: [Event] {
        switch self {
        case .asked: [.headArrived, .routeFound(Self.route), .bodyArrived, .bodyExamined]
        case .granted: Rest.asked.events + [.paceGranted]
        case .drafted: Rest.granted.events + [.draftMade]
        case .connected: Rest.drafted.events + [.connectionLent(reused: true)]
        case .sealed: Rest.connected.events + [.requestSealed]
        case .sent: Rest.sealed.events + [.requestWritten]
        case .answered: Rest.sent.events + [.answerHeadArrived]
        case .claimed:
            [
                .headArrived,
                .routeFound(
                    RouteFacts(expectsContinue: false, lostAnswer: .unknown, isIdempotent: true, isPaced: true)),
                .bodyArrived, .bodyExamined, .keyClaimed,
            ]
        }
    }
}

private func expect(_ event: Event, _ expected: [Rest: String]) {
    for (rest, said) in expected { #expect(last(rest.events + [event]) == said, "\(rest), then \(event)") }
}

@Suite struct PaceScriptTests {
    @Test func aTurnComesBeforeTheDraftAndEndsWithTheAnswer() {
        #expect(last(Rest.asked.events) == "by pace, pace")
        #expect(last(Rest.granted.events) == "draft")
        #expect(last(Rest.answered.events + [.answerCompleted(reusable: true)]) == "return, leave pace sent, flush")
    }

    @Test func theKeyIsClaimedBeforeTheTurn() {
        #expect(last(Rest.claimed.events) == "by pace, pace")
        let refused = "by callerWrite, respond 429 connection_limit_reached unsent"
        expect(.requestRefused(.paceExceeded), [.claimed: "give up nothingSent, leave pace, " + refused])
        let answered =
            Rest.claimed.events + [
                .paceGranted, .draftMade, .connectionLent(reused: true), .requestSealed, .requestWritten,
                .answerHeadArrived,
            ]
        #expect(
            last(answered + [.answerCompleted(reusable: true)])
                == "return, leave pace sent, record, by store, await")
        #expect(
            last(answered + [.callerLeft, .answerCompleted(reusable: false)])
                == "close, leave pace sent, record, clear, finish callerLeft answered")
    }

    @Test func whoIsRefusedOrLateLeaves() {
        let refused = "leave pace, by callerWrite, respond 429 connection_limit_reached unsent"
        expect(.requestRefused(.paceExceeded), [.asked: refused])
        expect(.deadlinePassed(.pace), [.asked: refused, .granted: "", .sent: ""])
        let differs = "leave pace, by callerWrite, respond 400 http_request_denied unsent"
        expect(.requestRefused(.fieldDiffers), [.granted: differs, .connected: "close, " + differs])
        let unreachable = "leave pace, by callerWrite, respond 502 connection_refused unsent"
        expect(.connectionFailed(.refused), [.drafted: unreachable])
    }

    @Test func whoLeavesGivesTheTurnBack() {
        expect(
            .callerLeft,
            [
                .asked: "leave pace, clear, finish callerLeft remembered",
                .granted: "leave pace, clear, finish callerLeft paced",
                .drafted: "cancel, leave pace, clear, finish callerLeft drafted",
                .connected: "close, leave pace, clear, finish callerLeft connected", .sealed: "", .sent: "",
            ])
    }

    @Test func aLossSaysWhetherAnythingWasSent() {
        let lost = "close, leave pace sent, by callerWrite, respond 502 connection_terminated maybe unknown"
        expect(.upstreamLost(UpstreamLoss(nothingTaken: false)), [.sealed: lost, .sent: lost])
        // Nothing was taken: the turn is still its own for the next attempt.
        expect(.upstreamLost(UpstreamLoss(nothingTaken: true)), [.sent: "close, by connect, connect fresh"])
        let cut = "close, leave pace sent, break, clear, finish upstreamLost answered"
        expect(.upstreamLost(UpstreamLoss(nothingTaken: false)), [.answered: cut])
        let late = "close, leave pace sent, by callerWrite, respond 504 http_response_timeout maybe unknown"
        expect(.deadlinePassed(.firstByte), [.sent: late])
    }

    @Test func aStopLeavesEveryTurn() {
        let unsent = "leave pace, by callerWrite, respond 503 proxy_internal_response unsent"
        expect(.stopped, [.asked: unsent, .granted: unsent, .connected: "close, " + unsent])
        expect(
            .stopped,
            [.sent: "close, leave pace sent, by callerWrite, respond 502 connection_terminated maybe unknown"])
    }
}
