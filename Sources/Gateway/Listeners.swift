// Listeners, bound before any worker runs: TCP ones once per worker (SO_REUSEPORT), Unix ones once, then shared.

internal import Config
internal import Net

/// All listeners of all workers.
struct Listeners {
    /// The bound addresses, for the log and for whoever started us.
    private(set) var names: [String] = []
    private var boxes: [[ListenerBox]]

    init(_ settings: [ListenerSettings], workers: Int) throws(StartFailure) {
        boxes = Array(repeating: [], count: workers)
        for listener in settings {
            do {
                switch listener.address {
                case .tcp(let host, let port): try bindTCP(host, port)
                case .unix(let path, let mode, let owner, let group):
                    try bindUnix(path, mode, owner, group)
                }
            } catch let error as SystemError {
                throw StartFailure("listener \"\(listener.name)\" cannot be bound: \(error)")
            } catch {
                throw StartFailure("listener \"\(listener.name)\" has an owner or group that is not known here")
            }
        }
    }

    /// The listeners of one worker; taken once.
    mutating func take(_ worker: Int) -> [ListenerBox] {
        defer { boxes[worker] = [] }
        return boxes[worker]
    }

    private mutating func bindTCP(_ host: String, _ port: UInt16) throws {
        guard var address = SocketAddress(literal: host, port: port) else {
            preconditionFailure("Config takes only literal addresses")
        }
        for worker in boxes.indices {
            let listener = try Listener.tcp(address)
            // Port 0 is chosen by the system once; the other workers share it.
            if let bound = listener.localAddress() { address = bound }
            boxes[worker].append(ListenerBox(listener))
        }
        names.append("\(address)")
    }

    private mutating func bindUnix(_ path: String, _ mode: UInt16?, _ owner: String?, _ group: String?) throws {
        let listener = try Listener.unix(
            path: path, mode: UInt32(mode ?? 0o660), uid: try Accounts.user(owner), gid: try Accounts.group(group))
        for worker in boxes.indices.dropFirst() { boxes[worker].append(ListenerBox(try listener.duplicate())) }
        boxes[0].append(ListenerBox(listener))
        names.append("unix:\(path)")
    }
}
