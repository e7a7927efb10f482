// Time as the kernel tells it, by the vDSO: no system call.
// Relies on CLOCK_MONOTONIC for intervals and CLOCK_REALTIME for dates. Refuses to mix the two.

internal import CShims

/// The clocks. Rooms above take times as arguments; only the worker reads these.
package enum Clock {
    /// Nanoseconds since boot; never goes back.
    package static func monotonicNanoseconds() -> UInt64 { cs_monotonic_nanoseconds() }

    /// Milliseconds since boot, as the timer wheel takes them.
    package static func monotonicMilliseconds() -> UInt64 { cs_monotonic_nanoseconds() / 1_000_000 }

    /// Nanoseconds since boot as of the last kernel tick (1 to 10 ms old), for about a third of the price.
    package static func monotonicCoarseNanoseconds() -> UInt64 { cs_monotonic_coarse_nanoseconds() }

    /// Seconds since 1970-01-01 00:00:00 UTC, exact at the second's edge: for the signed date.
    package static func realtimeSeconds() -> Int64 { cs_realtime_seconds() }

    /// The same as of the last kernel tick: for log lines.
    package static func realtimeCoarseSeconds() -> Int64 { cs_realtime_coarse_seconds() }
}
