// The key `admin`: addresses that are taken, and that secrets leave a note of their kind and nothing else.
// What is refused stands in Bad/admin-*.yaml.

import Config
import Testing

@Suite struct AdminTests {
    private func address(_ admin: String) throws -> ListenAddress? {
        let (settings, problems) = try Scratch().load(Fixtures.least + "admin: {\(admin)}\n")
        #expect(problems.isEmpty)
        return try #require(settings).admin
    }

    @Test func addressesAreTakenAsThoseOfListeners() throws {
        #expect(try address("bind: \"127.0.0.1:9901\"") == .tcp(host: "127.0.0.1", port: 9901))
        #expect(try address("bind: \"[::1]:0\"") == .tcp(host: "::1", port: 0))
        #expect(try address("bind: \"0.0.0.0:9901\", unsafe_bind: true") == .tcp(host: "0.0.0.0", port: 9901))
        let socket = ListenAddress.unix(path: "/run/a.sock", mode: 0o600, owner: "root", group: "ops")
        #expect(try address("bind: \"unix:/run/a.sock\", mode: \"0600\", owner: root, group: ops") == socket)
    }

    @Test func withoutTheKeyThereIsNone() throws {
        let (settings, _) = try Scratch().load(Fixtures.least)
        #expect(try #require(settings).admin == nil)
    }

    @Test func secretsAreNotedByTheirKind() throws {
        let scratch = try Scratch()
        let file = try scratch.write("hmac", Array("0123456789abcdef\n".utf8))
        let yaml =
            Fixtures.listeners + Fixtures.upstreams + Fixtures.routes
            + "credentials: {acme: {username: acme, secret: \"file:\(file)\","
            + " api_key: {value: \"env:KEY\", place: body}}}\n"
        let (settings, problems) = try scratch.load(yaml)
        #expect(problems.isEmpty)
        let notes = try #require(settings).references
        #expect(
            Set(notes.map { "\($0.path) \($0.kind.rawValue)" })
                == ["credentials.acme.secret file", "credentials.acme.api_key.value env"])
    }
}
