// Prometheus' text format, read strictly and by itself: what promtool would complain of is refused here, too.
// Relies on the format's description (version 0.0.4). Shares no code with the gateway.

/// A page of metrics.
package struct MetricsReader {
    /// What is wrong with a page.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    /// Values by series: the name, and its labels in the order of their names, such as `up{a="b"}`.
    package private(set) var samples: [String: Double] = [:]
    /// Kinds by family.
    package private(set) var kinds: [String: String] = [:]
    private var helped: Set<String> = []
    /// Of each series that is a bucket: its histogram with the other labels, and its bound.
    private var bounds: [String: (histogram: String, bound: Double)] = [:]
    private var closed: Set<String> = []
    private var family = ""

    package init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Problem(description: "the last line has no end") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            do {
                if line.hasPrefix("#") { try readComment(line) } else { try readSample(line) }
            } catch let problem as Problem {
                throw Problem(description: "\(problem): \(line)")
            }
        }
        try checkHistograms()
        for name in kinds.keys where !helped.contains(name) { throw Problem(description: "\(name) has no help") }
    }

    /// The value of a series without a prefix: `metric("requests_total", ["route": "all"])`; nil where it is absent.
    package func callAsFunction(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples[Self.series("countersign_" + name, labels)]
    }

    /// The sum over all series of a name that have these labels.
    package func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
        samples.reduce(0) { sum, sample in
            guard sample.key == "countersign_" + name || sample.key.hasPrefix("countersign_\(name){") else {
                return sum
            }
            let fits = labels.allSatisfy { sample.key.contains("\($0.key)=\"\($0.value)\"") }
            return fits ? sum + sample.value : sum
        }
    }

    private static func series(_ name: String, _ labels: [String: String]) -> String {
        guard !labels.isEmpty else { return name }
        let list = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
        return name + "{" + list.joined(separator: ",") + "}"
    }

    private static func isName(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
    }

    // MARK: - Lines

    private mutating func readComment(_ line: Substring) throws {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, words[0] == "#", Self.isName(words[2]), words[2].hasPrefix("countersign_") else {
            throw Problem(description: "a comment that is neither HELP nor TYPE")
        }
        let name = String(words[2])
        switch words[1] {
        case "HELP":
            guard helped.insert(name).inserted else { throw Problem(description: "a second HELP") }
            guard words[3].hasSuffix("."), !words[3].contains("\\") else { throw Problem(description: "no sentence") }
            closed.insert(family)
            family = name
        case "TYPE":
            guard family == name, kinds[name] == nil else { throw Problem(description: "TYPE in a wrong place") }
            guard ["counter", "gauge", "histogram"].contains(words[3]) else { throw Problem(description: "the kind") }
            guard (words[3] == "counter") == name.hasSuffix("_total") else {
                throw Problem(description: "a counter ends with _total, and nothing else does")
            }
            kinds[name] = String(words[3])
        default: throw Problem(description: "a comment")
        }
    }

    private mutating func readSample(_ line: Substring) throws {
        let nameEnd = line.firstIndex { $0 == "{" || $0 == " " } ?? line.endIndex
        let name = String(line[..<nameEnd])
        guard Self.isName(name), belongs(name) else { throw Problem(description: "a sample outside its family") }
        var rest = line[nameEnd...]
        var labels: [String: String] = [:]
        if rest.first == "{" {
            rest = rest.dropFirst()
            repeat { try readLabel(&rest, &labels) } while try readComma(&rest)
        }
        guard rest.first == " ", let value = Double(rest.dropFirst()),
            value >= 0 || kinds[family] == "gauge"
        else {
            throw Problem(description: "no value")
        }
        let series = Self.series(name, labels)
        if name.hasSuffix("_bucket"), let text = labels.removeValue(forKey: "le") {
            guard let bound = Double(text == "+Inf" ? "inf" : text) else { throw Problem(description: "a bound") }
            let rest = Self.series(String(name.dropLast("_bucket".count)), labels)
            bounds[series] = (rest.hasSuffix("}") ? rest : rest + "{}", bound)
        }
        guard samples.updateValue(value, forKey: series) == nil else { throw Problem(description: "twice") }
    }

    private func belongs(_ name: String) -> Bool {
        guard !closed.contains(family), let kind = kinds[family] else { return false }
        guard kind == "histogram" else { return name == family }
        return ["_bucket", "_sum", "_count"].contains { name == family + $0 }
    }

    private func readLabel(_ rest: inout Substring, _ labels: inout [String: String]) throws {
        guard let equals = rest.firstIndex(of: "="), Self.isName(rest[..<equals]) else {
            throw Problem(description: "no label")
        }
        let name = String(rest[..<equals])
        rest = rest[rest.index(after: equals)...]
        guard rest.popFirst() == "\"" else { throw Problem(description: "a label without quotes") }
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\" {
                switch rest.popFirst() {
                case "\\": value += "\\"
                case "\"": value += "\""
                case "n": value += "\n"
                default: throw Problem(description: "an escape")
                }
            } else {
                value.append(character)
            }
        }
        guard labels.updateValue(value, forKey: name) == nil else { throw Problem(description: "a label twice") }
    }

    /// False at the end of the labels.
    private func readComma(_ rest: inout Substring) throws -> Bool {
        switch rest.popFirst() {
        case ",": return true
        case "}": return false
        default: throw Problem(description: "labels that do not end")
        }
    }

    // MARK: - The whole

    private func checkHistograms() throws {
        for (name, kind) in kinds where kind == "histogram" {
            let counts = samples.filter { $0.key == name + "_count" || $0.key.hasPrefix(name + "_count{") }
            for (series, count) in counts {
                let labels = series.dropFirst((name + "_count").count).dropLast().dropFirst()
                try checkBuckets(name, String(labels), count)
            }
        }
    }

    private func checkBuckets(_ name: String, _ labels: String, _ count: Double) throws {
        let buckets = bounds.filter { $0.value.histogram == "\(name){\(labels)}" }
            .map { (bound: $0.value.bound, value: samples[$0.key] ?? -1) }
            .sorted { $0.bound < $1.bound }
        guard buckets.count > 1, buckets.last?.bound == .infinity, buckets.last?.value == count else {
            throw Problem(description: "\(name){\(labels)} has \(buckets.count) buckets, which do not fit its count")
        }
        for (lower, upper) in zip(buckets, buckets.dropFirst()) where lower.value > upper.value {
            throw Problem(description: "\(name){\(labels)} falls at \(upper.bound)")
        }
        guard samples["\(name)_sum{\(labels)}"] != nil else { throw Problem(description: "\(name) has no sum") }
    }
}
