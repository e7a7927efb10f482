// Numbers with units: durations, sizes, rates, counts.
// Relies on nothing. Refuses numbers without a unit (which one would be guessed), fractions, signs, and what lies out
// of its range. 0 needs no unit.

internal import Policy

/// A rate such as `5/s` or `300/m`.
struct Rate: Equatable {
    var count: Int
    /// The time in which `count` may happen: that of a second, a minute or an hour.
    var perNanoseconds: Int
}

private let rateUnits = ["s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
/// Units of time, in milliseconds.
let durationUnits: [(unit: String, factor: Int)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
]
/// Units of size, in bytes.
let sizeUnits: [(unit: String, factor: Int)] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]

extension Field {
    /// A duration in milliseconds: a whole number with `ms`, `s`, `m`, `h` or `d`.
    func milliseconds(_ range: ClosedRange<Int>) -> Int? {
        quantity(durationUnits, what: "a duration", suggested: "s", units: "ms, s, m, h or d", range)
    }

    /// A size in bytes: a whole number with `B`, `KiB`, `MiB` or `GiB`.
    func bytes(_ range: ClosedRange<Int>) -> Int? {
        quantity(sizeUnits, what: "a size", suggested: "B", units: "B, KiB, MiB or GiB", range)
    }

    /// A whole number without a unit.
    func integer(_ range: ClosedRange<Int>) -> Int? {
        guard let text = scalar(expected: "a whole number") else { return nil }
        guard let value = number(text) else {
            return refuse("is not a whole number", "Write digits only, from \(range.lowerBound) to \(range.upperBound)")
        }
        guard range.contains(value) else {
            return refuse("is out of range", "Write a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A rate: 1 ... 1000000 per second (`/s`), minute (`/m`) or hour (`/h`).
    func rate() -> Rate? {
        guard let text = scalar(expected: "a rate such as 5/s") else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = number(String(parts[0])), let period = rateUnits[String(parts[1])] else {
            let remedy = number(text) == nil ? "Write a rate such as 5/s or 300/m" : "Say per what: write \(text)/s"
            return refuse("is not a rate", remedy)
        }
        guard RateLimitSettings.counts.contains(count) else {
            return refuse("is out of range", "Write a rate from 1/h to 1000000/s")
        }
        return Rate(count: count, perNanoseconds: period)
    }

    private func quantity(
        _ table: [(unit: String, factor: Int)], what: String, suggested: String, units: String,
        _ range: ClosedRange<Int>
    ) -> Int? {
        guard let text = scalar(expected: what) else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count)
        if !digits.isEmpty && unit.isEmpty && number(text) != 0 {
            return refuse("has no unit", "Write \(digits.prefix(20))\(suggested); units are \(units)")
        }
        let factor = unit.isEmpty ? 1 : table.first { $0.unit == unit }?.factor
        guard !digits.isEmpty, let factor else {
            return refuse("is not \(what)", "Write a whole number with one of the units \(units)")
        }
        guard let value = number(String(digits)) else { return outOfRange(table, range) }
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow || !range.contains(product) ? outOfRange(table, range) : product
    }

    private func outOfRange(_ table: [(unit: String, factor: Int)], _ range: ClosedRange<Int>) -> Int? {
        refuse(
            "is out of range",
            "Write a value from \(shownQuantity(range.lowerBound, table)) to \(shownQuantity(range.upperBound, table))")
    }

    /// Digits only, at most 18 of them.
    private func number(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }
}

/// The value with the largest unit that divides it.
func shownQuantity(_ value: Int, _ table: [(unit: String, factor: Int)]) -> String {
    guard value > 0, let best = table.last(where: { value % $0.factor == 0 }) else { return "\(value)" }
    return "\(value / best.factor)\(best.unit)"
}
