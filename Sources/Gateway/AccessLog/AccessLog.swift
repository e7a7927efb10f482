// The access log: a buffer for each worker, and one thread that writes what is in them.
// Relies on LogFile, which never waits. Refuses to delay a request: what cannot be written waits in its buffer,
// bounded; what finds no room there is counted, and told in the log as soon as that can be written.

package import Net
internal import Synchronization

/// The door of the log for the main thread and, by `buffers`, for the workers. Thread-safe.
package final class AccessLog: Sendable {
    /// How long the writer gathers lines before it writes them.
    static let gatherMilliseconds = 10
    /// How long it waits after a write that failed.
    static let retryMilliseconds = 1_000
    /// How long it waits at a time for a reader that takes nothing.
    static let stallMilliseconds = 100

    /// By the workers' indexes.
    package let buffers: [LogBuffer]
    let bell: LogBell
    private let ended: WakeUp
    private let files: Mutex<FileBox>
    /// Monotonic milliseconds until which what is left may be written; 0 while it is not the end.
    private let endsAt = Atomic<UInt64>(0)
    private let lost = Atomic<Int>(0)
    private let hasEnded = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// The file that is to be used from now on, until the writer has taken it.
    private struct FileBox: ~Copyable {
        var next: LogFile?
    }

    /// For so many workers; lines go to `file`.
    package init(workers: Int, _ file: consuming LogFile) throws(SystemError) {
        let bell = try LogBell()
        self.bell = bell
        ended = try WakeUp()
        buffers = (0..<workers).map { _ in LogBuffer(bell) }
        files = Mutex(FileBox(next: file))
    }

    /// Standard output, or the file at `path`.
    package static func open(_ path: String?) throws(SystemError) -> LogFile {
        guard let path else { return try LogFile.standardOutput() }
        return try LogFile(path: path)
    }

    /// Starts the writer's thread. What it has to say of itself goes to `log`.
    package func start(_ log: OperatorLog) throws(SystemError) {
        let poller = try Poller(maxEvents: 1)
        try poller.add(bell.wakeUp, Token(slot: 0, generation: 0))
        let handover = Handover(poller)
        let started = try WorkerThread.start(name: "log") { [self] in
            var writer = LogWriter(self, handover.take(), log)
            writer.run()
            lost.store(writer.linesLeft(), ordering: .relaxed)
            hasEnded.store(true, ordering: .releasing)
            ended.wake()
        }
        var running = Optional(started)
        thread.withLock { $0 = running.take() }
    }

    /// Lines go to this file from now on; a line of which the old one has a part goes to it whole.
    package func replace(_ file: consuming LogFile) {
        var next = Optional(file)
        files.withLock { $0.next = next.take() }
        bell.ringLoudly()
    }

    /// Writes what is left, for at most so long, and ends the thread. Called once the workers have ended. Returns how
    /// many lines could not be written; nil where the thread is stuck in a write and is left behind.
    package func stop(within milliseconds: Int) -> Int? {
        let end = Clock.monotonicMilliseconds() + UInt64(milliseconds)
        endsAt.store(end, ordering: .releasing)
        bell.ringLoudly()
        // A moment more than the writer has: it ends by itself unless the system holds it.
        waitForEnd(until: end + 200)
        guard hasEnded.load(ordering: .acquiring) else { return nil }
        thread.withLock { $0.take() }?.join()
        return lost.load(ordering: .relaxed)
    }

    private func waitForEnd(until end: UInt64) {
        guard var poller = try? Poller(maxEvents: 1) else { return }
        guard (try? poller.add(ended, Token(slot: 0, generation: 0))) != nil else { return }
        while !hasEnded.load(ordering: .acquiring) {
            let now = Clock.monotonicMilliseconds()
            guard now < end, (try? poller.wait(milliseconds: Int(end - now))) != nil else { return }
        }
    }

    // MARK: - For the writer

    func takeFile() -> LogFile? { files.withLock { $0.next.take() } }
    var hasFile: Bool { files.withLock { $0.next != nil } }

    /// Monotonic milliseconds at which the writer ends in any case; nil while it goes on.
    var end: UInt64? {
        let end = endsAt.load(ordering: .acquiring)
        return end == 0 ? nil : end
    }
}
