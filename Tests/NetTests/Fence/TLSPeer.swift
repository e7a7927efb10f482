// The other end of a TLS connection, as a machine that is fed bytes and asked for bytes: no socket, no thread.
// Relies on OpenSSL with memory BIOs. Refuses nothing: a test says what it does wrong.

import COpenSSL

/// Versions by their number on the wire.
enum PeerVersion: Int32, Sendable {
    case tls11 = 0x0302
    case tls12 = 0x0303
    case tls13 = 0x0304
}

/// Settings of the peer; one may serve several connections, which lets sessions be resumed.
@safe
final class TLSPeerSettings {
    let handle: OpaquePointer

    /// `newest`: the last version it speaks, from TLS 1.0; nil for all. `alpn`: the protocol to choose, whatever is
    /// offered.
    init(_ identity: Identity, newest: PeerVersion? = nil, alpn: String? = nil) {
        // SAFETY: freed in deinit; certificate and key are referenced by the handle.
        unsafe handle = SSL_CTX_new(TLS_server_method())!
        unsafe precondition(SSL_CTX_use_certificate(handle, identity.certificate) == 1)
        unsafe precondition(SSL_CTX_use_PrivateKey(handle, identity.key) == 1)
        unsafe SSL_CTX_set_session_id_context(handle, "test", 4)
        if let newest {
            unsafe precondition(cs_ssl_ctx_set_min_version(handle, TLS1_VERSION) == 1)
            unsafe precondition(cs_ssl_ctx_set_max_version(handle, newest.rawValue) == 1)
        }
        switch alpn {
        case "http/1.1":
            unsafe SSL_CTX_set_alpn_select_cb(
                handle, { _, chosen, count, _, _, _ in unsafe choose("http/1.1", chosen, count) }, nil)
        case "h2":
            unsafe SSL_CTX_set_alpn_select_cb(
                handle, { _, chosen, count, _, _, _ in unsafe choose("h2", chosen, count) }, nil)
        default: break
        }
    }

    deinit { unsafe SSL_CTX_free(handle) }
}

private func choose(
    _ name: StaticString, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ count: UnsafeMutablePointer<UInt8>?
) -> Int32 {
    // SAFETY: a literal's bytes live as long as the program; OpenSSL offers both places to write to.
    unsafe chosen?.pointee = name.utf8Start
    unsafe count?.pointee = UInt8(name.utf8CodeUnitCount)
    return SSL_TLSEXT_ERR_OK
}

/// One connection's other end.
@safe
final class TLSPeer {
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private(set) var received: [UInt8] = []
    private(set) var failed = false

    init(_ settings: TLSPeerSettings) {
        // SAFETY: SSL owns both BIOs and is freed in deinit.
        unsafe ssl = SSL_new(settings.handle)!
        unsafe incoming = BIO_new(BIO_s_mem())!
        unsafe outgoing = BIO_new(BIO_s_mem())!
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        unsafe SSL_set_accept_state(ssl)
    }

    deinit { unsafe SSL_free(ssl) }

    /// Takes bytes from the connection and goes as far as they allow.
    func feed(_ bytes: [UInt8]) {
        // SAFETY: the array lives for the length of the calls.
        if !bytes.isEmpty { unsafe precondition(BIO_write(incoming, bytes, Int32(bytes.count)) == bytes.count) }
        ERR_clear_error()
        var room = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe SSL_read(ssl, &room, Int32(room.count))
            if count > 0 {
                received += room[..<Int(count)]
                continue
            }
            let error = unsafe SSL_get_error(ssl, count)
            if error == SSL_ERROR_SSL { failed = true }
            ERR_clear_error()
            return
        }
    }

    /// What is to be sent on the connection.
    func takeOutput() -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 1 << 20)
        // SAFETY: the count is the array's own.
        let count = unsafe BIO_read(outgoing, &room, Int32(room.count))
        return count > 0 ? Array(room[..<Int(count)]) : []
    }

    /// Encrypts an answer.
    func send(_ bytes: [UInt8]) {
        // SAFETY: as above; a memory BIO takes all.
        unsafe precondition(SSL_write(ssl, bytes, Int32(bytes.count)) == bytes.count)
    }

    /// Says close_notify.
    func close() { _ = unsafe SSL_shutdown(ssl) }

    /// True once the handshake is done at this end.
    var isReady: Bool { unsafe SSL_is_init_finished(ssl) == 1 }

    /// True once the other side said close_notify.
    var sawClose: Bool { unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }
}
