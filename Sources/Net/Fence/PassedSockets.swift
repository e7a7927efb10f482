// Listening sockets that the process was started with, as systemd passes them (sd_listen_fds(3)).
// Relies on LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and on nobody else using the descriptors from 3 on. Refuses what
// does not listen, and names that stand for more than one socket.

internal import CShims
internal import Glibc

/// The sockets that were passed, by name. For the main thread; one for the process.
package final class PassedSockets {
    /// Why there is no listener of a name.
    package enum Problem: Error, Equatable {
        /// Nothing of this name was passed.
        case absent
        /// So many sockets have this name.
        case several(Int)
        /// It is not a listening stream socket.
        case notListening
        case failed(SystemError)
    }

    private static let first: Int32 = 3
    /// More than this nobody passes; it bounds what is believed of the environment.
    private static let most = 1_024

    private final class Passed {
        let name: String
        let descriptor: Descriptor
        init(_ name: String, _ descriptor: consuming Descriptor) {
            self.name = name
            self.descriptor = descriptor
        }
    }

    private let sockets: [Passed]

    /// Takes over what was passed to this process; nothing where nothing was. Call it once, before descriptors are
    /// opened that live on.
    package init() {
        guard ManagerVariables.number("LISTEN_PID") == Int(cs_process_id()),
            let count = ManagerVariables.number("LISTEN_FDS"), (1...Self.most).contains(count)
        else {
            sockets = []
            return
        }
        let text = ManagerVariables.text("LISTEN_FDNAMES") ?? ""
        let names = text.split(separator: ":", omittingEmptySubsequences: false)
        sockets = (0..<count).compactMap { index in
            let number = Self.first + Int32(index)
            guard cs_take_over(number) >= 0, let descriptor = try? Descriptor(result: number, "passed") else {
                return nil
            }
            return Passed(index < names.count ? String(names[index]) : "unknown", descriptor)
        }
    }

    /// The names, one for each socket.
    package var names: [String] { sockets.map(\.name) }

    /// Another handle on the socket called `name`, TCP or Unix: one of TCP has a local address. The socket itself stays
    /// open for the life of this.
    package func listener(_ name: String) throws(Problem) -> Listener {
        let found = sockets.filter { $0.name == name }
        guard let socket = found.first else { throw .absent }
        guard found.count == 1 else { throw .several(found.count) }
        let family = cs_listening_family(socket.descriptor.number)
        switch family {
        case CS_FAMILY_IPV4, CS_FAMILY_IPV6, CS_FAMILY_UNIX: break
        case -ENOTSOCK, -EPROTOTYPE, -EDESTADDRREQ: throw .notListening
        default: throw family < 0 ? .failed(SystemError(result: Int(family), "getsockopt")) : .notListening
        }
        do throws(SystemError) {
            // Accepted sockets inherit it.
            if family != CS_FAMILY_UNIX { try cs_set_no_delay(socket.descriptor.number).checked("setsockopt") }
            return Listener(passed: try Descriptor(result: cs_dup(socket.descriptor.number), "fcntl"))
        } catch {
            throw .failed(error)
        }
    }
}

/// What the service manager says by variables of the environment.
enum ManagerVariables {
    /// A variable's value; nil where it is not set or empty.
    static func text(_ name: String) -> String? {
        // SAFETY: the value is copied at once; nothing of ours changes the environment.
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// A variable's value as a whole number.
    static func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
}
