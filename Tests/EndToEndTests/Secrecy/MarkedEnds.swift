// How a marked request is driven to its end in each phase. The table is made from the phases themselves: one that is
// new does not compile without an entry, and a cause without one is found by the test.
// Relies on MarkedGateway. Refuses no end; the log tells whether a drive came where it was to come.

import Exchange
import TestSupport

enum MarkedEnds {
    typealias Drive = (MarkedGateway) throws -> Void

    /// The ends of a phase. Those of `stopped` leave a request behind that the gateway's stop ends.
    static func drives(_ phase: Phase) -> [Cause: Drive] {
        switch phase {
        case .received: [.refused: notAdmitted]
        case .admitted:
            [
                .refused: { try $0.refused(post("/open", "[\(SecretMark.account.rawValue)]", $0.bearer)) },
                .callerLeft: { try $0.begun().wire.reset() },
                .callerTimeout: { $0.keep(try $0.begun().answer()) },
                .stopped: { $0.leave(try $0.begun()) },
            ]
        case .collected: [.refused: otherBody, .replayed: twice]
        case .remembered: [.refused: tooFast]
        case .paced: [.refused: { try $0.refused($0.request("/open", more: ",\"participant_id\":1")) }]
        case .drafted: [.upstreamUnreachable: { try $0.refused($0.request("/gone")) }]
        case .connected:
            [.refused: { try $0.refused($0.request("/open", "X-Own: \($0.mark)\r\nX-Own: \($0.mark)")) }]
        // What is sealed is written at once: who comes here ends as sent at the earliest.
        case .sealed: [:]
        case .sent:
            [
                .upstreamLost: { try $0.refused($0.request("/open/lose")) },
                .upstreamUnusable: { try $0.refused($0.request("/open/garbage")) },
                .upstreamTimeout: { try $0.refused($0.request("/open/hang")) },
                .stopped: { $0.leave(try $0.held()) },
            ]
        case .answered:
            [
                .upstreamLost: { $0.relayed($0.request("/open/cut")) },
                .upstreamUnusable: { $0.relayed($0.request("/open/chunk")) },
                .upstreamTimeout: { $0.relayed($0.request("/open/stall")) },
            ]
        case .settled: [.completed: { $0.relayed($0.request("/open")) }, .callerLeft: leftWhileSent]
        // Whoever ends has ended before the line is written.
        case .logged: [:]
        }
    }

    /// The end as the log has it.
    static func name(_ cause: Cause, _ phase: Phase) -> String {
        let words = "\(cause)".map { $0.isUppercase ? "-" + $0.lowercased() : String($0) }.joined()
        return "\(words)/\(phase)"
    }

    private static func notAdmitted(_ marked: MarkedGateway) throws {
        let mark = marked.mark
        try marked.refused(marked.request("/open", token: .wrongToken))
        try marked.refused(marked.request("/nowhere"))
        try marked.refused(marked.request("/open", "Expect: \(mark)"))
        try marked.refused(marked.request("/open", "Content-Encoding: \(mark)"))
        try marked.refused(marked.request("/open").replacing("POST", with: "M\(mark)"))
        try marked.refused("GET /\(mark) HTTP/\(mark)\r\n\r\n")
        try marked.refused("GET / HTTP/1.1\r\nHost: \(mark)@\r\n\r\n")
    }

    private static func otherBody(_ marked: MarkedGateway) throws {
        let key = "other-\(marked.mark)"
        marked.relayed(marked.request("/pay", key: key))
        try marked.refused(marked.request("/pay", key: key, more: ",\"more\":\"\(marked.mark)\""))
    }

    private static func twice(_ marked: MarkedGateway) {
        for _ in 0..<2 { marked.relayed(marked.request("/pay", key: "twice-\(marked.mark)")) }
    }

    private static func tooFast(_ marked: MarkedGateway) throws {
        marked.relayed(marked.request("/slow"))
        try marked.refused(marked.request("/slow"))
    }

    private static func leftWhileSent(_ marked: MarkedGateway) throws {
        try marked.held().wire.reset()
        // The reset is there before the answer is.
        try marked.refused(marked.request("/nowhere"))
        marked.answer.open()
    }
}

extension MarkedGateway {
    var mark: String { SecretMark.account.rawValue }
    var bearer: String { "Authorization: Bearer \(SecretMark.token.rawValue)" }
}
