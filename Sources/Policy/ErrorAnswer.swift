// The gateway's own answers in bytes: status line, `Proxy-Status` (RFC 9209), `X-Request-Id` and a body in the form of
// the route's product, so that callers need one parser.

package import HTTP

extension Refusal {
    /// Appends the whole answer. `fields` are further lines of its head, each with its end; `close` says that the
    /// connection ends with it; `body` is false for HEAD. Gives the bytes of the body that it appended.
    @discardableResult
    package func write(
        to out: inout ByteBuffer, product: Product, requestID: Span<UInt8>, fields: Span<UInt8> = Span(), close: Bool,
        body: Bool = true
    ) -> Int {
        out.append("HTTP/1.1 ")
        out.appendDecimal(status)
        out.append(" ")
        out.append(Self.reason(status))
        out.append("\r\nProxy-Status: countersign; error=")
        out.append(error)
        writeOutcomeParameters(to: &out)
        out.append("\r\nX-Request-Id: ")
        out.append(requestID)
        if !allowed.isEmpty { writeAllow(to: &out) }
        if let seconds = retryAfter ?? usualRetryAfter {
            out.append("\r\nRetry-After: ")
            out.appendDecimal(seconds)
        }
        if close { out.append("\r\nConnection: close") }
        if !fields.isEmpty {
            out.append("\r\n")
            out.append(fields.extracting(0..<fields.count - 2))
        }
        out.append(
            product == .problem ? "\r\nContent-Type: application/problem+json" : "\r\nContent-Type: application/json")
        out.append("\r\nContent-Length: ")
        var text = ByteBuffer(capacity: 512)
        writeBody(to: &text, product: product, requestID: requestID)
        out.appendDecimal(text.count)
        out.append("\r\n\r\n")
        guard body else { return 0 }
        out.append(text.bytes)
        return text.count
    }

    /// Never an invitation to repeat what may have been carried out.
    private var usualRetryAfter: Int? { status == 503 && sent == .nothing ? 1 : nil }

    private func writeOutcomeParameters(to out: inout ByteBuffer) {
        switch sent {
        case .nothing: out.append("; sent=?0")
        case .maybe(let lost), .earlier(let lost):
            out.append("; sent=?1; outcome=")
            out.append(Self.word(lost))
        }
    }

    private func writeAllow(to out: inout ByteBuffer) {
        out.append("\r\nAllow: ")
        var first = true
        for method in Method.allCases where allowed.contains(method) {
            if !first { out.append(", ") }
            out.append(method.name)
            first = false
        }
    }

    private func writeBody(to out: inout ByteBuffer, product: Product, requestID: Span<UInt8>) {
        switch product {
        case .problem:
            out.append("{\"type\":\"about:blank\",\"title\":\"")
            out.append(Self.reason(status))
            out.append("\",\"status\":")
            out.appendDecimal(status)
            out.append(",\"detail\":\"")
            writeMessage(to: &out)
            out.append("\",\"error\":\"")
            out.append(error)
            out.append("\"")
        case .banking:
            out.append("{\"status\":\"error\",\"message\":\"")
            writeMessage(to: &out)
            out.append("\",\"status_code\":{\"status_code\":")
            out.appendDecimal(family.code)
            out.append(",\"error_type\":\"")
            out.append(family.name)
            out.append("\"},\"source\":\"countersign\"")
        case .ingopay:
            out.append("{\"status\":")
            out.appendDecimal(status)
            out.append(",\"client_message\":\"")
            writeMessage(to: &out)
            out.append("\",\"source\":\"countersign\"")
        }
        switch sent {
        case .nothing: out.append(",\"sent\":false")
        case .maybe(let lost), .earlier(let lost):
            out.append(",\"sent\":true,\"outcome\":\"")
            out.append(Self.word(lost))
            out.append("\"")
        }
        out.append(",\"request_id\":\"")
        out.append(requestID)
        out.append("\"}")
    }

    private func writeMessage(to out: inout ByteBuffer) {
        out.append(message)
        switch sent {
        case .nothing, .earlier: break
        case .maybe(.assumeSuccess):
            out.append(" The request may have been carried out: count it as done, and ask with the same id.")
        case .maybe(.assumeFailure):
            out.append(" The request may have been carried out: count it as not done, and ask with the same id.")
        case .maybe(.unknown):
            out.append(" The request may have been carried out: find out before you send it again.")
        }
    }

    private static func word(_ lost: LostAnswer) -> StaticString {
        switch lost {
        case .assumeSuccess: "assume-success"
        case .assumeFailure: "assume-failure"
        case .unknown: "unknown"
        }
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Error"
        }
    }
}
