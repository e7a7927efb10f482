// Contexts kept for reuse, so that a warm request allocates nothing. Last in, first out: warm memory is used again.
// Refuses more than its bounds: contexts beyond the count are let go, and so are large buffers beyond the bytes.

internal import HTTP

/// A worker's spare contexts. All are wiped, or will be by the next sweep.
struct ContextPool {
    /// Contexts that are kept.
    static let maxCount = 1_024
    /// Bytes by which their buffers have outgrown their first size, together: enough for large bodies in a row to find
    /// warm buffers, little enough that a rare one does not make a context large for ever.
    static let maxOutgrown = 24 * 1_024 * 1_024
    /// How long a long body may lie in a spare context.
    static let sweepMilliseconds = 500

    private var contexts: [ExchangeContext] = []
    private var outgrown = 0
    private var needsSweep = false

    /// A spare context with at least this room, or a new one: after a reload with larger limits old ones are let go.
    mutating func take(inputCapacity: Int) -> ExchangeContext {
        if let context = contexts.popLast() {
            outgrown -= context.state.outgrown
            if context.state.input.capacity >= inputCapacity { return context }
        }
        return ExchangeContext(ExchangeState(inputCapacity: inputCapacity))
    }

    /// Takes a wiped context back. True where it has leftovers and no other has had any since the last sweep: one is
    /// due within `sweepMilliseconds`.
    mutating func give(_ context: consuming ExchangeContext) -> Bool {
        guard contexts.count < Self.maxCount else { return false }
        if outgrown + context.state.outgrown > Self.maxOutgrown { context.state.shrink() }
        outgrown += context.state.outgrown
        let isFirst = !needsSweep && context.state.hasLeftovers
        if isFirst { needsSweep = true }
        contexts.append(context)
        return isFirst
    }

    /// Wipes what long bodies have left in the spare contexts.
    mutating func sweep() {
        needsSweep = false
        for context in contexts { context.state.wipeLeftovers() }
    }
}
