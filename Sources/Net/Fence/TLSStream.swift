// One TLS connection over one socket, non-blocking: to an upstream, or of a caller.
// Relies on OpenSSL for the protocol and on SocketBIO for what happened below it. Refuses peers that cannot be verified
// where their context asks for it, and takes no TCP end for an end of TLS.

internal import COpenSSL

/// The TLS version that was agreed on.
package enum TLSVersion: Equatable, Sendable {
    case tls12, tls13
}

/// A TLS stream, with the verbs of `Socket`.
///
/// After `.bytes` the caller reads on while `mayHaveMore`; otherwise the poller tells when to go on, and the stream is
/// told of it by `noteReadable`. A `.wouldBlock`
/// from a write is followed by a write of the same bytes, at least as many.
@safe
package struct TLSStream: ~Copyable {
    package let socket: Socket
    private let engine: TLSEngine
    /// nil where we accepted.
    private let client: TLSClientContext?
    let ssl: OpaquePointer
    private let channel: UnsafeMutablePointer<RawChannel>

    /// Takes over a connected socket; its registration in a poller goes on. Offers the context's last session.
    package init(context: TLSClientContext, socket: consuming Socket) throws(TLSProblem) {
        try self.init(context.engine, context, socket)
        // SAFETY: the stream owns `ssl`; the name is copied.
        unsafe SSL_set_connect_state(ssl)
        if let name = context.sentName { _ = unsafe cs_ssl_set_server_name(ssl, name) }
        unsafe context.offerSession(to: ssl)
    }

    /// Takes over a socket that was accepted; its registration in a poller goes on. The stream keeps what it needs of
    /// the context, which may be replaced meanwhile.
    package init(accepting context: TLSServerContext, socket: consuming Socket) throws(TLSProblem) {
        try self.init(context.engine, nil, socket)
        // SAFETY: the stream owns `ssl`.
        unsafe SSL_set_accept_state(ssl)
    }

    private init(_ engine: TLSEngine, _ client: TLSClientContext?, _ socket: consuming Socket) throws(TLSProblem) {
        // SAFETY: nil is want of memory; SSL owns the BIO after SSL_set_bio; the engine's handle outlives the stream.
        guard let ssl = unsafe SSL_new(engine.handle) else { throw .setup }
        let channel = UnsafeMutablePointer<RawChannel>.allocate(capacity: 1)
        unsafe channel.initialize(to: RawChannel(descriptor: socket.descriptor.number))
        guard let bio = unsafe SocketBIO.make(engine.method, channel) else {
            unsafe SSL_free(ssl)
            unsafe channel.deallocate()
            throw .setup
        }
        unsafe SSL_set_bio(ssl, bio, bio)
        self.socket = socket
        self.engine = engine
        self.client = client
        unsafe self.ssl = ssl
        unsafe self.channel = channel
    }

    deinit {
        // SAFETY: freed once, SSL before the channel that its BIO points to. OpenSSL makes a session unresumable whose
        // connection goes without a shutdown; that is meant for TLS 1.0 and before (RFC 5246 7.2.1).
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
        unsafe channel.deallocate()
    }

    /// Goes on with the handshake: first at once, then whenever the poller reports what it wants.
    package func handshake() -> HandshakeResult {
        prepare()
        // SAFETY: the stream owns `ssl`.
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 { return choseOurProtocol ? .done : .failed(.wrongApplicationProtocol) }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantRead
        case SSL_ERROR_WANT_WRITE: return .wantWrite
        default:
            client?.forgetSession()
            return .failed(handshakeProblem)
        }
    }

    /// Reads from the front of `room` (not empty), at most one record.
    package func read(into room: inout MutableSpan<UInt8>) -> IOResult {
        precondition(!room.isEmpty, "a read needs room")
        prepare()
        var count = 0
        // SAFETY: OpenSSL writes at most the count of bytes that the span has, all of them initialised.
        let result = unsafe room.withUnsafeMutableBufferPointer { room in
            unsafe SSL_read_ex(ssl, room.baseAddress, room.count, &count)
        }
        return result == 1 ? .bytes(count) : refusal(result)
    }

    /// Writes one record, at most 16 KiB, from the front of `bytes` (not empty).
    package func write(_ bytes: Span<UInt8>) -> IOResult {
        precondition(!bytes.isEmpty, "a write needs bytes")
        // SAFETY: the span's bytes live for the length of the call.
        return unsafe bytes.withUnsafeBufferPointer { unsafe write($0.baseAddress, $0.count) }
    }

    /// Writes one record, at most 16 KiB, from two runs of bytes in order; not both are empty.
    package func write(_ first: Span<UInt8>, _ second: Span<UInt8>) -> IOResult {
        let firstCount = min(first.count, TLSEngine.scratchSize)
        let secondCount = min(second.count, TLSEngine.scratchSize - firstCount)
        if secondCount == 0 { return write(first) }
        if firstCount == 0 { return write(second) }
        // SAFETY: the counts were bounded above by the scratch's size and by the spans' own counts.
        unsafe first.withUnsafeBufferPointer {
            if let from = $0.baseAddress { unsafe engine.scratch.update(from: from, count: firstCount) }
        }
        unsafe second.withUnsafeBufferPointer {
            if let from = $0.baseAddress {
                unsafe (engine.scratch + firstCount).update(from: from, count: secondCount)
            }
        }
        // SAFETY: as above; what was joined is wiped, whatever came of it: a second try joins it again.
        defer { unsafe OPENSSL_cleanse(engine.scratch, firstCount + secondCount) }
        return unsafe write(engine.scratch, firstCount + secondCount)
    }

    private func write(_ from: UnsafePointer<UInt8>?, _ count: Int) -> IOResult {
        prepare()
        var written = 0
        // SAFETY: the callers vouch for `count` readable bytes at `from`.
        let result = unsafe SSL_write_ex(ssl, from, count, &written)
        return result == 1 ? .bytes(written) : refusal(result)
    }

    /// True if the next read may find bytes without a new event: kept by OpenSSL, or left in the socket because the
    /// last recv was filled, or because none was made since `noteReadable`.
    package var mayHaveMore: Bool {
        // SAFETY: the stream owns `ssl` and `channel`.
        unsafe channel.pointee.mayHoldMore || hasPending
    }

    /// To be told of every event that is not `writable` alone: a read that is served from what OpenSSL keeps leaves the
    /// socket's bytes where they are, and their edge does not come again.
    package func noteReadable() {
        // SAFETY: the stream owns `channel`.
        unsafe channel.pointee.mayHoldMore = true
    }

    /// True if OpenSSL holds bytes that were received but not read.
    package var hasPending: Bool { unsafe SSL_has_pending(ssl) == 1 }

    /// Sends close_notify, as far as the socket takes it. Nothing is written afterwards.
    package func shutdown() {
        prepare()
        // SAFETY: the stream owns `ssl`. The socket is closed next whatever came of it.
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// The version that was agreed on; nil before the handshake is done.
    package var version: TLSVersion? {
        guard unsafe SSL_is_init_finished(ssl) == 1 else { return nil }
        return unsafe SSL_version(ssl) == TLS1_3_VERSION ? .tls13 : .tls12
    }

    /// True if the handshake resumed an earlier session.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// Bytes written to the socket since the stream was made, handshake and framing included: what
    /// `socket.bytesTakenByPeer` is to be compared with.
    package var rawBytesWritten: UInt64 { unsafe channel.pointee.written }

    private func prepare() {
        ERR_clear_error()
        // SAFETY: the stream owns `channel`.
        unsafe channel.pointee.error = 0
    }

    private var choseOurProtocol: Bool {
        var chosen: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        // SAFETY: OpenSSL points to bytes of its own, which live as long as `ssl`; nil where none was chosen.
        unsafe SSL_get0_alpn_selected(ssl, &chosen, &count)
        guard let chosen = unsafe chosen else { return true }
        return unsafe UnsafeBufferPointer(start: chosen, count: Int(count)).elementsEqual("http/1.1".utf8)
    }

    private func refusal(_ result: Int32) -> IOResult {
        // SAFETY: the stream owns `ssl` and `channel`.
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .end
        default:
            if unsafe channel.pointee.error != 0 { return .failed(systemError) }
            if unsafe channel.pointee.sawEnd { return .truncated }
            return .tlsFailed(queuedProblem(during: { .protocolError($0) }))
        }
    }

    private var systemError: SystemError { unsafe SystemError(result: channel.pointee.error, "tls") }

    private var handshakeProblem: TLSProblem {
        // SAFETY: the stream owns `ssl` and `channel`.
        let verdict = unsafe SSL_get_verify_result(ssl)
        if verdict != X509_V_OK { return certificateProblem(Int32(verdict)) }
        if unsafe channel.pointee.error != 0 { return .system(systemError) }
        if unsafe channel.pointee.sawEnd { return .closedDuringHandshake }
        return queuedProblem(during: { .handshakeFailed($0) })
    }

    private func certificateProblem(_ verdict: Int32) -> TLSProblem {
        switch verdict {
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .wrongHost
        case X509_V_ERR_CERT_REVOKED: .certificateRevoked
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED,
            X509_V_ERR_CERT_SIGNATURE_FAILURE:
            .unknownAuthority
        default: .certificateRejected(Int(verdict))
        }
    }

    /// The first entry of OpenSSL's error queue, in our words.
    private func queuedProblem(during other: (Int) -> TLSProblem) -> TLSProblem {
        let code = ERR_peek_error()
        ERR_clear_error()
        let reason = Int(ERR_GET_REASON(code))
        guard ERR_GET_LIB(code) == ERR_LIB_SSL else { return other(reason) }
        switch Int32(truncatingIfNeeded: reason) {
        case SSL_R_UNSUPPORTED_PROTOCOL: return .protocolVersion
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .certificateMissing
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noApplicationProtocol
        default: break
        }
        // SSL_AD_REASON_OFFSET: an alert of the peer, by its number; 70 is protocol_version.
        if reason >= 1000 { return reason == 1070 ? .protocolVersion : .alert(reason - 1000) }
        return other(reason)
    }
}
