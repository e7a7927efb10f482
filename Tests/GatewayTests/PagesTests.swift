// The two formats of the admin listener's pages: Prometheus' text, and JSON.
// Relies on MetricsReader and on the project's own JSON scanner to read them as any other reader would.

import Gateway
import HTTP
import TestSupport
import Testing

private func text(_ buffer: borrowing ByteBuffer) -> String {
    var bytes: [UInt8] = []
    for index in 0..<buffer.count { bytes.append(buffer.bytes[index]) }
    return String(decoding: bytes, as: UTF8.self)
}

@Suite struct PagesTests {
    @Test func aPageOfMetricsIsReadAsItWasMeant() throws {
        var page = MetricsText()
        page.family("things_total", .counter, "Things.")
        page.sample([("name", "plain"), ("kind", "a\"b\\c\nd")], 3)
        page.sample(4)
        page.family("time_seconds", .gauge, "Time.")
        page.sample(nanoseconds: 1_500_000_000)
        var histogram = LatencyHistogram()
        for milliseconds: UInt64 in [1, 5, 6, 99_000] { histogram.add(milliseconds * 1_000_000) }
        page.family("duration_seconds", .histogram, "Durations.")
        page.histogram([("route", "r")], histogram)
        let written = text(page.finish())
        #expect(written.contains("kind=\"a\\\"b\\\\c\\nd\""))
        let metrics = try MetricsReader(written)
        #expect(metrics("things_total", ["name": "plain", "kind": "a\"b\\c\nd"]) == 3 && metrics("things_total") == 4)
        #expect(metrics("time_seconds") == 1.5)
        #expect(metrics("duration_seconds_bucket", ["route": "r", "le": "0.005"]) == 2)
        #expect(metrics("duration_seconds_bucket", ["route": "r", "le": "0.01"]) == 3)
        #expect(metrics("duration_seconds_bucket", ["route": "r", "le": "90"]) == 3)
        #expect(metrics("duration_seconds_bucket", ["route": "r", "le": "+Inf"]) == 4)
        #expect(metrics("duration_seconds_sum", ["route": "r"]) == 99.012)
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.000000001"), (1_000_000_000, "1"), (1_010_000_000, "1.01"), (90_000_000_000, "90"),
            (5_000_000, "0.005"), (123_456_789_012, "123.456789012"),
        ] as [(UInt64, String)])
    func secondsAreExact(_ nanoseconds: UInt64, _ expected: String) {
        #expect(MetricsText.seconds(nanoseconds) == expected)
    }

    @Test(arguments: [
        "x 1\n", "# TYPE countersign_a gauge\ncountersign_a 1\n", "countersign_a 1",
        "# HELP countersign_a A.\n# TYPE countersign_a counter\ncountersign_a 1\n",
        "# HELP countersign_a A.\n# TYPE countersign_a gauge\ncountersign_a 1\ncountersign_a 2\n",
        "# HELP countersign_a A.\n# TYPE countersign_a gauge\ncountersign_a{b=\"1} 1\n",
        "# HELP countersign_a A.\n# TYPE countersign_a gauge\ncountersign_b 1\n",
        "# HELP countersign_a A.\n# TYPE countersign_a histogram\ncountersign_a_bucket{le=\"1\"} 2\n"
            + "countersign_a_bucket{le=\"+Inf\"} 1\ncountersign_a_sum{} 1\ncountersign_a_count{} 1\n",
    ])
    func theReaderIsStrict(_ text: String) {
        #expect(throws: MetricsReader.Problem.self) { _ = try MetricsReader(text) }
    }

    @Test func aDocumentIsOneJSONObject() throws {
        var document = JSONDocument()
        document.add("text", "a\"b\\c\u{1}d")
        document.add("number", -3)
        document.add("nothing", UInt64?.none)
        document.add("rate", thousandths: 1_050)
        document.object("inner") { document in
            document.add("flag", true)
            document.array("list") { document in
                document.element("x")
                document.element { $0.add("deep", UInt64(7)) }
            }
            document.array("empty") { _ in }
        }
        document.object("named") { document in document.entry("an \"entry\"") { $0.add("last", false) } }
        let written = text(document.finish())
        let expected =
            "{\"text\":\"a\\\"b\\\\c\\u0001d\",\"number\":-3,\"nothing\":null,\"rate\":1.050,\"inner\":{\"flag\":true,"
            + "\"list\":[\"x\",{\"deep\":7}],\"empty\":[]},\"named\":{\"an \\\"entry\\\"\":{\"last\":false}}}\n"
        #expect(written == expected)
        var scanner = JSONScanner()
        let failure = scanner.scan(Array(written.utf8).span, query: JSONQuery([]), maxDepth: 8)
        #expect(failure == nil)
    }
}
