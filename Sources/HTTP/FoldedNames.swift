// A fixed list of names that are found again in any case of ASCII letters. Relies on names being fixed before the
// first question: their number bounds the cost of every answer. Refuses, by precondition, lists that are too long.

/// Names and their places in a list. Made once, read by all workers.
package struct FoldedNames: Sendable {
    /// Most names of a list.
    package static let maxCount = 1_024

    /// The folded names one behind the other.
    private var bytes: [UInt8] = []
    private var ends: [Int] = [0]
    /// Place of a name plus one, by hash; 0 where there is none. At most half of them are taken.
    private var slots: [UInt16]

    /// Takes UTF-8 names, at most `maxCount`. Of names that differ only in the case of ASCII letters the first counts.
    package init(_ names: [[UInt8]]) {
        precondition(names.count <= Self.maxCount, "a list of names is bounded")
        var size = 8
        while size < names.count * 2 { size *= 2 }
        slots = [UInt16](repeating: 0, count: size)
        for (place, name) in names.enumerated() {
            bytes += name.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 }
            ends.append(bytes.count)
            let slot = slot(of: name.span)
            if slots[slot] == 0 { slots[slot] = UInt16(place + 1) }
        }
    }

    /// The place of `name`, nil where it is not in the list.
    package func index(of name: Span<UInt8>) -> Int? {
        let place = Int(slots[slot(of: name)])
        return place == 0 ? nil : place - 1
    }

    /// The slot that holds the name, or the free one where it would stand.
    private func slot(of name: Span<UInt8>) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(name.count)
        var at = 0
        while at < name.count {
            let folded = (hash ^ name.word(at: at, upTo: name.count).lowercased)
                .multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = folded.high ^ folded.low
            at += 8
        }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 && !matches(Int(slots[slot]) - 1, name) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private func matches(_ place: Int, _ name: Span<UInt8>) -> Bool {
        let start = ends[place]
        let end = ends[place + 1]
        guard end - start == name.count else { return false }
        let own = bytes.span
        var at = 0
        while at < name.count {
            guard own.word(at: start + at, upTo: end) == name.word(at: at, upTo: name.count).lowercased else {
                return false
            }
            at += 8
        }
        return true
    }
}
