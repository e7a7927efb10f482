// Host names to addresses, off the workers: one thread that runs getaddrinfo and answers by a callback.
// Relies on the system's resolver, hosts file included. Refuses literals (they need no question) and more questions
// than its queue holds. Trying all addresses, and asking again after a while, is the asker's business.

internal import CShims
internal import Synchronization

/// Why a name has no addresses.
package enum ResolveProblem: Error, Equatable, Sendable {
    /// The name does not exist, or has no address of a kind that this machine can use.
    case notFound
    /// The name servers did not answer; asking again may help.
    case temporary
    /// Another failure of the resolver; getaddrinfo's number.
    case failed(Int32)
}

/// The answer to one question.
package struct ResolvedAddresses: Equatable, Sendable {
    /// What was asked.
    package let host: String
    /// In the order of preference (RFC 6724), each once, with the port that was asked for; at most 16. Empty if there
    /// was a problem.
    package let addresses: [SocketAddress]
    package let problem: ResolveProblem?
    /// When it was answered, in milliseconds of the monotonic clock.
    package let answeredAt: UInt64

    package init(host: String, addresses: [SocketAddress], problem: ResolveProblem?, answeredAt: UInt64) {
        self.host = host
        self.addresses = addresses
        self.problem = problem
        self.answeredAt = answeredAt
    }
}

/// The resolver's thread and its queue. Thread-safe; one per process. When it goes, questions that wait are dropped.
package final class Resolver: Sendable {
    private struct Question: Sendable {
        let host: String
        let port: UInt16
        let reply: @Sendable (ResolvedAddresses) -> Void
    }

    /// What the thread shares with the asker; it outlives the resolver while getaddrinfo is at work.
    private final class Desk: Sendable {
        let questions = Mutex<[Question]>([])
        let isClosed = Atomic<Bool>(false)
        let arrived: Semaphore

        init() throws(SystemError) { arrived = try Semaphore() }
    }

    private let desk: Desk
    private let queueLimit: Int

    /// Starts the thread. At most `queueLimit` questions wait.
    package init(queueLimit: Int = 64) throws(SystemError) {
        precondition(queueLimit > 0, "a queue holds something")
        let desk = try Desk()
        self.desk = desk
        self.queueLimit = queueLimit
        // The thread is not joined: the system's resolver may take its time, and holds nothing of ours.
        _ = try WorkerThread.start(name: "resolver") { Resolver.run(desk) }
    }

    deinit {
        desk.isClosed.store(true, ordering: .releasing)
        desk.arrived.give()
    }

    /// Asks for the addresses of `host`. `reply` is called once on the resolver's thread: post to a mailbox there, and
    /// do no more. False if the queue is full; `reply` is then not called.
    package func ask(
        host: String, port: UInt16, reply: @escaping @Sendable (ResolvedAddresses) -> Void
    ) -> Bool {
        precondition(SocketAddress(literal: host, port: port) == nil, "a literal needs no resolver")
        let isTaken = desk.questions.withLock { questions in
            guard questions.count < queueLimit else { return false }
            questions.append(Question(host: host, port: port, reply: reply))
            return true
        }
        if isTaken { desk.arrived.give() }
        return isTaken
    }

    private static func run(_ desk: Desk) {
        while true {
            desk.arrived.take()
            if desk.isClosed.load(ordering: .acquiring) { return }
            let next = desk.questions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let next else { continue }
            next.reply(answer(host: next.host, port: next.port))
        }
    }

    private static func answer(host: String, port: UInt16) -> ResolvedAddresses {
        var found: [SocketAddress] = []
        // SAFETY: the callback gets back the pointer to `found`, within the call, on this thread, and a whole sockaddr.
        let code = unsafe withUnsafeMutablePointer(to: &found) { found in
            unsafe cs_resolve(host, found) { context, address in
                let found = unsafe context?.assumingMemoryBound(to: [SocketAddress].self)
                guard let address = unsafe address, let one = unsafe SocketAddress(sockaddr: address) else { return }
                if let found = unsafe found, unsafe found.pointee.count < 16, unsafe !found.pointee.contains(one) {
                    unsafe found.pointee.append(one)
                }
            }
        }
        var problem: ResolveProblem?
        if code != 0 {
            problem =
                cs_resolve_is_absent(code) != 0
                ? .notFound : cs_resolve_is_temporary(code) != 0 ? .temporary : .failed(code)
        } else if found.isEmpty {
            problem = .notFound
        }
        return ResolvedAddresses(
            host: host, addresses: found.map { $0.with(port: port) }, problem: problem,
            answeredAt: Clock.monotonicMilliseconds())
    }
}
