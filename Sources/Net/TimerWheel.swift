// Deadlines by the hundred thousand: a hierarchical wheel (Varghese and Lauck 1987, scheme 7) with 6 levels of 64
// buckets and a tick of one millisecond. Arming, cancelling and moving are O(1) and touch no list where the deadline
// moves later. Relies on the owner's slot numbers as names of timers. Refuses no time: what is past fires at the next
// advance, what is beyond the horizon (2.1 years) is carried round.

/// Names a timer: the owner's slot and, where a slot has several deadlines, which of them.
package struct TimerID: Equatable, Hashable, Sendable {
    package var slot: UInt32
    package var kind: UInt8

    package init(slot: UInt32, kind: UInt8 = 0) {
        self.slot = slot
        self.kind = kind
    }
}

/// Timers of one worker. Times are milliseconds of the monotonic clock.
package struct TimerWheel: ~Copyable {
    /// What is known of a timer. `deadline` is what the owner wants; `scheduled` is where the entry lies in the wheel,
    /// never later than the deadline. An entry that comes up early is put back; so a deadline moves later by one store.
    private struct Entry {
        var deadline: UInt64 = .max
        var scheduled: UInt64 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
        /// The bucket it lies in; -1 while it lies in none.
        var bucket: Int32 = -1
    }

    private static let levels = 6
    private static let horizon: UInt64 = 1 << 36
    private static let never = UInt64.max

    private var entries: [Entry] = []
    private var heads = [Int32](repeating: -1, count: levels * 64)
    private var occupied = [UInt64](repeating: 0, count: levels)
    private var elapsed: UInt64
    private let kinds: Int

    /// A wheel that stands at `now`; each slot has `kinds` (1...256) timers.
    package init(now: UInt64, kinds: Int = 1, slots: Int = 0) {
        precondition((1...256).contains(kinds), "kinds of timers")
        elapsed = now
        self.kinds = kinds
        entries.reserveCapacity(slots * kinds)
    }

    /// Arms a timer, or moves its deadline.
    package mutating func arm(_ id: TimerID, at deadline: UInt64) {
        let index = index(id)
        if index >= entries.count { grow(to: index + 1) }
        let deadline = min(deadline, TimerWheel.never - 1)
        // Read and written back as a whole: each reach into the array asks whether it is shared.
        var entry = entries[index]
        entry.deadline = deadline
        entries[index] = entry
        if entry.bucket >= 0 {
            if deadline >= entry.scheduled { return }
            unlink(index)
        }
        link(index)
    }

    /// Cancels a timer, armed or not. Its entry stays where it lies until it comes up or is armed again.
    package mutating func cancel(_ id: TimerID) {
        let index = index(id)
        if index < entries.count { entries[index].deadline = TimerWheel.never }
    }

    /// The deadline of a timer; nil if it is not armed.
    package func deadline(of id: TimerID) -> UInt64? {
        let index = index(id)
        guard index < entries.count, entries[index].deadline != TimerWheel.never else { return nil }
        return entries[index].deadline
    }

    /// Moves time forward to `now` and appends what has expired to `expired`, in order of deadlines. An expired timer
    /// is no longer armed. A `now` of the past is ignored.
    package mutating func advance(to now: UInt64, expired: inout [TimerID]) {
        while let (bucket, time) = nextBucket(), time <= now {
            elapsed = max(elapsed, time)
            empty(bucket, into: &expired)
        }
        elapsed = max(elapsed, now)
    }

    /// How long a poller may wait, in milliseconds: 0 if something is due, -1 if nothing is armed. Never longer than to
    /// the next deadline; it may be shorter, since it looks at buckets and not at timers.
    package func millisecondsToWait(now: UInt64) -> Int {
        guard let (_, time) = nextBucket() else { return -1 }
        return time <= now ? 0 : Int(min(time - now, UInt64(Int32.max)))
    }

    private func index(_ id: TimerID) -> Int {
        precondition(Int(id.kind) < kinds, "a kind of timer that was not announced")
        return Int(id.slot) * kinds + Int(id.kind)
    }

    private mutating func grow(to count: Int) {
        let wanted = max(count, entries.count * 2, 64)
        entries.append(contentsOf: repeatElement(Entry(), count: wanted - entries.count))
    }

    /// The level whose buckets tell `time` from the present: that of the highest differing bit.
    private func bucket(for time: UInt64) -> Int {
        let differing = min((elapsed ^ time) | 63, TimerWheel.horizon - 1)
        let level = (63 - differing.leadingZeroBitCount) / 6
        return level * 64 + Int(time >> UInt64(6 * level) & 63)
    }

    private mutating func link(_ index: Int) {
        let latest = elapsed + (TimerWheel.horizon - 1 - (TimerWheel.horizon >> 6))
        let time = min(max(entries[index].deadline, elapsed), latest)
        let bucket = bucket(for: time)
        let head = heads[bucket]
        var entry = entries[index]
        entry.scheduled = time
        entry.bucket = Int32(bucket)
        entry.previous = -1
        entry.next = head
        entries[index] = entry
        if head >= 0 { entries[Int(head)].previous = Int32(index) }
        heads[bucket] = Int32(index)
        occupied[bucket / 64] |= 1 << UInt64(bucket % 64)
    }

    private mutating func unlink(_ index: Int) {
        let entry = entries[index]
        let bucket = Int(entry.bucket)
        if entry.previous >= 0 { entries[Int(entry.previous)].next = entry.next } else { heads[bucket] = entry.next }
        if entry.next >= 0 { entries[Int(entry.next)].previous = entry.previous }
        if heads[bucket] < 0 { occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64)) }
        entries[index].bucket = -1
    }

    /// The next bucket that holds anything, and the time at which it begins.
    private func nextBucket() -> (bucket: Int, time: UInt64)? {
        for level in 0..<TimerWheel.levels where occupied[level] != 0 {
            let shift = UInt64(6 * level)
            let present = elapsed >> shift & 63
            let ahead = occupied[level] >> present | (present == 0 ? 0 : occupied[level] << (64 - present))
            let position = (present + UInt64(ahead.trailingZeroBitCount)) & 63
            let turn: UInt64 = 64 << shift
            var time = (elapsed & ~(turn - 1)) + (position << shift)
            // Only the top level goes round: lower levels hold what lies ahead within their turn.
            if level == TimerWheel.levels - 1 && position < present { time += turn }
            return (level * 64 + Int(position), time)
        }
        return nil
    }

    /// Takes all entries out of a bucket: due ones expire, early ones are put back, cancelled ones are let go.
    private mutating func empty(_ bucket: Int, into expired: inout [TimerID]) {
        var index = heads[bucket]
        heads[bucket] = -1
        occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64))
        while index >= 0 {
            let at = Int(index)
            index = entries[at].next
            entries[at].bucket = -1
            if entries[at].deadline == TimerWheel.never { continue }
            if entries[at].deadline <= elapsed {
                entries[at].deadline = TimerWheel.never
                expired.append(TimerID(slot: UInt32(at / kinds), kind: UInt8(at % kinds)))
            } else {
                link(at)
            }
        }
    }
}
