// Where messages for workers are handed in, from any thread: the store's, or another worker's.
// Relies on the mailboxes. Refuses nothing: who posts sees to it that its messages are bounded.

internal import Net
internal import Synchronization

/// The mailboxes of all workers. Thread-safe.
final class PostOffice: Sendable {
    /// By the workers' indexes; complete before the first message.
    private let mailboxes = Mutex<[Mailbox<Message>]>([])

    /// Adds the next worker's mailbox: in the order of the workers' indexes.
    func add(_ mailbox: Mailbox<Message>) { mailboxes.withLock { $0.append(mailbox) } }

    /// Hands in for one worker.
    func post(_ messages: [Message], to worker: Int) {
        let mailbox = mailboxes.withLock { $0[worker] }
        mailbox.postAlways(messages)
    }

    var workers: Int { mailboxes.withLock { $0.count } }
}
