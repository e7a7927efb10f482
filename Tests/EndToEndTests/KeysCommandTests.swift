// `countersign keys` as an operator uses it: lost answers are found and settled, and nothing else is.
// Relies on the store's file and on a gateway that is really killed. Refuses output with a body or an answer in it.

import Foundation
import TestSupport
import Testing

@Suite("keys")
struct KeysCommandTests {
    @Test("a lost answer is listed, and a repeat of what was executed is told so")
    func executed() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        try fixture.lose("k-1", gateway)
        let listed = try fixture.keys("list")
        #expect(listed.status == 0 && listed.error.isEmpty, "\(listed.error)")
        let lines = listed.out.split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[0].split(separator: " ") == ["ID", "STATE", "ROUTE", "STATUS", "ATTEMPTS", "CLAIMED", "CHANGED"])
        let columns = lines[1].split(separator: " ").map(String.init)
        #expect(Array(columns[1...4]) == ["unknown", "all", "-", "1"] && columns[0].count == 16)
        let minute = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: -60))
        #expect(columns[5] > minute && columns[5].hasSuffix("Z"), "\(columns[5])")
        #expect(try gateway.ask(KeysFixture.request("k-1", "lost")).text.contains("not sent again"))

        let settled = try fixture.keys("resolve", "--id", columns[0], "--outcome", "executed")
        #expect(settled.status == 0, "\(settled.error)")
        #expect(settled.out.contains(columns[0]) && settled.out.contains("it was carried out"))
        let repeated = try gateway.ask(KeysFixture.request("k-1", "lost"))
        #expect(repeated.status == 409 && repeated.text.contains("was carried out; its answer was not kept"))
        #expect(repeated["Proxy-Status"]?.contains("outcome=assume-success") == true)
        #expect(fixture.upstream.requests.count == 1)
        #expect(try fixture.keys("list").out == "There are no such keys.\n")
        let again = try fixture.keys("resolve", "--id", columns[0], "--outcome", "not-executed")
        #expect(again.status == 1 && again.out.isEmpty && again.error.contains("this one is done"))
    }

    @Test("a key that was not executed is free, and its repeat is sent once")
    func notExecuted() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        try fixture.lose("k-1", gateway)
        let settled = try fixture.keys("resolve", "--route", "all", "--key", "k-1", "--outcome", "not-executed")
        #expect(settled.status == 0, "\(settled.error)")
        #expect(settled.out.contains("it was not carried out"))
        let sent = try gateway.ask(KeysFixture.request("k-1", "lost"))
        #expect(sent.status == 200 && sent["Idempotent-Replayed"] == nil)
        let replayed = try gateway.ask(KeysFixture.request("k-1", "lost"))
        #expect(replayed.status == 200 && replayed["Idempotent-Replayed"] == "true")
        #expect(fixture.upstream.requests.count == 2)
    }

    @Test("a key is found by its text, also from standard input, and under the store key of before")
    func names() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        #expect(try gateway.ask(KeysFixture.request("a \\\"b\\\" \\u00e9")).status == 200)
        let body = try fixture.keys("show", "--route", "all", "--key", "a \"b\" é")
        #expect(body.status == 0 && body.out.contains("answered: repeats get the kept answer"), "\(body.error)")
        let header = post("/pay", "{}", "Idempotency-Key: \"quoted key\"")
        #expect(try gateway.ask(header).status == 200)
        #expect(try fixture.keys("show", "--route", "all", "--key", "quoted key").status == 0)
        for input in ["quoted key", "quoted key\n", "quoted key\r\n"] {
            let shown = try fixture.keys("show", "--route", "all", "--key", "-", input: input)
            #expect(shown.status == 0 && shown.out.contains("status    200"), "\(shown.error)")
        }
        let other = try fixture.keys("show", "--route", "other", "--key", "quoted key")
        #expect(other.status == 1 && other.error.contains("the store has no such key"))

        let keys = "key: \"file:\(fixture.folder.path)/store-key-new\""
        let store = "{kind: sqlite, path: \"\(fixture.store)\", \(keys)"
        try fixture.configure(store: store + "}")
        #expect(try fixture.keys("show", "--route", "all", "--key", "quoted key").status == 1)
        try fixture.configure(store: store + ", previous_keys: [\"file:\(fixture.folder.path)/store-key\"]}")
        #expect(try fixture.keys("show", "--route", "all", "--key", "quoted key").status == 0)
    }

    @Test("an id that begins like another is refused until it is told apart")
    func ambiguity() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        for key in [KeysFixture.twins.0, KeysFixture.twins.1] {
            try fixture.lose(key, gateway)
        }
        let both = try fixture.keys("resolve", "--id", "7e32", "--outcome", "executed")
        #expect(both.status == 1 && both.error.contains("more than one key"), "\(both.text)")
        let one = try fixture.keys("show", "--id", "7E32C", "--json")
        #expect(one.status == 0, "\(one.error)")
        #expect(try fixture.keys("resolve", "--id", "7e32c", "--outcome", "not-executed").status == 0)
        let other = try fixture.keys("show", "--id", "7e32", "--json")
        #expect((json(other.out)["id"] as? String)?.hasPrefix("7e329") == true)
    }

    @Test("JSON parses, newest first, and says whether there is more")
    func machineReadable() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        #expect(try gateway.ask(KeysFixture.request("k-1")).status == 200)
        try fixture.lose("k-2", gateway)
        let all = try fixture.all()
        #expect(Set(all.compactMap { $0["state"] as? String }) == ["answered", "unknown"])
        let answered = try #require(all.first { $0["state"] as? String == "answered" })
        #expect(answered["status"] as? Int == 200 && answered["attempts"] as? Int == 1)
        #expect(answered["route"] as? String == "all" && (answered["id"] as? String)?.count == 64)
        let claimed = try #require(answered["claimed"] as? Double)
        #expect(abs(claimed - Date().timeIntervalSince1970) < 60)
        #expect(try #require(answered["changed_age"] as? Int) < 60)
        let unknown = try #require(all.first { $0["state"] as? String == "unknown" })
        #expect(unknown["status"] is NSNull)
        let first = try fixture.keys("list", "--state", "all", "--limit", "1", "--json")
        #expect(json(first.out)["more"] as? Bool == true)
        #expect((json(first.out)["keys"] as? [Any])?.count == 1)
        let whole = try fixture.keys("list", "--state", "all", "--limit", "2", "--json")
        #expect(json(whole.out)["more"] as? Bool == false)
        #expect(try fixture.keys("list", "--state", "all", "--limit", "1").out.contains("There are more"))
    }

    @Test("what a killed gateway had in flight is shown as such, and can be settled once a gateway has seen it")
    func killed() throws {
        let fixture = try KeysFixture()
        let first = try fixture.gateway()
        let caller = try first.caller()
        try caller.send(KeysFixture.request("k-1", "held"))
        #expect(fixture.held.pass())
        first.program.signal(.kill)
        #expect(first.program.end() == .signal(9))
        let listed = try fixture.keys("list", "--state", "in-flight")
        #expect(listed.status == 0 && listed.out.contains("in flight, or lost with its process"), "\(listed.text)")
        #expect(try fixture.keys("list").out == "There are no such keys.\n")
        let early = try fixture.keys("resolve", "--route", "all", "--key", "k-1", "--outcome", "executed")
        #expect(early.status == 1 && early.error.contains("this one is in flight, or lost"), "\(early.text)")

        let second = try fixture.gateway()
        #expect(try second.ask(KeysFixture.request("k-1", "held")).status == 409)
        second.program.stop()
        let settled = try fixture.keys("resolve", "--route", "all", "--key", "k-1", "--outcome", "executed")
        #expect(settled.status == 0, "\(settled.error)")
        #expect(try fixture.keys("show", "--route", "all", "--key", "k-1").out.contains("done: it was carried out"))
        #expect(try fixture.gateway().ask(KeysFixture.request("k-1", "held")).text.contains("was carried out"))
        fixture.release.open()
    }

    @Test("no command prints a body, an answer, a key or a secret")
    func secrecy() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        let key = "private-key-of-a-caller"
        #expect(try gateway.ask(KeysFixture.request(key)).text.contains(KeysFixture.marked))
        try fixture.lose("k-2", gateway)
        let printed = [
            try fixture.keys("list", "--state", "all"), try fixture.keys("list", "--state", "all", "--json"),
            try fixture.keys("show", "--route", "all", "--key", key),
            try fixture.keys("show", "--route", "all", "--key", key, "--json"),
            try fixture.keys("show", "--route", "other", "--key", key),
            try fixture.keys("resolve", "--route", "all", "--key", key, "--outcome", "executed"),
            try fixture.keys("resolve", "--route", "all", "--key", "k-2", "--outcome", "executed"),
        ]
        #expect(printed.map(\.status) == [0, 0, 0, 0, 1, 1, 0])
        for answer in printed {
            for secret in [KeysFixture.marked, key, KeysFixture.storeKey, "secret-of-the-tests"] {
                #expect(!answer.text.contains(secret), "\(answer.text)")
            }
        }
    }
}

@Suite("keys without their store")
struct KeysFailureTests {
    @Test(
        "what cannot be opened is told with 1", arguments: ["none", "memory", "missing", "folder", "garbage", "empty"])
    func failures(_ fault: String) throws {
        let fixture = try KeysFixture()
        let says: String
        switch fault {
        case "none":
            try fixture.configure(store: "")
            says = "the configuration has no store"
        case "memory":
            try fixture.configure(store: "{kind: memory}")
            says = "kept in the gateway's memory"
        case "missing": says = "there is no file \(fixture.store)"
        case "folder":
            try FileManager.default.createDirectory(atPath: fixture.store, withIntermediateDirectories: false)
            says = "cannot be opened"
        default:
            let text = fault == "empty" ? "" : String(repeating: "no database of ours. ", count: 1_000)
            try fixture.folder.write("keys.db", text)
            says = "is no store of this program"
        }
        for words in [["list"], ["show", "--id", "abcd"], ["resolve", "--id", "abcd", "--outcome", "executed"]] {
            let answer = try fixture.run(words)
            #expect(answer.status == 1 && answer.out.isEmpty, "\(answer.text)")
            #expect(answer.error.hasPrefix("countersign keys \(words[0]): "), "\(answer.error)")
            #expect(answer.error.contains(says), "\(answer.error)")
        }
        #expect(
            FileManager.default.fileExists(atPath: fixture.store) == !["none", "memory", "missing"].contains(fault))
    }

    @Test("while somebody else writes, nothing is settled, and everything can be looked at")
    func busy() throws {
        let fixture = try KeysFixture()
        let gateway = try fixture.gateway()
        try fixture.lose("k-1", gateway)
        gateway.program.stop()
        let script = """
            import sqlite3, signal, sys
            connection = sqlite3.connect(sys.argv[1], isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            print("held", flush=True)
            signal.pause()
            """
        let writer = try Program("/usr/bin/env", ["python3", "-c", script, fixture.store])
        _ = try writer.line(of: .output) { $0 == "held" }
        let settling = try fixture.keys("resolve", "--route", "all", "--key", "k-1", "--outcome", "executed")
        #expect(settling.status == 1 && settling.error.contains("is busy"), "\(settling.text)")
        #expect(try fixture.keys("list").out.contains("unknown"))
        writer.signal(.kill)
        #expect(writer.end() == .signal(9))
        let settled = try fixture.keys("resolve", "--route", "all", "--key", "k-1", "--outcome", "executed")
        #expect(settled.status == 0, "\(settled.error)")
    }
}
