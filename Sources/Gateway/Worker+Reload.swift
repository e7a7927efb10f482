// A new configuration takes the place of the old one between two requests: those that were begun go on under the old,
// with its upstreams, timeouts and secrets, to their end.

internal import Net
internal import Synchronization

/// How many workers have taken a reload. Shared by them and the main thread.
final class ReloadProgress: Sendable {
    private let taken = Atomic<Int>(0)
    private let workers: Int
    private let main: WakeUp

    init(workers: Int, main: WakeUp) {
        self.workers = workers
        self.main = main
    }

    /// Every worker serves the new configuration.
    var isDone: Bool { taken.load(ordering: .acquiring) == workers }

    func oneMore() {
        taken.add(1, ordering: .releasing)
        main.wake()
    }
}

/// What one worker needs for a reload, made whole before any worker is told, so that nothing can fail half-way.
final class Reload: @unchecked Sendable {
    // @unchecked Sendable: the main thread makes it, hands it over once and never touches it again.
    let generation: Generation
    let added: [ListenerBox]
    /// Names of listeners that are no more.
    let removed: [String]
    let progress: ReloadProgress

    init(generation: Generation, added: [ListenerBox], removed: [String], progress: ReloadProgress) {
        self.progress = progress
        self.generation = generation
        self.added = added
        self.removed = removed
    }
}

extension Worker {
    mutating func take(_ reload: Reload) {
        defer { reload.progress.oneMore() }
        guard !draining else { return }
        for upstream in generation.upstreams { retire(upstream) }
        generation = reload.generation
        // Who waits in a backlog is taken first: the kernel has let them in.
        for box in Array(listeners) where reload.removed.contains(box.name) { beginClosing(box) }
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

    /// Its idle connections are closed now, the others when they come back.
    private mutating func retire(_ upstream: UpstreamState) {
        upstream.isRetired = true
        for slot in 0..<slots.count {
            guard case .upstream(let connection) = slots[UInt32(slot)] else { continue }
            if connection.upstream === upstream && connection.state == .idle { closeIdle(connection) }
        }
    }
}
