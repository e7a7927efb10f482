// The other end of a TLS connection, as a machine that is fed bytes and asked for bytes: no socket, no thread.
// Relies on OpenSSL with memory BIOs. Refuses nothing: a test says what it does wrong.

internal import COpenSSL

/// Versions by their number on the wire.
package enum PeerVersion: Int32, Sendable {
    case tls11 = 0x0302
    case tls12 = 0x0303
    case tls13 = 0x0304
}

/// Settings of the peer; one may serve several connections, which lets sessions be resumed.
@safe
package final class TLSPeerSettings: @unchecked Sendable {
    // @unchecked Sendable: OpenSSL locks its handles, and nobody changes one after init.
    let handle: OpaquePointer
    let accepts: Bool

    /// A peer that accepts. `newest`: the last version it speaks, from TLS 1.0; nil for all. `alpn`: the protocol to
    /// choose, whatever is offered.
    package init(_ identity: Identity, newest: PeerVersion? = nil, alpn: String? = nil) {
        // SAFETY: freed in deinit; certificate and key are referenced by the handle.
        unsafe handle = SSL_CTX_new(TLS_server_method())!
        accepts = true
        present(identity)
        unsafe SSL_CTX_set_session_id_context(handle, "test", 4)
        if let newest { speak(.tls11, newest) }
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

    /// A peer that connects, with a certificate where it has one, and offers these protocols. It does not verify whom
    /// it meets: tests look at `peerName`.
    package init(
        connectingAs identity: Identity?, newest: PeerVersion? = nil, offering protocols: [String] = []
    ) {
        // SAFETY: freed in deinit; the list is copied.
        unsafe handle = SSL_CTX_new(TLS_client_method())!
        accepts = false
        if let identity { present(identity) }
        if let newest { speak(newest == .tls11 ? .tls11 : .tls12, newest) }
        let list = protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !list.isEmpty { unsafe precondition(SSL_CTX_set_alpn_protos(handle, list, UInt32(list.count)) == 0) }
    }

    private func present(_ identity: Identity) {
        // SAFETY: the handle takes references of its own.
        unsafe precondition(SSL_CTX_use_certificate(handle, identity.certificate) == 1)
        unsafe precondition(SSL_CTX_use_PrivateKey(handle, identity.key) == 1)
    }

    private func speak(_ oldest: PeerVersion, _ newest: PeerVersion) {
        // SAFETY: fields of the handle. OpenSSL speaks what is older than TLS 1.2 only at its lowest level of security.
        if newest == .tls11 && !accepts { unsafe SSL_CTX_set_security_level(handle, 0) }
        unsafe precondition(cs_ssl_ctx_set_min_version(handle, accepts ? TLS1_VERSION : oldest.rawValue) == 1)
        unsafe precondition(cs_ssl_ctx_set_max_version(handle, newest.rawValue) == 1)
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
package final class TLSPeer {
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    package private(set) var received: [UInt8] = []
    package private(set) var failed = false
    /// OpenSSL's reason where it failed; an alert of the other side is 1000 and its number.
    package private(set) var reason: Int32 = 0

    package init(_ settings: TLSPeerSettings) {
        // SAFETY: SSL owns both BIOs and is freed in deinit.
        unsafe ssl = SSL_new(settings.handle)!
        unsafe incoming = BIO_new(BIO_s_mem())!
        unsafe outgoing = BIO_new(BIO_s_mem())!
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        if settings.accepts { unsafe SSL_set_accept_state(ssl) } else { unsafe SSL_set_connect_state(ssl) }
    }

    deinit { unsafe SSL_free(ssl) }

    /// Takes bytes from the connection and goes as far as they allow.
    package func feed(_ bytes: [UInt8]) {
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
            if error == SSL_ERROR_SSL {
                failed = true
                reason = ERR_GET_REASON(ERR_peek_error())
            }
            ERR_clear_error()
            return
        }
    }

    /// What is to be sent on the connection.
    package func takeOutput() -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 1 << 20)
        // SAFETY: the count is the array's own.
        let count = unsafe BIO_read(outgoing, &room, Int32(room.count))
        return count > 0 ? Array(room[..<Int(count)]) : []
    }

    /// Encrypts an answer.
    package func send(_ bytes: [UInt8]) {
        // SAFETY: as above; a memory BIO takes all.
        unsafe precondition(SSL_write(ssl, bytes, Int32(bytes.count)) == bytes.count)
    }

    /// Says close_notify.
    package func close() { _ = unsafe SSL_shutdown(ssl) }

    /// True once the handshake is done at this end.
    package var isReady: Bool { unsafe SSL_is_init_finished(ssl) == 1 }

    /// True once the other side said close_notify.
    package var sawClose: Bool { unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 }

    /// The application protocol that was agreed on; nil for none.
    package var applicationProtocol: String? {
        var chosen: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        // SAFETY: OpenSSL points to bytes of its own, which live as long as `ssl`; nil where none was chosen.
        unsafe SSL_get0_alpn_selected(ssl, &chosen, &count)
        guard let chosen = unsafe chosen else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: chosen, count: Int(count)), as: UTF8.self)
    }

    /// True where the other side gave us a session that can be resumed.
    package var hasTicket: Bool { unsafe SSL_SESSION_is_resumable(SSL_get_session(ssl)) == 1 }

    /// The cipher that was agreed on, by OpenSSL's name.
    package var cipher: String { unsafe String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))) }

    /// The common name of the other side's certificate; empty where it has none.
    package var peerName: String {
        // SAFETY: the certificate is a reference of our own, freed here; the call ends the text by a zero.
        guard let certificate = unsafe cs_ssl_get_peer_certificate(ssl) else { return "" }
        defer { unsafe X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 256)
        let count = unsafe X509_NAME_get_text_by_NID(
            X509_get_subject_name(certificate), NID_commonName, &text, Int32(text.count))
        return count > 0 ? String(decoding: text.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }

    /// Announces new keys and asks for the other side's (TLS 1.3).
    package func updateKeys() { unsafe precondition(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1) }

    /// Asks for a renegotiation (TLS 1.2); it begins with the next bytes.
    package func renegotiate() {
        // SAFETY: the peer owns `ssl`.
        unsafe precondition(SSL_renegotiate(ssl) == 1)
        _ = unsafe SSL_do_handshake(ssl)
    }
}
