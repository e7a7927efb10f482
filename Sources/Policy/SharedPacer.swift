// A pacer that all workers ask. Relies on Synchronization.Mutex; notices are delivered outside the lock.
// Refuses nothing of its own.

internal import Synchronization

/// A pacer behind a lock. Thread-safe.
///
/// Each call says when the calling worker is to call `tick`, and each worker that is told so arms a timer: then
/// somebody always wakes in time, whichever worker's request it is.
package final class SharedPacer: Sendable {
    private let pacer: Mutex<Pacer>
    private let deliver: [@Sendable (PaceNotice) -> Void]

    /// Delivers notices by the worker of their ticket. A delivery may come from any worker's thread, its own included,
    /// and must not call the pacer.
    package init(_ settings: PaceSettings, deliver: [@Sendable (PaceNotice) -> Void]) {
        pacer = Mutex(Pacer(settings))
        self.deliver = deliver
    }

    /// `Pacer.ask`, and when to call `tick`; nil for no need.
    package func ask(
        _ ticket: PaceTicket, caller: UInt64, now: UInt64, deadline: UInt64
    ) -> (answer: PaceAnswer, wake: UInt64?) {
        var answer = PaceAnswer.go
        let wake = settle(now) { answer = $0.ask(ticket, caller: caller, now: now, deadline: deadline) }
        return (answer, wake)
    }

    /// `Pacer.finished`, and when to call `tick`.
    package func finished(_ ticket: PaceTicket, now: UInt64) -> UInt64? {
        settle(now) { $0.finished(ticket, now: now) }
    }

    /// `Pacer.cancel`, and when to call `tick`. A notice may be on its way all the same.
    package func cancel(_ ticket: PaceTicket, now: UInt64) -> UInt64? {
        settle(now) { $0.cancel(ticket) }
    }

    /// `Pacer.upstreamAsked`, and when to call `tick`.
    package func upstreamAsked(wait: UInt64, now: UInt64) -> UInt64? {
        settle(now) { $0.upstreamAsked(wait: wait, now: now) }
    }

    /// `Pacer.adopt`, and when to call `tick`: a reload keeps the pacer of a credential and upstream that stay.
    package func adopt(_ settings: PaceSettings, now: UInt64) -> UInt64? {
        settle(now) { $0.adopt(settings) }
    }

    /// Delivers what is due, and says when to call again; nil where nobody waits.
    package func tick(now: UInt64) -> UInt64? {
        settle(now) { _ in }
    }

    /// Requests that wait, requests on their way, and the share of the pace in percent.
    package func figures(now: UInt64) -> (waiting: Int, running: Int, sharePercent: Int) {
        pacer.withLock { ($0.waitingCount, $0.runningCount, $0.sharePercent(at: now)) }
    }

    private func settle(_ now: UInt64, _ change: (inout Pacer) -> Void) -> UInt64? {
        var notices: [PaceNotice] = []
        let wake = pacer.withLock { pacer in
            change(&pacer)
            guard let wake = pacer.nextWake(now: now) else { return UInt64?.none }
            guard wake <= now else { return wake }
            pacer.tick(now: now, into: &notices)
            return pacer.nextWake(now: now)
        }
        for notice in notices { deliver[notice.ticket.worker](notice) }
        return wake
    }
}
