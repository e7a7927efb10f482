// What a TLS context of either side is made of: OpenSSL's handle under our rules, the BIO's method, and room to join a
// message's head and body. Relies on OpenSSL 3. Refuses what is older than TLS 1.2, renegotiation and compression.

internal import COpenSSL

/// The part of a context that its streams use and keep alive. It belongs to one worker: the room is not locked.
@safe
final class TLSEngine {
    enum Side { case connecting, accepting }

    let handle: OpaquePointer
    let method: OpaquePointer
    /// Head and body of a message are joined here, so that they leave as one record.
    let scratch: UnsafeMutablePointer<UInt8>
    static let scratchSize = 16384

    init(_ side: Side) throws(TLSProblem) {
        // SAFETY: OpenSSL reports want of memory by nil; what is made here is freed once, in deinit or below.
        let methods =
            switch side {
            case .connecting: unsafe TLS_client_method()
            case .accepting: unsafe TLS_server_method()
            }
        guard let handle = unsafe SSL_CTX_new(methods) else { throw .setup }
        guard let method = unsafe SocketBIO.makeMethod() else {
            unsafe SSL_CTX_free(handle)
            throw .setup
        }
        unsafe self.handle = handle
        unsafe self.method = method
        unsafe scratch = .allocate(capacity: TLSEngine.scratchSize)
        unsafe scratch.initialize(repeating: 0, count: TLSEngine.scratchSize)
        try restrict()
    }

    deinit {
        // SAFETY: every stream keeps its engine alive, so nothing uses these any more; callers' bytes are wiped.
        unsafe SSL_CTX_free(handle)
        unsafe BIO_meth_free(method)
        unsafe OPENSSL_cleanse(scratch, TLSEngine.scratchSize)
        unsafe scratch.deallocate()
    }

    private func restrict() throws(TLSProblem) {
        // SAFETY: all of these set fields of the handle.
        guard unsafe cs_ssl_ctx_set_min_version(handle, TLS1_2_VERSION) == 1,
            unsafe cs_ssl_ctx_set_max_version(handle, TLS1_3_VERSION) == 1
        else { throw .setup }
        unsafe SSL_CTX_set_options(
            handle,
            UInt64(cs_ssl_op_no_renegotiation()) | UInt64(cs_ssl_op_no_compression())
                | UInt64(cs_ssl_op_cleanse_plaintext()))
        let mode =
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE) | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
            | Int(SSL_MODE_RELEASE_BUFFERS)
        _ = unsafe cs_ssl_ctx_set_mode(handle, mode)
        unsafe cs_ssl_ctx_set_read_ahead(handle, 1)
    }
}
