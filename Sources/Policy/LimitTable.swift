// The counts of all quotas, shared by all workers and exact among them: a request is charged to each of its quotas or
// to none. Relies on Synchronization.Mutex and on a fixed order of locks. Bounded: see `capacity`.

internal import Synchronization

/// The quotas, ready for questions. Immutable.
package struct QuotaRules: Sendable {
    package let quotas: [QuotaSettings]
    package let limits: [RateLimit]

    /// At most `QuotaSettings.maxQuotas`, each with a possible rate.
    package init(_ quotas: [QuotaSettings]) {
        precondition(quotas.count <= QuotaSettings.maxQuotas, "the number of quotas is checked where they are read")
        // An array of its own: an equal one has a count of references that other workers write.
        self.quotas = quotas.map { $0 }
        limits = quotas.map { RateLimit($0.rate) }
    }
}

/// The counts that one request is to be charged to: at most one per quota.
package struct LimitChecks: Sendable {
    /// Index into `QuotaRules.quotas`, and under what it counts.
    fileprivate(set) var quotas: [8 of Int] = InlineArray(repeating: 0)
    fileprivate(set) var keys: [8 of LimitKey] = InlineArray(repeating: LimitKey(high: 0, low: 0))
    package private(set) var count = 0

    package init() {}

    /// Adds a quota by its index, greater than the one before.
    package mutating func add(_ quota: Int, _ key: LimitKey) {
        precondition(count == 0 || quotas[count - 1] < quota, "quotas come in their order, each once")
        quotas[count] = quota
        keys[count] = key
        count += 1
    }

    /// The index of the quota at a position, 0 ..< count.
    package func quota(_ position: Int) -> Int { quotas[position] }
}

/// What becomes of a request, and what its counts are now.
package struct LimitVerdict: Sendable {
    /// When it was decided, in monotonic nanoseconds: see `LimitTable.charge`.
    package fileprivate(set) var time: UInt64 = 0
    /// How long until no quota would refuse it, from `time`, in nanoseconds; 0 where it is admitted.
    package fileprivate(set) var wait: UInt64 = 0
    /// Bits of positions in the checks: the quotas that refuse.
    package fileprivate(set) var refusing: UInt8 = 0
    /// Bits of positions: the quotas that only report and would have refused.
    package fileprivate(set) var reporting: UInt8 = 0
    fileprivate var states: [8 of RateState] = InlineArray(repeating: .unused)

    /// Whether it was charged to all its quotas. Otherwise it was charged to none.
    package var isAdmitted: Bool { refusing == 0 }

    /// The state at a position of the checks, for `RateLimit.standing`: after the charge where there was one.
    package func state(_ position: Int) -> RateState { states[position] }

    /// Decides, by the states of all counts.
    fileprivate mutating func decide(_ checks: LimitChecks, _ rules: QuotaRules) {
        for position in 0..<checks.count {
            let quota = checks.quotas[position]
            let wait = rules.limits[quota].wait(states[position], at: time)
            if wait == 0 { continue }
            if rules.quotas[quota].isReportOnly {
                reporting |= 1 << UInt8(position)
            } else {
                refusing |= 1 << UInt8(position)
                self.wait = max(self.wait, wait)
            }
        }
    }
}

/// The state of all quotas' keys. Thread-safe.
package final class LimitTable: Sendable {
    /// What the table holds.
    package struct Figures: Equatable, Sendable {
        package var keys = 0
        /// Bytes of the slots, used and free.
        package var bytes = 0
        /// Keys that were forgotten while their time was ahead: the table is too small.
        package var forgotten: UInt64 = 0
    }

    private final class Shard: Sendable {
        let slots: Mutex<LimitSlots>
        init(capacity: Int) { slots = Mutex(LimitSlots(capacity: capacity)) }
    }

    /// The range of `capacity`.
    package static let capacities: ClosedRange<Int> = 1...10_000_000
    /// Tables for less than this many keys have one shard.
    private static let manyKeys = 4_096
    /// A power of two.
    private static let manyShards = 64

    private let shards: [Shard]

    /// Holds `capacity` keys (in `capacities`). A key more takes the place of one whose time is over; where none is
    /// found among 32, of the least recently used of these, which then has its whole burst again.
    ///
    /// From 4096 keys on there are 64 shards, each with its share and four times the root of it: so much do hashes
    /// differ from an even spread, and so many more keys may be held in all (3 % of a million).
    package init(capacity: Int) {
        precondition(Self.capacities.contains(capacity), "a capacity is checked where it is read")
        guard capacity >= Self.manyKeys else {
            shards = [Shard(capacity: capacity)]
            return
        }
        let share = (capacity + Self.manyShards - 1) / Self.manyShards
        let slack = 4 * Int(Double(share).squareRoot().rounded(.up))
        shards = (0..<Self.manyShards).map { _ in Shard(capacity: share + slack) }
    }

    /// The same counts, for a worker of its own: what it uses for each request has a count of references that no other
    /// worker writes.
    package init(sharing other: LimitTable) { shards = other.shards.map { $0 } }

    /// Charges a request to all of its counts, or to none where a quota refuses. A quota that only reports is charged
    /// with the others while it would admit, as if it were obeyed.
    ///
    /// The decision is of the time `now`, or of the latest that one of its shards was given, if that is later: workers
    /// give the time at which their turn began, and one that began earlier may come later. It would find the counts
    /// ahead by the difference, and the burst one short. The bound of a rate holds for these times, none of which is in
    /// the future.
    ///
    /// - Parameter now: Monotonic nanoseconds, no later than the call.
    package func charge(_ checks: LimitChecks, by rules: QuotaRules, at now: UInt64) -> LimitVerdict {
        var verdict = LimitVerdict()
        verdict.time = now
        if checks.count > 0 { step(checks, order(of: checks), from: 0, rules, &verdict) }
        return verdict
    }

    /// The figures, shard after shard: no snapshot.
    package func figures() -> Figures {
        shards.reduce(into: Figures()) { figures, shard in
            shard.slots.withLock { slots in
                figures.keys += slots.count
                figures.bytes += slots.slotCount * LimitSlots.bytesPerSlot
                figures.forgotten += slots.forgotten
            }
        }
    }

    private func shard(of key: LimitKey) -> Int { Int(truncatingIfNeeded: key.low & UInt64(shards.count - 1)) }

    /// Always in the order of shards: two requests cannot wait for each other.
    private func order(of checks: LimitChecks) -> [8 of Int] {
        var order: [8 of Int] = InlineArray { $0 }
        for end in 1..<max(1, checks.count) {
            var at = end
            while at > 0 && shard(of: checks.keys[order[at - 1]]) > shard(of: checks.keys[order[at]]) {
                order.swapAt(at - 1, at)
                at -= 1
            }
        }
        return order
    }

    /// Looks at the counts of one shard under its lock and at those of the shards behind it under theirs, decides when
    /// all locks are held, and, if all agree, charges on the way back.
    private func step(
        _ checks: LimitChecks, _ order: [8 of Int], from start: Int, _ rules: QuotaRules, _ verdict: inout LimitVerdict
    ) {
        let own = shard(of: checks.keys[order[start]])
        shards[own].slots.withLock { slots in
            verdict.time = max(verdict.time, slots.latest)
            var end = start
            while end < checks.count && shard(of: checks.keys[order[end]]) == own {
                verdict.states[order[end]] = slots.state(checks.keys[order[end]], at: verdict.time)
                end += 1
            }
            if end < checks.count {
                step(checks, order, from: end, rules, &verdict)
            } else {
                verdict.decide(checks, rules)
            }
            guard verdict.isAdmitted else { return }
            for index in start..<end {
                let position = order[index]
                if verdict.reporting & (1 << UInt8(position)) != 0 { continue }
                let limit = rules.limits[checks.quotas[position]]
                verdict.states[position] = limit.charged(verdict.states[position], at: verdict.time)
                slots.put(checks.keys[position], verdict.states[position], at: verdict.time)
            }
        }
    }
}
