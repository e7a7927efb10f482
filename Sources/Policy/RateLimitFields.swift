// What a caller is told of its quotas: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11, items
// of structured fields) and Retry-After (RFC 9110 section 10.2.3).
// Relies on names of visible ASCII without quotes and backslashes, which QuotaSettings sees to. Never says 0 seconds.

package import HTTP

/// Times in answers' fields: whole seconds.
package enum FieldSeconds {
    /// The seconds in which `nanoseconds` are over: rounded up.
    package static func roundedUp(_ nanoseconds: UInt64) -> Int {
        Int(nanoseconds / 1_000_000_000) + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)
    }

    /// The value of Retry-After for a wait: rounded up, never 0.
    package static func retryAfter(_ nanoseconds: UInt64) -> Int { max(1, roundedUp(nanoseconds)) }
}

extension QuotaSettings {
    /// Appends the quota's item of RateLimit-Policy, such as `"per-caller";q=100;w=60`: the quota and its window in
    /// seconds, a window of parts of a second rounded up.
    package func writePolicy(to out: inout ByteBuffer) {
        writeName(to: &out)
        out.append(";q=")
        out.appendDecimal(rate.count)
        out.append(";w=")
        out.appendDecimal(FieldSeconds.roundedUp(UInt64(rate.perNanoseconds)))
    }

    /// Appends the quota's item of RateLimit, such as `"per-caller";r=50;t=30`.
    ///
    /// `r` never exceeds the policy's `q`; `t` is the time until `r` grows by one, so that with `r=0` it is the same
    /// point in time as Retry-After.
    package func write(_ standing: QuotaStanding, to out: inout ByteBuffer) {
        writeName(to: &out)
        out.append(";r=")
        out.appendDecimal(min(standing.remaining, rate.count))
        out.append(";t=")
        out.appendDecimal(FieldSeconds.roundedUp(standing.untilNext))
    }

    private func writeName(to out: inout ByteBuffer) {
        out.append("\"")
        out.append(name.utf8.span)
        out.append("\"")
    }
}
