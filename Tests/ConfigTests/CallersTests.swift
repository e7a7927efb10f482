// The key `callers`: every bound at its edge, what each identity becomes, and what callers and listeners say together.
// Relies on a configuration with a Unix socket, without which a caller by uid would be warned of.

import Config
import Foundation
import Policy
import Signing
import Testing

extension Bound {
    private static func peer(_ key: String, _ read: @escaping @Sendable (UInt32?, UInt32?) -> UInt32?) -> Bound {
        Bound(
            name: "callers.\(key)", low: 0, high: 4_294_967_294, unit: "",
            yaml: { Fixtures.called(by: "payouts: {\(key): \($0)}") },
            read: { settings in
                guard case .peer(let uid, let gid)? = settings.callers?.first?.identity else { return nil }
                return read(uid, gid).map { Int($0) }
            })
    }

    static let ofCallers = [peer("uid") { uid, _ in uid }, peer("gid") { _, gid in gid }]
}

@Suite struct CallersTests {
    /// Base64 of 32 zeros.
    private static let zeros = String(repeating: "A", count: 43) + "="

    private func identity(_ text: String, _ environment: [String: String] = [:]) throws -> (CallerIdentity?, [Problem])
    {
        let (settings, problems) = try Scratch().load(
            Fixtures.called(by: "one: {\(text)}"), Fixtures.variables.merging(environment) { $1 })
        return (settings?.callers?.first?.identity, problems)
    }

    @Test(
        arguments: [
            ("uid: 0", 0, nil), ("gid: 7", nil, 7), ("uid: 1001, gid: 1002", 1_001, 1_002),
        ] as [(String, UInt32?, UInt32?)])
    func processes(text: String, uid: UInt32?, gid: UInt32?) throws {
        let (identity, problems) = try identity(text)
        #expect(problems.map(\.text) == [])
        #expect(identity == .peer(uid: uid, gid: gid))
    }

    @Test(arguments: [(1, true), (15, true), (16, true), (17, true), (4_095, true), (4_096, true), (4_097, false)])
    func lengthOfTokens(count: Int, fits: Bool) throws {
        let token = String(repeating: "t", count: count)
        let (identity, problems) = try identity("token: \"env:TOKEN\"", ["TOKEN": token])
        #expect(identity == (fits ? .token(BodyDigest(of: Array(token.utf8).span)) : nil))
        #expect(problems.isEmpty == (16...4_096).contains(count))
    }

    @Test(arguments: [
        ("abcdefghijklmnop", true), ("ABCXYZ019-._~+/=", true), ("abcdefghijklmn==", true), ("a===============", true),
        ("================", false), ("abcdefgh=ijklmno", false), ("abcdefgh ijklmno", false),
        ("abcdefgh\tijklmno", false), ("abcdefgh,ijklmno", false), ("abcdefgh\"ijklmno", false),
        ("abcdefgh:ijklmno", false), ("=bcdefghijklmnop", false), ("abcdefghijklmno\u{e9}", false),
        ("abcdefghijklmno\u{7F}", false), ("abcdefghijklmnop\n", false),
    ])
    func charactersOfTokens(token: String, fits: Bool) throws {
        let (identity, problems) = try identity("token: \"env:TOKEN\"", ["TOKEN": token])
        #expect((identity != nil) == fits)
        #expect(problems.map(\.message) == (fits ? [] : ["the token has a byte that no bearer token has"]))
    }

    @Test func aTokenIsNotKept() throws {
        let scratch = try Scratch()
        let path = try scratch.write("token", Array("hunter2-hunter2-hunter2\n".utf8))
        let settings = try #require(try scratch.load(Fixtures.called(by: "one: {token: \"file:\(path)\"}")).0)
        #expect(settings.callers?[0].identity == .token(BodyDigest(of: Array("hunter2-hunter2-hunter2".utf8).span)))
        var dumped = "\(settings) " + String(reflecting: settings)
        dump(settings, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }

    @Test func namesInCertificates() throws {
        let long = String(repeating: "\u{e9}", count: 64)
        for (text, name) in [
            ("cn:edge.internal", "edge.internal"), ("edge.internal", "edge.internal"), ("cn:a:b", "a:b"), ("e", "e"),
            ("cn:cn:x", "cn:x"), ("Edge One", "Edge One"), (long, long), ("cn:" + long, long),
        ] {
            let (identity, problems) = try identity("certificate: \"\(text)\"")
            #expect(problems.map(\.message) == [Self.noClientCA])
            #expect(identity == .certificate(.commonName(name)))
        }
        for text in ["cn:", long + "e", "sha256:AAAA", "SPKI:\(Self.zeros)", "a:b"] {
            #expect(try identity("certificate: \"\(text)\"").0 == nil, "\(text)")
        }
    }

    @Test func digestsOfPublicKeys() throws {
        let (identity, problems) = try identity("certificate: \"spki:\(Self.zeros)\"")
        #expect(problems.map(\.message) == [Self.noClientCA])
        #expect(identity == .certificate(.publicKey([UInt8](repeating: 0, count: 32))))
        // 31 and 33 bytes, no padding, spare bits, nothing.
        for text in [
            Self.encoded(31), Self.encoded(33), String(Self.zeros.dropLast()), Self.zeros.dropLast(2) + "B=", "",
        ] {
            let (identity, problems) = try self.identity("certificate: \"spki:\(text)\"")
            #expect(identity == nil && problems.map(\.message) == ["is not the SHA-256 of a public key"], "\(text)")
        }
    }

    private static func encoded(_ count: Int) -> String { Data(count: count).base64EncodedString() }

    private static let noClientCA = "can never call: no listener asks for client certificates"

    @Test(arguments: [(999, true), (1_000, true), (1_001, false)]) func countOfCallers(count: Int, fits: Bool) throws {
        let callers = (0..<count).map { "c\($0): {uid: \($0)}" }.joined(separator: ", ")
        let (settings, problems) = try Scratch().load(Fixtures.called(by: callers))
        #expect(settings?.callers?.count == (fits ? count : nil))
        #expect(problems.map(\.message) == (fits ? [] : ["has more than 1000 entries"]))
    }

    @Test(arguments: [(63, true), (64, true), (65, false)]) func lengthOfNames(count: Int, fits: Bool) throws {
        let (settings, _) = try Scratch().load(
            Fixtures.called(by: "\(String(repeating: "n", count: count)): {uid: 1}"))
        #expect((settings != nil) == fits)
    }

    @Test func routesAreIndexesInTheirOrder() throws {
        let routes = (0..<3).map { "{name: r\($0), path: /\($0), upstream: banking, credential: acme}" }
        let yaml =
            "listeners: [{name: local, bind: \"unix:/run/c.sock\"}]\n" + Fixtures.credentials + Fixtures.upstreams
            + "routes: [\(routes.joined(separator: ", "))]\n"
            + "callers: {a: {uid: 1, routes: [r2, r0]}, b: {uid: 2, routes: [r1]}}\n"
        let (settings, problems) = try Scratch().load(yaml)
        #expect(problems.map(\.text) == [])
        #expect(settings?.callers?.map(\.routes) == [[0, 2], [1]])
    }

    @Test func aRouteOfAThousandIsNamedOrTheFirstAreShown() throws {
        let routes = (0..<1_000).map { "{name: r\($0), path: /\($0), upstream: banking, credential: acme}" }
        let yaml = Fixtures.listeners + Fixtures.credentials + Fixtures.upstreams
        let all = yaml + "routes: [\(routes.joined(separator: ", "))]\n"
        let known = (0..<20).map { "r\($0)" }.joined(separator: ", ")
        let (_, problems) = try Scratch().load(all + "callers: {a: {token: \"env:HMAC\", routes: [zzzzzz]}}\n")
        #expect(problems.map(\.remedy) == ["There are \(known) and 980 more"])
        let (settings, _) = try Scratch().load(all + "callers: {a: {token: \"env:HMAC\", routes: [r999]}}\n")
        #expect(settings?.callers?[0].routes == [999])
        #expect(settings?.warnings.count == 999)
    }

    @Test(arguments: [
        ("\"127.0.0.1:80\"", "", false), ("\"[::1]:80\"", "", false), ("\"unix:/run/c.sock\"", "", false),
        ("\"0.0.0.0:80\", unsafe_bind: true", "", true), ("\"0.0.0.0:80\", unsafe_bind: true", "tls", false),
    ])
    func tokensAreNotReadByOthers(bind: String, tls: String, warns: Bool) throws {
        let scratch = try Scratch()
        let chain = try scratch.write("chain.pem", Array("chain".utf8))
        let more = tls.isEmpty ? "" : ", tls: {certificate: \(chain), key: \(chain)}"
        let yaml = "listeners: [{name: wide, bind: \(bind)\(more)}]\n"
        let (settings, problems) = try scratch.load(
            yaml + Fixtures.credentials + Fixtures.upstreams + Fixtures.routes + "callers: {a: {token: \"env:HMAC\"}}\n"
        )
        #expect(settings != nil)
        let message = "others on the network can read its token where it calls the listener wide"
        #expect(problems.map(\.message) == (warns ? [message] : []))
    }
}
