// The writer's thread: takes the workers' lines, writes them, waits where they cannot be written.
// Relies on AccessLog for what comes. Refuses to lose a part of a line: what was begun is ended, or written again as a
// whole to the file that comes next.

internal import Net

/// What the thread has.
struct LogWriter: ~Copyable {
    private let source: AccessLog
    private let log: OperatorLog
    private var poller: Poller
    private var file: LogFile?
    /// What is being written, and how far it is.
    private var lines = LogLines(capacity: LogBuffer.firstCapacity)
    private var done = 0
    /// Whose lines these are; nil for those of the writer's own.
    private var owner: Int?
    /// Who is looked at next: nobody is left for last each time.
    private var next = 0
    /// What the line about dropped lines says that is being written.
    private var untold = 0
    private var failures = 0
    /// Lines were taken since the last rest.
    private var isBusy = false
    private var time = LogTime(unixMilliseconds: 0)

    init(_ source: AccessLog, _ poller: consuming Poller, _ log: OperatorLog) {
        self.source = source
        self.poller = poller
        self.log = log
    }

    mutating func run() {
        while true {
            adopt()
            if hasLines {
                guard write() else { return }
            } else if !takeLines() {
                // An end is told once the workers have gone: what is empty then stays so.
                if source.end != nil { return }
                rest()
            }
        }
    }

    /// Lines that will not be written, those included that were dropped and of which nothing was said.
    mutating func linesLeft() -> Int {
        var count = owner == nil && hasLines ? untold : linesHere()
        finish()
        for index in source.buffers.indices {
            source.buffers[index].drain(into: &lines)
            count += linesHere() + source.buffers[index].takeDropped()
            lines.clear()
        }
        return count
    }

    private func linesHere() -> Int {
        var count = 0
        for index in done..<lines.count where lines.bytes[index] == UInt8(ascii: "\n") { count += 1 }
        return count
    }

    private var hasLines: Bool { done < lines.count }

    /// Takes the file that was given last. A line that was begun in the old one is written again from its beginning.
    private mutating func adopt() {
        guard let new = source.takeFile() else { return }
        file = consume new
        while done > 0 && done < lines.count && lines.bytes[done - 1] != UInt8(ascii: "\n") { done -= 1 }
    }

    // MARK: - Taking

    /// Takes the lines of the next worker that has some, or says how many were dropped. False where there is nothing.
    private mutating func takeLines() -> Bool {
        for _ in source.buffers.indices {
            let index = next
            next = (next + 1) % source.buffers.count
            source.buffers[index].drain(into: &lines)
            owner = index
            if hasLines {
                isBusy = true
                return true
            }
        }
        owner = nil
        untold = source.buffers.reduce(0) { $0 + $1.takeDropped() }
        guard untold > 0 else { return false }
        time.set(unixMilliseconds: Clock.realtimeMilliseconds())
        lines.begin(time, .warning, "log lines dropped")
        lines.add { $0.add("count", untold) }
        _ = lines.end(limit: .max)
        return true
    }

    // MARK: - Writing

    /// Writes once. False where the time is over.
    private mutating func write() -> Bool {
        switch writeOnce() {
        case .bytes(let count):
            done += count
            if failures > 0 { recovered() }
            if done == lines.count { finish() }
            return true
        case .wouldBlock: return waitForReader()
        case .failed(let error): return waitAfter(error)
        case .end, .truncated, .tlsFailed: preconditionFailure("a write to a file has no such end")
        }
    }

    private func writeOnce() -> IOResult {
        switch file {
        case .none: .wouldBlock
        case .some(let file): file.write(lines.bytes.extracting(droppingFirst: done))
        }
    }

    /// All is written, or given up. A buffer that has grown large is not kept.
    private mutating func finish() {
        if let owner { source.buffers[owner].written(lines.count) }
        owner = nil
        done = 0
        if lines.capacity > LogBuffer.keptCapacity {
            lines = LogLines(capacity: LogBuffer.firstCapacity)
        } else {
            lines.clear()
        }
    }

    /// The reader takes nothing. Looked at again and again, since another file or the end may come meanwhile.
    private func waitForReader() -> Bool {
        let left = timeLeft()
        guard left > 0 else { return false }
        switch file {
        case .none: return true
        case .some(let file):
            _ = file.isWritable(within: min(left, AccessLog.stallMilliseconds))
            return true
        }
    }

    private mutating func waitAfter(_ error: SystemError) -> Bool {
        if failures == 0 {
            log.write(
                .error, "the access log cannot be written; tried again until it can", ("error", .text("\(error)")))
        }
        failures += 1
        return rest(atMost: min(timeLeft(), AccessLog.retryMilliseconds))
    }

    private mutating func recovered() {
        log.write(.info, "the access log is written again", ("failures", .number(failures)))
        failures = 0
    }

    // MARK: - Waiting

    /// Milliseconds until the end; some where it is not told yet.
    private func timeLeft() -> Int {
        guard let end = source.end else { return AccessLog.retryMilliseconds }
        let now = Clock.monotonicMilliseconds()
        return now < end ? Int(end - now) : 0
    }

    /// False where the time is over.
    private mutating func rest(atMost milliseconds: Int) -> Bool {
        guard milliseconds > 0 else { return false }
        wait(milliseconds)
        return true
    }

    /// For a little while, so that many lines are written at once; before that until there is something, where none
    /// came in the last such while. So while lines come nobody rings, and the writer is woken once for all of them.
    private mutating func rest() {
        if !isBusy {
            source.bell.unset()
            // Who came before the bell was set has not rung.
            if takeLines() || source.hasFile || source.end != nil { return }
            wait(-1)
        }
        isBusy = false
        source.bell.unhurry()
        if source.end == nil { wait(AccessLog.gatherMilliseconds) }
    }

    private mutating func wait(_ milliseconds: Int) {
        guard (try? poller.wait(milliseconds: milliseconds)) != nil else {
            preconditionFailure("epoll_wait refused")
        }
    }
}
