// A store that cannot be asked: routes with keys say so and send nothing, everything else goes on, and when the store
// works again so do they, without a restart.
// Relies on the log, which says once that the store has failed and once that it works. Refuses to wait otherwise: while
// a store is opened again at intervals, a test asks until it is answered, for a bounded time.

import Foundation
import TestSupport
import Testing

@Suite struct StoreFailureTests {
    private static let request = post("/pay", "{\"key\":\"k\",\"amount\":1}")

    /// Two protected routes, of which the second passes its requests on where the store fails, and one without keys.
    private func setup(_ upstream: ActingUpstream, _ path: String, _ more: String = "") -> Setup {
        var setup = Setup(upstream.upstream, .sqlite)
        setup.store?.path = path
        setup.store?.more = more
        setup.routes += Setup.route("push", "key: /key, on_store_failure: forward")
        return setup
    }

    private func failure(_ gateway: GatewayUnderTest) throws -> String {
        try gateway.program.line(of: .errors) { $0.contains("store of idempotency keys fails") }
    }

    private func waitUntilItWorks(_ gateway: GatewayUnderTest, times: Int = 1) throws {
        _ = try gateway.program.lines(of: .errors, count: times) { $0.contains("store of idempotency keys works") }
    }

    /// What holds while the store fails.
    private func expectRefusals(_ gateway: GatewayUnderTest, _ upstream: ActingUpstream) throws {
        let before = upstream.upstream.requests.count
        let refused = try gateway.ask(Self.request)
        #expect(refused.status == 503 && refused.fate == "sent=?0" && refused["Retry-After"] == "1")
        #expect(refused.text.contains("store of idempotency keys"))
        #expect(upstream.upstream.requests.count == before)
        for _ in 0..<2 {
            let unprotected = try gateway.ask(post("/push", "{\"key\":\"k\"}"))
            #expect(unprotected.status == 200 && !unprotected.isReplay)
        }
        #expect(try gateway.ask(post("/open", "{}")).status == 200)
        #expect(upstream.upstream.requests.count == before + 3)
    }

    private func expectProtection(_ gateway: GatewayUnderTest) throws {
        for path in ["/pay", "/push"] {
            let request = post(path, "{\"key\":\"afterwards\"}")
            #expect(try gateway.ask(request).isReplay == false)
            #expect(try gateway.ask(request).isReplay)
        }
    }

    @Test func aMissingFolderIsFoundOnceItIsThere() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream()
        let gateway = try GatewayUnderTest(setup(upstream, folder.path + "/later/keys.db"))
        #expect(try failure(gateway).contains("cannot-open"))
        try expectRefusals(gateway, upstream)
        try FileManager.default.createDirectory(atPath: folder.path + "/later", withIntermediateDirectories: false)
        try waitUntilItWorks(gateway)
        try expectProtection(gateway)
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func aFileThatAnotherGatewayHasIsTakenOnceItIsLeft() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream()
        let first = try GatewayUnderTest(setup(upstream, folder.path + "/keys.db"))
        let kept = try first.ask(post("/pay", "{\"key\":\"first\"}"))
        #expect(kept.status == 200)
        let second = try GatewayUnderTest(setup(upstream, folder.path + "/keys.db"))
        #expect(try failure(second).contains("locked"))
        try expectRefusals(second, upstream)
        #expect(try first.ask(post("/pay", "{\"key\":\"first\"}")).isReplay, "the owner is not disturbed")
        first.program.signal(.kill)
        #expect(first.program.end() != nil)
        try waitUntilItWorks(second)
        #expect(try second.ask(post("/pay", "{\"key\":\"first\"}")).whole == kept.whole)
        try expectProtection(second)
    }

    /// Damaged pages, something else in its place, a file of a later version: none is ever made anew.
    @Test(arguments: ["pages", "text", "newer", "folder"])
    func aFileThatIsNoStoreStaysAsItIs(_ what: String) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/keys.db"
        let upstream = try ActingUpstream()
        let kept = try prepare(what, path, upstream)
        let before = what == "folder" ? nil : try Data(contentsOf: URL(fileURLWithPath: path))
        let gateway = try GatewayUnderTest(setup(upstream, path))
        let reason = ["pages": "corrupt", "text": "corrupt", "newer": "newer", "folder": "cannot-open"][what]
        #expect(try failure(gateway).contains(try #require(reason)))
        try expectRefusals(gateway, upstream)
        if let before { #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before) }
        // The operator puts the good file back.
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try FileManager.default.copyItem(atPath: path + ".good", toPath: path)
        try waitUntilItWorks(gateway)
        #expect(try gateway.ask(post("/pay", "{\"key\":\"first\"}")).whole == kept.whole)
        try expectProtection(gateway)
    }

    /// Makes a store with one key, a good copy of it, and then breaks it. Gives the answer that is kept.
    private func prepare(_ what: String, _ path: String, _ upstream: ActingUpstream) throws -> Message {
        let gateway = try GatewayUnderTest(setup(upstream, path))
        let kept = try gateway.ask(post("/pay", "{\"key\":\"first\"}"))
        for number in 0..<30 { #expect(try gateway.ask(post("/pay", "{\"key\":\"\(number)\"}")).status == 200) }
        #expect(gateway.program.stop() == .code(0))
        let file = URL(fileURLWithPath: path)
        try FileManager.default.copyItem(atPath: path, toPath: path + ".good")
        var bytes = try Data(contentsOf: file)
        switch what {
        case "pages":
            // The header stays; every other page is damaged, and the end is said to have been no clean one.
            for index in bytes.indices.dropFirst(4_096) where index % 7 == 0 { bytes[index] ^= 0x5A }
        case "text": bytes = Data(String(repeating: "this is no store of keys\n", count: 400).utf8)
        case "newer": bytes.replaceSubrange(60..<64, with: [0, 0, 0x7F, 0xFF])
        default:
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
            return kept
        }
        try bytes.write(to: file)
        return kept
    }

    /// The bound of the file's size stands for a full disk: new keys are refused, and what is kept is given.
    @Test func aFullStoreStillKnowsWhatItHas() throws {
        let folder = try TemporaryFolder()
        let large = Act.answer(body: object(of: 16_000))
        let upstream = try ActingUpstream(["/pay/hold": [.hold], "/pay/fill": Array(repeating: large, count: 200)])
        let gateway = try GatewayUnderTest(setup(upstream, folder.path + "/keys.db", "  max_size: 1MiB\n"))
        let caller = try gateway.caller()
        let held = try gateway.caller()
        try held.send(post("/pay/hold", "{\"key\":\"held\"}"))
        #expect(upstream.asked.pass())
        var number = 0
        var answer = try caller.ask(Self.fill(number))
        while answer.status == 200, number < 200 {
            number += 1
            answer = try caller.ask(Self.fill(number))
        }
        #expect((30..<200).contains(number), "\(number) keys in 1 MiB")
        #expect(try failure(gateway).contains("full"))
        #expect(answer.status == 503 && answer.fate == "sent=?0")
        #expect(try caller.ask(Self.fill(number)).status == 503)
        for known in stride(from: 0, to: number - 1, by: 17) { #expect(try caller.ask(Self.fill(known)).isReplay) }
        #expect(try caller.ask(post("/open", "{}")).status == 200)
        // What was in flight has an answer that is known, and kept in memory until there is room.
        upstream.answer.open()
        let late = try held.answer()
        #expect(late.status == 200)
        #expect(try gateway.ask(post("/pay/hold", "{\"key\":\"held\"}")).whole == late.whole)
        let size = try FileManager.default.attributesOfItem(atPath: folder.path + "/keys.db")[.size] as? Int
        #expect(size ?? 0 <= 1 << 20)
        #expect(upstream.count("/pay/hold") == 1)
    }

    private static func fill(_ number: Int) -> String {
        post("/pay/fill", "{\"key\":\"\(number)\"}")
    }

    @Test(arguments: StoreUnderTest.allCases)
    func noMoreKeysAreKeptThanMayBe(_ kind: StoreUnderTest) throws {
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, kind)
        setup.store?.more = "  max_keys: 3\n"
        let gateway = try GatewayUnderTest(setup)
        for number in 0..<3 { #expect(try gateway.ask(Self.fill(number)).status == 200) }
        let refused = try gateway.ask(Self.fill(3))
        #expect(refused.status == 503 && refused.fate == "sent=?0")
        for number in 0..<3 { #expect(try gateway.ask(Self.fill(number)).isReplay) }
        #expect(upstream.upstream.requests.count == 3)
    }
}
