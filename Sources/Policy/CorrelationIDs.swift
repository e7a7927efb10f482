// The ids by which a request can be found again elsewhere, out of its body and its answer's, as fields of its log line.
// Relies on RedactionRules for what must not be shown, and on the forms in which a value is known to be harmless.
// Refuses, by leaving it out, what is hidden or is shown by its last four digits alone.

package import HTTP

/// The ids of one route, and what its lines call them. Made once, read by all workers.
///
/// A class, so that an exchange that refers to it counts one reference.
package final class CorrelationIDs: Sendable {
    /// Most pointers of a route's own.
    package static let maxOwn = 4
    /// Most bytes of a field's name, without what stands in front of it.
    package static let maxName = 64

    /// The pointers, in the order in which they count.
    package let query: JSONQuery
    private let isHashed: Bool
    private let requests: IDFields
    private let answers: IDFields

    /// nil where there is nothing to look for. `own`: 0 ... 4 pointers, each of which `mayBeID`; they come before those
    /// of the preset. `isHashed`: values are shown as 16 hexadecimal digits of a keyed hash, not as they are.
    package init?(_ preset: RedactionPreset, own: [JSONPointer], _ rules: RedactionRules, isHashed: Bool) {
        precondition(own.count <= Self.maxOwn, "a route's own ids are bounded")
        let known = preset.ids.filter { !own.contains($0) }
        let query = JSONQuery(own + known)
        self.query = query
        self.isHashed = isHashed
        func fields(_ direction: BodyDirection) -> IDFields {
            let shown = query.pointers.enumerated().filter { index, pointer in
                switch rules.treatment(of: pointer, direction) {
                case .hidden, .lastFour: false
                case .shown: true
                case .length: index < own.count
                }
            }
            return IDFields(shown.map { (index: $0.offset, name: $0.element.lastName) }, direction)
        }
        requests = fields(.request)
        answers = fields(.answer)
        if requests.all.isEmpty && answers.all.isEmpty { return nil }
    }

    /// Whether bodies of this direction have any.
    package func looks(at direction: BodyDirection) -> Bool { !fields(direction).all.isEmpty }

    private func fields(_ direction: BodyDirection) -> IDFields {
        switch direction {
        case .request: requests
        case .answer: answers
        }
    }

    /// Appends a member for each id that was found, such as `,"response.ids.transaction_id":"100042"`: its hash, or the
    /// value where it has a form that is known to be harmless, else its type and length. Of what is longer than
    /// `JSONStreamQuery.maxValue` always these. `reading` has ended, and has read by `query`.
    package func append(
        _ reading: borrowing JSONStreamQuery, _ direction: BodyDirection, to output: inout ByteBuffer,
        hash: (Span<UInt8>) -> UInt64
    ) {
        let fields = fields(direction)
        for field in fields.all {
            guard let index = field.first(in: reading) else { continue }
            guard case .value(let isNumber, let length) = reading.found(index) else { continue }
            output.append(fields.members.span.slice(field.member))
            let text = reading.text(index)
            if isHashed && !text.isEmpty {
                output.append("\"")
                output.appendHex(hash(text))
                output.append("\"")
            } else if isHashed || text.isEmpty || !output.appendShown(text, isNumber: false, as: Self.forms) {
                output.append(isNumber ? "\"<number:" : "\"<string:")
                output.appendDecimal(length)
                output.append(">\"")
            }
        }
    }

    /// Numbers are shown as texts, so that a field always has the same type.
    private static let forms: ShownForms = [.identifier, .code]
}

/// The fields of one direction. Flat, so that a line costs no count of references for each of them.
private struct IDFields: Sendable {
    /// One field: what stands in front of its value, and where the value is looked for, the first that is there.
    struct Field: Sendable, BitwiseCopyable {
        /// Within `members`.
        var member: ByteRange
        /// A bit for each pointer.
        var pointers: UInt16

        func first(in reading: borrowing JSONStreamQuery) -> Int? {
            var rest = pointers
            while rest != 0 {
                let index = rest.trailingZeroBitCount
                if reading.found(index) != .nothing { return index }
                rest &= rest - 1
            }
            return nil
        }
    }

    private(set) var all: [Field] = []
    private(set) var members: [UInt8] = []

    /// One for each name, in the order of their first pointers.
    init(_ pointers: [(index: Int, name: String)], _ direction: BodyDirection) {
        var names: [String] = []
        for (index, name) in pointers {
            if let place = names.firstIndex(of: name) {
                all[place].pointers |= 1 << UInt16(index)
            } else {
                names.append(name)
                let start = members.count
                members += Array(",\"\(direction.word).ids.\(name)\":".utf8)
                all.append(Field(member: ByteRange(start, members.count), pointers: 1 << UInt16(index)))
            }
        }
    }
}

extension BodyDirection {
    /// As the names of a line's fields begin.
    fileprivate var word: String {
        switch self {
        case .request: "request"
        case .answer: "response"
        }
    }
}

// What may be an id.
extension JSONPointer {
    fileprivate var lastName: String { String(decoding: names[names.count - 1], as: UTF8.self) }

    /// Whether its last name can be the name of a line's field: 1 to 64 of letters, digits, `_`, `-` and `.`.
    package var canNameField: Bool {
        let name = names[names.count - 1]
        return name.count <= CorrelationIDs.maxName
            && name.allSatisfy { byte in
                (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }
}

extension RedactionRules {
    /// Whether neither direction hides the field, or shows its last four digits alone.
    package func mayBeID(_ pointer: JSONPointer) -> Bool {
        BodyDirection.allCases.allSatisfy { direction in
            switch treatment(of: pointer, direction) {
            case .hidden, .lastFour: false
            case .shown, .length: true
            }
        }
    }

    /// What becomes of the value at a pointer; hidden where something on the way to it is.
    fileprivate func treatment(of pointer: JSONPointer, _ direction: BodyDirection) -> RedactionTreatment {
        var followed = live
        var treatment = RedactionTreatment.length
        for (level, name) in pointer.names.enumerated() {
            guard let index = index(of: name.span) else {
                followed = 0
                treatment = .length
                continue
            }
            followed = follow(followed, index, level: level)
            treatment = self.treatment(index, direction, followed: followed, level: level)
            if treatment == .hidden { break }
        }
        return treatment
    }
}

extension RedactionPreset {
    /// Where the product's bodies have the ids that its pages call safe to be logged, or ask for when something is
    /// wrong. At most 12.
    var ids: [JSONPointer] {
        let texts: [String] =
            switch self {
            case .banking:
                [
                    "/idempotent_key", "/user_id", "/business_id", "/routable_bank_account_id", "/data/id",
                    "/data/transaction_id", "/data/user_id", "/data/business_id", "/data/routable_bank_account_id",
                    "/data/items/id", "/data/items/user_id", "/data/items/routable_bank_account_id",
                ]
            case .ingopay:
                [
                    "/participant_unique_id1", "/transaction/participant_unique_ids/participant_unique_id1",
                    "/data/participant_unique_id1", "/transaction_id", "/data/transaction_id",
                    "/transaction/transaction_id", "/tracer_id", "/data/tracer_id",
                ]
            case .notify:
                [
                    "/participant_unique_id1", "/transaction/participant_unique_ids/participant_unique_id1",
                    "/data/participant_unique_id1", "/transaction_id", "/data/transaction_id",
                    "/transaction/transaction_id", "/tracer_id", "/data/tracer_id", "/notification_id",
                    "/data/notification_id", "/transaction/notification_id",
                ]
            // Of iframe's ids one is a bearer's proof, and the others are not known; a problem has none.
            case .iframe, .problem: []
            }
        return texts.compactMap { JSONPointer($0) }
    }
}
