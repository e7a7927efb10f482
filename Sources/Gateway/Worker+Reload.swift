// A new configuration takes the place of the old one between two requests: those that were begun go on under the old,
// with its upstreams, timeouts and secrets, to their end.

internal import Net
internal import Synchronization

/// Counts the workers that have not taken a reload up yet, and wakes the main thread when all have.
final class ReloadProgress: Sendable {
    private let missing: Atomic<Int>
    private let wakeUp: WakeUp

    init(workers: Int, _ wakeUp: WakeUp) {
        missing = Atomic(workers)
        self.wakeUp = wakeUp
    }

    var isDone: Bool { missing.load(ordering: .acquiring) == 0 }

    func taken() {
        if missing.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { wakeUp.wake() }
    }
}

/// What one worker needs for a reload, made whole before any worker is told, so that nothing can fail half-way.
final class Reload: @unchecked Sendable {
    // @unchecked Sendable: the main thread makes it, hands it over once and never touches it again.
    let generation: Generation
    let added: [ListenerBox]
    let renewed: [RenewedTLS]
    /// Names of listeners that are no more.
    let removed: [String]
    let progress: ReloadProgress

    init(_ generation: Generation, _ change: ListenerChange, worker: Int, _ progress: ReloadProgress) {
        self.progress = progress
        self.generation = generation
        added = change.added[worker]
        renewed = change.renewed[worker]
        removed = change.removed
    }
}

extension Worker {
    mutating func take(_ reload: Reload) {
        // What was asked by the old names comes before anything that another worker asks by new ones alone.
        handInQuestions()
        defer { reload.progress.taken() }
        guard !draining else { return }
        for upstream in generation.upstreams { retire(upstream) }
        generation = reload.generation
        answerBuffers = BufferPool(capacity: generation.answerCapacity)
        metrics = generation.metrics
        for upstream in generation.upstreams { noteBreaker(upstream) }
        takeKeys(generation.vault, reload.progress)
        wakePacers()
        // Who waits in a backlog is taken first: the kernel has let them in.
        for box in Array(listeners) where reload.removed.contains(box.name) { beginClosing(box) }
        for renewed in reload.renewed {
            for box in listeners where box.name == renewed.listener { box.tls = renewed.tls }
        }
        for box in reload.added {
            do {
                try listen(box)
            } catch {
                // No memory for a registration: tried again like an accept that found none.
                box.paused = true
                pausedListeners += 1
                timers.arm(TimerID(slot: box.slot), at: now + Worker.acceptPauseMilliseconds)
            }
        }
    }

    /// Equal requests find each other by the names that the store's keys give them, also while one worker has new keys
    /// and another has not: the old key stays the current one until every worker knows the new one.
    private mutating func takeKeys(_ new: KeyVault?, _ progress: ReloadProgress) {
        useNextKeys()
        guard let new else { return }
        nextVault = (new, progress)
        vault = vault?.passing(to: new) ?? new
    }

    /// Goes over to new keys, once every worker knows them.
    mutating func useNextKeys() {
        guard let next = nextVault, next.progress.isDone else { return }
        vault = next.keys
        nextVault = nil
    }

    /// Its idle connections are closed now, the others when they come back.
    private mutating func retire(_ upstream: UpstreamState) {
        upstream.isRetired = true
        for slot in 0..<slots.count {
            guard case .upstream(let connection) = slots[UInt32(slot)] else { continue }
            if connection.upstream === upstream && connection.state == .idle { closeIdle(connection) }
        }
    }
}
