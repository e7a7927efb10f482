// Random requests in random pieces: whatever the fragments and framings, each answer is the one to its request.

import TestSupport
import Testing

@Suite struct FragmentTests {
    @Test func randomPiecesOfPipelinedRequests() throws {
        var random = Seed.chosen(for: "randomPiecesOfPipelinedRequests")
        let upstream = try FakeUpstream { conversation in
            while let request = conversation.request() {
                let body = request.text
                // Long ones come back in chunks, the others with a length.
                if body.utf8.count % 2 == 0 {
                    conversation.answer(body)
                } else {
                    conversation.send(
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, by: 1_000))
                }
            }
        }
        var setup = Setup(upstream)
        setup.workers = 2
        let gateway = try GatewayUnderTest(setup)
        for _ in 0..<20 {
            let caller = try gateway.caller()
            let bodies = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                object(of: Int.random(in: 8...[64, 2_000, 40_000].randomElement(using: &random)!, using: &random))
            }
            let text = bodies.map { body in
                Bool.random(using: &random)
                    ? post("/x", body) : chunkedPost("/x", body, by: Int.random(in: 1...5_000, using: &random))
            }.joined()
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let piece = rest.prefix(
                    Int.random(in: 1...[3, 100, 10_000].randomElement(using: &random)!, using: &random))
                try caller.send(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            for body in bodies {
                let answer = try caller.answer()
                try #require(answer.status == 200)
                try #require((answer.text == body) == true, "\(body.utf8.count) bytes")
            }
        }
    }
}
