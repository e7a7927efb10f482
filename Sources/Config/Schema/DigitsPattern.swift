// Ranges of whole numbers as regular expressions, since a schema sees `64KiB` as text.
// Relies on nothing. Refuses negative numbers.

/// A regular expression (ECMA-262) for the numbers of `range` in decimal, without leading zeros and without anchors.
func digitsPattern(_ range: ClosedRange<Int>) -> String {
    precondition(range.lowerBound >= 0, "numbers with units have no sign")
    // The range falls into runs whose numbers differ only in free digits: 10 ... 99, 100 ... 599 and so on.
    var ends: Set<Int> = [range.upperBound]
    var power = 10
    while power <= range.upperBound {
        let nines = range.lowerBound / power * power + power - 1
        if range.contains(nines) { ends.insert(nines) }
        let zeros = (range.upperBound + 1) / power * power - 1
        if range.contains(zeros) { ends.insert(zeros) }
        power *= 10
    }
    var first = range.lowerBound
    var runs: [String] = []
    for last in ends.sorted() {
        runs.append(run(first, last))
        first = last + 1
    }
    return runs.joined(separator: "|")
}

/// One run: both ends have as many digits, and behind the first that differs all are free.
private func run(_ first: Int, _ last: Int) -> String {
    let digits = zip("\(first)", "\(last)").map { low, high in
        low == high ? "\(low)" : "[\(low)-\(high)]"
    }
    return digits.joined()
}
