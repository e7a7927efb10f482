// What a hostile or odd answer of an upstream is: its bytes, how it ends, and what the caller must see.
// Relies on nothing of the gateway's. Texts stand for bytes as in HostileRequest.

/// What the upstream does behind its bytes.
enum Ending: Sendable {
    /// Leaves the connection open.
    case open
    /// Says its end and closes.
    case close
    /// Ends with a reset.
    case reset
}

/// What the caller must see. The upstream's connection must not be used again unless it says so.
enum AnswerFate: Sendable {
    /// 502 with this error, and with what the route says of the outcome.
    case failed(String)
    /// A head and perhaps a part of the body, and an end that no reader takes for a whole answer.
    case broken
    /// A whole answer with this status and body.
    case whole(Int, String, reused: Bool)
    /// Any of these; the next request is answered with its own answer in any case.
    case anything
}

/// One row of a table.
struct HostileAnswer: Sendable, CustomStringConvertible {
    let name: String
    let bytes: [UInt8]
    let ending: Ending
    let fate: AnswerFate
    /// The method that it answers.
    var method = "POST"

    var description: String { "\(name) (\(ending))" }

    init(_ name: String, _ text: String, _ ending: Ending, _ fate: AnswerFate, method: String = "POST") {
        self.name = name
        bytes = latin1(text)
        self.ending = ending
        self.fate = fate
        self.method = method
    }
}

extension AnswerFate {
    /// It cannot be read in one way.
    static var unusable: AnswerFate { .failed("http_protocol_error") }
    /// It ended before it began, or within the head.
    static var lost: AnswerFate { .failed("connection_terminated") }
    /// It is whole and the connection is not used again.
    static func last(_ status: Int, _ body: String) -> AnswerFate { .whole(status, body, reused: false) }
    /// It is whole and the connection is used again.
    static func good(_ status: Int, _ body: String) -> AnswerFate { .whole(status, body, reused: true) }
}

/// Rows that have fate, ending and frame in common.
func answers(
    _ fate: AnswerFate, then ending: Ending = .open, _ parts: [String], _ frame: (String) -> String
) -> [HostileAnswer] {
    parts.map { HostileAnswer(visible(frame($0)), frame($0), ending, fate) }
}
