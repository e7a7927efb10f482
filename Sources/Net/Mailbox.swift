// Messages between threads: many may post, one worker drains, its poller is woken once per batch.
// Relies on Synchronization.Mutex. Refuses more than its limit: the poster is told and keeps its message.

internal import Synchronization

/// A bounded queue with one reader. Thread-safe.
package final class Mailbox<Element: Sendable>: Sendable {
    private let elements: Mutex<[Element]>
    private let limit: Int
    private let wakeUp: WakeUp
    private let drains = Atomic<UInt64>(0)

    /// Holds at most `limit` (at least 1) elements; wakes `wakeUp` when it is no longer empty.
    package init(limit: Int, wakeUp: WakeUp) {
        precondition(limit > 0, "a mailbox holds something")
        self.limit = limit
        self.wakeUp = wakeUp
        elements = Mutex([])
    }

    /// Posts; false if the mailbox is full.
    package func post(_ element: Element) -> Bool {
        let before = elements.withLock { elements in
            let before = elements.count
            if before < limit { elements.append(element) }
            return before
        }
        if before == 0 { wakeUp.wake() }
        return before < limit
    }

    /// Posts in order, all or none: nothing where the limit is reached already. A batch may go beyond it by its own
    /// length.
    package func post(_ batch: [Element]) -> Bool {
        guard !batch.isEmpty else { return true }
        let before = elements.withLock { elements in
            let before = elements.count
            if before < limit { elements.append(contentsOf: batch) }
            return before
        }
        if before == 0 { wakeUp.wake() }
        return before < limit
    }

    /// Posts in order, also beyond the limit: for what must not be lost and whose number is bounded by its posters.
    package func postAlways(_ batch: [Element]) {
        guard !batch.isEmpty else { return }
        let before = elements.withLock { elements in
            let before = elements.count
            elements.append(contentsOf: batch)
            return before
        }
        if before == 0 { wakeUp.wake() }
    }

    /// Asks the reader for a sign of life: wakes it, though there is nothing to read. It has given one when
    /// `timesDrained` is more than what this returns. Any thread.
    package func askForSign() -> UInt64 {
        let before = timesDrained
        wakeUp.wake()
        return before
    }

    /// How often the reader has looked.
    package var timesDrained: UInt64 { drains.load(ordering: .acquiring) }

    /// Exchanges the queue for `batch`, which must be empty and keeps its storage in use: no allocation when warm.
    /// Only the reader calls this, after its poller reported the wake-up.
    package func drain(into batch: inout [Element]) {
        precondition(batch.isEmpty, "a batch is handled before the next is taken")
        elements.withLock { swap(&$0, &batch) }
        drains.add(1, ordering: .releasing)
    }
}
