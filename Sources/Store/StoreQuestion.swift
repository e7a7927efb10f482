// What a request asks of the store and what it is told, as values that cross threads.
// Relies on Policy's words for keys, outcomes and verdicts. Refuses plaintext: keys are keyed hashes, answers sealed.

package import Policy

/// Who asks. A ticket has at most one claim in its life.
package struct Ticket: Hashable, Sendable, BitwiseCopyable {
    /// Which worker the reply goes to.
    package let worker: UInt16
    /// Where the worker keeps the request.
    package let slot: UInt32
    /// Tells the requests of one slot apart.
    package let serial: UInt64

    package init(worker: UInt16, slot: UInt32, serial: UInt64) {
        self.worker = worker
        self.slot = slot
        self.serial = serial
    }
}

/// A key and its fingerprint, hashed with one of the store's keys.
package struct ClaimName: Equatable, Sendable, BitwiseCopyable {
    package let key: KeyDigest
    package let fingerprint: Fingerprint

    package init(key: KeyDigest, fingerprint: Fingerprint) {
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// A request that wants its key.
package struct Claim: Equatable, Sendable {
    /// Most names: the store's current key and three before it.
    package static let maxNames = 4

    package let ticket: Ticket
    /// 1 ... 4: under the store's current key, then under previous ones.
    package let names: [ClaimName]
    /// The route's name, for the operator.
    package let route: String
    package let onUnknown: OnUnknown
    /// How long after its loss a request is not sent again, in milliseconds; 0 or more.
    package let repeatAfterMilliseconds: Int

    package init(
        ticket: Ticket, names: [ClaimName], route: String, onUnknown: OnUnknown, repeatAfterMilliseconds: Int
    ) {
        precondition((1...Self.maxNames).contains(names.count), "a claim has 1 to 4 names")
        self.ticket = ticket
        self.names = names
        self.route = route
        self.onUnknown = onUnknown
        self.repeatAfterMilliseconds = repeatAfterMilliseconds
    }
}

/// What became of a request that has its key, or still waits for it.
///
/// A request that gives up while it waits settles as `free` too: it leaves the queue, or, where its turn has come in
/// the meantime, gives the key to the next one.
package struct Settlement: Equatable, Sendable {
    package let ticket: Ticket
    /// The current name of the claim: `names[0].key`.
    package let key: KeyDigest
    package let end: ClaimEnd
    /// Whether `settled` is to be said.
    package let wantsReply: Bool

    package init(ticket: Ticket, key: KeyDigest, end: ClaimEnd, wantsReply: Bool) {
        self.ticket = ticket
        self.key = key
        self.end = end
        self.wantsReply = wantsReply
    }
}

/// What is asked.
package enum StoreQuestion: Equatable, Sendable {
    case claim(Claim)
    case settle(Settlement)
}

/// What is said. A claim gets one verdict, or `waiting` and later one more.
package enum StoreReply: Equatable, Sendable {
    case claim(Ticket, ClaimVerdict)
    /// The outcome is durable, or kept in memory until the store takes it.
    case settled(Ticket)
}
