// Contexts kept for reuse, so that a warm request allocates nothing. Last in, first out: warm memory is used again.
// Refuses more than its bounds: what is given back beyond them is let go.

internal import HTTP

/// A worker's spare contexts. All are wiped.
struct ContextPool {
    /// Contexts that are kept.
    static let maxCount = 1_024
    /// Bytes of their buffers together. Large bodies leave large buffers; this many of them stay warm.
    static let maxBytes = 64 * 1_024 * 1_024

    private var contexts: [ExchangeContext] = []
    private var bytes = 0

    /// A spare context with at least this room, or a new one: after a reload with larger limits old ones are let go.
    mutating func take(inputCapacity: Int, receivedCapacity: Int) -> ExchangeContext {
        if let context = contexts.popLast() {
            bytes -= context.state.capacity
            if context.state.input.capacity >= inputCapacity && context.state.received.capacity >= receivedCapacity {
                return context
            }
        }
        return ExchangeContext(inputCapacity: inputCapacity, receivedCapacity: receivedCapacity)
    }

    /// Takes a wiped context back.
    mutating func give(_ context: ExchangeContext) {
        let size = context.state.capacity
        guard contexts.count < Self.maxCount && bytes + size <= Self.maxBytes else { return }
        bytes += size
        contexts.append(context)
    }
}
