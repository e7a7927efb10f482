// Listening sockets and connections, plain or TLS, blocking with timeouts: one owner per descriptor.
// Relies on Glibc sockets and libssl. Refuses protocols other than http/1.1 (ALPN) and TLS below 1.2.

import COpenSSL
import Glibc

/// Certificate, key and settings that all connections share.
@safe
final class SandboxTLS: @unchecked Sendable {
    // @unchecked Sendable: the context is set up in `init` and afterwards only read; libssl counts references to it
    // with atomics and locks its session cache.
    fileprivate let context: OpaquePointer

    /// Reads a PEM chain and its key; nil if they cannot be read or do not belong together.
    init?(certificate: String, key: String) {
        // SAFETY: the context is ours from here on; on failure it is freed once.
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { return nil }
        unsafe self.context = unsafe context
        unsafe _ = cs_ssl_ctx_set_min_version(context, TLS1_2_VERSION)
        unsafe SSL_CTX_set_alpn_select_cb(context, selectHTTP1, nil)
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1,
            unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else { return nil }
    }

    // SAFETY: the context is freed once, by its owner; libssl keeps it while connections still use it.
    deinit { unsafe SSL_CTX_free(context) }
}

/// Picks http/1.1 from what the peer offers; a peer that offers only others is turned away.
private func selectHTTP1(
    _: OpaquePointer?, _ out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ outLength: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ length: UInt32, _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let out = unsafe out, let outLength = unsafe outLength, let offered = unsafe offered else {
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }
    let wanted: StaticString = "http/1.1"
    var at = 0
    // SAFETY: libssl hands over `length` readable bytes of length-prefixed names, which it has checked for form.
    while at < Int(length) {
        let size = unsafe Int(offered[at])
        let name = unsafe UnsafeBufferPointer(start: offered + at + 1, count: size)
        if unsafe name.elementsEqual(UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount)) {
            unsafe out.pointee = unsafe offered + at + 1
            unsafe outLength.pointee = UInt8(size)
            return SSL_TLSEXT_ERR_OK
        }
        at += size + 1
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// A listening socket.
final class SandboxListener: Sendable {
    private let descriptor: Int32
    /// The port that is bound, also where 0 was asked for.
    let port: Int

    /// Binds and listens; nil if the address is not an IPv4 one or is taken.
    init?(address: String, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(port).bigEndian
        // SAFETY: the text lives for the call, which fills a field of a live local.
        guard unsafe inet_pton(AF_INET, address, &name.sin_addr) == 1 else { close(descriptor); return nil }
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: the address is a live local of the size that is passed with it.
        let bound = unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 1024) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { close(descriptor); return nil }
        self.port = Int(in_port_t(bigEndian: name.sin_port))
    }

    /// Waits for the next connection; nil after a passing shortage of descriptors.
    func accept() -> Int32? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        return accepted >= 0 ? accepted : nil
    }
}

private func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    // SAFETY: the value is a live local of the size that is passed with it.
    unsafe _ = setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
}

/// One accepted connection; used by one thread, closed when let go.
@safe
final class Wire {
    private let descriptor: Int32
    private var session: OpaquePointer?
    private var broken = false

    /// Takes over an accepted descriptor; nil (and closed) if the TLS handshake fails.
    init?(accepted descriptor: Int32, identity: SandboxTLS?, timeoutSeconds: Int) {
        self.descriptor = descriptor
        setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        // SAFETY: the limit is a live local of the size that is passed with it.
        unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard let identity else { return }
        // SAFETY: the session belongs to this object and is freed once in deinit, which also runs when init fails here.
        unsafe session = unsafe SSL_new(identity.context)
        guard unsafe session != nil, unsafe SSL_set_fd(session, descriptor) == 1, unsafe SSL_accept(session) == 1
        else {
            broken = true
            ERR_clear_error()
            return nil
        }
    }

    deinit {
        // SAFETY: the session is freed once; a broken one gets no close alert, as libssl demands.
        if let session = unsafe session {
            if !broken { unsafe _ = SSL_shutdown(session) }
            unsafe SSL_free(session)
            ERR_clear_error()
        }
        close(descriptor)
    }

    /// The next bytes, at least one; nil at the end, after an error, or when nothing came in time.
    func read() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        let count: Int
        if let session = unsafe session {
            // SAFETY: the chunk has as many bytes as the call is told; the session is live.
            count = unsafe Int(SSL_read(session, &chunk, Int32(chunk.count)))
            if count <= 0 {
                broken = unsafe SSL_get_error(session, Int32(count)) != SSL_ERROR_ZERO_RETURN
                ERR_clear_error()
            }
        } else {
            // SAFETY: as above.
            count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        }
        guard count > 0 else { return nil }
        chunk.removeLast(chunk.count - count)
        return chunk
    }

    /// Sends all of it; false if the peer is gone or does not take it in time.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count, !broken {
            // SAFETY: the range behind `done` lies within the array for the time of the call.
            let count = unsafe bytes.withUnsafeBytes { raw in
                let start = unsafe raw.baseAddress! + done
                if let session = unsafe session {
                    return unsafe Int(SSL_write(session, start, Int32(raw.count - done)))
                }
                return unsafe send(descriptor, start, raw.count - done, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 {
                broken = true
                ERR_clear_error()
                return false
            }
            done += count
        }
        return !broken
    }

    /// From now on, letting go sends a TCP reset and no TLS close alert.
    func resetOnClose() {
        broken = true
        var linger = linger(l_onoff: 1, l_linger: 0)
        // SAFETY: the option is a live local of the size that is passed with it.
        unsafe _ = setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }
}
