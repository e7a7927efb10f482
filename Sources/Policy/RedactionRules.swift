// What becomes of each field of a body in a log: one table per route, of its preset and of what the operator adds.
// Relies on FoldedNames for finding a name. Refuses, by precondition, settings beyond their bounds. A name that is in
// no table is not shown itself, and its value becomes its type and length.

internal import HTTP

/// What becomes of a value. Those further down win where two say something of one field.
enum RedactionTreatment: Equatable, Sendable {
    /// Its type and length.
    case length
    /// The value, where it has one of the forms.
    case shown(ShownForms)
    /// The last four digits of an account number.
    case lastFour
    /// Nothing, not even type and length.
    case hidden
}

/// Names, printed names and treatments. Made once, read by all workers.
///
/// A class, so that a worker that takes the next route's rules counts one reference.
package final class RedactionRules: Sendable {
    /// What is known of one name.
    struct Entry: Sendable {
        /// As JSON with quotes.
        var printed: [UInt8]
        var request = RedactionTreatment.length
        var answer = RedactionTreatment.length
        /// Pointers that have this name, by its place in them: one bit for each pointer.
        var pointers: [8 of UInt64] = InlineArray(repeating: 0)
    }

    private let names: FoldedNames
    private let entries: [Entry]
    /// Pointers that end at this place, one bit for each.
    private let ends: [8 of UInt64]
    private let hidden: UInt64
    /// All pointers.
    let live: UInt64

    package init(_ preset: RedactionPreset, _ settings: RedactionSettings = RedactionSettings()) {
        precondition(settings.show.count <= RedactionSettings.maxFields, "the fields to show are bounded")
        precondition(settings.hide.count <= RedactionSettings.maxFields, "the fields to hide are bounded")
        var draft = RedactionDraft()
        draft.add(preset)
        for field in settings.show { draft.add(field, isHidden: false) }
        for field in settings.hide { draft.add(field, isHidden: true) }
        names = FoldedNames(draft.names)
        entries = draft.entries
        ends = draft.ends
        hidden = draft.hidden
        live = draft.live
    }

    /// The place of an un-escaped name; nil where it is not known.
    func index(of name: Span<UInt8>) -> Int? { names.index(of: name) }

    func printed(_ index: Int) -> [UInt8] { entries[index].printed }

    /// Which of the pointers in `live` go on with this name as their `level`-th (from 0).
    func follow(_ live: UInt64, _ index: Int, level: Int) -> UInt64 {
        live != 0 && level < 8 ? live & entries[index].pointers[level] : 0
    }

    /// `followed`: what `follow` said.
    func treatment(_ index: Int, _ direction: BodyDirection, followed: UInt64, level: Int) -> RedactionTreatment {
        let own =
            switch direction {
            case .request: entries[index].request
            case .answer: entries[index].answer
            }
        guard followed != 0 else { return own }
        let ending = followed & ends[level]
        if ending & hidden != 0 { return .hidden }
        return ending == 0 ? own : own.stronger(.shown(.all))
    }
}

extension RedactionTreatment {
    private var rank: Int {
        switch self {
        case .length: 0
        case .shown: 1
        case .lastFour: 2
        case .hidden: 3
        }
    }

    /// The one that wins; both, where both show.
    func stronger(_ other: RedactionTreatment) -> RedactionTreatment {
        if case .shown(let forms) = self, case .shown(let others) = other { return .shown(forms.union(others)) }
        return rank >= other.rank ? self : other
    }
}

/// Tables that are being made.
struct RedactionDraft {
    private(set) var names: [[UInt8]] = []
    private(set) var entries: [RedactionRules.Entry] = []
    private(set) var ends: [8 of UInt64] = InlineArray(repeating: 0)
    private(set) var hidden: UInt64 = 0
    private(set) var live: UInt64 = 0
    private var pointers = 0

    mutating func add(_ field: RedactedField, isHidden: Bool) {
        switch field {
        case .name(let name):
            add(name, isHidden ? .hidden : .shown(.all), nil)
        case .pointer(let pointer):
            let bit = UInt64(1) << UInt64(pointers)
            pointers += 1
            live |= bit
            if isHidden { hidden |= bit }
            for (level, name) in pointer.names.enumerated() { entries[place(of: name)].pointers[level] |= bit }
            ends[pointer.names.count - 1] |= bit
        }
    }

    /// `request`: nil where it is as in answers.
    mutating func add(_ name: String, _ answer: RedactionTreatment, _ request: RedactionTreatment?) {
        let place = place(of: Array(name.utf8))
        entries[place].answer = entries[place].answer.stronger(answer)
        entries[place].request = entries[place].request.stronger(request ?? answer)
    }

    private mutating func place(of name: [UInt8]) -> Int {
        let folded = name.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0 }
        if let place = names.firstIndex(of: folded) { return place }
        names.append(folded)
        guard let printed = jsonString(from: name.span) else { preconditionFailure("a name is UTF-8") }
        entries.append(RedactionRules.Entry(printed: printed))
        return names.count - 1
    }
}
