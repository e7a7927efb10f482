// Configurations that are accepted: what each key becomes, and what is there without it.
// Relies on conf/countersign.yaml, whose secrets and trust file are put elsewhere first.

import Config
import Foundation
import HTTP
import Policy
import Signing
import Testing

@Suite struct GoodFilesTests {
    @Test func theLeastHasAllDefaults() throws {
        let (loaded, problems) = try Scratch().load(Fixtures.least)
        let settings = try #require(loaded)
        #expect(problems.isEmpty)
        #expect(settings.listeners == [.init(name: "apps", address: .tcp(host: "127.0.0.1", port: 8080))])
        #expect(settings.workers == nil && settings.store == nil && settings.callers == nil)
        #expect(settings.quotas.isEmpty && settings.listeners[0].tls == nil)
        #expect(settings.limits == HTTPLimits())
        #expect(settings.connections == ConnectionLimits())
        let credential = settings.credentials[0]
        #expect(credential.name == "acme" && credential.username == "acme" && credential.secret.count == 16)
        #expect(credential.nextSecret == nil && credential.apiKey == nil && credential.fields.isEmpty)
        #expect(credential.algorithm == .hmacSHA512 && credential.signedHeaders == .standard)
        let upstream = settings.upstreams[0]
        #expect(upstream.isTLS && upstream.host == "banking.example" && upstream.port == 443)
        #expect(upstream.basePath == "/api" && upstream.authority == "banking.example" && upstream.caFile == nil)
        #expect(upstream.timeouts == UpstreamTimeouts() && upstream.maxConnections == 64)
        #expect(upstream.pace == PaceSettings())
        let route = settings.routes[0]
        #expect(route.match == .prefix("/") && route.methods == MethodSet(.post) && route.stripPrefix.isEmpty)
        #expect(route.kind == .create && route.lostAnswer == .unknown && route.product == .problem)
    }

    @Test func theCommentedFileIsAccepted() throws {
        let scratch = try Scratch()
        let (loaded, problems) = try loadCommented(scratch)
        #expect(problems.map(\.text) == [])
        let settings = try #require(loaded)
        // Values that are commented as defaults are the defaults.
        #expect(settings.limits == HTTPLimits())
        #expect(settings.connections == ConnectionLimits())
        #expect(settings.upstreams[0].timeouts == UpstreamTimeouts())
        #expect(settings.upstreams[0].pace == PaceSettings())
        #expect(settings.upstreams[0].maxWaiting == 1024 && settings.upstreams[0].keepAliveMilliseconds == 30_000)
        #expect(settings.workers == 2)
        #expect(settings.admin == .tcp(host: "127.0.0.1", port: 9901))
        let socket = ListenAddress.unix(
            path: "/run/countersign/apps.sock", mode: 0o660, owner: "countersign", group: "apps")
        #expect(settings.listeners[1].address == socket)
        #expect(settings.credentials[0].nextSecret?.count == 5)
        #expect(settings.credentials[0].fields.map(\.json) == [Array("12345".utf8)])
        #expect(settings.routes.map(\.product) == [.banking, .banking])
        #expect(settings.routes[1].stripPrefix == "/banking")
        let store = try #require(settings.store)
        #expect(store.kind == .sqlite && store.path == "/var/lib/countersign/idempotency.db")
        #expect(store.limits == StoreLimits() && store.keys.map(\.count) == [44, 16])
        var idempotency = IdempotencySettings(keys: [
            .pointer(JSONPointer("/idempotent_key")!), .header("idempotency-key"),
        ])
        idempotency.volatile = [JSONPointer("/timestamp")!]
        idempotency.onUnknown = .resend
        idempotency.code = JSONPointer("/status")!
        idempotency.notFinal = ["104"]
        idempotency.notFinalRanges = [500...599]
        #expect(settings.routes.map(\.idempotency) == [idempotency, nil])
    }

    @Test func theCommentedFileSaysWhoMayCall() throws {
        let scratch = try Scratch()
        let settings = try #require(try loadCommented(scratch).0)
        let folder = scratch.folder.path + "/tls"
        #expect(settings.listeners.map(\.tls?.clientCertificate) == [nil, nil, .required])
        #expect(
            settings.listeners[2].tls
                == ListenerTLSSettings(
                    certificateFile: folder + "/chain.pem", keyFile: folder + "/key.pem",
                    clientCAFile: folder + "/client-ca.pem"))
        let callers = try #require(settings.callers)
        #expect(callers.map(\.name) == ["payouts", "reports", "edge"])
        let token = BodyDigest(of: Array("reports-token-16".utf8).span)
        let identities: [CallerIdentity] = [
            .peer(uid: 1_001, gid: 1_001), .token(token), .certificate(.commonName("edge.internal")),
        ]
        #expect(callers.map(\.identity) == identities)
        #expect(callers.map(\.routes) == [[0], [0, 1], nil])
        let rate = RateLimitSettings(count: 50, perNanoseconds: 1_000_000_000, burst: 100)
        #expect(settings.quotas == [QuotaSettings(name: "per-caller", per: [.caller, .route], rate: rate)])
    }

    @Test func theCommentedFileNamesEveryKey() throws {
        let text = try String(contentsOf: Self.commented, encoding: .utf8)
        for key in Vocabulary.all.joined() {
            #expect(text.contains("\(key):") || text.contains("#   \(key)  "), "\(key) is not explained")
        }
    }

    @Test func jsonIsAccepted() throws {
        let json = """
            {
            \t"listeners":[{"name":"apps","bind":"[::1]:0"}],
            \t"credentials":{"acme":{"username":"acme","secret":"env:HMAC",
            \t\t"fields":{"/a":1,"/b":"1","/c":null,"/d":-1.5e+3,"/e":"\\u00e9\\"\\\\\\/"}}},
            \t"upstreams":{"banking":{"url":"http://127.0.0.1:9000/","resolve":"1s"}},
            \t"routes":[{"name":"all","prefix":"/","upstream":"banking","credential":"acme","methods":["GET","POST"]}],
            \t"workers":256
            }
            """
        let (loaded, problems) = try Scratch().load(json)
        #expect(problems.map(\.text) == [])
        let settings = try #require(loaded)
        let fields = settings.credentials[0].fields.map { String(decoding: $0.json, as: UTF8.self) }
        #expect(fields == ["1", "\"1\"", "null", "-1.5e+3", "\"\u{e9}\\\"\\\\/\""])
        #expect(settings.workers == 256)
        #expect(settings.upstreams[0].basePath.isEmpty && settings.upstreams[0].authority == "127.0.0.1:9000")
        #expect(!settings.upstreams[0].isTLS && settings.routes[0].methods.contains(.get))
        #expect(settings.listeners[0].address == .tcp(host: "::1", port: 0))
    }

    @Test func routesTakeWhatTheirUpstreamAndKindSay() throws {
        let yaml =
            Fixtures.listeners + Fixtures.credentials + """
                upstreams:
                  a: {url: "https://A.example:8443/x/", product: ingopay}
                  b: {url: "https://[2001:DB8::1]", tls: {server_name: B.example}}
                  c: {url: "http://localhost"}
                routes:
                  - {name: push, path: /push/, upstream: a, credential: acme, kind: push}
                  - {name: pull, path: /pull, upstream: b, credential: acme, kind: pull}
                  - {name: read, path: /read, upstream: c, credential: acme, kind: read, lost_answer: assume-failure}
                  - {name: own, prefix: /own, strip_prefix: /own, upstream: a, credential: acme, product: problem}
                """
        let (loaded, problems) = try Scratch().load(yaml)
        #expect(problems.map(\.text) == [])
        let settings = try #require(loaded)
        #expect(settings.routes.map(\.lostAnswer) == [.assumeSuccess, .assumeFailure, .assumeFailure, .unknown])
        #expect(settings.routes.map(\.product) == [.ingopay, .problem, .problem, .problem])
        #expect(settings.routes.map(\.upstream) == [0, 1, 2, 0])
        #expect(settings.upstreams.map(\.name) == ["a", "b", "c"])
        #expect(settings.upstreams.map(\.authority) == ["a.example:8443", "[2001:db8::1]", "localhost"])
        #expect(settings.upstreams.map(\.basePath) == ["/x", "", ""])
        #expect(settings.upstreams.map(\.serverName) == ["a.example", "b.example", "localhost"])
        #expect(settings.upstreams.map(\.port) == [8443, 443, 80])
    }

    @Test func warningsComeWithTheSettings() throws {
        let yaml = Fixtures.least + "store: {kind: memory}\n"
        let (settings, problems) = try Scratch().load(yaml)
        #expect(problems.count == 1 && problems[0].severity == .warning)
        #expect(settings?.warnings == problems)
    }

    @Test func anyAddressIsBoundWhenThatIsMeant() throws {
        let listeners = "listeners: [{name: apps, bind: \"0.0.0.0:80\", unsafe_bind: true}]\n"
        let (settings, problems) = try Scratch().load(
            listeners + Fixtures.credentials + Fixtures.upstreams + Fixtures.routes)
        #expect(problems.isEmpty)
        #expect(settings?.listeners[0].address == .tcp(host: "0.0.0.0", port: 80))
    }

    @Test func apiKeyPlaces() throws {
        for (word, place) in [
            ("header", APIKeyPlace.header), ("body", .body), ("both", .both),
            ("/ledger/api_key", .pointer(JSONPointer("/ledger/api_key")!)),
        ] {
            let credentials = """
                credentials: {acme: {username: acme, secret: "env:HMAC", api_key: {value: "env:KEY", place: \(word)}}}

                """
            let (settings, problems) = try Scratch().load(
                Fixtures.listeners + credentials + Fixtures.upstreams + Fixtures.routes)
            #expect(problems.isEmpty)
            #expect(settings?.credentials[0].apiKey?.place == place)
        }
    }

    private static let commented = Fixtures.folder.appending(path: "../../conf/countersign.yaml").standardized

    private func loadCommented(_ scratch: Scratch) throws -> (Settings?, [Problem]) {
        _ = try scratch.write("secrets/hmac", Array("first\n".utf8))
        _ = try scratch.write("secrets/hmac.next", Array("other\r\n".utf8))
        _ = try scratch.write("secrets/store", Array((String(repeating: "A", count: 43) + "=\n").utf8))
        _ = try scratch.write("secrets/store.previous", Array("0123456789abcdef\n".utf8))
        _ = try scratch.write("secrets/reports-token", Array("reports-token-16\n".utf8))
        for (name, mode) in [("chain", 0o644), ("key", 0o600), ("client-ca", 0o644)] {
            _ = try scratch.write("tls/\(name).pem", Array("-----BEGIN\n".utf8), mode: mode)
        }
        let trust = try scratch.write("ca.pem", Array("-----BEGIN CERTIFICATE-----\n".utf8), mode: 0o644)
        let yaml = try String(contentsOf: Self.commented, encoding: .utf8)
            .replacingOccurrences(of: "/etc/countersign", with: scratch.folder.path)
            .replacingOccurrences(of: "/etc/ssl/certs/ca-certificates.crt", with: trust)
        return try scratch.load(yaml)
    }
}
