// An upstream that notes when requests arrive and how many it has at once, and may take its time.
// Relies on FakeUpstream. What it sees is never more than what was so: an arrival is noted after the whole request was
// read, and an end before the first byte of the answer, so that requests at once are never counted too high. Arrivals
// are seen late by some ms, so a window between two of them may seem shorter than it was: see `slack`.

import Synchronization
import TestSupport

/// Lets time pass where time is what the test measures, and nothing else could be waited for.
func letPass(_ seconds: Double) { if seconds > 0 { _ = Gate().pass(within: seconds) } }

/// Seconds since `start` of a clock that nobody sets.
func seconds(since start: ContinuousClock.Instant) -> Double { (ContinuousClock.now - start) / .seconds(1) }

final class TimedUpstream: Sendable {
    /// By so many seconds an arrival may be noted late on a machine that has other things to do.
    static let slack = 0.1

    struct Arrival: Sendable {
        let time: Double
        let message: Message
    }

    private struct Record {
        var arrivals: [Arrival] = []
        var atOnce = 0
        var mostAtOnce = 0
    }

    private final class Notes: Sendable {
        let record = Mutex(Record())
        let start = ContinuousClock.now

        func began(_ message: Message) -> Int {
            let time = seconds(since: start)
            return record.withLock { record in
                record.arrivals.append(Arrival(time: time, message: message))
                record.atOnce += 1
                record.mostAtOnce = max(record.mostAtOnce, record.atOnce)
                return record.arrivals.count
            }
        }

        func ended() { record.withLock { $0.atOnce -= 1 } }
    }

    let upstream: FakeUpstream
    private let notes: Notes
    var start: ContinuousClock.Instant { notes.start }

    /// Takes so long for each answer. `answers` are the status and header lines of the first ones; later ones are 200.
    init(takes time: Double = 0, _ answers: [(status: String, headers: String)] = []) throws {
        let notes = Notes()
        self.notes = notes
        upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                let number = notes.began(request)
                letPass(time)
                notes.ended()
                if number <= answers.count {
                    conversation.answer(status: answers[number - 1].status, headers: answers[number - 1].headers)
                } else {
                    conversation.answer()
                }
            }
        }
    }

    /// In the order of time.
    var arrivals: [Arrival] { notes.record.withLock { $0.arrivals }.sorted { $0.time < $1.time } }
    var times: [Double] { arrivals.map(\.time) }
    var mostAtOnce: Int { notes.record.withLock { $0.mostAtOnce } }

    /// By how many requests the fullest window between two arrivals holds more than it may; at most 0 is right.
    func excess(rate: Double, burst: Double) -> Double {
        let times = times
        var worst = -Double.infinity
        for (first, begin) in times.enumerated() {
            for (last, end) in times.enumerated() where last >= first {
                worst = max(worst, Double(last - first + 1) - burst - rate * (end - begin + Self.slack))
            }
        }
        return worst
    }
}
