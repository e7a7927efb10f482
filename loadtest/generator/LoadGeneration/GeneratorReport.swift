// What a run came to, as one line of JSON.
// Relies on numbers only, so that nothing needs escaping. Refuses nothing.

/// Counts and latencies of one run.
package struct GeneratorReport: Sendable {
    /// Why requests were not answered with 2xx. Requests of the warm-up count, too: an error is an error.
    package struct Errors: Sendable {
        /// Connections that could not be made.
        package var connect = 0
        /// Connections that ended or failed under a request.
        package var socket = 0
        /// Answers with a status other than 2xx.
        package var status = 0
        /// Answers that are not HTTP/1.1 with a length, or came unasked.
        package var unreadable = 0
        /// Requests that were due while the queue was full, and never sent.
        package var overflowed = 0
        /// Requests without an answer when the time for the last ones was over.
        package var unanswered = 0

        package init() {}

        package var sum: Int { connect + socket + status + unreadable + overflowed + unanswered }
    }

    package var errors = Errors()
    /// Requests whose first byte was handed to the system.
    package var sent: UInt64 = 0
    /// Answers with 2xx, warm-up included.
    package var answered: UInt64 = 0
    /// Idle connections that the peer closed and that were made anew.
    package var reconnects = 0
    /// Nanoseconds from the due time to the answer's last byte, of what was due within the measured time.
    package var latency = Histogram()
    /// Nanoseconds by which the generator itself was late to take a due request up. Empty in a closed loop.
    package var lateness = Histogram()
    /// Most requests that waited for a free connection at once.
    package var deepestQueue = 0
    /// Nanoseconds of the measured time.
    package var measured: UInt64 = 0

    package init() {}

    /// One line of JSON; times in microseconds.
    package func json(_ settings: GeneratorSettings) -> String {
        let mode =
            switch settings.pace {
            case .open(let rate): "\"mode\":\"open\",\"rate\":\(rate)"
            case .closed: "\"mode\":\"closed\""
            }
        let buckets = latency.buckets.map { "[\(Self.micros($0.upper)),\($0.count)]" }.joined(separator: ",")
        let perSecond = measured == 0 ? 0 : Double(latency.total) * 1e9 / Double(measured)
        return "{\(mode),\"connections\":\(settings.connections),\"microseconds\":\(measured / 1_000),"
            + "\"requests\":\(latency.total),\"sent\":\(sent),\"answered\":\(answered),"
            + "\"requests_per_second\":\(Int(perSecond)),\"reconnects\":\(reconnects),"
            + "\"deepest_queue\":\(deepestQueue),\"errors\":\(errors.sum),\"error_kinds\":{"
            + "\"connect\":\(errors.connect),\"socket\":\(errors.socket),\"status\":\(errors.status),"
            + "\"unreadable\":\(errors.unreadable),\"overflowed\":\(errors.overflowed),"
            + "\"unanswered\":\(errors.unanswered)},"
            + "\"latency_us\":\(Self.percentiles(latency)),\"lateness_us\":\(Self.percentiles(lateness)),"
            + "\"histogram_us\":[\(buckets)]}"
    }

    private static func percentiles(_ histogram: Histogram) -> String {
        let levels = [("p50", 50.0), ("p90", 90), ("p99", 99), ("p99_9", 99.9)]
        let parts = levels.map { "\"\($0.0)\":\(micros(histogram.value(atPercentile: $0.1)))" }
        return "{\(parts.joined(separator: ",")),\"max\":\(micros(histogram.maximum)),"
            + "\"mean\":\(micros(UInt64(histogram.mean)))}"
    }

    /// Nanoseconds as microseconds with up to three decimals.
    private static func micros(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1_000)" }
}
