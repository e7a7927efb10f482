// The configurations beside the units and manifests: each is accepted as it is, where its secrets are.
// Relies on conf/. Refuses nothing; conf/products has tests of its own.

import Config
import Foundation
import Testing

@Suite struct ShippedFilesTests {
    private static let conf = Fixtures.folder.appending(path: "../../conf").standardized

    @Test(arguments: ["systemd", "kubernetes", "compose"]) func aConfigurationIsAccepted(_ folder: String) throws {
        let scratch = try Scratch()
        for name in ["hmac", "api-key", "store"] {
            _ = try scratch.write("credentials/\(name)", Array("0123456789abcdef\n".utf8), mode: 0o440)
        }
        let trust = try scratch.write("ca.pem", Array("-----BEGIN CERTIFICATE-----\n".utf8), mode: 0o644)
        let file = Self.conf.appending(path: folder).appending(path: "countersign.yaml")
        let text = try String(contentsOf: file, encoding: .utf8).replacing("/sandbox/ca.pem", with: trust)
        let environment = [
            "CREDENTIALS_DIRECTORY": scratch.folder.appending(path: "credentials").path,
            "DEMO_HMAC": "0123456789abcdef", "DEMO_API_KEY": "k", "DEMO_STORE_KEY": "0123456789abcdef",
        ]
        let (settings, problems) = try scratch.load(text, environment)
        #expect(settings != nil, "\(problems.map(\.text))")
        #expect(problems.isEmpty, "\(problems.map(\.text))")
    }

    @Test(arguments: [("fd:apps", true), ("fd:", false), ("fd:a b", false), ("fd:../x", false)])
    func passedSockets(_ bind: String, _ fits: Bool) throws {
        let rest = Fixtures.credentials + Fixtures.upstreams + Fixtures.routes
        let (settings, problems) = try Scratch().load("listeners: [{name: a, bind: \"\(bind)\"}]\n" + rest)
        #expect((settings != nil) == fits)
        #expect(problems.isEmpty == fits)
        guard fits else { return }
        #expect(settings?.listeners.map(\.address) == [.passed(name: "apps", isOpenMeant: false)])
    }

    @Test(arguments: [63, 64, 65]) func theNameOfAPassedSocketIsBounded(_ count: Int) throws {
        let name = String(repeating: "n", count: count)
        let rest = Fixtures.credentials + Fixtures.upstreams + Fixtures.routes
        let (settings, _) = try Scratch().load("listeners: [{name: a, bind: \"fd:\(name)\"}]\n" + rest)
        #expect((settings != nil) == (count <= 64))
    }

    @Test func whatTheManagerDecidesIsRefusedHere() throws {
        let rest = Fixtures.credentials + Fixtures.upstreams + Fixtures.routes
        let twice = "{name: a, bind: \"fd:x\"}, {name: b, bind: \"fd:x\"}"
        for listeners in ["{name: a, bind: \"fd:x\", mode: \"0660\", owner: o, group: g}", twice] {
            let (settings, problems) = try Scratch().load("listeners: [\(listeners)]\n" + rest)
            #expect(settings == nil && problems.allSatisfy { $0.severity == .error })
        }
    }

    /// A passed socket may be a Unix one, of which callers are known by uid, or one that others could read on.
    @Test func callersOfPassedSocketsAreWarnedOfAsFarAsIsKnown() throws {
        let rest = Fixtures.credentials + Fixtures.upstreams + Fixtures.routes
        let peer = "callers: {a: {uid: 1}}\n"
        let (_, none) = try Scratch().load("listeners: [{name: a, bind: \"fd:x\"}]\n" + rest + peer)
        #expect(none.isEmpty)
        let token = "callers: {a: {token: \"env:HMAC\"}}\n"
        let open = "listeners: [{name: a, bind: \"fd:x\", unsafe_bind: true}]\n"
        let (settings, warned) = try Scratch().load(open + rest + token)
        #expect(settings != nil && warned.count == 1 && warned[0].message.contains("can read its token"))
    }
}
