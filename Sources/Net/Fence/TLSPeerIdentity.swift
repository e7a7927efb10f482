// Who the other end of a TLS connection has proved to be.
// Relies on the handshake, which verified the certificate. Refuses names that can be read in two ways.

internal import COpenSSL

/// What a verified certificate says of its holder.
package struct TLSPeerIdentity: Equatable, Sendable {
    /// The subject's common name, exactly as it stands, to be compared by its UTF-8 bytes. nil where there is none or
    /// more than one, where it is empty, no text, or holds a NUL.
    package let commonName: String?
    /// SHA-256 (32 bytes) of the DER SubjectPublicKeyInfo: what RFC 7469 calls a pin.
    package let publicKeySHA256: [UInt8]

    package init(commonName: String?, publicKeySHA256: [UInt8]) {
        self.commonName = commonName
        self.publicKeySHA256 = publicKeySHA256
    }
}

extension TLSStream {
    /// The peer's identity, once the handshake is done; nil where it showed no certificate, or none that was verified.
    package func peerIdentity() -> TLSPeerIdentity? {
        // SAFETY: the stream owns `ssl`; the certificate is a reference of our own, let go below.
        guard unsafe SSL_is_init_finished(ssl) == 1, unsafe SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER != 0,
            unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK),
            let certificate = unsafe cs_ssl_get_peer_certificate(ssl)
        else { return nil }
        defer { unsafe X509_free(certificate) }
        guard let digest = unsafe publicKeyDigest(certificate) else { return nil }
        return TLSPeerIdentity(commonName: unsafe commonName(certificate), publicKeySHA256: digest)
    }

    private func publicKeyDigest(_ certificate: OpaquePointer) -> [UInt8]? {
        var encoded: UnsafeMutablePointer<UInt8>?
        // SAFETY: the key belongs to the certificate, which is live. OpenSSL allocates what it encodes, freed below.
        let count = unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded)
        defer { unsafe CRYPTO_free(encoded, nil, 0) }
        guard count > 0 else { return nil }
        var digest = [UInt8](repeating: 0, count: 32)
        // SAFETY: `count` bytes were encoded; SHA-256 fills the 32 bytes of the array.
        let result = unsafe EVP_Digest(encoded, Int(count), &digest, nil, EVP_sha256(), nil)
        return result == 1 ? digest : nil
    }

    private func commonName(_ certificate: OpaquePointer) -> String? {
        // SAFETY: name, entry and text belong to the certificate, which is live; an index below 0 ends the search.
        let subject = unsafe X509_get_subject_name(certificate)
        let first = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard first >= 0, unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, first) < 0 else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        // SAFETY: as above. OpenSSL allocates the text that it converts, freed below; -1 where it cannot.
        let count = unsafe ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)))
        guard count > 0 else {
            unsafe CRYPTO_free(text, nil, 0)
            return nil
        }
        defer { unsafe CRYPTO_free(text, nil, 0) }
        // SAFETY: `count` bytes were converted.
        let bytes = unsafe UnsafeBufferPointer(start: text, count: Int(count))
        guard unsafe !bytes.contains(0) else { return nil }
        return unsafe String(validating: bytes, as: UTF8.self)
    }
}

extension TLSStream {
    /// Seconds until the peer's certificate ends, below zero where it has; nil where it showed none.
    package func certificateSecondsLeft() -> Int? {
        // SAFETY: the stream owns `ssl`; the certificate is a reference of our own, let go below; its time is its own.
        guard let certificate = unsafe cs_ssl_get_peer_certificate(ssl) else { return nil }
        defer { unsafe X509_free(certificate) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1 else { return nil }
        return Int(days) * 86_400 + Int(seconds)
    }
}
