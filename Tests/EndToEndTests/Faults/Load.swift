// Callers by the dozen, on kept and on new connections, each request with a number of its own, and an account of what
// came of each. Relies on Caller. Refuses nothing: what is lost, and what is not whole, is in the report.

import Foundation
import TestSupport

/// What came of a load's requests.
struct LoadReport: Sendable {
    /// Numbers of requests that were answered with 200.
    var done: Set<Int> = []
    /// Other answers, whole, with their `Proxy-Status`.
    var refused: [String] = []
    /// Requests that were sent and got no whole answer.
    var unanswered: [String] = []
    /// Connections that could not be made.
    var notConnected = 0
    var connections = 0

    mutating func add(_ other: LoadReport) {
        done.formUnion(other.done)
        refused += other.refused
        unanswered += other.unanswered
        notConnected += other.notConnected
        connections += other.connections
    }
}

/// Runs callers on threads of their own until each has sent its share, or until nobody can connect any more.
final class Load: @unchecked Sendable {
    // @unchecked Sendable: what changes is under `changed`.
    private let changed = NSCondition()
    private var report = LoadReport()
    private var running: Int
    private var answers = 0
    private let address: WireAddress
    private let share: Int
    /// Each so manieth request goes on a new connection.
    private let freshEvery: Int

    init(_ address: WireAddress, callers: Int, requestsEach share: Int, freshEvery: Int = 5) {
        self.address = address
        self.share = share
        self.freshEvery = freshEvery
        running = callers
        for number in 0..<callers { Thread.detachNewThread { self.run(number) } }
    }

    /// Answers that have come so far.
    func waitForAnswers(_ count: Int, within seconds: Double = 60) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while answers < count && running > 0 { guard changed.wait(until: deadline) else { break } }
        return answers >= count
    }

    /// Waits for all callers.
    func finish(within seconds: Double = 120) throws -> LoadReport {
        let deadline = Date(timeIntervalSinceNow: seconds)
        changed.lock()
        defer { changed.unlock() }
        while running > 0 {
            guard changed.wait(until: deadline) else { throw SupportFailure("\(running) callers still wait") }
        }
        return report
    }

    private func run(_ number: Int) {
        var mine = LoadReport()
        var caller: Caller?
        for index in 0..<share {
            // A connection that was ended while it was idle is seen before a request is risked on it.
            if index % freshEvery == 0 || caller?.wire.isReadable(within: 0) == true { caller = nil }
            if caller == nil {
                guard let made = try? Caller(address, within: 60_000) else {
                    mine.notConnected += 1
                    break
                }
                mine.connections += 1
                caller = made
            }
            if let asked = caller, !ask(asked, number * 1_000_000 + index, &mine) { caller = nil }
            changed.lock()
            answers += 1
            changed.broadcast()
            changed.unlock()
        }
        changed.lock()
        report.add(mine)
        running -= 1
        changed.broadcast()
        changed.unlock()
    }

    /// True where the connection may be used again.
    private func ask(_ caller: Caller, _ number: Int, _ report: inout LoadReport) -> Bool {
        do {
            let answer = try caller.ask(post("/x", "{\"n\":\(number)}"))
            if answer.status == 200 {
                report.done.insert(number)
            } else {
                report.refused.append("\(number): \(answer.status) \(answer["Proxy-Status"] ?? "")")
            }
            return answer["Connection"] != "close"
        } catch {
            report.unanswered.append("\(number): \(error)")
            return false
        }
    }
}

extension FakeUpstream {
    /// The numbers of the load's requests that came here, each as often as it came.
    var numbers: [Int] { requests.compactMap { $0.json["n"] as? Int } }
}
