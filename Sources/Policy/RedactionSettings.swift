// What the operator says of redaction: further fields of a route that a log may show, and fields that it hides. Config
// fills these. Relies on nothing. Refuses, by the order of the treatments, to show what a preset hides.

package import HTTP

/// Whose fields a body has.
package enum RedactionPreset: String, CaseIterable, Sendable {
    case banking, ingopay, notify, iframe
    /// `application/problem+json` (RFC 9457), the gateway's own and others'.
    case problem

    /// The preset of a route's own error answers.
    package init(_ product: Product) {
        switch product {
        case .problem: self = .problem
        case .banking: self = .banking
        case .ingopay: self = .ingopay
        }
    }
}

/// Which way a body goes. Fewer fields are shown of requests, which callers write as they like.
package enum BodyDirection: String, CaseIterable, Sendable {
    case request, answer
}

/// A field of a body, compared un-escaped and in any case of ASCII letters.
package enum RedactedField: Equatable, Sendable {
    /// At any depth. 1 ... 256 bytes.
    case name(String)
    /// At one place; arrays on the way to it, and strings that hold JSON, are passed through.
    case pointer(JSONPointer)

    /// Reads a pointer where `text` begins with `/`, else a name; nil where it is neither.
    package init?(_ text: String) {
        if text.utf8.first == UInt8(ascii: "/") {
            guard let pointer = JSONPointer(text), pointer.names.allSatisfy({ $0.count <= JSONStream.maxName }) else {
                return nil
            }
            self = .pointer(pointer)
        } else {
            guard (1...JSONStream.maxName).contains(text.utf8.count) else { return nil }
            self = .name(text)
        }
    }
}

/// What a route adds to its preset.
package struct RedactionSettings: Equatable, Sendable {
    /// Most fields of each list.
    package static let maxFields = 32

    /// 0 ... 32 fields whose values are shown where they have a form that is known to be safe (`ShownForms`): codes,
    /// enumerations, identifiers, amounts and times, never free text. What the preset hides, or shows the last four
    /// digits of, stays so.
    package var show: [RedactedField] = []
    /// 0 ... 32 fields of which nothing is shown, not even type and length. Wins over all else.
    package var hide: [RedactedField] = []
    /// 0 ... 4 fields that are ids beside those of the preset (`CorrelationIDs`).
    package var ids: [JSONPointer] = []

    package init(show: [RedactedField] = [], hide: [RedactedField] = [], ids: [JSONPointer] = []) {
        self.show = show
        self.hide = hide
        self.ids = ids
    }
}
