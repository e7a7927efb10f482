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

    /// Milliseconds since boot, sleep included: what runs on while nobody sets it.
    package static func bootMilliseconds() -> Int64 { Int64(cs_boot_nanoseconds() / 1_000_000) }

    /// Milliseconds since 1970-01-01 00:00:00 UTC; an operator or NTP may set it.
    package static func realtimeMilliseconds() -> Int64 { Int64(cs_realtime_nanoseconds() / 1_000_000) }

    /// The kernel's name for this boot; empty where it has none. Two times of `bootMilliseconds` can be compared where
    /// their boots have the same name.
    package static func bootID() -> String {
        var text: [64 of CChar] = InlineArray(repeating: 0)
        var span = text.mutableSpan
        // SAFETY: the wrapper writes at most the 64 bytes that it is given.
        let count = unsafe span.withUnsafeMutableBufferPointer { unsafe cs_boot_id($0.baseAddress, $0.count) }
        var bytes: [UInt8] = []
        for index in 0..<max(0, Int(count)) where text[index] > 0x20 { bytes.append(UInt8(text[index])) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
