// Until when certificates hold: the peer's of a connection, and our own of a listener.
// Relies on OpenSSL for the form of the time. Refuses a time that is none.

internal import COpenSSL
internal import Glibc

extension TLSStream {
    /// Seconds since 1970-01-01 00:00:00 UTC at which the certificate of the other end is no longer valid (notAfter,
    /// RFC 5280 section 4.1.2.5); nil where it showed none.
    package func peerCertificateEnd() -> Int64? {
        // SAFETY: the stream owns `ssl`; the certificate is a reference of our own, let go below.
        guard let certificate = unsafe cs_ssl_get_peer_certificate(ssl) else { return nil }
        defer { unsafe X509_free(certificate) }
        return unsafe end(of: certificate)
    }
}

extension TLSServerContext {
    /// As `TLSStream.peerCertificateEnd`, of the listener's own certificate.
    package func certificateEnd() -> Int64? {
        // SAFETY: the certificate belongs to the context, which is live for the length of the call.
        guard let certificate = unsafe SSL_CTX_get0_certificate(engine.handle) else { return nil }
        return unsafe end(of: certificate)
    }
}

/// The certificate must be live for the length of the call.
private func end(of certificate: OpaquePointer) -> Int64? {
    var parts = unsafe tm()
    // SAFETY: the time belongs to the certificate; `parts` is a live local that the first call fills.
    guard unsafe ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 else { return nil }
    return unsafe Int64(timegm(&parts))
}

extension Transport {
    /// As `TLSStream.peerCertificateEnd`; nil for a plain stream.
    package func peerCertificateEnd() -> Int64? {
        switch self {
        case .plain: nil
        case .tls(let stream): stream.peerCertificateEnd()
        }
    }
}
