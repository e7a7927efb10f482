// What the admin listener answers: status, type, body; and how it is written.
// Relies on HTTP for the bytes. Refuses to repeat anything of a request.

internal import HTTP

/// The status line's numbers that the admin listener uses.
enum AdminStatus: Int, CaseIterable {
    case ok = 200
    case badRequest = 400
    case notFound = 404
    case methodNotAllowed = 405
    case headTooLarge = 431
    case unavailable = 503

    var reason: StaticString {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .headTooLarge: "Request Header Fields Too Large"
        case .unavailable: "Service Unavailable"
        }
    }
}

/// One answer.
struct AdminAnswer: ~Copyable {
    enum Kind {
        case text, json, metrics

        var mediaType: StaticString {
            switch self {
            case .text: "text/plain; charset=utf-8"
            case .json: "application/json"
            case .metrics: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    let status: AdminStatus
    let kind: Kind
    let body: ByteBuffer

    init(_ status: AdminStatus, _ kind: Kind, _ body: consuming ByteBuffer) {
        self.status = status
        self.kind = kind
        self.body = body
    }

    /// A short text.
    init(_ status: AdminStatus, _ text: StaticString) {
        self.status = status
        kind = .text
        var body = ByteBuffer(capacity: 128)
        body.append(text)
        body.append("\n")
        self.body = body
    }

    /// Appends the whole answer; without the body for HEAD.
    func write(to output: inout ByteBuffer, withBody: Bool, closes: Bool) {
        output.append("HTTP/1.1 ")
        output.appendDecimal(status.rawValue)
        output.append(" ")
        output.append(status.reason)
        output.append("\r\nContent-Type: ")
        output.append(kind.mediaType)
        output.append("\r\nContent-Length: ")
        output.appendDecimal(body.count)
        output.append("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        if status == .methodNotAllowed { output.append("Allow: GET, HEAD\r\n") }
        output.append(closes ? "Connection: close\r\n\r\n" : "\r\n")
        if withBody { output.append(body.bytes) }
    }
}
