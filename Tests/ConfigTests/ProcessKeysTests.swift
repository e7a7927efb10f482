// The keys about the process, secrets from the environment, where a configuration is read again, and secrets among the
// command's words.

import Config
import Foundation
import Signing
import TestSupport
import Testing

@Suite struct ProcessKeysTests {
    @Test func theDefaultsProtect() throws {
        let (settings, _) = try Scratch().load(Fixtures.least)
        let process = try #require(settings?.process)
        #expect(process.user == nil && process.group == nil)
        #expect(process.hasSeccomp && process.hasLandlock && process.reloadOnChange == .secrets)
    }

    @Test func allOfThemAreRead() throws {
        let keys =
            "user: countersign\ngroup: 65532\nhardening: {seccomp: false, landlock: false}\nreload_on_change: all\n"
        let process = try #require(try Scratch().load(Fixtures.least + keys).0?.process)
        #expect(process.user == "countersign" && process.group == "65532")
        #expect(!process.hasSeccomp && !process.hasLandlock && process.reloadOnChange == .all)
    }

    @Test(arguments: [("4294967294", true), ("4294967295", false), ("a$", true), ("a b", false)])
    func usersAreNamesOrNumbers(_ user: String, _ isTaken: Bool) throws {
        #expect((try Scratch().load(Fixtures.least + "user: \"\(user)\"\n").0 != nil) == isTaken)
    }

    @Test func aGroupNeedsAUser() throws {
        let (settings, problems) = try Scratch().load(Fixtures.least + "group: daemon\n")
        #expect(settings == nil && problems.map(\.message) == ["has no effect without user"])
    }

    @Test func theFilesThatWereReadAreNamedOnce() throws {
        let scratch = try Scratch()
        let secret = try scratch.write("hmac", Array("a-secret".utf8))
        let (settings, _) = try scratch.load(
            Fixtures.least.replacing("env:HMAC\"", with: "file:\(secret)\", next_secret: \"file:\(secret)\""))
        #expect(settings?.files.secrets == [secret] && settings?.files.trust == [])
        #expect(settings?.files.configuration == scratch.folder.path + "/c.yaml")
    }
}

@Suite(.serialized) struct EnvironmentTests {
    /// Taken from the process's environment once, a secret is not there any more, and can be read again all the same.
    @Test func aSecretLeavesTheEnvironment() throws {
        HostCalls.setVariable("COUNTERSIGN_TEST_SECRET", "secret-of-the-environment")
        let environment = Environment.ofProcess()
        let scratch = try Scratch()
        let text = Fixtures.least.replacing("env:HMAC", with: "env:COUNTERSIGN_TEST_SECRET")
        let path = try scratch.write("c.yaml", Array(text.utf8))
        for _ in 0..<2 {
            let (settings, _) = SettingsLoader.load(path: path, environment: environment)
            #expect(settings?.credentials[0].secret.isEqual(to: Array("secret-of-the-environment".utf8).span) == true)
            #expect(environment["COUNTERSIGN_TEST_SECRET"] == "")
        }
    }

    @Test func whatIsNoSecretStays() {
        HostCalls.setVariable("COUNTERSIGN_TEST_PATH", "/a/b")
        let environment = Environment.ofProcess()
        #expect(environment["COUNTERSIGN_TEST_PATH"] == "/a/b" && environment["COUNTERSIGN_TEST_PATH"] == "/a/b")
        #expect(environment["COUNTERSIGN_TEST_NOTHING"] == nil)
    }
}

@Suite struct ConfigurationSourceTests {
    private func write(_ scratch: Scratch, _ text: String) throws -> String {
        try scratch.write("c.yaml", Array(text.utf8))
    }

    /// Secrets are read again under the text in use, whatever stands in the file by now.
    @Test func anEditedConfigurationWaits() throws {
        let scratch = try Scratch()
        let secret = try scratch.write("hmac", Array("the-first".utf8))
        let text = Fixtures.least.replacing("env:HMAC", with: "file:\(secret)")
        let source = ConfigurationSource(path: try write(scratch, text), environment: Environment([:]))
        #expect(source.load().settings?.files.configuration == source.path)
        source.keep()
        _ = try write(scratch, text + "workers: 7\n")
        _ = try scratch.write("hmac", Array("the-second".utf8))
        let again = source.load(.secrets).settings
        #expect(again?.workers == nil)
        #expect(again?.credentials[0].secret.isEqual(to: Array("the-second".utf8).span) == true)
        #expect(source.load(.all).settings?.workers == 7)
        // It was not taken into use, so that the old text still counts.
        #expect(source.load(.secrets).settings?.workers == nil)
        _ = source.load(.all)
        source.keep()
        #expect(source.load(.secrets).settings?.workers == 7)
    }

    @Test func aMissingFileIsReported() throws {
        let source = ConfigurationSource(path: try Scratch().folder.path + "/no.yaml", environment: Environment([:]))
        #expect(source.load().problems.map(\.message) == ["the configuration does not exist"])
    }
}

@Suite struct SecretsInArgumentsTests {
    @Test(arguments: [
        (["run", "--config", "x"], false), (["run", "0123456789abcdef"], true), (["--a=0123456789abcdef"], true),
        (["0123456789abcde"], false), (["--token", "a-token-of-the-callers"], true), (["k-1"], true), (["="], false),
        (["the-key-of-the-store"], true),
    ])
    func aWordThatIsASecretIsSeen(_ words: [String], _ isSeen: Bool) throws {
        var yaml = Fixtures.called(by: "one: {token: \"env:TOKEN\"}").replacing(
            "secret: \"env:HMAC\"", with: "secret: \"env:HMAC\", api_key: {value: \"env:KEY\", place: header}")
        yaml += "store: {kind: memory, key: \"env:STORE\"}\n"
        let variables = Fixtures.variables.merging([
            "TOKEN": "a-token-of-the-callers", "STORE": "the-key-of-the-store",
        ]) { $1 }
        let settings = try #require(try Scratch().load(yaml, variables).0)
        #expect(settings.hasSecret(in: words) == isSeen)
    }
}
