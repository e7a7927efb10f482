// What all TLS connections to one upstream share: trusted authorities, the verified name, the last session.
// Relies on OpenSSL 3. Refuses to verify nothing: there is no switch that turns verification off.

internal import COpenSSL

/// The TLS settings of one upstream, for one worker: not Sendable, so that the session needs no lock. Each worker makes
/// its own.
@safe
package final class TLSClientContext {
    let engine: TLSEngine
    /// The host name for SNI; nil for an address literal (RFC 6066 3).
    let sentName: String?
    private var session: OpaquePointer?

    /// True while there is a session for the next connection to resume.
    package var hasSession: Bool { unsafe session != nil }

    /// - `caFile`: PEM file of trusted authorities; nil for those of the system.
    /// - `serverName`: host name or address literal that certificates must carry.
    ///
    /// TLS 1.2 to 1.3, ALPN `http/1.1`, no renegotiation, no compression.
    package init(caFile: String?, serverName: String) throws(TLSProblem) {
        let isLiteral = SocketAddress(literal: serverName, port: 0) != nil
        guard !serverName.isEmpty, serverName.utf8.count <= 253, !serverName.utf8.contains(0) else {
            throw .serverName
        }
        sentName = isLiteral ? nil : serverName
        engine = try TLSEngine(.connecting)
        unsafe session = nil
        try trust(caFile)
        try require(serverName, isLiteral)
        try offer()
        // SAFETY: the callback reads this pointer only while a stream lives, and streams keep their context alive.
        unsafe SSL_CTX_set_ex_data(engine.handle, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        // SAFETY: our own reference, let go once.
        unsafe SSL_SESSION_free(session)
    }

    private func trust(_ caFile: String?) throws(TLSProblem) {
        ERR_clear_error()
        // SAFETY: the path ends in a zero byte for the length of the call.
        let result =
            if let caFile {
                unsafe SSL_CTX_load_verify_locations(engine.handle, caFile, nil)
            } else { unsafe SSL_CTX_set_default_verify_paths(engine.handle) }
        ERR_clear_error()
        guard result == 1 else { throw .authorityFile }
    }

    private func require(_ serverName: String, _ isLiteral: Bool) throws(TLSProblem) {
        // SAFETY: the parameters belong to the handle; the name is copied.
        let parameters = unsafe SSL_CTX_get0_param(engine.handle)
        unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        var bare = serverName
        if bare.hasPrefix("[") { bare = String(bare.dropFirst().dropLast()) }
        let result =
            isLiteral
            ? unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, bare)
            : unsafe X509_VERIFY_PARAM_set1_host(parameters, bare, 0)
        unsafe SSL_CTX_set_verify(engine.handle, SSL_VERIFY_PEER, nil)
        guard result == 1 else { throw .serverName }
    }

    private func offer() throws(TLSProblem) {
        // SAFETY: all of these set fields of the handle; the protocol list is copied.
        let offered: [UInt8] = [8] + Array("http/1.1".utf8)
        guard unsafe SSL_CTX_set_alpn_protos(engine.handle, offered, UInt32(offered.count)) == 0 else { throw .setup }
        _ = unsafe cs_ssl_ctx_set_session_cache_mode(
            engine.handle, Int(SSL_SESS_CACHE_CLIENT) | Int(SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(engine.handle) { ssl, session in
            // SAFETY: set in init to the context, which outlives its streams. Returning 1 keeps the reference.
            let context = unsafe SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0)
            guard let context = unsafe context else { return 0 }
            unsafe Unmanaged<TLSClientContext>.fromOpaque(context).takeUnretainedValue().keep(session)
            return 1
        }
    }

    private func keep(_ session: OpaquePointer?) {
        // SAFETY: the callback hands over one reference; the one before it is let go.
        unsafe SSL_SESSION_free(self.session)
        unsafe self.session = session
    }

    /// Forgets the session: after a failed handshake, or when the upstream's keys changed.
    package func forgetSession() {
        // SAFETY: our own reference, let go once.
        unsafe SSL_SESSION_free(session)
        unsafe session = nil
    }

    /// Offers the last session to a new connection.
    func offerSession(to ssl: OpaquePointer) {
        // SAFETY: SSL_set_session takes a reference of its own.
        guard let session = unsafe session, unsafe SSL_SESSION_is_resumable(session) == 1 else { return }
        _ = unsafe SSL_set_session(ssl, session)
    }
}
