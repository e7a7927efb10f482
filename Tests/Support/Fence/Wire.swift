// Sockets for tests: blocking by poll with a bound in time, exact bytes out, and ends told apart (end, reset, nothing).
// Relies on CShims for sockets that do not block. Refuses to wait for ever: every call has a limit.

import CShims
import Glibc
import Synchronization

/// Where a test's socket is bound or connects to.
package enum WireAddress: Equatable, Sendable {
    case ipv4(UInt16)
    case ipv6(UInt16)
    case unix(String)
}

/// A socket call that failed; `code` is an errno, or 0 where the time was over.
package struct WireFailure: Error, CustomStringConvertible {
    package let call: String
    package let code: Int32
    package var description: String { code == 0 ? "\(call): no progress in time" : "\(call): errno \(code)" }
}

/// Waits for `events` on a descriptor; false where the time was over.
private func awaitEvents(_ descriptor: Int32, _ events: Int32, _ milliseconds: Int) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    // SAFETY: `wanted` is one pollfd on the stack and lives during the call.
    return unsafe poll(&wanted, 1, Int32(milliseconds)) > 0
}

/// Calls `body` with the address in the kernel's form.
private func withAddress<R>(_ address: WireAddress, _ body: (UnsafeRawPointer, UInt32) -> R) -> R {
    // SAFETY: the array has the size of the kernel's largest address, and its storage lives during the closure.
    var storage = [UInt8](repeating: 0, count: Int(CS_SOCKADDR_SIZE))
    return unsafe storage.withUnsafeMutableBytes { bytes in
        guard let base = bytes.baseAddress else { preconditionFailure("an address has bytes") }
        let length: UInt32
        switch address {
        case .ipv4(let port): length = unsafe cs_sockaddr_ipv4(base, [127, 0, 0, 1], port)
        case .ipv6(let port):
            length = unsafe cs_sockaddr_ipv6(base, [UInt8](repeating: 0, count: 15) + [1], port, 0)
        case .unix(let path):
            length = unsafe path.withCString { text in unsafe cs_sockaddr_unix(base, text, path.utf8.count) }
        }
        return unsafe body(UnsafeRawPointer(base), length)
    }
}

private func family(_ address: WireAddress) -> Int32 {
    switch address {
    case .unix: Int32(CS_FAMILY_UNIX)
    case .ipv4: Int32(CS_FAMILY_IPV4)
    case .ipv6: Int32(CS_FAMILY_IPV6)
    }
}

/// One connected stream socket.
package final class Wire: Sendable {
    /// What one read gave.
    package enum Got: Equatable, Sendable {
        case bytes([UInt8])
        /// The peer said that no more comes.
        case end
        case reset
        /// The time was over.
        case nothing
    }

    private let descriptor: Int32
    private let closed = Atomic<Bool>(false)

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// Connects, by default within 10 s. `receiveBuffer` makes a caller that takes little at once.
    package static func connect(
        to address: WireAddress, receiveBuffer: Int32 = 0, within milliseconds: Int = 10_000
    ) throws(WireFailure) -> Wire {
        let descriptor = cs_socket_stream(family(address))
        guard descriptor >= 0 else { throw WireFailure(call: "socket", code: -descriptor) }
        let wire = Wire(descriptor: descriptor)
        if receiveBuffer > 0 { _ = cs_set_buffer_sizes(descriptor, 0, receiveBuffer) }
        let result = unsafe withAddress(address) { unsafe cs_connect(descriptor, $0, $1) }
        if result == -EINPROGRESS || result == -EAGAIN {
            guard awaitEvents(descriptor, POLLOUT, milliseconds) else { throw WireFailure(call: "connect", code: 0) }
            let error = cs_take_error(descriptor)
            guard error == 0 else { throw WireFailure(call: "connect", code: abs(error)) }
        } else if result < 0 {
            throw WireFailure(call: "connect", code: -result)
        }
        _ = cs_set_no_delay(descriptor)
        return wire
    }

    /// Sends all bytes; `within` limits the wait for each part.
    package func send(_ bytes: [UInt8], within milliseconds: Int = 20_000) throws(WireFailure) {
        var sent = 0
        while sent < bytes.count {
            let count = try sendSome(bytes, from: sent, within: milliseconds)
            guard count > 0 else { throw WireFailure(call: "send", code: 0) }
            sent += count
        }
    }

    /// Sends what the kernel takes; 0 where it took nothing in time.
    package func sendSome(_ bytes: [UInt8], from start: Int, within milliseconds: Int) throws(WireFailure) -> Int {
        while true {
            let count = unsafe bytes.withUnsafeBytes { part in
                // SAFETY: the pointer lies inside the array's storage: `start` is at most its length.
                unsafe cs_send(descriptor, part.baseAddress.map { unsafe $0 + start }, bytes.count - start)
            }
            if count >= 0 { return Int(count) }
            guard count == -Int64(EAGAIN) else { throw WireFailure(call: "send", code: Int32(-count)) }
            guard awaitEvents(descriptor, POLLOUT, milliseconds) else { return 0 }
        }
    }

    /// Whether something can be read, or the end; false where the time is over.
    package func isReadable(within milliseconds: Int = 20_000) -> Bool { awaitEvents(descriptor, POLLIN, milliseconds) }

    /// One read of at most `limit` bytes.
    package func receive(upTo limit: Int = 65_536, within milliseconds: Int = 20_000) -> Got {
        while true {
            guard awaitEvents(descriptor, POLLIN, milliseconds) else { return .nothing }
            var count: Int64 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { room, filled in
                // SAFETY: `room` has `limit` bytes, and the call says how many of them it filled.
                count = unsafe cs_recv(descriptor, room.baseAddress, limit)
                filled = max(0, Int(count))
            }
            switch count {
            case 1...: return .bytes(bytes)
            case 0: return .end
            case -Int64(EAGAIN): continue
            default: return .reset
            }
        }
    }

    /// Says that no more comes; reading goes on.
    package func finishSending() { _ = cs_shutdown_writing(descriptor) }

    /// Closes; unread bytes make the kernel say it with a reset.
    package func close() {
        guard !closed.exchange(true, ordering: .relaxed) else { return }
        _ = cs_close(descriptor)
    }

    /// Closes with a reset.
    package func reset() {
        _ = cs_set_reset_on_close(descriptor)
        close()
    }
}

/// A listening socket.
package final class WireListener: Sendable {
    private let descriptor: Int32
    /// Where it is bound: with port 0 asked, the port that the system chose.
    package let address: WireAddress

    package init(
        _ address: WireAddress = .ipv4(0), backlog: Int32 = 128, receiveBuffer: Int32 = 0
    ) throws(WireFailure) {
        let descriptor = cs_socket_stream(family(address))
        guard descriptor >= 0 else { throw WireFailure(call: "socket", code: -descriptor) }
        // Set before listening, it holds for every accepted connection, and the kernel does not enlarge it by itself.
        if receiveBuffer > 0 { _ = cs_set_buffer_sizes(descriptor, 0, receiveBuffer) }
        var result = unsafe withAddress(address) { unsafe cs_bind(descriptor, $0, $1) }
        if result == 0 { result = cs_listen(descriptor, backlog) }
        if result != 0 {
            _ = cs_close(descriptor)
            throw WireFailure(call: "bind", code: -result)
        }
        self.descriptor = descriptor
        switch address {
        case .unix: self.address = address
        case .ipv4: self.address = .ipv4(Self.port(of: descriptor))
        case .ipv6: self.address = .ipv6(Self.port(of: descriptor))
        }
    }

    deinit { _ = cs_close(descriptor) }

    /// The bound TCP port; 0 for a Unix socket.
    package var port: UInt16 {
        switch address {
        case .ipv4(let port), .ipv6(let port): port
        case .unix: 0
        }
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var storage = [UInt8](repeating: 0, count: Int(CS_SOCKADDR_SIZE))
        var length = UInt32(storage.count)
        return unsafe storage.withUnsafeMutableBytes { bytes in
            // SAFETY: the kernel writes at most `length` bytes, which is the array's size.
            _ = unsafe cs_local_address(descriptor, bytes.baseAddress, &length)
            return unsafe cs_sockaddr_port(bytes.baseAddress)
        }
    }

    /// The next connection; nil once `stop` was called or the time is over.
    package func accept(within milliseconds: Int = -1) -> Wire? {
        while awaitEvents(descriptor, POLLIN, milliseconds) {
            let accepted = cs_accept(descriptor)
            if accepted >= 0 {
                _ = cs_set_no_delay(accepted)
                return Wire(descriptor: accepted)
            }
            guard accepted == -EAGAIN || accepted == -ECONNABORTED else { return nil }
        }
        return nil
    }

    /// No more connections; a waiting `accept` returns.
    package func stop() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}
