// The key `tls` of a listener: which files are accepted, and what is there without a key.
// Relies on files with modes in a folder of the test's own.

import Config
import Foundation
import Testing

@Suite struct ListenerTLSTests {
    private let scratch: Scratch
    private let chain: String
    private let key: String

    init() throws {
        scratch = try Scratch()
        chain = try scratch.write("chain.pem", Array("chain".utf8), mode: 0o644)
        key = try scratch.write("key.pem", Array("hunter2".utf8))
    }

    private func load(_ tls: String, _ more: [String: String] = [:]) throws -> (ListenerTLSSettings?, [Problem]) {
        let listeners = "listeners: [{name: apps, bind: \"127.0.0.1:8443\", tls: {\(tls)}}]\n"
        let (settings, problems) = try scratch.load(
            listeners + Fixtures.credentials + Fixtures.upstreams + Fixtures.routes,
            Fixtures.variables.merging(more) { $1 })
        return (settings?.listeners[0].tls, problems)
    }

    @Test func aCertificateAndItsKeyAreEnough() throws {
        let (tls, problems) = try load("certificate: \(chain), key: \(key)")
        #expect(problems.map(\.text) == [])
        #expect(tls == ListenerTLSSettings(certificateFile: chain, keyFile: key))
        #expect(tls?.clientCAFile == nil)
    }

    @Test func aKeyMayBeNamedAsSecretsAre() throws {
        #expect(try load("certificate: \(chain), key: \"file:\(key)\"").0?.keyFile == key)
        // systemd's access control list shows as the group's bits.
        let given = try scratch.write("credentials/tls", Array("hunter2".utf8), mode: 0o440)
        let directory = scratch.folder.appending(path: "credentials").path
        let (tls, problems) = try load(
            "certificate: \(chain), key: \"credential:tls\"", ["CREDENTIALS_DIRECTORY": directory])
        #expect(problems.map(\.text) == [])
        #expect(tls?.keyFile == given)
    }

    @Test(
        arguments: [
            ("", .required), (", client_certificate: required", .required),
            (", client_certificate: optional", .optional),
        ] as [(String, ListenerTLSSettings.ClientCertificate)])
    func callersShowCertificates(text: String, word: ListenerTLSSettings.ClientCertificate) throws {
        let (tls, problems) = try load("certificate: \(chain), key: \(key), client_ca: \(chain)\(text)")
        #expect(problems.map(\.text) == [])
        #expect(tls?.clientCAFile == chain && tls?.clientCertificate == word)
    }

    @Test(arguments: [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o610, false)])
    func modeOfKeys(mode: Int, isAccepted: Bool) throws {
        let path = try scratch.write("other.pem", Array("hunter2".utf8), mode: mode)
        let (tls, problems) = try load("certificate: \(chain), key: \(path)")
        #expect((tls != nil) == isAccepted)
        let message = "the file of the secret has mode 0\(String(mode, radix: 8)), so others may read it"
        #expect(problems.map(\.message) == (isAccepted ? [] : [message]))
    }

    @Test func foldersAreNoFiles() throws {
        let folder = scratch.folder.path
        let (_, problems) = try load("certificate: \(folder), key: \(folder), client_ca: \(folder)")
        #expect(
            problems.map(\.message) == [
                "is not a regular file", "the file of the secret is not a regular file", "is not a regular file",
            ])
    }
}
