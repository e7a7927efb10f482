// The rhythm in which a service manager hears that workers still turn.
// Relies on the main thread to call `turn` in time: if that hangs, the manager hears nothing either. Refuses to pass on
// what was not felt since it was asked for.

/// Those whose lives the watchdog is about.
package protocol Pulse: ~Copyable {
    /// Asks each for a sign of life.
    mutating func ask()
    /// Whether each has given one since, or has come to its end in order.
    var isFelt: Bool { get }
}

/// When to ask for signs of life, and whether to pass them on: at half of the time after which the manager acts.
package struct Watchdog {
    private let half: UInt64
    /// How soon an answer is looked for; none yet: looked for again after as long.
    private let look: UInt64
    private var next: UInt64
    private var asked: UInt64?

    /// `milliseconds`: after so much silence the manager acts, at least 1. `now`: monotonic milliseconds.
    package init(milliseconds: Int, now: UInt64) {
        precondition(milliseconds > 0, "a watchdog has a time")
        half = UInt64(max(1, milliseconds / 2))
        look = max(1, half / 16)
        next = now
    }

    /// Milliseconds until `turn` has something to do.
    package func rest(now: UInt64) -> Int { next > now ? Int(next - now) : 0 }

    /// True: the manager is to hear that all is well.
    package mutating func turn(now: UInt64, _ pulse: inout some Pulse & ~Copyable) -> Bool {
        guard now >= next else { return false }
        guard let asked else {
            pulse.ask()
            asked = now
            next = now + look
            return false
        }
        guard pulse.isFelt else {
            next = now + look
            return false
        }
        self.asked = nil
        next = max(now, asked + half)
        return true
    }
}

/// The shorter of two waits in milliseconds, of which -1 is for ever.
func soonest(_ a: Int, _ b: Int) -> Int { a < 0 ? b : b < 0 ? a : min(a, b) }
