// Scripts of facts with the commands that must follow, for each arm of the machine: the straight ways, and every way to
// end at every place where a request can rest.
// Relies on Words.swift. The order in which facts can come at random is the simulation's matter.

import Exchange
import HTTP
import Policy
import Testing

/// A place where a request rests, and the facts that bring it there.
enum Place: CaseIterable, Sendable {
    case received, admitted, paced, drafted, connected, sealed, sent, answeredEarly, answered, settled, refused, logged

    var events: [Event] {
        switch self {
        case .received: [.headArrived]
        case .admitted:
            Place.received.events + [
                .routeFound(RouteFacts(expectsContinue: false, lostAnswer: .assumeFailure))
            ]
        case .paced: Place.admitted.events + [.bodyArrived, .bodyExamined]
        case .drafted: Place.paced.events + [.draftMade]
        case .connected: Place.drafted.events + [.connectionLent(reused: true)]
        case .sealed: Place.connected.events + [.requestSealed]
        case .sent: Place.sealed.events + [.requestWritten]
        case .answeredEarly: Place.sealed.events + [.answerHeadArrived]
        case .answered: Place.sent.events + [.answerHeadArrived]
        case .settled: Place.answered.events + [.answerCompleted(reusable: true)]
        case .refused: Place.received.events + [.requestRefused(.noRoute)]
        case .logged: Place.settled.events + [.answerDelivered]
        }
    }
}

private func expect(_ event: Event, _ expected: [Place: String], otherwise: String = "") {
    for place in Place.allCases {
        #expect(last(place.events + [event]) == expected[place] ?? otherwise, "\(place), then \(event)")
    }
}

private let broken = "close, break, clear, finish"
private let lostMaybe = "close, by callerWrite, respond 502 connection_terminated maybe assume-failure"

@Suite struct ExchangeScriptTests {
    @Test func theStraightWay() {
        var exchange = Exchange()
        let script: [(Event, String, Phase)] = [
            (.headArrived, "admit", .received),
            (
                .routeFound(RouteFacts(expectsContinue: true, lostAnswer: .unknown)),
                "continue, by body, collect", .admitted
            ),
            (.bodyArrived, "examine", .admitted), (.bodyExamined, "draft", .paced),
            (.draftMade, "by connect, connect", .drafted), (.connectionLent(reused: false), "seal", .connected),
            (.requestSealed, "by write, send", .sealed), (.requestWritten, "by firstByte", .sent),
            (.answerHeadArrived, "by idle, relay", .answered), (.callerStalled, "by callerWrite", .answered),
            (.callerResumed, "by idle", .answered), (.answerCompleted(reusable: true), "return, flush", .settled),
            (.callerStalled, "by callerWrite", .settled), (.callerResumed, "", .settled),
            (.answerDelivered, "clear, finish completed settled", .logged),
        ]
        for (event, expected, phase) in script {
            #expect(!exchange.answerBegan || phase >= .answered)
            #expect(told(&exchange, event) == expected, "\(event)")
            #expect(exchange.phase == phase, "\(event)")
        }
        #expect(exchange.outcome == Outcome(.completed, .settled) && exchange.answerBegan && !exchange.callerIsGone)
    }

    @Test func withoutContinueNoneIsSent() {
        #expect(last(Place.admitted.events) == "by body, collect")
    }

    @Test func anAnswerBeforeTheWholeRequestEndsTheConnection() {
        let early = Place.answeredEarly.events
        #expect(last(early) == "by idle, relay")
        #expect(last(early + [.answerCompleted(reusable: true)]) == "close, flush")
        #expect(last(early + [.requestWritten]) == "")
        #expect(last(early + [.requestWritten, .answerCompleted(reusable: true)]) == "return, flush")
        #expect(last(Place.answered.events + [.answerCompleted(reusable: false)]) == "close, flush")
    }

    // MARK: - Refusals

    @Test func aRefusalBeforeSendingSaysThatNothingWasSent() {
        let said = "by callerWrite, respond 404 destination_not_found unsent"
        for place in [Place.received, .admitted, .paced] {
            #expect(last(place.events + [.requestRefused(.noRoute)]) == said, "\(place)")
        }
        #expect(last(Place.connected.events + [.requestRefused(.noRoute)]) == "close, " + said)
        #expect(last([.requestRefused(.noRoute)]) == said)
        var exchange = Exchange()
        for event in Place.admitted.events + [.requestRefused(.bodyMissing)] { _ = exchange.advance(event) }
        #expect(exchange.phase == .settled && exchange.outcome == Outcome(.refused, .admitted))
        #expect(told(&exchange, .callerStalled) == "by callerWrite")
        #expect(told(&exchange, .answerDelivered) == "clear, finish refused admitted")
    }

    @Test func noConnectionCanBeHad() {
        let answers: [ConnectFailure: String] = [
            .poolFull: "503 connection_limit_reached", .circuitOpen: "503 destination_unavailable",
            .timeout: "504 connection_timeout",
            .refused: "502 connection_refused", .nameUnknown: "502 dns_error",
            .certificateRefused: "502 tls_certificate_error", .tlsFailed: "502 tls_protocol_error",
        ]
        for failure in ConnectFailure.allCases {
            let said = "by callerWrite, respond \(answers[failure]!) unsent"
            expect(.connectionFailed(failure), [.drafted: said])
        }
        let end = last(Place.drafted.events + [.connectionFailed(.refused), .answerDelivered])
        #expect(end == "clear, finish upstreamUnreachable drafted")
    }

    // MARK: - Losses

    @Test func aLossThatProvesNothingTakenIsTriedAgainOnAFreshConnection() {
        let again = "close, by connect, connect fresh"
        expect(
            .upstreamLost(UpstreamLoss(nothingTaken: true)),
            [
                .connected: again, .sealed: again, .sent: again, .answeredEarly: "\(broken) upstreamLost answered",
                .answered: "\(broken) upstreamLost answered",
            ])
    }

    @Test func aLossThatProvesNothingIsReported() {
        expect(
            .upstreamLost(UpstreamLoss(nothingTaken: false)),
            [
                .connected: lostMaybe, .sealed: lostMaybe, .sent: lostMaybe,
                .answeredEarly: "\(broken) upstreamLost answered", .answered: "\(broken) upstreamLost answered",
            ])
    }

    @Test func eachAttemptIsSealedAnewAndTheLastIsTheThird() {
        var events = Place.sent.events
        let nothing = Event.upstreamLost(UpstreamLoss(nothingTaken: true))
        for attempt in 2...Exchange.maxAttempts {
            #expect(last(events + [nothing]) == "close, by connect, connect fresh", "attempt \(attempt)")
            events += [nothing, .connectionLent(reused: false)]
            #expect(last(events) == "seal", "attempt \(attempt)")
            events.append(.requestSealed)
            #expect(last(events) == "by write, send", "attempt \(attempt)")
            events.append(.requestWritten)
        }
        #expect(last(events + [nothing]) == "close, by callerWrite, respond 502 connection_terminated unsent")
        #expect(last(events + [.upstreamLost(UpstreamLoss(nothingTaken: false))]) == lostMaybe)
        #expect(last(events + [nothing, .answerDelivered]) == "clear, finish upstreamLost sent")
    }

    @Test func aRetryForgetsThatTheFirstWasWritten() {
        let events =
            Place.sent.events + [
                .upstreamLost(UpstreamLoss(nothingTaken: true)), .connectionLent(reused: false), .requestSealed,
                .answerHeadArrived,
            ]
        #expect(last(events + [.answerCompleted(reusable: true)]) == "close, flush")
    }

    @Test func aRefusedSignatureIsFollowedByAnotherSeal() {
        let again = "close, by connect, connect fresh"
        for place in [Place.sealed, .sent] { #expect(last(place.events + [.signatureRefused]) == again, "\(place)") }
        let second = Place.sent.events + [.signatureRefused, .connectionLent(reused: false)]
        #expect(last(second) == "seal")
        #expect(last(second + [.requestSealed, .requestWritten, .answerHeadArrived]) == "by idle, relay")
        var exchange = Exchange()
        for event in Place.sent.events { _ = exchange.advance(event) }
        let mayTry = exchange.mayTryOtherSecret
        _ = exchange.advance(.callerLeft)
        let mayStillTry = exchange.mayTryOtherSecret
        #expect(mayTry && !mayStillTry)
    }

    @Test func aRetryThatFindsNoConnectionSaysThatNothingWasSent() {
        let events = Place.sent.events + [.upstreamLost(UpstreamLoss(nothingTaken: true))]
        #expect(
            last(events + [.connectionFailed(.poolFull)])
                == "by callerWrite, respond 503 connection_limit_reached unsent")
        #expect(
            last(events + [.deadlinePassed(.connect)])
                == "cancel, by callerWrite, respond 504 connection_timeout unsent")
    }

    @Test func anAnswerThatCannotBeReadIsNotPassedOn() {
        let refused = "close, by callerWrite, respond 502 http_protocol_error maybe assume-failure"
        let breaks = "\(broken) upstreamUnusable answered"
        expect(
            .answerRefused(.badStatus),
            [.connected: refused, .sealed: refused, .sent: refused, .answeredEarly: breaks, .answered: breaks])
    }

    // MARK: - Deadlines

    @Test func aBrokenAnswerThatWasWithdrawnIsReported() {
        for (event, error) in [
            (Event.upstreamLost(UpstreamLoss(nothingTaken: false)), "http_response_incomplete"),
            (.answerRefused(.badChunk), "http_protocol_error"),
        ] {
            var exchange = Exchange()
            for event in Place.answered.events { _ = exchange.advance(event) }
            exchange.withdrawAnswer()
            let stillBegan = exchange.answerBegan
            #expect(!stillBegan)
            let expected = "close, by callerWrite, respond 502 \(error) maybe assume-failure"
            let said = told(&exchange, event)
            let after = told(&exchange, .answerDelivered)
            #expect(said == expected, "\(said)")
            #expect(after.hasPrefix("clear, finish upstream"), "\(after)")
        }
    }

    @Test func deadlinesEndWhatTheyLimit() {
        expect(.deadlinePassed(.body), [.admitted: "by callerWrite, respond 408 http_request_error unsent"])
        expect(.deadlinePassed(.connect), [.drafted: "cancel, by callerWrite, respond 504 connection_timeout unsent"])
        let breaks = "\(broken) upstreamTimeout answered"
        let written = "close, by callerWrite, respond 504 connection_write_timeout maybe assume-failure"
        expect(
            .deadlinePassed(.write),
            [.connected: written, .sealed: written, .sent: written, .answeredEarly: breaks, .answered: breaks])
        let answered = "close, by callerWrite, respond 504 http_response_timeout maybe assume-failure"
        for deadline in [Deadline.firstByte, .idle] {
            expect(
                .deadlinePassed(deadline),
                [.connected: answered, .sealed: answered, .sent: answered, .answeredEarly: breaks, .answered: breaks])
        }
        expect(
            .deadlinePassed(.callerWrite),
            [
                .answeredEarly: "by idle", .answered: "by idle", .settled: "clear, finish callerLeft settled",
                .refused: "clear, finish refused received",
            ])
    }

    // MARK: - Callers who leave, and the stop

    @Test func aCallerWhoLeavesIsServedNoMoreButItsAnswerIsRead() {
        expect(
            .callerLeft,
            [
                .received: "clear, finish callerLeft received", .admitted: "clear, finish callerLeft admitted",
                .paced: "clear, finish callerLeft paced", .drafted: "cancel, clear, finish callerLeft drafted",
                .connected: "close, clear, finish callerLeft connected", .answeredEarly: "by idle",
                .answered: "by idle", .settled: "clear, finish callerLeft settled",
                .refused: "clear, finish refused received",
            ])
        let gone = Place.sent.events + [.callerLeft]
        #expect(last(gone + [.callerLeft]) == "")
        #expect(last(gone + [.answerHeadArrived]) == "by idle, relay")
        let read = gone + [.answerHeadArrived]
        #expect(last(read + [.callerStalled]) == "" && last(read + [.callerResumed]) == "")
        #expect(last(read + [.answerCompleted(reusable: true)]) == "return, clear, finish callerLeft settled")
        #expect(
            last(read + [.upstreamLost(UpstreamLoss(nothingTaken: false))])
                == "close, clear, finish upstreamLost answered")
    }

    @Test func nobodyIsAnsweredAndNothingTriedAgainForACallerWhoLeft() {
        for nothing in [true, false] {
            let lost = Event.upstreamLost(UpstreamLoss(nothingTaken: nothing))
            #expect(last(Place.sent.events + [.callerLeft, lost]) == "close, clear, finish upstreamLost sent")
            #expect(last(Place.sealed.events + [.callerLeft, lost]) == "close, clear, finish upstreamLost sealed")
        }
        #expect(
            last(Place.sent.events + [.callerLeft, .answerRefused(.badStatus)])
                == "close, clear, finish upstreamUnusable sent")
        #expect(
            last(Place.sent.events + [.callerLeft, .deadlinePassed(.firstByte)])
                == "close, clear, finish upstreamTimeout sent")
        #expect(last(Place.sent.events + [.callerLeft, .stopped]) == "close, clear, finish stopped sent")
    }

    @Test func aStopSaysWhatWasSent() {
        let unsent = "by callerWrite, respond 503 proxy_internal_response unsent"
        let breaks = "\(broken) stopped answered"
        expect(
            .stopped,
            [
                .received: unsent, .admitted: unsent, .paced: unsent, .drafted: "cancel, " + unsent,
                .connected: "close, " + unsent, .sealed: lostMaybe, .sent: lostMaybe, .answeredEarly: breaks,
                .answered: breaks, .settled: "clear, finish stopped settled",
                .refused: "clear, finish refused received",
            ])
    }

    @Test func aStallCountsOnlyWhileAnAnswerIsOnItsWay() {
        let limit = "by callerWrite"
        expect(.callerStalled, [.answeredEarly: limit, .answered: limit, .settled: limit, .refused: limit])
        expect(.callerResumed, [.answeredEarly: "by idle", .answered: "by idle"])
    }

    @Test func factsOfAConnectionThatWasGivenUpAreOfNoUse() {
        for place in [Place.settled, .refused, .logged] {
            for event in [Event.answerHeadArrived, .answerCompleted(reusable: true), .requestWritten] {
                #expect(last(place.events + [event]) == "", "\(place), then \(event)")
            }
        }
    }

    @Test func afterTheEndNothingIsDone() {
        let all: [Event] =
            [
                .headArrived, .requestRefused(.noRoute),
                .routeFound(RouteFacts(expectsContinue: true, lostAnswer: .unknown)),
                .bodyArrived, .bodyExamined, .draftMade, .connectionLent(reused: true), .requestSealed,
                .requestWritten, .answerHeadArrived, .answerCompleted(reusable: true), .answerRefused(.badStatus),
                .upstreamLost(UpstreamLoss(nothingTaken: true)), .answerDelivered, .callerStalled, .callerResumed,
                .callerLeft, .stopped,
            ] + ConnectFailure.allCases.map { .connectionFailed($0) } + Deadline.allCases.map { .deadlinePassed($0) }
        for event in all { #expect(last(Place.logged.events + [event]) == "", "\(event)") }
    }
}
