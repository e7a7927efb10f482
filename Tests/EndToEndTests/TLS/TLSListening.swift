// What the tests of TLS listeners share: certificates for both sides, the listener's YAML, and callers.
// Relies on TestSupport's certificates and TLS machine. Refuses nothing: bad certificates are asked for by name.

import TestSupport

/// The files of one TLS listener, and an authority for its callers.
final class TLSListening: Sendable {
    let folder: TemporaryFolder
    let authority = Identity("Callers")

    init() throws {
        folder = try TemporaryFolder()
        present("first")
        authority.write(to: folder.path + "/ca.pem")
    }

    /// Writes a new certificate of this name, with its key.
    func present(_ name: String) {
        let identity = Identity(name, alternative: "DNS:gateway.test", use: .server)
        identity.write(to: folder.path + "/chain.pem")
        identity.writeKey(to: folder.path + "/key.pem")
    }

    /// YAML of `listeners`; `asks` is `client_certificate`, nil for no client authority.
    func listeners(asks: String? = nil) -> String {
        let client = asks.map { ", client_ca: \"\(folder.path)/ca.pem\", client_certificate: \($0)" } ?? ""
        return "  - {name: apps, bind: \"127.0.0.1:0\", tls: {certificate: \"\(folder.path)/chain.pem\", "
            + "key: \"\(folder.path)/key.pem\"\(client)}}\n"
    }

    /// A setup with this listener.
    func setup(_ upstream: FakeUpstream, asks: String? = nil, limits: String = "") -> Setup {
        var setup = Setup(upstream)
        setup.listeners = listeners(asks: asks)
        setup.limits = limits
        setup.upstreams.append(self)
        return setup
    }

    /// A caller's certificate of this authority.
    func client(lifetime: Int = 3600) -> Identity {
        Identity("payouts", use: .client, lifetime: lifetime, issuer: authority)
    }
}

extension GatewayUnderTest {
    /// A new connection to the first listener, on TLS, its handshake done at the caller's side.
    func tlsCaller(
        _ settings: TLSPeerSettings = TLSPeerSettings(connectingAs: nil), receiveBuffer: Int32 = 0
    ) throws -> TLSCaller {
        try TLSCaller(addresses[0], settings, receiveBuffer: receiveBuffer, keeping: self)
    }
}
