// The odd and legal requests: each passes, and what the upstream gets is compared byte for byte.
// Relies on HostileBench. What the gateway adds is known by name and order; its values are other tests' business.

import TestSupport
import Testing

@Suite struct OddRequestTests {
    /// What is wrong with what the upstream got; nil where it is exactly what was expected.
    private func difference(_ got: String, _ odd: OddRequest, _ authority: String) -> String? {
        let start = odd.line + "\r\nHost: \(authority)\r\n" + odd.fields + "traceparent: 00-"
        guard got.hasPrefix(start) else { return "begins with \(visible(got))" }
        // Two ids and the flags: 32, 16 and 2 digits.
        let signed = got.dropFirst(start.count + 32 + 1 + 16 + 1 + 2)
        let added = "\r\napi_key: demo-api-key\r\nX-Date: "
        guard signed.hasPrefix(added) else { return "goes on with \(visible(String(signed)))" }
        let parts = signed.dropFirst(added.count).split(
            separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == odd.body else { return "has another body" }
        let names = parts[0].split(separator: "\r\n").dropFirst().map { String($0.prefix { $0 != ":" }) }
        let expected = ["Content-Type", "Content-sha512", "Content-Length", "Authorization"]
        return names == expected ? nil : "ends with the fields \(names)"
    }

    @Test func oddRequestsPassUnchanged() throws {
        var seed = Seed.announced("odd requests")
        var complaints: [String] = []
        let bench = try HostileBench()
        let next = latin1(withTarget("/api/next"))
        for odd in OddRequests.all + CompressedRequests.odd {
            for sending in Sending.allCases {
                let caller = try bench.gateway.caller(within: 5_000)
                switch sending {
                case .whole: try caller.send(odd.bytes)
                case .split: try bench.pieces(odd.bytes, caller, &seed)
                case .pipelined: try caller.send(next + odd.bytes)
                case .followed: try caller.send(odd.bytes + next)
                }
                do {
                    let count = sending == .pipelined || sending == .followed ? 2 : 1
                    for number in 1...count {
                        let answer = try caller.answer()
                        if answer.status != 200 {
                            complaints.append("\(sending): \(odd): \(number): \(answer.startLine)")
                        }
                    }
                } catch {
                    complaints.append("\(sending): \(odd): \(error)")
                }
                let seen = bench.record.take()
                let own = seen.requests.filter { !$0.hasPrefix("POST /base/api/next HTTP/1.1\r\n") }
                let wrong = own.count == 1 ? difference(own[0], odd, bench.authority) : "\(own.count) requests"
                if seen.stray != 0 || wrong != nil {
                    complaints.append("\(sending): \(odd): upstream: \(wrong ?? "\(seen.stray) bytes more")")
                }
            }
        }
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
}
