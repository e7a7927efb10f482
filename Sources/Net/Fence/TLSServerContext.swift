// What all TLS connections of one listener share: our certificate and key, and whose certificates callers may show.
// Relies on OpenSSL 3. Refuses keys with a passphrase, application protocols other than http/1.1, and resumption: every
// handshake proves anew who calls, and no ticket key is there to be kept or lost.

internal import COpenSSL

/// The TLS settings of one listener, for one worker: not Sendable, each worker has its own. Files are read once, here.
@safe
package final class TLSServerContext {
    let engine: TLSEngine

    /// - `certificateFile`: PEM file, our certificate first, then the intermediates.
    /// - `keyFile`: PEM file of its private key, without a passphrase.
    /// - `clientCAFile`: PEM file of the authorities whose certificates callers may show; nil: callers are not asked
    ///   for one.
    /// - `requiresClientCertificate`: a caller without one is refused. Needs `clientCAFile`. One that does not verify
    ///   is refused in any case.
    ///
    /// TLS 1.2 (forward secrecy and AEAD only) to 1.3, our order of ciphers, ALPN `http/1.1` or none, no renegotiation,
    /// no compression, no sessions and no tickets. Revocation lists are not looked at. A certificate is looked at in
    /// the handshake; one that expires later does not end its connection.
    package init(
        certificateFile: String, keyFile: String, clientCAFile: String?, requiresClientCertificate: Bool
    ) throws(TLSProblem) {
        precondition(clientCAFile != nil || !requiresClientCertificate, "whose certificates are required")
        engine = try TLSEngine(.accepting)
        try restrict()
        try present(certificateFile, keyFile)
        if let clientCAFile { try ask(clientCAFile, requiresClientCertificate) }
    }

    private func restrict() throws(TLSProblem) {
        // SAFETY: all of these set fields of the handle; the list is copied; the callback captures nothing.
        guard unsafe SSL_CTX_set_cipher_list(engine.handle, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
            unsafe SSL_CTX_set_num_tickets(engine.handle, 0) == 1
        else { throw .setup }
        unsafe SSL_CTX_set_options(
            engine.handle,
            UInt64(cs_ssl_op_no_ticket()) | UInt64(cs_ssl_op_cipher_server_preference())
                | UInt64(cs_ssl_op_prioritize_chacha()))
        _ = unsafe cs_ssl_ctx_set_session_cache_mode(engine.handle, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_alpn_select_cb(
            engine.handle,
            { _, chosen, count, offered, length, _ in
                unsafe TLSServerContext.choose(chosen, count, offered, length)
            }, nil)
        // Without it OpenSSL would ask at the terminal.
        unsafe SSL_CTX_set_default_passwd_cb(engine.handle) { _, _, _, _ in -1 }
    }

    private func present(_ certificateFile: String, _ keyFile: String) throws(TLSProblem) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        // SAFETY: the paths end in a zero byte for the length of the calls.
        guard unsafe SSL_CTX_use_certificate_chain_file(engine.handle, certificateFile) == 1 else {
            throw .certificateFile
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(engine.handle, keyFile, SSL_FILETYPE_PEM) == 1 else {
            // The file was read, but what it holds does not fit the certificate that is there.
            throw ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509 ? .keyMismatch : .keyFile
        }
        guard unsafe SSL_CTX_check_private_key(engine.handle) == 1 else { throw .keyMismatch }
    }

    private func ask(_ clientCAFile: String, _ isRequired: Bool) throws(TLSProblem) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        // SAFETY: the path ends in a zero byte for the length of the calls; the handle takes the list over.
        guard unsafe SSL_CTX_load_verify_locations(engine.handle, clientCAFile, nil) == 1,
            let names = unsafe SSL_load_client_CA_file(clientCAFile)
        else { throw .authorityFile }
        unsafe SSL_CTX_set_client_CA_list(engine.handle, names)
        let mode = SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(engine.handle, mode, nil)
    }

    /// Chooses http/1.1 where it is offered; else the handshake ends with the alert no_application_protocol.
    private static func choose(
        _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ count: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?, _ length: UInt32
    ) -> Int32 {
        // SAFETY: OpenSSL offers `length` readable bytes, which live until it has copied what was chosen.
        let list = unsafe UnsafeBufferPointer(start: offered, count: Int(length))
        var at = 0
        while at < list.count {
            let start = at + 1
            let end = unsafe start + Int(list[at])
            guard end <= list.count else { break }
            let name = unsafe UnsafeBufferPointer(rebasing: list[start..<end])
            if unsafe name.elementsEqual("http/1.1".utf8) {
                // SAFETY: OpenSSL offers both places to write to.
                unsafe chosen?.pointee = name.baseAddress
                unsafe count?.pointee = UInt8(name.count)
                return SSL_TLSEXT_ERR_OK
            }
            at = end
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
}
