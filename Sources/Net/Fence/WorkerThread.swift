// Threads with a name and a stack size of our choosing, joined by their owner.
// Relies on pthreads. Refuses to be copied: a thread is joined once.

internal import CShims

/// A thread. An owner that goes without `join` lets it run on by itself.
package struct WorkerThread: ~Copyable {
    private let thread: UInt64

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private init(thread: UInt64) { self.thread = thread }

    /// Starts `body` on a thread of its own. `name` shows in top(1), cut at 15 bytes; `stackSize` in bytes, at least
    /// 16 KiB and a multiple of the page.
    package static func start(
        name: String, stackSize: Int = 1 << 20, body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> WorkerThread {
        var thread: UInt64 = 0
        let shortName = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        // SAFETY: the new thread takes over the reference that is retained here; if none was made, it is released
        // below.
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let result = unsafe cs_thread_start(&thread, shortName, stackSize, context) { context in
            guard let context = unsafe context else { return }
            // SAFETY: `context` is the reference that was retained for this thread alone.
            unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        }
        if result < 0 {
            // SAFETY: no thread was made, so the reference is still ours.
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            throw SystemError(result: Int(result), "pthread_create")
        }
        return WorkerThread(thread: thread)
    }

    /// Waits until the thread has ended.
    package consuming func join() {
        let thread = thread
        discard self
        _ = cs_thread_join(thread)
    }

    deinit { _ = cs_thread_detach(thread) }
}
