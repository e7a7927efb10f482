// Makes certificate authorities and leaf certificates (EC P-256, SHA-256) through OpenSSL's X509 calls, as PEM bytes.
// Relies on libcrypto. For tests and demonstrations only: keys are written without a passphrase.

import COpenSSL

/// A private key; freed when let go.
@safe
final class IssuedKey {
    fileprivate let key: OpaquePointer

    /// A fresh P-256 key.
    init?() {
        // SAFETY: the generator is freed on every way out; the key is ours, or nil.
        guard let generator = unsafe EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(generator) }
        var made: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(generator) == 1,
            unsafe EVP_PKEY_CTX_set_group_name(generator, "P-256") == 1,
            unsafe EVP_PKEY_generate(generator, &made) == 1, let made = unsafe made
        else { return nil }
        unsafe key = unsafe made
    }

    /// The key of a PEM text.
    init?(pem: [UInt8]) {
        // SAFETY: the memory BIO reads the array within the closure only; the key is ours, or nil.
        let made = unsafe withBIO(over: pem) { unsafe PEM_read_bio_PrivateKey($0, nil, nil, nil) }
        guard let made = unsafe made else { return nil }
        unsafe key = unsafe made
    }

    // SAFETY: freed once, by its owner.
    deinit { unsafe EVP_PKEY_free(key) }

    /// PKCS#8 PEM without a passphrase.
    var pem: [UInt8]? {
        // SAFETY: the BIO is live within the closure, and so is what is written.
        unsafe collect { unsafe PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) == 1 }
    }
}

/// A certificate; freed when let go.
@safe
final class IssuedCertificate {
    fileprivate let certificate: OpaquePointer

    fileprivate init(owning certificate: OpaquePointer) {
        // SAFETY: the caller hands over its reference.
        unsafe self.certificate = unsafe certificate
    }

    /// The first certificate of a PEM text.
    init?(pem: [UInt8]) {
        // SAFETY: the memory BIO reads the array within the closure only; the certificate is ours, or nil.
        let made = unsafe withBIO(over: pem) { unsafe PEM_read_bio_X509($0, nil, nil, nil) }
        guard let made = unsafe made else { return nil }
        unsafe certificate = unsafe made
    }

    // SAFETY: freed once, by its owner.
    deinit { unsafe X509_free(certificate) }

    /// PEM of this certificate alone.
    var pem: [UInt8]? {
        // SAFETY: the BIO is live within the closure, and so is what is written.
        unsafe collect { unsafe PEM_write_bio_X509($0, certificate) == 1 }
    }

    /// True if it is valid for at least another day.
    var isFresh: Bool {
        var tomorrow = HostSystem.unixTime + 86_400
        // SAFETY: the certificate is live, and so are the times within it.
        return unsafe X509_cmp_time(X509_get0_notAfter(certificate), &tomorrow) == 1
            && X509_cmp_current_time(X509_get0_notBefore(certificate)) == -1
    }

    /// True if `key` belongs to it.
    func fits(_ key: IssuedKey) -> Bool {
        // SAFETY: both are live.
        unsafe X509_check_private_key(certificate, key.key) == 1
    }

    /// True if `issuer` signed it.
    func isSigned(by issuer: IssuedKey) -> Bool {
        // SAFETY: both are live.
        unsafe X509_verify(certificate, issuer.key) == 1
    }
}

/// What a certificate is to say.
struct CertificateRequest {
    var commonName: String
    /// Subject alternative names in OpenSSL's notation; nil makes a certificate authority.
    var alternativeNames: String?
    /// Validity as seconds from now.
    var notBefore: Int
    var notAfter: Int
}

/// Issues certificates. Without `issuer` the result signs itself.
func issueCertificate(
    _ request: CertificateRequest, key: IssuedKey, issuer: (certificate: IssuedCertificate, key: IssuedKey)?
) -> IssuedCertificate? {
    guard let made = unsafe X509_new() else { return nil }
    // SAFETY: the certificate is handed to its owner at once, which frees it on every way out.
    let owner = unsafe IssuedCertificate(owning: made)
    let signer = issuer?.key ?? key
    let above = issuer?.certificate ?? owner
    let subject = unsafe X509_get_subject_name(made)
    let commonName = Array(request.commonName.utf8)
    // SAFETY: `subject` and both times belong to the certificate, which is live; the name is read by its count.
    guard unsafe X509_set_version(made, 2) == 1, setSerial(owner),
        unsafe X509_gmtime_adj(X509_getm_notBefore(made), request.notBefore) != nil,
        unsafe X509_gmtime_adj(X509_getm_notAfter(made), request.notAfter) != nil,
        unsafe X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_FLAG, commonName, Int32(commonName.count), -1, 0) == 1,
        unsafe X509_set_issuer_name(made, X509_get_subject_name(above.certificate)) == 1,
        unsafe X509_set_pubkey(made, key.key) == 1, addExtensions(request, to: owner, above: above),
        unsafe X509_sign(made, signer.key, EVP_sha256()) > 0
    else { return nil }
    return owner
}

private func setSerial(_ certificate: IssuedCertificate) -> Bool {
    var bytes = Digests.random(16)
    bytes[0] = bytes[0] & 0x7f | 0x40
    // SAFETY: the number is freed after it was copied into the certificate's own serial field.
    guard let number = unsafe BN_bin2bn(bytes, Int32(bytes.count), nil) else { return false }
    defer { unsafe BN_free(number) }
    return unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.certificate)) != nil
}

private func addExtensions(
    _ request: CertificateRequest, to certificate: IssuedCertificate, above: IssuedCertificate
) -> Bool {
    var wanted: [(nid: Int32, value: String)] = [(NID_subject_key_identifier, "hash")]
    if let names = request.alternativeNames {
        wanted.append((NID_authority_key_identifier, "keyid"))
        wanted.append((NID_basic_constraints, "critical,CA:FALSE"))
        wanted.append((NID_key_usage, "critical,digitalSignature"))
        wanted.append((NID_ext_key_usage, "serverAuth"))
        wanted.append((NID_subject_alt_name, names))
    } else {
        wanted.append((NID_basic_constraints, "critical,CA:TRUE,pathlen:0"))
        wanted.append((NID_key_usage, "critical,keyCertSign,cRLSign"))
    }
    return wanted.allSatisfy { item in
        var context = unsafe X509V3_CTX()
        // SAFETY: the context lives for this closure and points to live certificates; the extension is copied by
        // X509_add_ext and freed here.
        unsafe X509V3_set_ctx(&context, above.certificate, certificate.certificate, nil, nil, 0)
        guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, item.nid, item.value) else { return false }
        defer { unsafe X509_EXTENSION_free(made) }
        return unsafe X509_add_ext(certificate.certificate, made, -1) == 1
    }
}

private func withBIO(over bytes: [UInt8], _ body: (OpaquePointer?) -> OpaquePointer?) -> OpaquePointer? {
    // SAFETY: the BIO reads the array without owning it and is freed before the array's pointer ends.
    unsafe bytes.withUnsafeBytes { raw in
        let bio = unsafe BIO_new_mem_buf(raw.baseAddress, Int32(raw.count))
        defer { unsafe BIO_free(bio) }
        return unsafe body(bio)
    }
}

private func collect(_ write: (OpaquePointer?) -> Bool) -> [UInt8]? {
    // SAFETY: the BIO is ours and freed here; the array has as many bytes as the read is told.
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
    defer { unsafe BIO_free(bio) }
    guard unsafe write(bio) else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(unsafe BIO_ctrl_pending(bio)))
    let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
    return Int(count) == bytes.count ? bytes : nil
}
