// The store's clock: milliseconds that no step of the wall clock shortens or lengthens while the machine runs, and that
// go on over restarts. Pure: readings come in as arguments. Refuses to run backwards.

/// Two readings of the machine's clocks, taken together.
package struct Instants: Equatable, Sendable {
    /// Milliseconds since boot, suspension included (CLOCK_BOOTTIME).
    package let bootMilliseconds: Int64
    /// Milliseconds since 1970-01-01 00:00:00 UTC (CLOCK_REALTIME).
    package let wallMilliseconds: Int64

    package init(bootMilliseconds: Int64, wallMilliseconds: Int64) {
        self.bootMilliseconds = bootMilliseconds
        self.wallMilliseconds = wallMilliseconds
    }
}

/// Where the store's clock stood: what is written down so that the next process can go on from it.
package struct ClockMark: Equatable, Sendable {
    /// The store's clock, in milliseconds.
    package let storeMilliseconds: Int64
    /// The machine's, at the same moment.
    package let instants: Instants
    /// Which start of the machine `instants.bootMilliseconds` counts from (/proc/sys/kernel/random/boot_id).
    package let bootID: String

    package init(storeMilliseconds: Int64, instants: Instants, bootID: String) {
        self.storeMilliseconds = storeMilliseconds
        self.instants = instants
        self.bootID = bootID
    }
}

/// The clock. It begins at the wall clock's time, so that its times can be read, and then counts boot time only.
package struct StoreClock: Equatable, Sendable {
    private let start: ClockMark
    private var latest: Int64

    /// Goes on from `mark`: within one start of the machine by boot time, else by the wall clock, and never back.
    package init(after mark: ClockMark?, at now: Instants, bootID: String) {
        var time = now.wallMilliseconds
        if let mark {
            let isSameBoot = mark.bootID == bootID && now.bootMilliseconds >= mark.instants.bootMilliseconds
            let passed =
                isSameBoot
                ? now.bootMilliseconds - mark.instants.bootMilliseconds
                : now.wallMilliseconds - mark.instants.wallMilliseconds
            time = mark.storeMilliseconds + max(0, passed)
        }
        start = ClockMark(storeMilliseconds: time, instants: now, bootID: bootID)
        latest = time
    }

    /// The time at `now`, in milliseconds; never less than said before.
    package mutating func time(at now: Instants) -> Int64 {
        latest = max(latest, start.storeMilliseconds + now.bootMilliseconds - start.instants.bootMilliseconds)
        return latest
    }

    /// What is to be written down at `now`.
    package mutating func mark(at now: Instants) -> ClockMark {
        ClockMark(storeMilliseconds: time(at: now), instants: now, bootID: start.bootID)
    }
}
