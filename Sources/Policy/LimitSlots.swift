// One shard of LimitTable: an open hash table of bounded size, whose entries are worth keeping only while their time is
// ahead. Relies on keys that are keyed hashes: nobody outside can choose where they fall. Refuses nothing: when it is
// full, it forgets.

/// Under what a count is kept: 128 bits of a keyed hash of the quota (name and rate) and its dimensions' values.
package struct LimitKey: Hashable, Sendable, BitwiseCopyable {
    /// Chooses the place within a shard.
    package let high: UInt64
    /// Chooses the shard.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// Keys and states with linear probing. Not shared: LimitTable locks around it.
struct LimitSlots: Sendable {
    /// 32 bytes.
    private struct Slot: Sendable, BitwiseCopyable {
        var key: LimitKey
        var nanoseconds: UInt64
        var parts: UInt32
        /// When it was last asked for, in steps of 2^20 ns, made odd; 0 for a free slot.
        var usedAt: UInt32

        static let free = Slot(key: LimitKey(high: 0, low: 0), nanoseconds: 0, parts: 0, usedAt: 0)
    }

    /// Slots that are looked at for one to forget.
    private static let sample = 32
    private static let firstSlots = 16
    static var bytesPerSlot: Int { MemoryLayout<Slot>.stride }

    private let capacity: Int
    private var slots: [Slot]
    private var hand = 0
    private(set) var count = 0
    /// Keys that were forgotten while their time was ahead: each may be admitted up to a burst too early.
    private(set) var forgotten: UInt64 = 0
    /// The latest time that was given: none that is given is earlier.
    private(set) var latest: UInt64 = 0

    var slotCount: Int { slots.count }

    /// Holds at most `capacity` keys, at least 1.
    init(capacity: Int) {
        precondition(capacity > 0, "a shard holds something")
        self.capacity = capacity
        slots = Array(repeating: .free, count: Self.firstSlots)
    }

    /// The state of `key`, which counts as used now.
    ///
    /// - Parameter now: `latest` or later, as for `put`.
    mutating func state(_ key: LimitKey, at now: UInt64) -> RateState {
        latest = now
        let index = place(of: key)
        guard slots[index].usedAt != 0 else { return .unused }
        slots[index].usedAt = Self.stamp(now)
        return RateState(nanoseconds: slots[index].nanoseconds, parts: slots[index].parts)
    }

    /// Sets the state of `key`; makes room where there is none.
    mutating func put(_ key: LimitKey, _ state: RateState, at now: UInt64) {
        latest = now
        var index = place(of: key)
        if slots[index].usedAt == 0 {
            if makeRoom(at: now) { index = place(of: key) }
            count += 1
        }
        slots[index] = Slot(
            key: key, nanoseconds: state.nanoseconds, parts: state.parts, usedAt: Self.stamp(now))
    }

    private static func stamp(_ now: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: now >> 20) | 1 }

    private func home(of key: LimitKey) -> Int {
        Int(key.high.multipliedFullWidth(by: UInt64(slots.count)).high)
    }

    private func next(_ index: Int) -> Int { index + 1 == slots.count ? 0 : index + 1 }

    /// Where `key` is, or the free slot where it would be put.
    private func place(of key: LimitKey) -> Int {
        var index = home(of: key)
        while slots[index].usedAt != 0 && slots[index].key != key { index = next(index) }
        return index
    }

    /// Makes room for one more; true where entries moved.
    private mutating func makeRoom(at now: UInt64) -> Bool {
        if count >= capacity {
            forgetOne(at: now)
            return true
        }
        guard (count + 1) * 4 > slots.count * 3 else { return false }
        rebuild(at: now)
        return true
    }

    /// Forgets one of the next `sample` entries: the first whose time is over, for it says no more than its absence;
    /// else the one that was least recently used.
    private mutating func forgetOne(at now: UInt64) {
        var oldest: Int?
        var age: UInt32 = 0
        var looked = 0
        while looked < Self.sample || oldest == nil {
            let index = hand
            hand = next(hand)
            looked += 1
            guard slots[index].usedAt != 0 else { continue }
            if slots[index].nanoseconds < now { return free(index) }
            let own = Self.stamp(now) &- slots[index].usedAt
            if oldest == nil || own > age {
                oldest = index
                age = own
            }
        }
        if let oldest {
            forgotten += 1
            free(oldest)
        }
    }

    /// Frees a slot; the entries behind it move up, so that no search ends before its key.
    private mutating func free(_ index: Int) {
        var hole = index
        var other = next(hole)
        while slots[other].usedAt != 0 {
            // The distance from an entry's home to itself covers the hole: then it may move there.
            let home = home(of: slots[other].key)
            let reach = other >= home ? other - home : other - home + slots.count
            let gap = other >= hole ? other - hole : other - hole + slots.count
            if reach >= gap {
                slots[hole] = slots[other]
                hole = other
            }
            other = next(other)
        }
        slots[hole] = .free
        count -= 1
    }

    /// Drops what is over, and takes twice the slots if that was not much.
    private mutating func rebuild(at now: UInt64) {
        let old = slots
        let live = old.count { $0.usedAt != 0 && $0.nanoseconds >= now }
        let most = max(Self.firstSlots, (capacity + 1) * 4 / 3 + 1)
        let wanted = live * 2 > old.count ? min(old.count * 2, most) : old.count
        slots = Array(repeating: .free, count: wanted)
        count = live
        hand = 0
        for slot in old where slot.usedAt != 0 && slot.nanoseconds >= now {
            slots[place(of: slot.key)] = slot
        }
    }
}
