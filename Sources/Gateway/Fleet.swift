// The workers' threads: started, told, waited for.

internal import Net
internal import Synchronization

/// All workers of the process.
struct Fleet: ~Copyable {
    private var threads: [ThreadBox] = []
    private var mailboxes: [Mailbox<Message>] = []
    /// How often each worker had looked into its mailbox when it was asked for a sign of life.
    private var looks: [UInt64] = []
    private let ended: Ended
    /// Wakes the main thread: a worker has ended, or all have taken a reload up.
    var mainWakeUp: WakeUp { ended.wakeUp }

    /// Counts workers that ended, for the main thread.
    private final class Ended: Sendable {
        let count = Atomic<Int>(0)
        let unclean = Atomic<Int>(0)
        let workers = Mutex<Set<Int>>([])
        let wakeUp: WakeUp
        init(_ wakeUp: WakeUp) { self.wakeUp = wakeUp }
    }

    private final class ThreadBox {
        var thread: WorkerThread?
        init(_ thread: consuming WorkerThread) { self.thread = consume thread }
    }

    init() throws(StartFailure) {
        do {
            ended = Ended(try WakeUp())
        } catch {
            throw StartFailure("no wake-up for the main thread: \(error)")
        }
    }

    /// Workers that were started.
    var size: Int { threads.count }

    /// Workers that have not ended.
    var running: Int { threads.count - ended.count.load(ordering: .acquiring) }

    mutating func addWorker(
        _ shared: Shared, _ generation: Generation, _ listeners: [ListenerBox], index: Int
    ) throws(StartFailure) -> Worker {
        do throws(SystemError) {
            let wakeUp = try WakeUp()
            let mailbox = Mailbox<Message>(limit: 4_096, wakeUp: wakeUp)
            mailboxes.append(mailbox)
            var worker = Worker(
                shared: shared, generation: generation, mailbox: mailbox, poller: try Poller(), index: index)
            try worker.begin(wakeUp, listeners)
            return worker
        } catch {
            throw StartFailure("a worker could not be set up: \(error)")
        }
    }

    /// Where a worker that was added hears.
    func mailbox(_ index: Int) -> Mailbox<Message> { mailboxes[index] }

    mutating func start(_ worker: consuming Worker, index: Int) throws(StartFailure) {
        let handover = Handover(worker)
        let ended = ended
        do {
            let thread = try WorkerThread.start(name: "worker-\(index)") {
                // A local one: what is reached through it needs no check at run time that nobody else reaches it.
                var worker = handover.take()
                worker.run()
                if !worker.endedClean { ended.unclean.add(1, ordering: .relaxed) }
                _ = ended.workers.withLock { $0.insert(index) }
                ended.count.add(1, ordering: .releasing)
                ended.wakeUp.wake()
            }
            threads.append(ThreadBox(thread))
        } catch {
            throw StartFailure("a worker's thread could not be started: \(error)")
        }
    }

    /// Tells one worker. Its mailbox has room: the resolver is the only other who posts, and asks a bounded number.
    func tell(_ worker: Int, _ message: Message) { _ = mailboxes[worker].post(message) }

    func tell(_ message: Message) {
        for mailbox in mailboxes { _ = mailbox.post(message) }
    }

    /// Waits for all threads; true where every worker ended with nothing left undone.
    mutating func join() -> Bool {
        for box in threads {
            if let thread = box.thread.take() { thread.join() }
        }
        return ended.unclean.load(ordering: .relaxed) == 0
    }
}

extension Fleet: Pulse {
    mutating func ask() { looks = mailboxes.map { $0.askForSign() } }

    var isFelt: Bool {
        looks.indices.allSatisfy { worker in
            mailboxes[worker].timesDrained > looks[worker] || ended.workers.withLock { $0.contains(worker) }
        }
    }
}
