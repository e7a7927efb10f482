// Why a JSON body is refused. Each problem has one explanation that is safe to send to a caller and to log: it never
// quotes the body. Relies on nothing.

/// What is wrong with a JSON body (RFC 8259; stricter where two readers could understand it differently).
package enum JSONProblem: UInt8, Error, CaseIterable, Sendable {
    case empty, byteOrderMark, notAnObject, badSyntax, badNumber, badString, badEscape, badUTF8, tooDeep
    case trailingBytes, duplicateName, unterminated

    /// What is wrong and what to do about it; never quotes input.
    package var explanation: StaticString {
        switch self {
        case .empty: "the body is empty; send a JSON object"
        case .byteOrderMark: "the body begins with a byte order mark; send UTF-8 without one"
        case .notAnObject: "the body is not a JSON object; it must begin with {"
        case .badSyntax: "the body is not valid JSON; a value, a name or one of , : ] } was expected here"
        case .badNumber: "a number is not valid JSON; leading zeros, a plus sign or missing digits are not allowed"
        case .badString: "a string holds a raw control byte; write it as an escape"
        case .badEscape: "a string holds an unknown or incomplete escape, or half of a surrogate pair; write the pair"
        case .badUTF8: "a string is not valid UTF-8; send the body as UTF-8"
        case .tooDeep: "the body is nested deeper than the limit on JSON depth allows; flatten it or raise the limit"
        case .trailingBytes: "there are bytes behind the JSON object; send one object and nothing else"
        case .duplicateName: "an object has the same member name twice; send each name once"
        case .unterminated: "the body ends before the JSON object does; send it whole"
        }
    }
}

/// A problem and where it was met.
package struct JSONFailure: Error, Equatable, Sendable {
    package let problem: JSONProblem
    /// Offset of the byte at which the body stopped being acceptable; its length where it ended too early.
    package let offset: Int

    package init(_ problem: JSONProblem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }
}
