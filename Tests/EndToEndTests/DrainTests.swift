// Starting and stopping: signals end the gateway in order, and a start that cannot be is told with its status.

import Foundation
import TestSupport
import Testing

@Suite struct DrainTests {
    /// A gateway whose upstream answers only when the gate is opened; `asked` opens once it has the request.
    private func held(limits: String = "") throws -> (GatewayUnderTest, asked: Gate, answer: Gate) {
        let asked = Gate()
        let answer = Gate()
        let upstream = try FakeUpstream { conversation in
            while conversation.request() != nil {
                asked.open()
                if answer.pass() { conversation.answer() }
            }
        }
        var setup = Setup(upstream)
        setup.limits = limits
        return (try GatewayUnderTest(setup), asked, answer)
    }

    @Test(arguments: [ProgramSignal.terminate, .interrupt])
    func aRequestInFlightIsFinished(_ signal: ProgramSignal) throws {
        let (gateway, asked, answer) = try held()
        let idle = try gateway.caller()
        let caller = try gateway.caller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        gateway.program.signal(signal)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"draining\"") }
        try idle.reader.expectEnd()
        answer.open()
        let finished = try caller.answer()
        #expect(finished.status == 200 && finished["Connection"] == "close")
        try caller.reader.expectEnd()
        caller.wire.close()
        #expect(gateway.program.end() == .code(0))
    }

    @Test func aSecondSignalEndsAtOnce() throws {
        let (gateway, asked, answer) = try held()
        let caller = try gateway.caller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        gateway.program.signal(.terminate)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"draining\"") }
        gateway.program.signal(.terminate)
        #expect(gateway.program.end(within: 10) != nil)
        let answered = try caller.answer()
        #expect(answered.status == 502)
        #expect(answered["Proxy-Status"]?.hasSuffix("sent=?1; outcome=unknown") == true)
        answer.open()
    }

    @Test func theTimeForDrainingIsBounded() throws {
        let (gateway, asked, answer) = try held(limits: "  drain: 200ms\n")
        let caller = try gateway.caller()
        try caller.send(post("/x", "{}"))
        #expect(asked.pass())
        gateway.program.signal(.terminate)
        #expect(gateway.program.end(within: 10) != nil)
        #expect(try caller.answer().status == 502)
        answer.open()
    }

    @Test func aHangUpReadsTheSameFileAgain() throws {
        let (gateway, _, answer) = try held()
        gateway.program.signal(.hangup)
        _ = try gateway.program.line(of: .errors) { $0.contains("\"reloaded\"") }
        answer.open()
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func nothingToDoEndsAtOnce() throws {
        let gateway = try GatewayUnderTest(Setup(try FakeUpstream()))
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func aBadConfigurationEndsWith78() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("bad.yaml", "listeners: 1\nworkers: many\n")
        let program = try Program("countersign", ["run", "--config", file])
        #expect(program.end() == .code(78))
        let told = program.output + program.errors
        #expect(told.contains("bad.yaml:1:") && told.contains("bad.yaml:2:"), "\(told)")
        #expect(try Program("countersign", ["run", "--config", folder.path + "/none.yaml"]).end() == .code(78))
    }

    @Test func anAddressThatIsTakenIsTold() throws {
        let taken = try WireListener(.ipv4(0))
        let folder = try TemporaryFolder()
        var setup = Setup(url: "http://127.0.0.1:1")
        setup.listeners = "  - {name: apps, bind: \"127.0.0.1:\(taken.port)\"}\n"
        let file = try folder.write("taken.yaml", try setup.text(folder))
        let program = try Program("countersign", ["run", "--config", file])
        #expect(program.end() == .code(1))
        #expect((program.output + program.errors).contains("listener \"apps\" cannot be bound"))
    }
}
