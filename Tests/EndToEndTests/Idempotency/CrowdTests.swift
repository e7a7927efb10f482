// A thousand equal requests at once, over two workers: one goes out, and all have its answer.
// Relies on the upstream to hold its answer until all were written. Bounded: one connection per request, one thread.

import TestSupport
import Testing

@Suite struct CrowdTests {
    @Test(arguments: StoreUnderTest.allCases)
    func aThousandEqualRequestsAreSentOnce(_ kind: StoreUnderTest) throws {
        raiseDescriptorLimit()
        let upstream = try ActingUpstream(["/pay": [.hold]])
        var setup = Setup(upstream.upstream, kind)
        setup.workers = 2
        let gateway = try GatewayUnderTest(setup)
        let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")
        let callers = try (0..<1_000).map { _ in try gateway.caller() }
        for caller in callers { try caller.send(request) }
        #expect(upstream.asked.pass())
        upstream.answer.open()
        let answers = try callers.map { try $0.answer() }
        #expect(Set(answers.map(\.whole)).count == 1 && answers[0].status == 200)
        #expect(answers.count { !$0.isReplay } == 1)
        #expect(upstream.count("/pay") == 1)
    }

    /// Many keys at once, each asked for by callers of both workers, with losses in between: no key goes out twice.
    @Test(arguments: StoreUnderTest.allCases)
    func manyKeysAtOnceAreEachSentOnce(_ kind: StoreUnderTest) throws {
        raiseDescriptorLimit()
        let lost = (0..<100).filter { $0 % 5 == 0 }
        let upstream = try ActingUpstream(Dictionary(uniqueKeysWithValues: lost.map { ("/pay/\($0)", [.lose]) }))
        var setup = Setup(upstream.upstream, kind)
        setup.workers = 2
        setup.upstream += "    breaker: {failures: 1000}\n"
        let gateway = try GatewayUnderTest(setup)
        let callers = try (0..<400).map { _ in try gateway.caller() }
        for (index, caller) in callers.enumerated() {
            try caller.send(post("/pay/\(index % 100)", "{\"key\":\"\(index % 100)\"}"))
        }
        var answers: [Int: Set<String>] = [:]
        for (index, caller) in callers.enumerated() {
            let answer = try caller.answer()
            if lost.contains(index % 100) {
                #expect([409, 502].contains(answer.status) && answer.fate == "sent=?1; outcome=unknown")
            } else {
                answers[index % 100, default: []].insert(answer.whole)
            }
        }
        #expect(answers.count == 80 && answers.values.allSatisfy { $0.count == 1 })
        for number in 0..<100 { #expect(upstream.count("/pay/\(number)") == 1) }
    }
}
