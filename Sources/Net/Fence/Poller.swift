// Readiness by epoll, edge-triggered for streams: one registration per socket's life, no epoll_ctl per request.
// Relies on the owner to compare a token's generation before acting: an event of the same batch may be for a socket
// that was closed meanwhile. Refuses nothing: what an event means is decided by its owner.

internal import CShims
internal import Glibc

/// What an event is for: the owner's slot and the slot's generation, which the owner counts up whenever it frees the
/// slot. An event whose generation is not the slot's present one is stale and is dropped.
package struct Token: Equatable, Hashable, Sendable {
    package var slot: UInt32
    package var generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    var word: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    init(word: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: word >> 32))
    }
}

/// What an event says.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// As the protocol's own, which other rooms could only call through its witness table.
    package func contains(_ other: Readiness) -> Bool { rawValue & other.rawValue == other.rawValue }

    package static func == (a: Readiness, b: Readiness) -> Bool { a.rawValue == b.rawValue }

    /// There is something to read (or an end, or an error to be read).
    package static let readable = Readiness(rawValue: CS_EPOLL_IN)
    /// There is room to write; also the end of a connect.
    package static let writable = Readiness(rawValue: CS_EPOLL_OUT)
    /// The peer has ended its side; what it sent before may still be unread.
    package static let closedForReading = Readiness(rawValue: CS_EPOLL_RDHUP)
    /// Both sides are ended.
    package static let closed = Readiness(rawValue: CS_EPOLL_HUP)
    /// The socket holds an error, which the next read or write returns.
    package static let failed = Readiness(rawValue: CS_EPOLL_ERR)
}

/// One epoll instance with its array of events.
@safe
package struct Poller: ~Copyable {
    private let descriptor: Descriptor
    private let events: UnsafeMutableRawPointer
    private let maxEvents: Int32
    private var count = 0
    /// Of them, those that were asked for before their turn.
    private var ahead = 0

    /// A poller that takes at most `maxEvents` (1...65536) events per wait.
    package init(maxEvents: Int = 256) throws(SystemError) {
        precondition((1...65536).contains(maxEvents), "events per wait")
        descriptor = try Descriptor(result: cs_epoll_create(), "epoll_create1")
        self.maxEvents = Int32(maxEvents)
        // SAFETY: room for `maxEvents` events of the size that the system states, aligned for any of their fields.
        unsafe events = .allocate(byteCount: maxEvents * cs_epoll_event_size(), alignment: 16)
    }

    deinit {
        // SAFETY: allocated in init, freed once here.
        unsafe events.deallocate()
    }

    /// Waits until something is ready, or for so many milliseconds (-1: for ever). Returns the number of events, those
    /// that `lookAhead` found in front; 0 after the time, or when a signal came between.
    ///
    /// With events found ahead it does not wait.
    package mutating func wait(milliseconds: Int) throws(SystemError) -> Int {
        let result = ask(ahead > 0 ? 0 : Int32(clamping: milliseconds))
        return try note(result, "epoll_wait")
    }

    /// What has happened since the last wait, all of whose events are done with. The next wait gives these events as
    /// well. `isAll` is false where there was no room for all that there may be.
    package mutating func lookAhead() -> (events: Range<Int>, isAll: Bool) {
        let first = ahead
        let result = ask(0)
        ahead += max(0, Int(result))
        count = ahead
        return (first..<ahead, result >= 0 && ahead < maxEvents)
    }

    /// Asks behind the events that were found ahead.
    private func ask(_ timeout: Int32) -> Int32 {
        let room = maxEvents - Int32(ahead)
        guard room > 0 else { return 0 }
        // SAFETY: behind the first `ahead` events is room for so many more.
        return unsafe cs_epoll_wait(
            descriptor.number, events + ahead * cs_epoll_event_size(), room, timeout)
    }

    /// The same for so many nanoseconds (0 or more), where a millisecond is too coarse, as it is for a load generator.
    package mutating func wait(nanoseconds: UInt64) throws(SystemError) -> Int {
        precondition(ahead == 0, "who looks ahead waits for milliseconds")
        let timeout = Int64(clamping: nanoseconds)
        // SAFETY: `events` has room for `maxEvents`.
        let result = unsafe cs_epoll_wait_nanoseconds(descriptor.number, events, maxEvents, timeout)
        return try note(result, "epoll_pwait2")
    }

    /// What a wait has come to: so many events, none where a signal came between.
    private mutating func note(_ result: Int32, _ call: StaticString) throws(SystemError) -> Int {
        count = ahead + max(0, Int(result))
        ahead = 0
        if result < 0 && result != -EINTR { throw SystemError(result: Int(result), call) }
        return count
    }

    /// The event at `index` (0..<the count that `wait` returned, or within what `lookAhead` did).
    package func event(_ index: Int) -> (token: Token, readiness: Readiness) {
        precondition(index >= 0 && index < count, "an event that was not returned")
        // SAFETY: the first `count` events were filled.
        let word = unsafe cs_epoll_event_word(events, Int32(index))
        let mask = unsafe cs_epoll_event_mask(events, Int32(index))
        return (Token(word: word), Readiness(rawValue: mask))
    }

    /// What of a stream is reported, beside its end and its failures.
    package enum Interest: Sendable {
        /// That there is something to read.
        case reading
        /// Also that there is room to write. A Unix socket says so whenever its peer has read, wanted or not: each time
        /// costs the peer a walk to our poller, and us an event.
        case both

        fileprivate var edges: UInt32 {
            let reading = CS_EPOLL_IN | CS_EPOLL_RDHUP | CS_EPOLL_ET
            return self == .both ? reading | CS_EPOLL_OUT : reading
        }
    }

    private func add(_ number: Int32, _ mask: UInt32, _ token: Token) throws(SystemError) {
        try cs_epoll_add(descriptor.number, number, mask, token.word).checked("epoll_ctl")
    }

    private func remove(_ number: Int32) {
        // ENOENT is an answer: it was not registered.
        _ = cs_epoll_remove(descriptor.number, number)
    }

    /// Registers a stream's edges, once for its life; closing the socket ends the registration.
    package func add(_ socket: borrowing Socket, _ token: Token, for interest: Interest = .both) throws(SystemError) {
        try add(socket.descriptor.number, interest.edges, token)
    }

    /// Registers a stream that is registered already for other edges. What is true by then is reported as an edge.
    package func change(_ socket: borrowing Socket, _ token: Token, to interest: Interest) throws(SystemError) {
        try cs_epoll_change(descriptor.number, socket.descriptor.number, interest.edges, token.word)
            .checked("epoll_ctl")
    }

    /// Ends a stream's registration without closing it.
    package func remove(_ socket: borrowing Socket) { remove(socket.descriptor.number) }

    /// Registers a listener, level-triggered, waking only one of the pollers that share it (EPOLLEXCLUSIVE). Also the
    /// way to resume a listener that was paused by `remove`.
    package func add(_ listener: borrowing Listener, _ token: Token) throws(SystemError) {
        try add(listener.descriptor.number, CS_EPOLL_IN | CS_EPOLL_EXCLUSIVE, token)
    }

    /// Pauses a listener: its callers wait in the backlog, and `wait` does not report them.
    package func remove(_ listener: borrowing Listener) { remove(listener.descriptor.number) }

    /// Registers a wake-up. Each `wake` is a new edge, so that the count is never read.
    package func add(_ wakeUp: WakeUp, _ token: Token) throws(SystemError) {
        try add(wakeUp.descriptor.number, CS_EPOLL_IN | CS_EPOLL_ET, token)
    }

    /// Registers signals, level-triggered: reported until each was taken.
    package func add(_ signals: borrowing SignalSource, _ token: Token) throws(SystemError) {
        try add(signals.descriptor.number, CS_EPOLL_IN, token)
    }

    /// Registers a descriptor to be read, level-triggered.
    func add(_ descriptor: borrowing Descriptor, _ token: Token) throws(SystemError) {
        try add(descriptor.number, CS_EPOLL_IN, token)
    }
}
