// Certificates made for one test run: an authority, and what it signs.
// Relies on OpenSSL's X509 calls and Ed25519 keys. Refuses nothing: bad certificates are the point.

import COpenSSL
import Net

/// A certificate with its key, freed at the end.
@safe
final class Identity {
    let certificate: OpaquePointer
    let key: OpaquePointer

    /// `name` as subject and, with `isAuthority` false, as the only alternative name (`DNS:...` or `IP:...`). Valid
    /// from an hour ago until `lifetime` seconds from now. Signed by `issuer`, or by itself.
    init(_ name: String, alternative: String? = nil, lifetime: Int = 3600, issuer: Identity? = nil) {
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
        unsafe X509_NAME_add_entry_by_txt(subject, "CN", 0x1001, name, -1, -1, 0)
        let issuerName = if let issuer { unsafe X509_get_subject_name(issuer.certificate) } else { unsafe subject }
        unsafe X509_set_issuer_name(certificate, issuerName)
        if let alternative {
            add(NID_subject_alt_name, alternative)
        } else {
            add(NID_basic_constraints, "critical,CA:TRUE")
        }
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
    func write(to path: String) {
        // SAFETY: the file is closed here.
        let file = unsafe BIO_new_file(path, "w")
        unsafe precondition(PEM_write_bio_X509(file, certificate) == 1)
        unsafe BIO_free(file)
    }
}

/// A file that is removed at the end.
final class TemporaryFile {
    let path: String

    init(_ name: String) {
        path = "/tmp/countersign-net-\(ProcessControl.processID())-\(UInt64.random(in: 0 ... .max))-\(name)"
    }

    deinit { try? ProcessControl.unlink(path) }
}
