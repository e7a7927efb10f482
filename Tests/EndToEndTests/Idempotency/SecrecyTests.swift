// What is kept says nothing: marked values of requests and answers are looked for in every file of the store, in the
// log and in the gateway's own answers.
// Relies on marks that nothing else would write. Refuses files that others may read.

import Foundation
import TestSupport
import Testing

@Suite struct SecrecyTests {
    private static let key = "MARKED-KEY-7f3a"
    private static let account = "88001234567"
    private static let answer = "MARKED-ANSWER-91c2"
    private static let storeKey = "MARKED-STORE-KEY-of-32-bytes-at-least"
    private static let marks = [key, account, answer, storeKey, "MARKED-FIELD", "MARKED-HEADER"]

    private static let body =
        "{\"key\":\"\(key)\",\"account_number\":\"\(account)\",\"name\":\"MARKED-FIELD\"}"

    private func files(_ folder: TemporaryFolder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("keys.db") }.sorted()
    }

    /// No mark is in a file, as it is or in base64 or hexadecimal digits; and only the owner may open any of them.
    private func expectSilence(_ folder: TemporaryFolder, _ names: [String]) throws {
        #expect(try files(folder) == names)
        for name in names {
            let path = folder.path + "/" + name
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            for mark in Self.marks {
                let plain = Data(mark.utf8)
                let hex = plain.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                // Any alignment of base64 has one of the three forms, without its ends.
                let coded = (0..<3).map { shift in
                    Data((Data(count: shift) + plain).base64EncodedData().dropFirst(4).dropLast(4))
                }
                for form in [plain, Data(hex.utf8), Data(hex.uppercased().utf8)] + coded {
                    #expect(bytes.range(of: form) == nil, "\(mark) in \(name)")
                }
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
    }

    @Test func nothingOfARequestOrAnAnswerIsInAFileOrTheLog() throws {
        let folder = try TemporaryFolder()
        let text = "{\"token\":\"\(Self.answer)\",\"account\":\"\(Self.account)\"}"
        let upstream = try ActingUpstream([
            "/pay": [.answer(headers: "X-Note: MARKED-HEADER\r\n", body: text)], "/pay/lost": [.lose],
            "/pay/large": [.answer(body: "{\"a\":\"" + String(repeating: Self.answer, count: 4_000) + "\"}")],
            "/pay/held": [.hold],
        ])
        var setup = Setup(upstream.upstream, .sqlite)
        setup.store?.path = folder.path + "/keys.db"
        setup.store?.keys = [Self.storeKey]
        setup.store?.more = "  max_answer: 8KiB\n"
        setup.routes += Setup.route("head", "key: Idempotency-Key")
        let gateway = try GatewayUnderTest(setup)
        let held = try gateway.caller()
        try held.send(post("/pay/held", Self.body.replacing(Self.key, with: Self.key + "/held")))
        #expect(upstream.asked.pass())
        var refusals: [Message] = []
        for path in ["/pay", "/pay/lost", "/pay/large"] {
            let body = Self.body.replacing(Self.key, with: Self.key + path)
            _ = try gateway.ask(post(path, body))
            let again = try gateway.ask(post(path, body))
            if path == "/pay" { #expect(again.isReplay && again.text == text) } else { refusals.append(again) }
            refusals.append(try gateway.ask(post(path, body.replacing("}", with: ",\"more\":1}"))))
        }
        refusals.append(try gateway.ask(post("/pay", "{\"key\":[\"\(Self.key)\"]}")))
        refusals.append(try gateway.ask(post("/head", "{}", "Idempotency-Key: \"\(Self.key)\"\(Self.account)")))
        #expect(try gateway.ask(post("/head", Self.body, "Idempotency-Key: \(Self.key)")).status == 200)
        #expect(refusals.map(\.status) == [422, 409, 422, 409, 422, 400, 400])
        for refusal in refusals { for mark in Self.marks { #expect(!refusal.whole.contains(mark)) } }
        try expectSilence(folder, ["keys.db", "keys.db-shm", "keys.db-wal", "keys.db.lock"])
        // As a crash leaves it, and as a clean end does.
        gateway.program.signal(.kill)
        #expect(gateway.program.end() != nil)
        try expectSilence(folder, ["keys.db", "keys.db-shm", "keys.db-wal", "keys.db.lock"])
        let next = try GatewayUnderTest(setup)
        let body = Self.body.replacing(Self.key, with: Self.key + "/pay")
        #expect(try next.ask(post("/pay", body)).text == text)
        upstream.answer.open()
        #expect(next.program.stop() == .code(0))
        try expectSilence(folder, ["keys.db", "keys.db.lock"])
        let told = [gateway, next].map { $0.program.output + $0.program.errors }.joined()
        #expect(told.contains("\"stopped\""))
        for mark in Self.marks { #expect(!told.contains(mark), "\(mark) in the log") }
    }

    /// A file that others may read is closed to them before anything is written.
    @Test func aFileThatIsOpenToOthersIsClosedToThem() throws {
        let folder = try TemporaryFolder()
        let upstream = try ActingUpstream()
        var setup = Setup(upstream.upstream, .sqlite)
        setup.store?.path = folder.path + "/keys.db"
        for name in ["keys.db", "keys.db.lock"] {
            #expect(
                FileManager.default.createFile(
                    atPath: folder.path + "/" + name, contents: nil, attributes: [.posixPermissions: 0o666]))
        }
        let gateway = try GatewayUnderTest(setup)
        #expect(try gateway.ask(post("/pay", Self.body)).status == 200)
        try expectSilence(folder, ["keys.db", "keys.db-shm", "keys.db-wal", "keys.db.lock"])
    }
}
