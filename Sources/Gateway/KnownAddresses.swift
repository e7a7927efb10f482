// The addresses of one upstream's name: when to ask for them again, and what stays in use meanwhile.
// Time comes in as an argument. Refuses to forget a good answer for a bad one.

/// What a worker knows of one name. `Address` is a socket's address; a literal one is its own, and is never asked for.
package struct KnownAddresses<Address> {
    /// What is to be done for a new connection.
    package enum Need: Equatable {
        case nothing
        case ask
        /// It was asked for, and the answer has not come.
        case wait
    }

    /// After how long an answer that did not come is asked for again, in milliseconds.
    package static var lostAfterMilliseconds: UInt64 { 60_000 }
    /// How long a bad answer holds, in milliseconds.
    package static var retryMilliseconds: UInt64 { 1_000 }

    /// Those of the last good answer, in its order; empty before the first.
    package private(set) var all: [Address]
    private let isLiteral: Bool
    private var refreshAt: UInt64 = 0
    private var askedAt: UInt64?
    /// Where the next connection begins, so that they share the load.
    private var rotation = 0

    package init(literal: Address?) {
        all = literal.map { [$0] } ?? []
        isLiteral = literal != nil
    }

    /// Whether the name is to be asked for. Where `all` is not empty nobody waits for the answer.
    package func need(at now: UInt64) -> Need {
        guard !isLiteral, all.isEmpty || now >= refreshAt else { return .nothing }
        if let askedAt, now < askedAt &+ Self.lostAfterMilliseconds { return .wait }
        return .ask
    }

    /// The question was taken.
    package mutating func asked(at now: UInt64) { askedAt = now }

    /// The answer came; an empty one leaves what is known in use.
    package mutating func answered(_ addresses: [Address], at now: UInt64, holdsFor milliseconds: Int) {
        askedAt = nil
        if addresses.isEmpty {
            refreshAt = now &+ Self.retryMilliseconds
        } else {
            all = addresses
            refreshAt = now &+ UInt64(milliseconds)
        }
    }

    /// The index in `all` at which the next connection begins; all of them are tried from there on, round.
    package mutating func nextFirst() -> Int {
        precondition(!all.isEmpty, "a connection goes to a known address")
        let first = rotation % all.count
        rotation = first + 1
        return first
    }
}
