// The one logic over every store: who has a key, who waits for it, what is kept of its end. Decisions are Policy's.
// Relies on one caller on one thread, on `KeyStore` for atomic steps and durable batches, and on time as an argument.
// Refuses to say anything before it is durable, but for outcomes: those are said even where the store fails.

package import Policy

/// The desk. Its thread gives it questions in batches: one batch, one transaction, one sync.
package final class KeyDesk {
    /// Most keys that one transaction forgets. Each may lie on a page of its own: with a million keys, a piece of 500
    /// took 25 ms, in which no question is answered.
    package static let purgePiece = 100
    /// How often the store is opened again at most, in milliseconds.
    package static let openInterval: Int64 = 1_000
    /// How often the clock is noted, in milliseconds.
    package static let clockInterval: Int64 = 60_000
    /// How often the desk looks for keys to forget, in milliseconds.
    package static let purgeInterval: Int64 = 10_000
    /// The pause after a whole piece, in milliseconds, in which questions have their turn.
    package static let piecePause = 5

    /// The bounds; may be changed between calls.
    package var limits: StoreLimits
    /// Why the store does not work; nil where it does. Before the first call nothing is known, and nil.
    package private(set) var health: StoreFailure?

    let store: any KeyStore
    var flights = FlightTable()
    var counted = StoreCounts()
    /// Claims that the batch has written, and what was there before.
    var written: [(key: KeyDigest, before: KeyRecord?)] = []
    /// The batch has found that as many keys are kept as may be, and none is to be forgotten.
    var isFull = false
    private let bootID: String
    private var clock: StoreClock?
    private var pending = PendingOutcomes()
    private var disowned = DisownedClaims()
    /// What the process before has left in flight is not marked as unknown yet.
    private var mustRecover = true
    /// Not before these, by boot time.
    private var nextOpen = Int64.min
    private var nextMark = Int64.min

    /// A desk over a store that is not open yet: the first call opens it. `bootID` names this start of the machine.
    package init(_ store: any KeyStore, _ limits: StoreLimits, bootID: String) {
        self.store = store
        self.limits = limits
        self.bootID = bootID
    }

    /// Counts and levels as of now.
    package var counts: StoreCounts {
        var counts = counted
        counts.pending = pending.count
        counts.keys = store.count
        return counts
    }

    /// Answers `questions` in their order, behind what stands in `replies`. All of them are one batch: either every
    /// claim that needs the store is durable when this returns, or each of those is told why not. A request that
    /// waits gets its second verdict from the call that settles the first.
    package func process(_ questions: [StoreQuestion], at now: Instants, into replies: inout [StoreReply]) {
        guard !questions.isEmpty else { return }
        let said = replies.count
        let before = counted
        do throws(StoreFailure) {
            try batch(at: now) { time throws(StoreFailure) in
                for question in questions {
                    switch question {
                    case .claim(let claim): try self.claim(claim, at: time, into: &replies)
                    case .settle(let settlement): try settle(settlement, at: time, into: &replies)
                    }
                }
            }
        } catch {
            replies.removeSubrange(said...)
            let failures = counted.failures
            counted = before
            counted.failures = failures
            answer(questions, without: error, at: now, into: &replies)
        }
    }

    /// What is to be done without being asked: opens again, writes what is pending, forgets a piece of what is past its
    /// time, notes the clock. Returns after how many milliseconds it wants to be called again: 1 or more.
    package func maintain(at now: Instants) -> Int {
        do throws(StoreFailure) {
            try open(at: now)
            if mustRecover || !pending.isEmpty || !disowned.isEmpty { try batch(at: now) { _ in } }
        } catch {
            // What is full is emptied by forgetting, whatever waits to be written.
            if error == .full, store.isOpen, forget(at: now) > 0 { return Self.piecePause }
            let wait = store.isOpen ? Self.openInterval : nextOpen - now.bootMilliseconds
            return Int(min(max(1, wait), Self.openInterval))
        }
        let purged = forget(at: now)
        if purged == Self.purgePiece { return Self.piecePause }
        if health != nil { return Int(Self.openInterval) }
        return Int(min(Self.purgeInterval, max(1, nextMark - now.bootMilliseconds)))
    }

    /// The clean end: what is pending is tried once more. Requests that are still on their way become unknown when the
    /// store is next opened.
    package func close(at now: Instants) {
        guard store.isOpen, clock != nil else { return store.close() }
        // Health tells of a failure; there is nobody left who could do something about it.
        try? batch(at: now) { _ throws(StoreFailure) in try self.noteClock(at: now) }
        store.close()
    }
}

// Batches.
extension KeyDesk {
    /// One transaction with what is left over from failed ones at its head. When it throws, the flights are as before.
    private func batch(
        at now: Instants, _ body: (_ time: Int64) throws(StoreFailure) -> Void
    ) throws(StoreFailure) {
        try open(at: now)
        let time = time(at: now)
        written.removeAll(keepingCapacity: true)
        isFull = false
        do throws(StoreFailure) {
            try store.begin()
            let recovered = try writeLeftovers(at: time)
            try body(time)
            try store.commit()
            mustRecover = false
            counted.unknownOutcomes += recovered
        } catch {
            store.rollback()
            flights.rollback()
            for claim in written { disowned.add(claim.key, before: claim.before) }
            fail(error)
            throw error
        }
        flights.commit()
        pending.removeAll()
        disowned.removeAll()
        counted.commits += 1
        health = nil
    }

    private func fail(_ failure: StoreFailure) {
        health = failure
        counted.failures += 1
    }

    /// The store's clock; 0 before the first `open`, when there is nothing that has a time.
    private func time(at now: Instants) -> Int64 { clock?.time(at: now) ?? 0 }

    /// Opens the store where it is not, once per interval at most.
    private func open(at now: Instants) throws(StoreFailure) {
        if store.isOpen && clock != nil { return }
        guard now.bootMilliseconds >= nextOpen else { throw health ?? .cannotOpen }
        nextOpen = now.bootMilliseconds + Self.openInterval
        do throws(StoreFailure) {
            if !store.isOpen { try store.open() }
            guard clock == nil else { return }
            try store.begin()
            var fresh = StoreClock(after: try store.readClock(), at: now, bootID: bootID)
            try store.writeClock(fresh.mark(at: now))
            try store.commit()
            clock = fresh
            nextMark = now.bootMilliseconds + Self.clockInterval
            health = nil
        } catch {
            store.rollback()
            fail(error)
            throw error
        }
    }

    /// Forgets a piece, and notes the clock where it is time. Returns how many keys went.
    private func forget(at now: Instants) -> Int {
        do throws(StoreFailure) {
            try store.begin()
            let purged = try store.purge(Cutoffs(limits, at: time(at: now)), limit: Self.purgePiece)
            if now.bootMilliseconds >= nextMark { try noteClock(at: now) }
            try store.commit()
            counted.purged += purged
            if pending.isEmpty && disowned.isEmpty && !mustRecover { health = nil }
            return purged
        } catch {
            store.rollback()
            fail(error)
            return 0
        }
    }

    private func noteClock(at now: Instants) throws(StoreFailure) {
        guard let mark = clock?.mark(at: now) else { return }
        nextMark = now.bootMilliseconds + Self.clockInterval
        try store.writeClock(mark)
    }

    /// Takes disowned claims back, then makes unknown what the process before has left in flight, once, then writes
    /// outcomes. Where there is no room for it, a claim that is left in flight is read as unknown (`decide`). Returns
    /// how many keys became unknown.
    private func writeLeftovers(at time: Int64) throws(StoreFailure) -> Int {
        for (key, before) in disowned.keys {
            guard let current = try store.read(key) else {
                if let before { _ = try store.put(before, under: key) }
                continue
            }
            if current.state == .inFlight { try overwrite(key, seen: KeyVersion(current), by: before) }
        }
        let recovered = mustRecover ? try store.recover(at: time) : 0
        for (key, outcome) in pending.outcomes { try settleUnseen(key, outcome) }
        return recovered
    }

    /// Replaces the record, or removes it where there is nothing to put in its place; false where it has changed.
    @discardableResult
    private func overwrite(
        _ key: KeyDigest, seen: KeyVersion, by record: KeyRecord?
    ) throws(StoreFailure) -> Bool {
        guard let record else { return try store.remove(key, seen: seen) }
        return try store.replace(key, seen: seen, by: record)
    }

    /// Writes the end of a claim that was written as `seen`.
    func write(_ outcome: KeyRecord?, of key: KeyDigest, seen: KeyRecord) throws(StoreFailure) {
        if try overwrite(key, seen: KeyVersion(seen), by: outcome) { return }
        try settleUnseen(key, outcome)
    }

    /// Writes an outcome over a claim of this process, however it was written. What has an outcome already keeps it:
    /// then a batch has become durable that was said to have failed, or somebody has settled the key by hand.
    private func settleUnseen(_ key: KeyDigest, _ outcome: KeyRecord?) throws(StoreFailure) {
        if let current = try store.read(key) {
            if current.state == .inFlight { try overwrite(key, seen: KeyVersion(current), by: outcome) }
        } else if let outcome {
            _ = try store.put(outcome, under: key)
        }
    }
}

// Without the store.
extension KeyDesk {
    /// Answers a batch that failed. Outcomes are kept and said; claims are told the failure, but for those that memory
    /// can answer: equal requests wait for one that is on its way, repeats get an outcome that is pending. A store that
    /// is full is still read.
    private func answer(
        _ questions: [StoreQuestion], without failure: StoreFailure, at now: Instants, into replies: inout [StoreReply]
    ) {
        let time = time(at: now)
        let isReadable = failure == .full && beginReading()
        defer { if isReadable { store.rollback() } }
        for question in questions {
            switch question {
            case .claim(let claim):
                counted.claims += 1
                if join(claim, into: &replies) { continue }
                let pending = pendingVerdict(claim, at: time)
                let verdict = isReadable ? pending ?? storedVerdict(claim, at: time) : pending
                say(claim.ticket, verdict ?? .failed(failure), into: &replies)
            case .settle(let settlement): settle(settlement, without: failure, at: time, into: &replies)
            }
        }
        flights.commit()
    }

    /// What memory says to a repeat; nil where the key is to be claimed or is not known here.
    private func pendingVerdict(_ claim: Claim, at time: Int64) -> ClaimVerdict? {
        guard let (record, fingerprint) = pending.find(claim) else { return nil }
        switch decide(record, fingerprint, claim, at: time) {
        case .claim: return nil
        case .answer(let verdict): return verdict
        }
    }

    private func beginReading() -> Bool {
        guard store.isOpen, clock != nil else { return false }
        do throws(StoreFailure) {
            try store.begin()
            return true
        } catch {
            store.rollback()
            return false
        }
    }

    /// What the store has of a repeat; nil where the key is to be claimed, where it cannot be read, and where what is
    /// written is about to be replaced.
    private func storedVerdict(_ claim: Claim, at time: Int64) -> ClaimVerdict? {
        let isUnsettled = claim.names.contains { disowned.keys[$0.key] != nil } || pending.find(claim) != nil
        let cutoffs = Cutoffs(limits, at: time)
        guard !isUnsettled, let (name, record) = (try? look(claim, cutoffs)) ?? nil, !cutoffs.include(record)
        else { return nil }
        switch decide(record, name.fingerprint, claim, at: time) {
        case .claim: return nil
        case .answer(let verdict): return verdict
        }
    }

    private func settle(
        _ settlement: Settlement, without failure: StoreFailure, at time: Int64, into replies: inout [StoreReply]
    ) {
        if let (key, flight) = flights.flight(of: settlement.ticket) {
            flights.end(key)
            let outcome = outcome(settlement.end, of: flight, at: time)
            counted.unknownOutcomes += pending.keep(outcome, of: key)
            for waiter in flight.waiters {
                let verdict: ClaimVerdict =
                    switch decide(outcome, flight.fingerprint, waiter, at: time) {
                    case .claim: .failed(failure)
                    case .answer(let verdict): verdict
                    }
                say(waiter.ticket, verdict, into: &replies)
            }
        } else {
            flights.leave(settlement.ticket)
        }
        if settlement.wantsReply { replies.append(.settled(settlement.ticket)) }
    }
}
