// Bad manners on request: how an answer is delayed, cut, broken or withheld, and how that is asked for.
// Relies on nothing. Refuses words it does not know, so that a misspelt test does not pass by doing nothing.

/// How one exchange goes wrong. All but `status`, `drop` and `early-close` run the operation first: what is lost is
/// the answer, not the effect.
struct Misbehaviour: Sendable {
    /// How the answer ends, at most one of them.
    enum Ending: String, CaseIterable, Sendable {
        case drop
        case earlyClose = "early-close"
        case closeBeforeAnswer = "close-before-answer"
        case closeMidHead = "close-mid-head"
        case closeMidBody = "close-mid-body"
        case closeAfter = "close-after"
        case reset
        case garbage
        case noAnswer = "no-answer"
    }

    /// How the body is framed.
    enum Framing: String, CaseIterable, Sendable {
        case chunked
        case bothFramings = "both-framings"
    }

    var delayMilliseconds = 0
    var status: Int?
    var interim: [Int] = []
    var ending: Ending?
    var framing: Framing?
    var oversizeHead = false
    /// Pause between pieces of sixteen bytes.
    var slowBodyMilliseconds: Int?

    /// Reads a comma list such as `delay=500ms,close-mid-body`; nil if a word is not known.
    init?(_ text: String) {
        for word in text.split(separator: ",") {
            let trimmed = Bytes(word.utf8).trimmed.text
            guard take(trimmed) else { return nil }
        }
    }

    private mutating func take(_ word: String) -> Bool {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let value = parts.count == 2 ? parts[1] : nil
        switch (parts[0], value) {
        case ("delay", let value?):
            guard let time = Self.milliseconds(value) else { return false }
            delayMilliseconds = time
        case ("slow-body", let value):
            guard let time = Self.milliseconds(value ?? "20ms") else { return false }
            slowBodyMilliseconds = time
        case ("status", let value?):
            guard let code = Bytes(value.utf8).decimal, (200...599).contains(code) else { return false }
            status = code
        case ("interim-100", nil): interim.append(100)
        case ("interim-103", nil): interim.append(103)
        case ("oversize-head", nil): oversizeHead = true
        case (let name, nil):
            if let ending = Ending(rawValue: name), self.ending == nil {
                self.ending = ending
            } else if let framing = Framing(rawValue: name), self.framing == nil {
                self.framing = framing
            } else {
                return false
            }
        case (_, _?): return false
        }
        return true
    }

    /// `500ms` or `2s`, at most ten minutes.
    private static func milliseconds(_ text: String) -> Int? {
        let digits = Bytes(text.utf8.prefix { $0 >= 48 && $0 <= 57 })
        guard let number = digits.decimal, number <= 600_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return number
        case "s": return number <= 600 ? number * 1_000 : nil
        default: return nil
        }
    }
}

/// Misbehaviour that was ordered for a path, a number of times.
struct OrderedMisbehaviour: Sendable {
    /// Path of the request without its query, or `*`.
    var path: String
    var what: Misbehaviour
    var times: Int
}
