// Secrets by reference: which files are accepted, what of them is the secret, and that nothing of it is ever said.
// Relies on files with modes in a folder of the test's own.

import Config
import Foundation
import Signing
import Testing

@Suite struct SecretsTests {
    private func load(_ reference: String, _ scratch: Scratch, _ more: [String: String] = [:]) throws -> (
        Settings?, [Problem]
    ) {
        let credentials = "credentials: {acme: {username: acme, secret: \"\(reference)\"}}\n"
        return try scratch.load(
            Fixtures.listeners + credentials + Fixtures.upstreams + Fixtures.routes,
            Fixtures.variables.merging(more) { $1 })
    }

    private func secret(_ settings: Settings?) -> [UInt8]? {
        guard let secret = settings?.credentials.first?.secret else { return nil }
        var copy: [UInt8] = []
        for index in 0..<secret.count { copy.append(secret.bytes[index]) }
        return copy
    }

    @Test(arguments: [
        ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\r", "a\r"), ("a\n\r\n", "a\n"), (" a \n", " a "),
        ("a", "a"),
        ("\r\n\n", "\r\n"), ("\0\n", "\0"),
    ])
    func oneNewlineIsTrimmed(written: String, kept: String) throws {
        let scratch = try Scratch()
        let path = try scratch.write("s", Array(written.utf8))
        #expect(secret(try load("file:\(path)", scratch).0) == Array(kept.utf8))
    }

    @Test(arguments: ["", "\n", "\r\n"]) func emptyFilesAreRefused(written: String) throws {
        let scratch = try Scratch()
        let path = try scratch.write("s", Array(written.utf8))
        let (settings, problems) = try load("file:\(path)", scratch)
        #expect(settings == nil)
        #expect(problems.map(\.message) == ["the secret is empty"])
    }

    @Test(arguments: [(4_095, true), (4_096, true), (4_097, false), (5_000, false)], ["", "\n", "\r\n"])
    func length(_ size: (count: Int, fits: Bool), newline: String) throws {
        let scratch = try Scratch()
        let path = try scratch.write("s", [UInt8](repeating: 120, count: size.count) + Array(newline.utf8))
        let (settings, problems) = try load("file:\(path)", scratch)
        #expect(secret(settings)?.count == (size.fits ? size.count : nil))
        #expect(problems.map(\.message) == (size.fits ? [] : ["the secret is longer than 4096 bytes"]))
    }

    @Test(arguments: [
        (0o600, true), (0o400, true), (0o700, true), (0o640, false), (0o604, false), (0o620, false), (0o601, false),
    ])
    func modeOfFiles(mode: Int, isAccepted: Bool) throws {
        let scratch = try Scratch()
        let path = try scratch.write("s", Array("hunter2".utf8), mode: mode)
        let (settings, problems) = try load("file:\(path)", scratch)
        #expect((settings != nil) == isAccepted)
        let octal = String(mode, radix: 8)
        let message = "the file of the secret has mode 0\(octal), so others may read it"
        #expect(problems.map(\.message) == (isAccepted ? [] : [message]))
    }

    @Test(arguments: [(0o400, true), (0o440, true), (0o444, false)])
    func modeOfCredentials(mode: Int, isAccepted: Bool) throws {
        let scratch = try Scratch()
        _ = try scratch.write("credentials/hmac", Array("first\n".utf8), mode: mode)
        let directory = scratch.folder.appending(path: "credentials").path
        let (settings, _) = try load("credential:hmac", scratch, ["CREDENTIALS_DIRECTORY": directory])
        #expect(secret(settings) == (isAccepted ? Array("first".utf8) : nil))
    }

    @Test func linksToFilesAreFollowed() throws {
        let scratch = try Scratch()
        let path = try scratch.write("s", Array("first\n".utf8))
        let link = scratch.folder.appending(path: "link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(secret(try load("file:\(link)", scratch).0) == Array("first".utf8))
    }

    @Test func variablesAreTakenAsTheyAre() throws {
        let (settings, _) = try load("env:LINE", Scratch(), ["LINE": "a\n"])
        #expect(secret(settings) == Array("a\n".utf8))
    }

    @Test func settingsDoNotShowSecrets() throws {
        let scratch = try Scratch()
        let path = try scratch.write("s", Array("hunter2".utf8))
        let settings = try #require(try load("file:\(path)", scratch).0)
        var dumped = "\(settings) " + String(reflecting: settings)
        dump(settings, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }

    @Test func keysThatNoHeaderCanCarryAreRefused() throws {
        for value in ["a b", "a\tb", "a\u{7F}", "\u{e9}", "a\r\nb: c"] {
            let apiKey = "api_key: {value: \"env:V\", place: body}"
            let credentials = "credentials: {acme: {username: acme, secret: \"env:HMAC\", \(apiKey)}}\n"
            let (settings, problems) = try Scratch().load(
                Fixtures.listeners + credentials + Fixtures.upstreams + Fixtures.routes, ["HMAC": "x", "V": value])
            #expect(settings == nil)
            #expect(problems.map(\.message) == ["the API key has a byte that is not visible ASCII"])
        }
    }
}
