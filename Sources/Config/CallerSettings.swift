// Who may call, as the operator said it: the callers' names, what they are known by, and TLS on a listener.
// Relies on Signing for the digest that stands in for a token. Refuses nothing itself: the loader did.

package import Signing

/// One caller of the key `callers`. The first in the file's order whose identity fits is the one who calls.
package struct CallerSettings: Sendable {
    /// Most callers of a file.
    package static let maxCallers = 1_000

    /// 1 ... 64 letters, digits, `.`, `_`, `-`; unique.
    package var name: String
    package var identity: CallerIdentity
    /// Indexes into `Settings.routes`, rising, at least one; nil: all routes.
    package var routes: [Int]?

    package init(name: String, identity: CallerIdentity, routes: [Int]?) {
        self.name = name
        self.identity = identity
        self.routes = routes
    }
}

/// What a caller is known by. No two callers have the same.
package enum CallerIdentity: Equatable, Sendable {
    /// The process at the other end of a Unix socket (SO_PEERCRED, unix(7)). At least one is given; both given: both
    /// must fit.
    case peer(uid: UInt32?, gid: UInt32?)
    /// The digest of the bearer token (RFC 6750 section 2.1). The token itself is not kept.
    case token(BodyDigest)
    case certificate(CertificateName)
}

/// What of a client certificate names the caller.
package enum CertificateName: Equatable, Sendable {
    /// The subject's common name, 1 ... 64 characters, compared byte by byte.
    case commonName(String)
    /// SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes (as in RFC 7469 section 2.4).
    case publicKey([UInt8])
}

/// The key `tls` of a listener. Every file could be read when the configuration was; the key's, by its owner alone.
package struct ListenerTLSSettings: Equatable, Sendable {
    /// Whether a caller must show a certificate that `clientCAFile` signed.
    package enum ClientCertificate: String, CaseIterable, Sendable {
        case required, optional
    }

    /// Absolute path of the chain in PEM, the gateway's own certificate first.
    package var certificateFile: String
    /// Absolute path of the private key in PEM.
    package var keyFile: String
    /// Absolute path of the authorities that sign callers' certificates, in PEM; nil: no caller is asked for one.
    package var clientCAFile: String?
    /// Default required. Has no meaning without `clientCAFile`.
    package var clientCertificate = ClientCertificate.required

    package init(certificateFile: String, keyFile: String, clientCAFile: String? = nil) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.clientCAFile = clientCAFile
    }
}
