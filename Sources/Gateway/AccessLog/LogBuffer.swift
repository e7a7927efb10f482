// The place where one worker hands its lines to the writer. Neither waits for the other: a worker that finds the place
// in use keeps its lines until its next turn, and the writer changes one buffer for another.
// Relies on the bound that the worker keeps by `room`. Refuses nothing.

package import Net
internal import Synchronization

/// One worker's lines that were not taken yet. Thread-safe.
package final class LogBuffer: Sendable {
    private let lines = Mutex(LogLines(capacity: LogBuffer.firstCapacity))
    /// Bytes that were handed over and are not written.
    private let waiting = Atomic<Int>(0)
    private let droppedLines = Atomic<Int>(0)
    private let bell: LogBell
    /// Bytes that a buffer has at first, and after the writer has found it larger than `keptCapacity`.
    package static let firstCapacity = 16 * 1_024
    package static let keptCapacity = 1_024 * 1_024
    /// Bytes at which the writer gathers no longer, where `limit` may wait: so that buffers stay small under load, and
    /// are kept, and that no line is dropped because the writer gathers.
    package static func hurryBytes(limit: Int) -> Int { min(256 * 1_024, limit / 4) }

    package init(_ bell: LogBell) { self.bell = bell }

    // MARK: - The worker

    /// Bytes of lines that the worker may gather before it hands them over, where `limit` may wait.
    package func room(limit: Int) -> Int { limit - waiting.load(ordering: .relaxed) }

    /// A line found no room.
    package func dropped() { droppedLines.add(1, ordering: .relaxed) }

    /// Takes the worker's lines and leaves it an empty buffer; false where the writer is at it: then `lines` stay.
    /// `limit` bytes may wait.
    package func take(_ own: inout LogLines, limit: Int) -> Bool {
        let count = own.count
        let all = waiting.add(count, ordering: .relaxed).newValue
        let isTaken = lines.withLockIfAvailable { lines in Self.move(&own, to: &lines) } != nil
        guard isTaken else {
            waiting.subtract(count, ordering: .relaxed)
            return false
        }
        if all < Self.hurryBytes(limit: limit) { bell.ring() } else { bell.hurry() }
        return true
    }

    /// As `take`, at the worker's end: there is no next turn.
    package func takeLast(_ own: inout LogLines) {
        waiting.add(own.count, ordering: .relaxed)
        lines.withLock { lines in Self.move(&own, to: &lines) }
        bell.ring()
    }

    private static func move(_ own: inout LogLines, to lines: inout LogLines) {
        if lines.count == 0 {
            swap(&lines, &own)
        } else {
            lines.append(own)
            own.clear()
        }
    }

    // MARK: - The writer

    /// Exchanges the lines for an empty buffer.
    func drain(into empty: inout LogLines) {
        precondition(empty.count == 0, "what was taken is written before more is taken")
        lines.withLock { swap(&$0, &empty) }
    }

    /// Bytes that were taken are written, or given up.
    func written(_ count: Int) { waiting.subtract(count, ordering: .relaxed) }

    /// Lines that found no room since this was last asked.
    func takeDropped() -> Int { droppedLines.exchange(0, ordering: .relaxed) }
}

/// Wakes the writer, once for all lines that come until it looks again.
package final class LogBell: Sendable {
    private let isAwake = Atomic<Bool>(false)
    private let isHurried = Atomic<Bool>(false)
    let wakeUp: WakeUp

    package init() throws(SystemError) { wakeUp = try WakeUp() }

    /// There is something to do.
    func ring() {
        // The writer gathers for a while after it was woken: most lines cost no call.
        if !isAwake.load(ordering: .relaxed), !isAwake.exchange(true, ordering: .acquiringAndReleasing) {
            wakeUp.wake()
        }
    }

    /// There is enough to do: the writer gathers no longer.
    func hurry() {
        if !isHurried.load(ordering: .relaxed), !isHurried.exchange(true, ordering: .acquiringAndReleasing) {
            ringLoudly()
        }
    }

    /// There is something to do now.
    func ringLoudly() {
        isAwake.store(true, ordering: .releasing)
        wakeUp.wake()
    }

    /// From here on somebody who has enough must say so; who has less need not ring.
    func unhurry() { isHurried.store(false, ordering: .sequentiallyConsistent) }

    /// From here on somebody who has something must ring.
    func unset() {
        unhurry()
        isAwake.store(false, ordering: .sequentiallyConsistent)
    }
}
