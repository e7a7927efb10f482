// Which connection a request gets: the most recently used idle one, a new one while there may be more, or a place in a
// bounded queue. One pool per worker and upstream; nothing in it is shared.

/// The pool's bookkeeping. Connections and exchanges are numbers to it; the gateway opens, closes and lends.
package struct Pool: ~Copyable {
    /// The answer to a question for a connection.
    package enum Lend: Equatable {
        /// This idle connection; it is lent now.
        case idle(UInt32)
        /// Open a new one.
        case open
        /// Close this idle connection and open a new one in its place.
        case replace(UInt32)
        /// Wait: `returned` or `closed` will name the exchange.
        case wait
        /// The queue is full.
        case full
    }

    /// What follows when a connection comes back or ends.
    package enum Next: Equatable {
        case nothing
        /// Keep it idle.
        case keep
        /// Lend it to this waiting exchange.
        case lend(to: UInt32)
        /// Close it: it may not be kept, or whoever waits longest wants a fresh one; `closed` names who that is.
        case close
        /// A place is free: open a new one for this waiting exchange.
        case open(for: UInt32)
    }

    private let maxConnections: Int
    private let maxWaiting: Int
    /// Connections that exist or are being opened.
    package private(set) var open = 0
    private var idle: [UInt32] = []
    private var waiting: [Waiting] = []
    private var firstWaiting = 0

    private struct Waiting {
        let exchange: UInt32
        let fresh: Bool
    }

    package init(maxConnections: Int, maxWaiting: Int) {
        precondition(maxConnections > 0 && maxWaiting >= 0, "bounds are checked when the configuration is read")
        self.maxConnections = maxConnections
        self.maxWaiting = maxWaiting
    }

    package var idleCount: Int { idle.count }
    package var waitingCount: Int { waiting.count - firstWaiting }

    /// An exchange asks for a connection; `fresh` for one that has carried nothing yet.
    package mutating func ask(_ exchange: UInt32, fresh: Bool) -> Lend {
        if !fresh, let connection = idle.popLast() { return .idle(connection) }
        if open < maxConnections {
            open += 1
            return .open
        }
        if fresh, let connection = idle.popLast() { return .replace(connection) }
        guard waitingCount < maxWaiting else { return .full }
        waiting.append(Waiting(exchange: exchange, fresh: fresh))
        return .wait
    }

    /// An exchange that waits asks no more. True where it was waiting.
    package mutating func withdraw(_ exchange: UInt32) -> Bool {
        guard let index = waiting[firstWaiting...].firstIndex(where: { $0.exchange == exchange }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// A lent connection comes back whole.
    package mutating func returned(_ connection: UInt32, keep: Bool) -> Next {
        guard keep else { return .close }
        if waitingCount > 0 && waiting[firstWaiting].fresh { return .close }
        if let exchange = nextWaiting() { return .lend(to: exchange) }
        idle.append(connection)
        return .keep
    }

    /// A connection that was lent, or was being opened, is gone; its place goes to whoever waits longest.
    package mutating func closed() -> Next {
        precondition(open > 0, "a connection is closed once")
        open -= 1
        guard let exchange = nextWaiting() else { return .nothing }
        open += 1
        return .open(for: exchange)
    }

    /// An idle connection is gone. False where it was not idle.
    package mutating func idleClosed(_ connection: UInt32) -> Bool {
        guard let index = idle.lastIndex(of: connection) else { return false }
        idle.remove(at: index)
        precondition(waitingCount == 0, "nobody waits while a connection is idle")
        open -= 1
        return true
    }

    private mutating func nextWaiting() -> UInt32? {
        guard firstWaiting < waiting.count else { return nil }
        let exchange = waiting[firstWaiting].exchange
        firstWaiting += 1
        if firstWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            firstWaiting = 0
        } else if firstWaiting >= 64 && firstWaiting * 2 >= waiting.count {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        return exchange
    }
}
