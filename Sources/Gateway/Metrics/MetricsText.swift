// Prometheus' text format, version 0.0.4: families, samples, escapes.
// Relies on names and label names being literals of this program. Refuses nothing: a label's value may be any text, and
// is escaped.

package import HTTP

/// The kinds of a metric.
package enum MetricKind: Sendable {
    case counter, gauge, histogram

    fileprivate var word: StaticString {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}

/// A label: its name, and its value, from the configuration or one of our own words.
package typealias MetricLabel = (name: StaticString, value: String)

/// A page of metrics as it is written: family by family, sample by sample.
package struct MetricsText: ~Copyable {
    private var buffer = ByteBuffer(capacity: 16 * 1_024)
    private var name: StaticString = "none"

    package init() {}

    /// What was written.
    package consuming func finish() -> ByteBuffer { buffer }

    /// Begins a family; its samples follow. `help` is one sentence without backslashes and line breaks.
    package mutating func family(_ name: StaticString, _ kind: MetricKind, _ help: StaticString) {
        self.name = name
        buffer.append("# HELP countersign_")
        buffer.append(name)
        buffer.append(byte: UInt8(ascii: " "))
        buffer.append(help)
        buffer.append("\n# TYPE countersign_")
        buffer.append(name)
        buffer.append(byte: UInt8(ascii: " "))
        buffer.append(kind.word)
        buffer.append(byte: UInt8(ascii: "\n"))
    }

    /// A sample of the present family.
    package mutating func sample(_ value: UInt64) { sample([], value) }

    /// The same, with labels.
    package mutating func sample(_ labels: [MetricLabel], _ value: UInt64) {
        begin("", labels)
        append(String(value))
        buffer.append(byte: UInt8(ascii: "\n"))
    }

    /// The same, of a gauge that may be below 0.
    package mutating func sample(_ labels: [MetricLabel], signed value: Int64) {
        begin("", labels)
        append("\(value)\n")
    }

    /// A sample without labels, of nanoseconds that are shown in seconds.
    package mutating func sample(nanoseconds: UInt64) {
        begin("", [])
        append(Self.seconds(nanoseconds))
        buffer.append(byte: UInt8(ascii: "\n"))
    }

    /// All lines of a histogram.
    package mutating func histogram(_ labels: [MetricLabel], _ histogram: LatencyHistogram) {
        var below: UInt64 = 0
        for (index, bound) in LatencyBounds.microseconds.enumerated() {
            below &+= histogram.counts[index]
            guard index >= LatencyBounds.firstShown else { continue }
            begin("_bucket", labels + [("le", Self.seconds(bound * 1_000))])
            append("\(below)\n")
        }
        begin("_bucket", labels + [("le", "+Inf")])
        append("\(histogram.total)\n")
        begin("_sum", labels)
        append(Self.seconds(histogram.sum) + "\n")
        begin("_count", labels)
        append("\(histogram.total)\n")
    }

    private mutating func begin(_ suffix: String, _ labels: [MetricLabel]) {
        buffer.append("countersign_")
        buffer.append(name)
        append(suffix)
        for (index, label) in labels.enumerated() {
            buffer.append(byte: index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
            buffer.append(label.name)
            buffer.append("=\"")
            append(Self.escaped(label.value))
            buffer.append(byte: UInt8(ascii: "\""))
        }
        if !labels.isEmpty { buffer.append(byte: UInt8(ascii: "}")) }
        buffer.append(byte: UInt8(ascii: " "))
    }

    private mutating func append(_ text: String) { for byte in text.utf8 { buffer.append(byte: byte) } }

    /// A label's value as it stands between its quotes.
    package static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x22 || $0 == 0x5C || $0 == 0x0A }) else { return value }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Nanoseconds in seconds, exactly, without a point where there is nothing behind it.
    package static func seconds(_ nanoseconds: UInt64) -> String {
        let whole = String(nanoseconds / 1_000_000_000)
        let rest = nanoseconds % 1_000_000_000
        guard rest > 0 else { return whole }
        var digits = String(rest)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return whole + "." + digits
    }
}
