// `countersign redact` as an operator uses it. Relies on the built executable beside the tests. Refuses output that
// holds an account number.

import Testing

@Suite("redact command")
struct RedactCommandTests {
    private let body = #"""
        {"status": "success", "mine": 7, "data": {"account_number": "8001234567", "x": "8001234567", "amount": "1.50"}}
        """#

    @Test("a payload is shown as the log would show it")
    func shown() throws {
        let fixture = try CommandFixture()
        try fixture.write("payload", body)
        for (arguments, expected) in [
            (
                [],
                #"{"status":"success","<name:4>":"<number:1>","data":"#
                    + #"{"account_number":"***4567","<name:1>":"<string:10>","amount":"1.50"}}"#
            ),
            (
                ["--kind=request", "--show", "mine,/data/x", "--hide", "amount", "--product", "ingopay"],
                #"{"status":"<string:7>","mine":7,"data":"#
                    + #"{"account_number":"***4567","x":"<string:10>","amount":"<hidden>"}}"#
            ),
        ] {
            let answer = try fixture.run(["redact"] + arguments + [fixture.path("payload")])
            #expect(answer.status == 0 && answer.error.isEmpty)
            #expect(answer.out == expected + "\n")
        }
    }

    @Test("standard input is read, and what is no JSON shows its type and length")
    func other() throws {
        let fixture = try CommandFixture()
        #expect(try fixture.run(["redact", "-"]).out == "{\"type\":\"empty\",\"length\":0}\n")
        try fixture.write("payload", "account=8001234567")
        #expect(
            try fixture.run(["redact", fixture.path("payload")]).out == "{\"type\":\"not json\",\"length\":18}\n")
        let missing = try fixture.run(["redact", fixture.path("nothing")])
        #expect(missing.status == 1 && missing.error.contains("cannot be read"))
    }

    private static let tooMany = [String](repeating: "a", count: 33).joined(separator: ",")

    @Test(
        "usage ends with 2 and says what is meant",
        arguments: [
            (["redact"], "FILE is missing"), (["redact", "a", "b"], "b belongs to no flag"),
            (["redact", "--product", "bankin", "-"], "is banking meant?"),
            (["redact", "--kind", "reply", "-"], "--kind takes one of request, answer"),
            (["redact", "--show", "a,,b", "-"], "--show takes names"),
            (["redact", "--hide", "/a//b", "-"], "--hide takes names"),
            (["redact", "--show", tooMany, "-"], "at most 32 fields"),
        ] as [([String], String)])
    func usage(_ arguments: [String], _ says: String) throws {
        let answer = try CommandFixture().run(arguments)
        #expect(answer.status == 2 && answer.out.isEmpty)
        #expect(answer.error.contains(says), "\(answer.error)")
    }
}
