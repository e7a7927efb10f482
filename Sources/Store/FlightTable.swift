// Requests of this process that have their key or wait for it, and a log by which a batch that failed is taken back.
// Relies on the desk for what is durable. Refuses a second claim of one ticket, by precondition.

internal import Policy

/// A key that a request of this process has.
struct Flight {
    let owner: Ticket
    /// The name under which the key was claimed, in the fingerprint's hash.
    let fingerprint: Fingerprint
    /// As it was written.
    let record: KeyRecord
    /// What the key was before, where a request of unknown outcome is sent once more: what it is again where this time
    /// nothing was sent.
    let before: KeyRecord?
    /// Equal requests, in the order in which they came.
    var waiters: [Claim] = []
}

/// The table.
struct FlightTable {
    private enum Step {
        case took(KeyDigest, Ticket)
        case joined(KeyDigest, Ticket)
        case ended(KeyDigest, Flight)
    }

    private var flights: [KeyDigest: Flight] = [:]
    private var owners: [Ticket: KeyDigest] = [:]
    private var waiting: [Ticket: KeyDigest] = [:]
    private var log: [Step] = []

    /// Requests that wait, for all keys together.
    var waitingCount: Int { waiting.count }

    /// The flight that has one of the claim's names, and the claim's fingerprint under that name.
    func find(_ claim: Claim) -> (key: KeyDigest, isSame: Bool)? {
        for name in claim.names {
            guard let flight = flights[name.key] else { continue }
            return (name.key, flight.fingerprint == name.fingerprint)
        }
        return nil
    }

    /// What `ticket` has.
    func flight(of ticket: Ticket) -> (key: KeyDigest, flight: Flight)? {
        guard let key = owners[ticket], let flight = flights[key] else { return nil }
        return (key, flight)
    }

    /// Whether `key` is in flight here.
    func contains(_ key: KeyDigest) -> Bool { flights[key] != nil }

    mutating func take(_ key: KeyDigest, _ flight: Flight) {
        precondition(flights[key] == nil && owners[flight.owner] == nil, "a key has one owner, a ticket one key")
        flights[key] = flight
        owners[flight.owner] = key
        for waiter in flight.waiters { waiting[waiter.ticket] = key }
        log.append(.took(key, flight.owner))
    }

    mutating func join(_ claim: Claim, at key: KeyDigest) {
        precondition(owners[claim.ticket] == nil && waiting[claim.ticket] == nil, "a ticket claims once")
        flights[key]?.waiters.append(claim)
        waiting[claim.ticket] = key
        log.append(.joined(key, claim.ticket))
    }

    /// Ends the flight; its waiters wait no longer.
    mutating func end(_ key: KeyDigest) {
        guard let flight = flights.removeValue(forKey: key) else { preconditionFailure("only a flight ends") }
        owners[flight.owner] = nil
        for waiter in flight.waiters { waiting[waiter.ticket] = nil }
        log.append(.ended(key, flight))
    }

    /// The request waits no longer. Not taken back with a failed batch: it has gone either way.
    mutating func leave(_ ticket: Ticket) {
        guard let key = waiting.removeValue(forKey: ticket) else { return }
        flights[key]?.waiters.removeAll { $0.ticket == ticket }
    }

    /// The batch is durable.
    mutating func commit() { log.removeAll(keepingCapacity: true) }

    /// The batch is not: the table is as it was.
    mutating func rollback() {
        while let step = log.popLast() {
            switch step {
            case .took(let key, let owner):
                for waiter in flights[key]?.waiters ?? [] { waiting[waiter.ticket] = nil }
                flights[key] = nil
                owners[owner] = nil
            case .joined(_, let ticket): leave(ticket)
            case .ended(let key, let flight):
                flights[key] = flight
                owners[flight.owner] = key
                for waiter in flight.waiters { waiting[waiter.ticket] = key }
            }
        }
    }
}
