// The forms in which a value of a body may stand in a log. A value is shown because it is known to be harmless, never
// because nothing bad was found in it: eight digits, however they are separated, are in none of these forms but times,
// identifiers, and amounts of up to seven places before the point. Relies on ASCII: digits of other alphabets are in
// no form. Refuses free text, exponents, and mixed letters that could be an encoding.

/// Forms that a value may have.
package struct ShownForms: OptionSet, BitwiseCopyable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A whole number of at most seven digits: status codes, pages, versions.
    package static let code = ShownForms(rawValue: 1)
    /// An enumeration such as `account.issue.created`: words of one case with `_`, `-` or `.` between them, at most 48
    /// bytes and four digits.
    package static let word = ShownForms(rawValue: 2)
    /// A UUID, with a prefix such as `user-` or without; the gateway's own request id; words as above with at most
    /// seven digits. Of a UUID, digits that could be an account number are masked.
    package static let identifier = ShownForms(rawValue: 4)
    /// A decimal: up to seven places before the point and two behind it, or three and four.
    package static let amount = ShownForms(rawValue: 8)
    /// A time of the years 2015 to 2039: ISO 8601, Banking's `DD-MM-YYYY hh:mm AM`, Unix seconds or milliseconds
    /// (shown as ISO 8601). Older dates could be birthdays. Fractions of seconds are dropped.
    package static let time = ShownForms(rawValue: 16)
    /// As `word`, without a digit: what elements of an array may be, which could hold a number in pieces.
    package static let plainWord = ShownForms(rawValue: 32)

    /// Every form but `plainWord`, which `word` includes.
    package static let all: ShownForms = [.code, .word, .identifier, .amount, .time]
}

extension ByteBuffer {
    /// Appends the value whose un-escaped text is `text` as JSON, where it has one of `forms`; else appends nothing and
    /// says false. `isNumber`: it was a number, not a string.
    package mutating func appendShown(_ text: Span<UInt8>, isNumber: Bool, as forms: ShownForms) -> Bool {
        if forms.contains(.code) && text.isCode || forms.contains(.amount) && text.isAmount {
            if isNumber { append(text) } else { appendQuoted(text) }
            return true
        }
        if forms.contains(.time), let time = ShownTime(text) {
            time.append(text, to: &self)
            return true
        }
        guard !isNumber else { return false }
        if forms.contains(.word) && text.isWord(maxDigits: 4)
            || forms.contains(.plainWord) && text.isWord(maxDigits: 0)
            || forms.contains(.identifier) && text.isWord(maxDigits: 7)
        {
            appendQuoted(text)
            return true
        }
        guard forms.contains(.identifier) && text.isIdentifier else { return false }
        append(byte: UInt8(ascii: "\""))
        appendMaskingRuns(text)
        append(byte: UInt8(ascii: "\""))
        return true
    }

    /// Appends the last four digits of an account number as a JSON string: 8 to 20 digits with spaces or hyphens
    /// between them, or the four alone. Appends nothing and says false for all else, Social Security numbers in their
    /// usual form among it.
    package mutating func appendLastFour(_ text: Span<UInt8>) -> Bool {
        guard let first = text.lastFourStart else { return false }
        append("\"***")
        for at in first..<text.count where ASCII.isDigit(text[at]) { append(byte: text[at]) }
        append(byte: UInt8(ascii: "\""))
        return true
    }

    private mutating func appendQuoted(_ text: Span<UInt8>) {
        append(byte: UInt8(ascii: "\""))
        append(text)
        append(byte: UInt8(ascii: "\""))
    }

    /// Eight digits in a run, or thirteen with hyphens between them, become stars.
    private mutating func appendMaskingRuns(_ text: Span<UInt8>) {
        var at = 0
        while at < text.count {
            guard ASCII.isDigit(text[at]) else {
                append(byte: text[at])
                at += 1
                continue
            }
            let plain = text.digitsEnd(at) - at
            let (end, digits) = text.hyphenatedDigitsEnd(at)
            let isMasked = digits >= 13 || plain >= 8
            let stop = digits >= 13 ? end : at + plain
            for place in at..<stop {
                append(byte: isMasked && text[place] != UInt8(ascii: "-") ? UInt8(ascii: "*") : text[place])
            }
            at = stop
        }
    }
}

extension Span where Element == UInt8 {
    /// Offset behind the digits from `start`.
    fileprivate func digitsEnd(_ start: Int) -> Int {
        var at = start
        while at < count, ASCII.isDigit(self[at]) { at += 1 }
        return at
    }

    /// Offset behind the digits and hyphens from `start`, and how many digits they are.
    fileprivate func hyphenatedDigitsEnd(_ start: Int) -> (end: Int, digits: Int) {
        var at = start
        var digits = 0
        while at < count, ASCII.isDigit(self[at]) || self[at] == UInt8(ascii: "-") {
            if ASCII.isDigit(self[at]) { digits += 1 }
            at += 1
        }
        return (at, digits)
    }

    private var signEnd: Int { count > 0 && self[0] == UInt8(ascii: "-") ? 1 : 0 }

    fileprivate var isCode: Bool {
        let start = signEnd
        return (1...7).contains(count - start) && digitsEnd(start) == count
    }

    fileprivate var isAmount: Bool {
        guard count <= 12 else { return false }
        let start = signEnd
        let point = digitsEnd(start)
        guard point > start, point < count, self[point] == UInt8(ascii: "."), digitsEnd(point + 1) == count else {
            return false
        }
        let decimals = count - point - 1
        return decimals >= 1 && (point - start <= 7 && decimals <= 2 || point - start <= 3 && decimals <= 4)
    }

    fileprivate func isWord(maxDigits: Int) -> Bool {
        guard (1...48).contains(count) else { return false }
        var digits = 0
        var at = 0
        while true {
            guard let end = wordEnd(at, &digits) else { return false }
            if end == count { return digits <= maxDigits }
            guard self[end] == UInt8(ascii: "_") || self[end] == UInt8(ascii: "-") || self[end] == UInt8(ascii: ".")
            else { return false }
            at = end + 1
        }
    }

    /// Offset behind one word: up to 24 letters of one case, of which the first may be a capital, then up to seven
    /// digits. Letters behind digits, and mixed ones, could be an encoding of something else.
    private func wordEnd(_ start: Int, _ digits: inout Int) -> Int? {
        var at = start
        var capitals = 0
        while at < count, (self[at] | 0x20) &- UInt8(ascii: "a") < 26 {
            if self[at] & 0x20 == 0 {
                guard capitals == at - start else { return nil }
                capitals += 1
            }
            at += 1
        }
        let letters = at - start
        guard letters <= 24, capitals <= 1 || capitals == letters else { return nil }
        let end = digitsEnd(at)
        digits += end - at
        return end > start && end - at <= 7 ? end : nil
    }

    /// Where the last four digits begin.
    fileprivate var lastFourStart: Int? {
        guard (4...40).contains(count) else { return nil }
        var digits = 0
        for at in 0..<count {
            if ASCII.isDigit(self[at]) {
                digits += 1
            } else {
                guard at > 0, ASCII.isDigit(self[at - 1]) else { return nil }
                guard self[at] == UInt8(ascii: " ") || self[at] == UInt8(ascii: "-") else { return nil }
            }
        }
        guard ASCII.isDigit(self[count - 1]), !isSocialSecurityNumber else { return nil }
        guard (8...20).contains(digits) || digits == 4 && count == 4 else { return nil }
        var at = count
        var left = 4
        while left > 0 {
            at -= 1
            if ASCII.isDigit(self[at]) { left -= 1 }
        }
        return at
    }

    /// 3-2-4 digits.
    private var isSocialSecurityNumber: Bool {
        count == 11 && !ASCII.isDigit(self[3]) && !ASCII.isDigit(self[6])
    }
}

// Identifiers.
extension Span where Element == UInt8 {
    fileprivate var isIdentifier: Bool {
        if count >= 36 && isUUID(from: count - 36) { return isPrefix(upTo: count - 36) }
        return isRequestID
    }

    /// Nothing, or 2 to 8 small letters and a hyphen.
    private func isPrefix(upTo end: Int) -> Bool {
        guard end > 0 else { return true }
        guard (3...9).contains(end), self[end - 1] == UInt8(ascii: "-") else { return false }
        for at in 0..<end - 1 where self[at] &- UInt8(ascii: "a") >= 26 { return false }
        return true
    }

    /// RFC 9562, with version and variant as it has them; at least four of the 32 are letters, as they are in all but
    /// one of some five hundred random ones.
    private func isUUID(from start: Int) -> Bool {
        var letters = 0
        for index in 0..<36 {
            let byte = self[start + index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return false }
            } else {
                guard let value = ASCII.hexValue(byte) else { return false }
                if !ASCII.isDigit(byte) { letters += 1 }
                if index == 14 && !(1...8).contains(value) || index == 19 && !(8...11).contains(value) { return false }
            }
        }
        return letters >= 4
    }

    /// The gateway's own: 16 hexadecimal digits in small letters, a hyphen, a count.
    private var isRequestID: Bool {
        guard (18...24).contains(count), self[16] == UInt8(ascii: "-"), digitsEnd(17) == count else { return false }
        var letters = 0
        for at in 0..<16 {
            guard ASCII.hexValue(self[at]) != nil else { return false }
            if !ASCII.isDigit(self[at]) {
                guard self[at] & 0x20 != 0 else { return false }
                letters += 1
            }
        }
        return letters >= 2
    }
}

// What readers of values ask of bytes.
extension Span where Element == UInt8 {
    /// Whether the first byte that is not JSON's white space begins an array or object.
    package var beginsJSONContainer: Bool {
        let text = JSONText(self)
        let first = text[text.spaceEnd(from: 0)]
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    /// How often `byte` comes from offset `start` on.
    package func count(of byte: UInt8, from start: Int) -> Int {
        var found = 0
        for at in start..<count where self[at] == byte { found += 1 }
        return found
    }
}
