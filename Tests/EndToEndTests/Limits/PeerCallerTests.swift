// Callers that are known by their connection: processes on a Unix socket by user and group, and the holders of
// certificates. Relies on the kernel's word for who we are. A token that is shown decides, whatever the connection
// says.

import Foundation
import TestSupport
import Testing

@Suite struct PeerCallerTests {
    private let folder: TemporaryFolder
    private let upstream: FakeUpstream
    private let setup: Setup
    private let uid: Int
    private let gid: Int

    init() throws {
        folder = try TemporaryFolder()
        upstream = try FakeUpstream()
        // A socket that we make now belongs to us: the ids that the kernel will tell the gateway.
        let own = try FileManager.default.attributesOfItem(atPath: "/proc/self")
        uid = try #require(own[.ownerAccountID] as? Int)
        gid = try #require(own[.groupOwnerAccountID] as? Int)
        var setup = Setup(upstream)
        setup.listeners = "  - {name: local, bind: \"unix:\(folder.path)/apps.sock\"}\n"
        setup.routes = Setup.route("one", nil) + Setup.route("two", nil)
        self.setup = setup
    }

    private func statuses(_ callers: [CallerSetup], _ headers: String = "X-None: 1") throws -> [Int] {
        var setup = setup
        setup.callers = callers
        let gateway = try GatewayUnderTest(setup)
        return try ["/one", "/two"].map { try gateway.ask(post($0, "{}", headers)).status }
    }

    private func peer(_ name: String, _ yaml: String, routes: [String] = []) -> CallerSetup {
        CallerSetup(name: name, identity: .written(yaml), routes: routes)
    }

    @Test func ownUserAndGroupAreKnown() throws {
        for yaml in ["uid: \(uid)", "gid: \(gid)", "uid: \(uid)\n    gid: \(gid)"] {
            #expect(try statuses([peer("us", yaml, routes: ["one"])]) == [200, 403])
        }
        #expect(upstream.requests.count == 3)
    }

    @Test func othersAreNot() throws {
        let others = [
            "uid: \(uid + 1)", "gid: \(gid + 1)", "uid: \(uid)\n    gid: \(gid + 1)",
            "uid: \(uid + 1)\n    gid: \(gid)",
        ]
        for yaml in others { #expect(try statuses([peer("others", yaml)]) == [401, 401]) }
        #expect(upstream.requests.isEmpty)
    }

    @Test func theFirstThatFitsCalls() throws {
        let wrong = peer("wrong", "uid: \(uid + 1)", routes: ["two"])
        let narrow = peer("narrow", "uid: \(uid)\n    gid: \(gid)", routes: ["one"])
        let wide = peer("wide", "uid: \(uid)")
        #expect(try statuses([wrong, narrow, wide]) == [200, 403])
    }

    @Test func aTokenThatIsShownDecides() throws {
        let callers = [peer("us", "uid: \(uid)", routes: ["one"]), CallerSetup.withToken("other", routes: ["two"])]
        #expect(try statuses(callers) == [200, 403])
        #expect(try statuses(callers, bearer("other")) == [403, 200])
        #expect(try statuses(callers, bearer("nobody")) == [401, 401])
        #expect(try statuses(callers, "Authorization: Basic eDp5") == [200, 403])
    }

    private func statuses(_ gateway: GatewayUnderTest, _ identity: Identity?, _ version: PeerVersion) throws -> [Int] {
        let caller = try gateway.tlsCaller(TLSPeerSettings(connectingAs: identity, newest: version))
        return try ["/one", "/two"].map { try caller.ask(post($0, "{}")).status }
    }

    @Test(arguments: [PeerVersion.tls12, .tls13])
    func aCertificateIsKnownByItsNameOrKey(version: PeerVersion) throws {
        let listening = try TLSListening()
        let named = Identity("payouts", use: .client, issuer: listening.authority)
        let keyed = Identity("whoever", use: .client, issuer: listening.authority)
        let other = Identity("Payouts", use: .client, issuer: listening.authority)
        let digest = Data(keyed.publicKeySHA256).base64EncodedString()
        var setup = listening.setup(upstream, asks: "optional")
        setup.routes = self.setup.routes
        setup.callers = [
            peer("named", "certificate: \"cn:payouts\"", routes: ["one"]),
            peer("keyed", "certificate: \"spki:\(digest)\"", routes: ["two"]), .withToken("token", routes: ["two"]),
        ]
        let gateway = try GatewayUnderTest(setup)
        #expect(try statuses(gateway, named, version) == [200, 403])
        #expect(try statuses(gateway, keyed, version) == [403, 200])
        #expect(try statuses(gateway, other, version) == [401, 401])
        #expect(try statuses(gateway, nil, version) == [401, 401])
        // A token that is shown decides here too.
        let caller = try gateway.tlsCaller(TLSPeerSettings(connectingAs: named, newest: version))
        #expect(try caller.ask(post("/two", "{}", bearer("token"))).status == 200)
        #expect(try caller.ask(post("/one", "{}", bearer("nobody"))).status == 401)
        #expect(try caller.ask(post("/one", "{}")).status == 200)
    }

    @Test func aUserIsNobodyOnOtherSockets() throws {
        var setup = setup
        setup.listeners = "  - {name: apps, bind: \"127.0.0.1:0\"}\n" + setup.listeners
        setup.callers = [peer("us", "uid: \(uid)")]
        let gateway = try GatewayUnderTest(setup)
        #expect(try Caller(gateway.addresses[1], keeping: gateway).ask(post("/one", "{}")).status == 200)
        #expect(try gateway.ask(post("/one", "{}")).status == 401)
    }
}
