// An upstream that does with each request of a path what the test says, and counts them.
// Relies on FakeUpstream. Refuses nothing. Each answer that is not told otherwise says how many requests its path has
// had, so that an answer that was given again can be told from a second one.

import Synchronization
import TestSupport

/// What is done with one request.
enum Act: Sendable {
    /// A whole answer; without a body, the count.
    case answer(String = "200 OK", headers: String = "", body: String? = nil)
    /// These bytes, then the end of the connection.
    case bytes(String)
    /// The end of the connection, without a byte.
    case lose
    /// The plain answer, once the test opens `answer`.
    case hold
    /// The end of the connection, once the test opens `answer`.
    case holdAndLose
}

final class ActingUpstream: Sendable {
    let upstream: FakeUpstream
    /// Opens with each request that is held.
    let asked: Gate
    /// Lets one held request go on.
    let answer: Gate

    /// `acts` are those of a path's first requests; every later one gets the plain answer.
    init(_ acts: [String: [Act]] = [:], _ address: WireAddress = .ipv4(0)) throws {
        let asked = Gate()
        let answer = Gate()
        let counts = RequestCounts()
        self.asked = asked
        self.answer = answer
        upstream = try FakeUpstream(address) { conversation in
            while let request = conversation.request() {
                let count = counts.next(request.path)
                let script = acts[request.path] ?? []
                let plain = "{\"path\":\"\(request.path)\",\"count\":\(count)}"
                switch count <= script.count ? script[count - 1] : .answer() {
                case .answer(let status, let headers, let body):
                    conversation.answer(body ?? plain, status: status, headers: headers)
                case .bytes(let text):
                    conversation.send(text)
                    return
                case .lose: return
                case .hold:
                    asked.open()
                    answer.pass()
                    conversation.answer(plain)
                case .holdAndLose:
                    asked.open()
                    answer.pass()
                    return
                }
            }
        }
    }

    /// How many requests the path has had.
    func count(_ path: String) -> Int { upstream.requests.count { $0.path == path } }
}

/// Requests by path.
private final class RequestCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func next(_ path: String) -> Int {
        counts.withLock { counts in
            counts[path, default: 0] += 1
            return counts[path, default: 0]
        }
    }
}

extension Message {
    /// The target of a request, without its query.
    fileprivate var path: String {
        let target = startLine.split(separator: " ").dropFirst().first ?? ""
        return String(target.prefix { $0 != "?" })
    }

    /// It is one that was kept.
    var isReplay: Bool { self["Idempotent-Replayed"] == "true" }
    /// What the gateway says of the outcome: `sent=?0`, or `sent=?1; outcome=..`.
    var fate: String {
        let parts = self["Proxy-Status"]?.split(separator: "; ") ?? []
        return parts.dropFirst(2).joined(separator: "; ")
    }
    /// Everything that makes an answer what it is, but for the mark of a replay.
    var whole: String {
        let lines = fields.filter { $0.name != "Idempotent-Replayed" }.map { "\($0.name): \($0.value)" }
        return ([startLine] + lines + [text]).joined(separator: "\n")
    }
}
