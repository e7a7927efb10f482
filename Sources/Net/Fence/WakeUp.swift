// What ends a poller's wait from outside: wake-ups by other threads and signals of the process.
// Relies on eventfd and signalfd. Refuses handlers: a signal is an event like any other, read where the loop is.

internal import CShims
internal import Glibc

/// Ends the wait of the poller it is registered with. Thread-safe; shared by all who may wake.
package final class WakeUp: Sendable {
    let descriptor: Descriptor

    package init() throws(SystemError) {
        descriptor = try Descriptor(result: cs_eventfd(0, 1), "eventfd")
    }

    /// Wakes: the poller reports `readable` once, however often it is called before that.
    package func wake() {
        // EAGAIN would mean 2^64-2 unread wakes, which still leaves the descriptor readable.
        _ = cs_eventfd_add(descriptor.number)
    }
}

/// Counts permits between threads; `take` blocks. For threads that do blocking work, never for a worker.
final class Semaphore: Sendable {
    private let descriptor: Descriptor

    init() throws(SystemError) {
        descriptor = try Descriptor(result: cs_eventfd(1, 0), "eventfd")
    }

    func give() { _ = cs_eventfd_add(descriptor.number) }

    func take() {
        while cs_eventfd_take(descriptor.number) == -EINTR {}
    }
}

/// The signals that a process of ours listens to.
package enum Signal: Int32, Sendable, CaseIterable {
    case hangup = 1
    case interrupt = 2
    case quit = 3
    case user1 = 10
    case user2 = 12
    case terminate = 15
    case windowChange = 28

    /// Blocks these signals for this thread and all threads that it starts, so that a `SignalSource` gets them. Call it
    /// in the first thread before any other is started.
    package static func block(_ signals: [Signal]) throws(SystemError) {
        let numbers = signals.map(\.rawValue)
        // SAFETY: the wrapper reads the array's count of numbers.
        try unsafe cs_signals_block(numbers, numbers.count).checked("pthread_sigmask")
    }

    /// Sends this signal to the calling thread.
    package func raise() throws(SystemError) {
        try cs_signal_raise(rawValue).checked("pthread_kill")
    }
}

/// Delivers blocked signals through a poller.
package struct SignalSource: ~Copyable {
    let descriptor: Descriptor

    /// For signals that were blocked by `Signal.block`.
    package init(_ signals: [Signal]) throws(SystemError) {
        let numbers = signals.map(\.rawValue)
        // SAFETY: the wrapper reads the array's count of numbers.
        let result = unsafe cs_signalfd(numbers, numbers.count)
        descriptor = try Descriptor(result: result, "signalfd")
    }

    /// The next pending signal, or nil.
    package func take() -> Signal? {
        while true {
            let result = cs_signalfd_take(descriptor.number)
            if result != -EINTR { return result > 0 ? Signal(rawValue: result) : nil }
        }
    }
}
