// Why TLS said no, in words fit for a log: fixed text and small numbers, never a peer's text.
// Relies on nothing; TLSStream derives the cases from OpenSSL's verdicts.

/// What went wrong in TLS.
package enum TLSProblem: Error, Equatable, Sendable {
    /// The peer's certificate is past its date.
    case certificateExpired
    /// The upstream's certificate is not valid yet (or this machine's clock is behind).
    case certificateNotYetValid
    /// The certificate does not carry the host name or address that was asked for.
    case wrongHost
    /// No chain to an authority of the CA file.
    case unknownAuthority
    /// The certificate was revoked.
    case certificateRevoked
    /// The certificate was refused for another reason; OpenSSL's X509_V_ERR number.
    case certificateRejected(Int)
    /// The caller gave no certificate where one is required.
    case certificateMissing
    /// No common protocol version: the peer speaks less than TLS 1.2.
    case protocolVersion
    /// The peer sent a fatal alert of this number (RFC 8446 6.2).
    case alert(Int)
    /// The handshake failed for another reason; OpenSSL's reason number.
    case handshakeFailed(Int)
    /// What arrived was not TLS, or broke its rules; OpenSSL's reason number.
    case protocolError(Int)
    /// The upstream chose an application protocol that was not offered (RFC 7301).
    case wrongApplicationProtocol
    /// The caller offered application protocols, and `http/1.1` was not among them (RFC 7301).
    case noApplicationProtocol
    /// The connection was closed before the handshake was done.
    case closedDuringHandshake
    /// The system refused while TLS was at work.
    case system(SystemError)
    /// The CA file cannot be read, or holds no certificate.
    case authorityFile
    /// The file of our own certificate cannot be read, or holds none.
    case certificateFile
    /// The file of our private key cannot be read, holds none, or one with a passphrase.
    case keyFile
    /// The private key does not belong to the certificate.
    case keyMismatch
    /// The server name cannot be verified: empty, or not a host name.
    case serverName
    /// OpenSSL could not be set up (memory).
    case setup

    /// The certificate was the reason: a matter of trust, not of the connection.
    package var isCertificate: Bool {
        switch self {
        case .certificateExpired, .certificateNotYetValid, .wrongHost, .unknownAuthority, .certificateRevoked,
            .certificateRejected, .certificateMissing:
            true
        case .protocolVersion, .alert, .handshakeFailed, .protocolError, .wrongApplicationProtocol,
            .noApplicationProtocol, .closedDuringHandshake, .system, .authorityFile, .certificateFile, .keyFile,
            .keyMismatch, .serverName, .setup:
            false
        }
    }

    /// A sentence for logs.
    package var text: StaticString {
        switch self {
        case .certificateExpired: "the certificate has expired"
        case .certificateNotYetValid: "the certificate is not valid yet; is this machine's clock right?"
        case .wrongHost: "the certificate is for another host"
        case .unknownAuthority: "the certificate is not signed by a known authority"
        case .certificateRevoked: "the certificate was revoked"
        case .certificateRejected: "the certificate was rejected"
        case .certificateMissing: "the caller gave no certificate"
        case .protocolVersion: "no common TLS version; 1.2 or newer is required"
        case .alert: "the peer sent a fatal TLS alert"
        case .handshakeFailed: "the TLS handshake failed"
        case .protocolError: "the peer broke the rules of TLS"
        case .wrongApplicationProtocol: "the peer chose an application protocol that was not offered"
        case .noApplicationProtocol: "the caller does not offer http/1.1"
        case .closedDuringHandshake: "the connection was closed during the TLS handshake"
        case .system: "the connection failed under TLS"
        case .authorityFile: "the CA file cannot be read or holds no certificate"
        case .certificateFile: "the certificate file cannot be read or holds no certificate"
        case .keyFile: "the key file cannot be read or holds no private key without a passphrase"
        case .keyMismatch: "the private key does not belong to the certificate"
        case .serverName: "the server name cannot be verified"
        case .setup: "TLS could not be set up"
        }
    }
}
