// What a gateway has given up when it serves, and what becomes of reloads then; secrets that are read again when their
// files change. Relies on /proc for what the kernel says of a process. A user is changed where the tests run as root.

import Foundation
import TestSupport
import Testing

@Suite struct ConfinementTests {
    /// A field of /proc/PID/status, its numbers with one space between.
    private func status(_ gateway: GatewayUnderTest, _ name: String) throws -> String {
        let text = try String(contentsOfFile: "/proc/\(gateway.program.id)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line?.split(separator: ":").last ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private func told(_ gateway: GatewayUnderTest, _ words: String) -> Bool { gateway.program.errors.contains(words) }

    @Test func theProcessHasGivenUpWhatItDoesNotNeed() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream, .sqlite)
        setup.process = ""
        let gateway = try GatewayUnderTest(setup)
        #expect(try status(gateway, "NoNewPrivs") == "1" && status(gateway, "Seccomp") == "2")
        #expect(told(gateway, "\"files are restricted\",\"landlock\":"))
        #expect(told(gateway, "\"system calls are filtered\",\"calls\":"))
        #expect(told(gateway, "\"secrets are in locked memory\",\"bytes\":"))
        // The kernel counts what is locked; and nobody else of the same user may look.
        #expect(try status(gateway, "VmLck") != "0 kB")
        #expect(try gateway.ask(post("/pay", "{\"key\":\"1\"}")).status == 200)
        #expect(try gateway.ask(post("/pay", "{\"key\":\"1\"}")).isReplay)
        #expect(gateway.program.stop() == .code(0))
    }

    @Test func whatIsSwitchedOffIsTold() throws {
        var setup = Setup(try FakeUpstream())
        setup.process = "hardening: {seccomp: false, landlock: false}\n"
        let gateway = try GatewayUnderTest(setup)
        #expect(try status(gateway, "Seccomp") == "0")
        #expect(told(gateway, "\"files are not restricted\",\"reason\":\"hardening.landlock is false\""))
        #expect(told(gateway, "\"system calls are not filtered\",\"reason\":\"hardening.seccomp is false\""))
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
    }

    /// A folder that was not named at the start stays closed, and the operator is told what to do.
    @Test func aReloadThatNeedsOtherFoldersIsRefused() throws {
        let elsewhere = try TemporaryFolder()
        var setup = Setup(try FakeUpstream())
        setup.process = ""
        let reloadable = try Reloadable(setup)
        let next = try elsewhere.write("next", "another-secret")
        setup.credential = "    next_secret: \"file:\(next)\"\n"
        #expect(try reloadable.reload(setup).contains("reload refused"))
        _ = try reloadable.gateway.program.line(of: .errors) { $0.contains("take a restart (hardening.landlock)") }
        #expect(told(reloadable.gateway, "the file of the secret may not be read"))
        setup.credential = "    next_secret: \"file:\(try reloadable.folder.write("next", "another"))\"\n"
        #expect(try reloadable.reload(setup).contains("\"reloaded\""))
    }

    // MARK: - Users

    @Test func rootBecomesTheUserAndNobodyElseCan() throws {
        let folder = try TemporaryFolder()
        var setup = Setup(try FakeUpstream(), .sqlite)
        setup.process = "user: 65534\ngroup: 65533\n"
        guard HostCalls.userID == 0 else {
            let file = try folder.write("c.yaml", try setup.text(folder))
            let program = try Program("countersign", ["run", "--config", file])
            #expect(program.end() == .code(1) && program.errors.contains("only root can become another user"))
            return
        }
        // The store is made by the new user, in a folder of its own.
        setup.store?.path = folder.path + "/keys.db"
        try FileManager.default.setAttributes(
            [.ownerAccountID: 65534, .groupOwnerAccountID: 65533], ofItemAtPath: folder.path)
        let gateway = try GatewayUnderTest(setup)
        #expect(try status(gateway, "Uid") == "65534 65534 65534 65534")
        #expect(try status(gateway, "Gid") == "65533 65533 65533 65533")
        #expect(try status(gateway, "CapEff") == "0000000000000000")
        #expect(try status(gateway, "CapPrm") == "0000000000000000")
        #expect(told(gateway, "\"user changed\",\"user\":\"65534\""))
        #expect(told(gateway, "files that this user may not read: a reload would be refused"))
        #expect(try gateway.ask(post("/pay", "{\"key\":\"1\"}")).status == 200)
        let owner = try FileManager.default.attributesOfItem(atPath: folder.path + "/keys.db")[.ownerAccountID] as? Int
        #expect(owner == 65534)
        // Not dumpable: what the kernel shows of it belongs to root.
        let shown = try FileManager.default.attributesOfItem(atPath: "/proc/\(gateway.program.id)/environ")
        #expect(shown[.ownerAccountID] as? Int == 0)
    }

    @Test func aUserThatIsNotThereEndsTheStart() throws {
        let folder = try TemporaryFolder()
        var setup = Setup(try FakeUpstream())
        setup.process = "user: no-such-user-here\n"
        let file = try folder.write("c.yaml", try setup.text(folder))
        let program = try Program("countersign", ["run", "--config", file])
        #expect(program.end() == .code(1))
        #expect(program.errors.contains("there is no user or group no-such-user-here"))
    }

    @Test func aSecretAmongTheArgumentsEndsTheStart() throws {
        let folder = try TemporaryFolder()
        var setup = Setup(try FakeUpstream())
        let file = try folder.write("c.yaml", "")
        setup.secret = file
        try folder.write("c.yaml", try setup.text(folder))
        let program = try Program("countersign", ["run", "--config=\(file)"])
        #expect(program.end() == .code(78))
        #expect(program.errors.contains("an argument is one of the configuration's secrets"))
    }

    // MARK: - Files that change

    /// The value of the API key's header in the next request.
    private func sentKey(_ gateway: GatewayUnderTest, _ upstream: FakeUpstream) throws -> String? {
        #expect(try gateway.ask(post("/x", "{}")).status == 200)
        return upstream.requests.last?["api_key"]
    }

    private func count(_ gateway: GatewayUnderTest, _ message: String) -> Int {
        gateway.program.errors.components(separatedBy: "\"message\":\"\(message)\"").count - 1
    }

    private func waitForReload(_ gateway: GatewayUnderTest, _ count: Int) throws {
        _ = try gateway.program.lines(of: .errors, count: count) { $0.contains("\"message\":\"reloaded\"") }
    }

    @Test func aSecretThatIsReplacedIsReadAgain() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.keyPlace = "header"
        setup.process = ""
        let reloadable = try Reloadable(setup)
        let gateway = reloadable.gateway
        #expect(try sentKey(gateway, upstream) == "demo-api-key")
        // The configuration is being edited, and is not taken up with the secret.
        try reloadable.folder.write("countersign.yaml", "half an edit: [")
        try reloadable.folder.write("api-key.new", "second-api-key\n")
        #expect(HostCalls.move(reloadable.folder.path + "/api-key.new", over: reloadable.folder.path + "/api-key"))
        try waitForReload(gateway, 1)
        #expect(try sentKey(gateway, upstream) == "second-api-key")
        #expect(count(gateway, "files have changed") == 1)
    }

    @Test func theConfigurationIsReadAgainWhereThatIsAskedFor() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.process = "reload_on_change: all\n"
        let reloadable = try Reloadable(setup)
        setup.routes = "  - {name: other, prefix: /other, upstream: up, credential: program}\n"
        let text = try setup.text(reloadable.folder)
        try reloadable.folder.write("new.yaml", text)
        let path = reloadable.folder.path
        #expect(HostCalls.move(path + "/new.yaml", over: path + "/countersign.yaml"))
        try waitForReload(reloadable.gateway, 1)
        #expect(try reloadable.gateway.ask(post("/other", "{}")).status == 200)
        #expect(try reloadable.gateway.ask(post("/x", "{}")).status == 404)
    }

    @Test func nothingIsReadAgainWhereThatIsNotWanted() throws {
        let upstream = try FakeUpstream()
        var setup = Setup(upstream)
        setup.keyPlace = "header"
        setup.process = "reload_on_change: none\n"
        let reloadable = try Reloadable(setup)
        try reloadable.folder.write("api-key", "second-api-key\n")
        #expect(try sentKey(reloadable.gateway, upstream) == "demo-api-key")
        reloadable.gateway.program.signal(.hangup)
        try waitForReload(reloadable.gateway, 1)
        #expect(try sentKey(reloadable.gateway, upstream) == "second-api-key")
        #expect(count(reloadable.gateway, "files have changed") == 0)
    }
}
