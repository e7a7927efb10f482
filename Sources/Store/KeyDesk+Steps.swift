// The desk's two steps within a batch: a claim, and the end of one.
// Relies on the batch around them for durability. Refuses nothing itself: what throws is the store.

internal import Policy

/// What a claim is told, or that the key is its to take.
enum DeskDecision {
    case claim
    case answer(ClaimVerdict)
}

// Claims.
extension KeyDesk {
    /// Policy's decision about a record. In flight, and not in this process's table, is a claim whose fate nobody here
    /// knows: its outcome is unknown.
    func decide(_ record: KeyRecord?, _ fingerprint: Fingerprint, _ claim: Claim, at time: Int64) -> DeskDecision {
        var known = record
        if known?.state == .inFlight { known?.state = .unknown }
        let decision = IdempotencyRules.decide(
            known, fingerprint, claim.onUnknown, repeatAfterMilliseconds: claim.repeatAfterMilliseconds, now: time)
        switch decision {
        case .claim: return .claim
        case .answer(let verdict): return .answer(verdict)
        case .wait: preconditionFailure("nothing is in flight that is not in the table")
        }
    }

    func claim(_ claim: Claim, at time: Int64, into replies: inout [StoreReply]) throws(StoreFailure) {
        counted.claims += 1
        if join(claim, into: &replies) { return }
        let cutoffs = Cutoffs(limits, at: time)
        // An earlier name may have a record: only then all of them are looked at before the key is put.
        let hasRoom = try hasRoom(cutoffs)
        var found = claim.names.count > 1 || !hasRoom ? try look(claim, cutoffs) : nil
        if found == nil {
            guard hasRoom else { return say(claim.ticket, .failed(.tooManyKeys), into: &replies) }
            let record = fresh(claim, at: time)
            guard let existing = try store.put(record, under: claim.names[0].key) else {
                return own(claim, record, before: nil, into: &replies)
            }
            found = (claim.names[0], existing)
        }
        guard let (name, record) = found else { return }
        try self.claim(claim, where: name, has: record, cutoffs, at: time, into: &replies)
    }

    /// Claims a key that is there: past its time, of unknown outcome, or not to be claimed at all.
    private func claim(
        _ claim: Claim, where name: ClaimName, has record: KeyRecord, _ cutoffs: Cutoffs, at time: Int64,
        into replies: inout [StoreReply]
    ) throws(StoreFailure) {
        let current = claim.names[0].key
        if cutoffs.include(record) {
            let new = fresh(claim, at: time)
            let isOurs = try store.replace(name.key, seen: KeyVersion(record), by: new)
            return isOurs ? own(claim, new, before: nil, into: &replies) : say(claim.ticket, .busy, into: &replies)
        }
        switch decide(record, name.fingerprint, claim, at: time) {
        case .answer(let verdict): say(claim.ticket, verdict, into: &replies)
        case .claim:
            var again = fresh(claim, at: time)
            again.claimedAt = record.claimedAt
            again.attempts = record.attempts + 1
            let seen = KeyVersion(record)
            let isOurs =
                name.key == current
                ? try store.replace(current, seen: seen, by: again)
                : try store.move(name.key, seen: seen, to: current, as: again)
            // Somebody else was quicker: the caller comes again.
            guard isOurs else { return say(claim.ticket, .busy, into: &replies) }
            var before = record
            before.state = .unknown
            before.fingerprint = claim.names[0].fingerprint
            if name.key != current { written.append((name.key, record)) }
            own(claim, again, before: before, isMoved: name.key != current, into: &replies)
        }
    }

    private func fresh(_ claim: Claim, at time: Int64) -> KeyRecord {
        KeyRecord(
            fingerprint: claim.names[0].fingerprint, state: .inFlight, route: claim.route, claimedAt: time,
            changedAt: time, attempts: 1)
    }

    /// The claim has its key, as soon as the batch is durable.
    private func own(
        _ claim: Claim, _ record: KeyRecord, before: KeyRecord?, isMoved: Bool = false,
        into replies: inout [StoreReply]
    ) {
        let key = claim.names[0].key
        written.append((key, isMoved ? nil : before))
        flights.take(
            key, Flight(owner: claim.ticket, fingerprint: record.fingerprint, record: record, before: before))
        say(claim.ticket, .claimed, into: &replies)
    }

    /// The record under the first of the claim's names that has one. One that is past its time counts only under the
    /// current name, where it is replaced.
    func look(_ claim: Claim, _ cutoffs: Cutoffs) throws(StoreFailure) -> (ClaimName, KeyRecord)? {
        var old: (ClaimName, KeyRecord)?
        for (index, name) in claim.names.enumerated() {
            guard let record = try store.read(name.key) else { continue }
            guard cutoffs.include(record) else { return (name, record) }
            if index == 0 { old = (name, record) }
        }
        return old
    }

    /// Whether one more key may be kept. Where not, a piece of what is past its time is forgotten, once per batch.
    private func hasRoom(_ cutoffs: Cutoffs) throws(StoreFailure) -> Bool {
        if store.count < limits.maxKeys { return true }
        if isFull { return false }
        counted.purged += try store.purge(cutoffs, limit: Self.purgePiece)
        isFull = store.count >= limits.maxKeys
        return !isFull
    }

    /// A claim whose key is in flight here is told so and waits for its end. False where it is not.
    func join(_ claim: Claim, into replies: inout [StoreReply]) -> Bool {
        guard let (key, isSame) = flights.find(claim) else { return false }
        if !isSame {
            say(claim.ticket, .reused, into: &replies)
        } else if flights.waitingCount >= limits.maxWaiting {
            say(claim.ticket, .busy, into: &replies)
        } else {
            flights.join(claim, at: key)
            say(claim.ticket, .waiting, into: &replies)
        }
        return true
    }

    func say(_ ticket: Ticket, _ verdict: ClaimVerdict, into replies: inout [StoreReply]) {
        switch verdict {
        case .claimed: counted.claimed += 1
        case .waiting: counted.waited += 1
        case .replay: counted.replayed += 1
        case .reused: counted.reused += 1
        case .done, .busy, .unknown, .failed: break
        }
        replies.append(.claim(ticket, verdict))
    }
}

// Ends.
extension KeyDesk {
    func settle(
        _ settlement: Settlement, at time: Int64, into replies: inout [StoreReply]
    ) throws(StoreFailure) {
        if let (key, flight) = flights.flight(of: settlement.ticket) {
            flights.end(key)
            let outcome = outcome(settlement.end, of: flight, at: time)
            try hand(key, flight, outcome, at: time, into: &replies)
        } else {
            // Not the owner: it waits and gives up, or it is long gone and changes nothing.
            flights.leave(settlement.ticket)
        }
        if settlement.wantsReply { replies.append(.settled(settlement.ticket)) }
    }

    /// What is left of a flight. A repeat of a request whose outcome was not known, and that was not sent this time, is
    /// as unknown as before: the first one may have been carried out.
    func outcome(_ end: ClaimEnd, of flight: Flight, at time: Int64) -> KeyRecord? {
        var record = flight.record
        record.changedAt = time
        switch end {
        case .answered(let answer): record.state = .answered(answer)
        case .done(let status): record.state = .done(status: status)
        case .unknown:
            record.state = .unknown
            counted.unknownOutcomes += 1
        case .free: return flight.before
        }
        return record
    }

    /// Tells those who wait. The first for whom the outcome leaves the key to be claimed takes it over, in this batch;
    /// those behind it wait on.
    private func hand(
        _ key: KeyDigest, _ flight: Flight, _ outcome: KeyRecord?, at time: Int64, into replies: inout [StoreReply]
    ) throws(StoreFailure) {
        for (index, waiter) in flight.waiters.enumerated() {
            switch decide(outcome, flight.fingerprint, waiter, at: time) {
            case .answer(let verdict): say(waiter.ticket, verdict, into: &replies)
            case .claim:
                var record = flight.record
                record.changedAt = time
                record.attempts += 1
                try write(record, of: key, seen: flight.record)
                var next = Flight(
                    owner: waiter.ticket, fingerprint: flight.fingerprint, record: record, before: outcome)
                next.waiters = Array(flight.waiters[(index + 1)...])
                flights.take(key, next)
                return say(waiter.ticket, .claimed, into: &replies)
            }
        }
        try write(outcome, of: key, seen: flight.record)
    }
}
