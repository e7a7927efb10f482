// Scripts of facts about idempotency keys, with the commands that must follow: asked, granted, waited for, given up,
// recorded, and every way to end between them.
// Relies on Words.swift. The order in which facts can come at random is the simulation's matter.

import Exchange
import HTTP
import Policy
import Testing

/// Places where a request with a key rests, and the facts that bring it there.
private enum Rest: CaseIterable, Sendable {
    case asked, waiting, claimed, drafted, connected, sealed, sent, held, recording, marking, delivered, replayed

    var events: [Event] {
        switch self {
        case .asked:
            [
                .headArrived,
                .routeFound(RouteFacts(expectsContinue: false, lostAnswer: .assumeSuccess, isIdempotent: true)),
                .bodyArrived, .bodyExamined,
            ]
        case .waiting: Rest.asked.events + [.keyInFlight]
        case .claimed: Rest.asked.events + [.keyClaimed]
        case .drafted: Rest.claimed.events + [.draftMade]
        case .connected: Rest.drafted.events + [.connectionLent(reused: true)]
        case .sealed: Rest.connected.events + [.requestSealed]
        case .sent: Rest.sealed.events + [.requestWritten]
        case .held: Rest.sent.events + [.answerHeadArrived]
        case .recording: Rest.held.events + [.answerCompleted(reusable: true)]
        case .marking: Rest.held.events + [.answerOutgrown]
        case .delivered: Rest.recording.events + [.answerRecorded]
        case .replayed: Rest.asked.events + [.answerRemembered]
        }
    }
}

private func expect(_ event: Event, _ expected: [Rest: String]) {
    for (rest, said) in expected { #expect(last(rest.events + [event]) == said, "\(rest), then \(event)") }
}

@Suite struct ClaimScriptTests {
    @Test func theStraightWay() {
        #expect(last(Rest.asked.events) == "by store, claim")
        #expect(last(Rest.claimed.events) == "draft")
        #expect(last(Rest.held.events) == "by idle, hold")
        #expect(last(Rest.recording.events) == "return, record, by store, await")
        #expect(last(Rest.delivered.events) == "deliver")
        #expect(last(Rest.delivered.events + [.answerDelivered]) == "clear, finish completed settled")
    }

    @Test func anAnswerFromBeforeIsReplayed() {
        #expect(last(Rest.replayed.events) == "by callerWrite, replay")
        #expect(last(Rest.waiting.events + [.answerRemembered]) == "by callerWrite, replay")
        #expect(last(Rest.replayed.events + [.answerDelivered]) == "clear, finish replayed collected")
        #expect(last(Rest.replayed.events + [.callerLeft]) == "clear, finish replayed collected")
    }

    @Test func anEqualRequestIsWaitedForAndThenTakenOver() {
        #expect(last(Rest.waiting.events) == "by equalRequest")
        #expect(last(Rest.waiting.events + [.keyClaimed]) == "draft")
        #expect(
            last(Rest.waiting.events + [.deadlinePassed(.equalRequest)])
                == "withdraw, by callerWrite, respond 409 http_request_denied earlier assume-success")
    }

    @Test func withoutAKeyNothingIsGivenUpOrRecorded() {
        let events = Rest.asked.events + [.keyNotNeeded]
        #expect(last(events) == "draft")
        #expect(
            last(events + [.requestRefused(.fieldDiffers)]) == "by callerWrite, respond 400 http_request_denied unsent")
        let sent = events + [.draftMade, .connectionLent(reused: false), .requestSealed, .requestWritten]
        #expect(last(sent + [.answerHeadArrived]) == "by idle, relay")
    }

    @Test func aRefusalBeforeSendingLeavesTheKeyFree() {
        let said = "by callerWrite, respond 400 http_request_denied unsent"
        expect(
            .requestRefused(.fieldDiffers),
            [.claimed: "give up nothingSent, " + said, .connected: "give up nothingSent, close, " + said])
        expect(
            .connectionFailed(.refused),
            [.drafted: "give up nothingSent, by callerWrite, respond 502 connection_refused unsent"])
        expect(
            .requestRefused(.keyReused), [.asked: "withdraw, by callerWrite, respond 422 http_request_denied unsent"])
    }

    @Test func aStoreThatIsLateIsNotWaitedFor() {
        let refused = "withdraw, by callerWrite, respond 503 proxy_internal_response unsent"
        expect(
            .deadlinePassed(.store),
            [.asked: refused, .recording: "deliver", .marking: "by idle, relay", .claimed: "", .sent: ""])
    }

    @Test func aLostAnswerLeavesTheOutcomeUnknown() {
        let lost = "close, give up noAnswer, by callerWrite, respond 502 connection_terminated maybe assume-success"
        let cut = "close, give up noAnswer, by callerWrite, respond 502 http_response_incomplete maybe assume-success"
        expect(.upstreamLost(UpstreamLoss(nothingTaken: false)), [.sealed: lost, .sent: lost, .held: cut])
        let late = "close, give up noAnswer, by callerWrite, respond 504 http_response_timeout maybe assume-success"
        expect(.deadlinePassed(.firstByte), [.sent: late])
        expect(.deadlinePassed(.idle), [.held: late])
        let bad = "close, give up unusableAnswer, by callerWrite, respond 502 http_protocol_error maybe assume-success"
        expect(.answerRefused(.badStatus), [.sent: bad, .held: bad])
    }

    @Test func whatWasNotTakenIsSentAgainUnderTheSameKey() {
        let nothing = Event.upstreamLost(UpstreamLoss(nothingTaken: true))
        expect(nothing, [.sealed: "close, by connect, connect fresh", .sent: "close, by connect, connect fresh"])
        // An answer to nothing: not a byte was taken, and nobody tries again.
        expect(
            nothing,
            [.held: "close, give up nothingSent, by callerWrite, respond 502 connection_terminated unsent"])
    }

    @Test func anAnswerThatIsTooLargeIsRelayedOnceTheStoreKnowsOfIt() {
        #expect(last(Rest.marking.events) == "record, by store, await")
        #expect(last(Rest.marking.events + [.answerRecorded]) == "by idle, relay")
        let relayed = Rest.marking.events + [.answerRecorded]
        #expect(last(relayed + [.answerCompleted(reusable: true)]) == "return, flush")
        #expect(
            last(relayed + [.upstreamLost(UpstreamLoss(nothingTaken: false))])
                == "close, break, clear, finish upstreamLost answered")
    }

    @Test func aCallerWhoLeavesBeforeTheSealGivesTheKeyBack() {
        expect(
            .callerLeft,
            [
                .asked: "withdraw, clear, finish callerLeft collected",
                .waiting: "withdraw, clear, finish callerLeft collected",
                .claimed: "give up nothingSent, clear, finish callerLeft paced",
                .drafted: "give up nothingSent, cancel, clear, finish callerLeft drafted",
                .connected: "give up nothingSent, close, clear, finish callerLeft connected",
            ])
    }

    @Test func aCallerWhoLeavesLaterHasItsAnswerRecorded() {
        expect(.callerLeft, [.sealed: "", .sent: "", .held: "", .marking: ""])
        expect(.callerLeft, [.recording: "clear, finish callerLeft answered"])
        let gone = Rest.held.events + [.callerLeft]
        #expect(last(gone + [.answerCompleted(reusable: true)]) == "return, record, clear, finish callerLeft answered")
        #expect(last(gone + [.answerOutgrown]) == "record, by idle, relay")
        #expect(last(Rest.marking.events + [.callerLeft, .answerRecorded]) == "by idle, relay")
        #expect(
            last(Rest.sent.events + [.callerLeft, .upstreamLost(UpstreamLoss(nothingTaken: false))])
                == "close, give up noAnswer, clear, finish upstreamLost sent")
    }

    @Test func aStopSettlesEveryKey() {
        let unsent = "by callerWrite, respond 503 proxy_internal_response unsent"
        let sent = "close, by callerWrite, respond 502 connection_terminated maybe assume-success"
        expect(
            .stopped,
            [
                .asked: "withdraw, " + unsent, .waiting: "withdraw, " + unsent,
                .claimed: "give up nothingSent, " + unsent, .sealed: "give up noAnswer, " + sent,
                .sent: "give up noAnswer, " + sent, .held: "give up noAnswer, " + sent, .marking: sent,
                .recording: "deliver",
            ])
    }
}
