// Certificates made for one test run: an authority, and what it signs.
// Relies on OpenSSL's X509 calls and Ed25519 keys. Refuses nothing: bad certificates are the point.

internal import COpenSSL
import Glibc

/// What a certificate is for, where it says so.
package enum CertificateUse: String, Sendable {
    case server = "serverAuth"
    case client = "clientAuth"
}

/// A certificate with its key, freed at the end. It is not changed once it was made.
@safe
package final class Identity: @unchecked Sendable {
    // @unchecked Sendable: OpenSSL counts references to both atomically, and nobody writes to them.
    let certificate: OpaquePointer
    let key: OpaquePointer

    /// `names` as common names of the subject and, where it is given, `alternative` as the only alternative name
    /// (`DNS:...` or `IP:...`); without `alternative` and `use` it is an authority. Valid from two hours ago until
    /// `lifetime` seconds from now. Signed by `issuer`, or by itself.
    package init(
        _ names: String..., alternative: String? = nil, use: CertificateUse? = nil, lifetime: Int = 3600,
        issuer: Identity? = nil
    ) {
        // SAFETY: each call's object is freed once: context here, key and certificate in deinit. The calls copy texts.
        let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil)
        var made: OpaquePointer?
        unsafe precondition(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_keygen(context, &made) == 1)
        unsafe EVP_PKEY_CTX_free(context)
        unsafe key = made!
        unsafe certificate = X509_new()!
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...1_000_000_000))
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -7200)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime)
        unsafe X509_set_pubkey(certificate, key)
        let subject = unsafe X509_get_subject_name(certificate)
        for name in names {
            let bytes = Array(name.utf8)
            // 0x1000: the text is UTF-8.
            unsafe X509_NAME_add_entry_by_txt(subject, "CN", 0x1000, bytes, Int32(bytes.count), -1, 0)
        }
        let issuerName = if let issuer { unsafe X509_get_subject_name(issuer.certificate) } else { unsafe subject }
        unsafe X509_set_issuer_name(certificate, issuerName)
        if let alternative { add(NID_subject_alt_name, alternative) }
        if let use { add(NID_ext_key_usage, use.rawValue) }
        if alternative == nil && use == nil { add(NID_basic_constraints, "critical,CA:TRUE") }
        unsafe precondition(X509_sign(certificate, issuer?.key ?? key, nil) > 0)
    }

    deinit {
        // SAFETY: made in init, freed once.
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    private func add(_ kind: Int32, _ value: String) {
        // SAFETY: the extension is copied into the certificate and freed here.
        let made = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value)
        unsafe precondition(X509_add_ext(certificate, made, -1) == 1)
        unsafe X509_EXTENSION_free(made)
    }

    /// Writes the certificate as PEM to `path`.
    package func write(to path: String) {
        // SAFETY: the file is closed here.
        let file = unsafe BIO_new_file(path, "w")
        unsafe precondition(PEM_write_bio_X509(file, certificate) == 1)
        unsafe BIO_free(file)
    }

    /// Writes the private key as PEM to `path`, which only its owner may read; encrypted where there is a passphrase.
    package func writeKey(to path: String, passphrase: String? = nil) {
        let words = Array((passphrase ?? "").utf8CString)
        // SAFETY: the file is closed here; the passphrase lives for the length of the call and is read by its count.
        let file = unsafe BIO_new_file(path, "w")
        let result =
            if passphrase != nil {
                unsafe PEM_write_bio_PKCS8PrivateKey(
                    file, key, EVP_aes_256_cbc(), words, Int32(words.count - 1), nil, nil)
            } else {
                unsafe PEM_write_bio_PKCS8PrivateKey(file, key, nil, nil, 0, nil, nil)
            }
        unsafe BIO_free(file)
        let changed = unsafe chmod(path, 0o600)
        precondition(result == 1 && changed == 0)
    }

    /// SHA-256 of the DER SubjectPublicKeyInfo, made from the key and not from the certificate.
    package var publicKeySHA256: [UInt8] {
        // SAFETY: the first call only counts; the second writes as many bytes, and the digest fills its 32.
        var bytes = [UInt8](repeating: 0, count: Int(unsafe i2d_PUBKEY(key, nil)))
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe bytes.withUnsafeMutableBufferPointer { room in
            var at = room.baseAddress
            unsafe precondition(i2d_PUBKEY(key, &at) == room.count)
        }
        unsafe precondition(EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1)
        return digest
    }
}
