// A load within or beyond a quota, and what the laws of rate limiting say of what came of it. Relies on Caller.
// Each request was decided at some moment between its sending and its answer, so every bound is taken over the widest
// or the narrowest window that it may have been: a slow machine weakens no law and breaks none.

import TestSupport
import Testing

/// One request of the load, in seconds since the load began.
struct QuotaTrial {
    let sent: Double
    let answered: Double
    let answer: Message
    var passed: Bool { answer.status == 200 }
}

struct QuotaLoad {
    private(set) var trials: [QuotaTrial] = []

    /// So many requests on one connection, one `every` seconds, or as fast as they are answered for 0.
    init(_ caller: Caller, count: Int, every interval: Double = 0, _ request: String = post("/x", "{}")) throws {
        let start = ContinuousClock.now
        for number in 0..<count {
            letPass(Double(number) * interval - seconds(since: start))
            let sent = seconds(since: start)
            let answer = try caller.ask(request)
            trials.append(QuotaTrial(sent: sent, answered: seconds(since: start), answer: answer))
        }
    }

    var passed: [QuotaTrial] { trials.filter(\.passed) }
    var refused: [QuotaTrial] { trials.filter { !$0.passed } }
    var duration: Double { (trials.last?.answered ?? 0) - (trials.first?.sent ?? 0) }

    /// Whether no window holds more requests that passed than `burst` and the rate allow.
    func isWithin(_ rate: Double, burst: Int) -> Bool {
        let passed = passed
        for (first, begin) in passed.enumerated() {
            for (last, end) in passed.enumerated() where last >= first {
                let most = burst + Int(rate * (end.answered - begin.sent))
                if last - first + 1 > most { return false }
            }
        }
        return true
    }

    /// What passed lies between these: all that a burst and the rate yield in the time, off by at most one.
    func expected(_ rate: Double, burst: Int) -> ClosedRange<Int> {
        guard let first = trials.first, let last = trials.last else { return 0...0 }
        let least = burst + Int(rate * (last.sent - first.answered)) - 1
        return least...burst + Int(rate * (last.answered - first.sent))
    }

    /// Every refusal is a 429 that says when to come back, and that nothing was sent.
    func checkRefusals() {
        for trial in refused {
            #expect(trial.answer.status == 429)
            #expect((Int(trial.answer["Retry-After"] ?? "") ?? 0) >= 1)
            #expect(trial.answer["Proxy-Status"] == "countersign; error=http_request_denied; sent=?0")
        }
    }
}
