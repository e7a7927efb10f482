// Answers before they are sent, and the forms that errors take in each product.
// Relies on the published envelopes; forms that are not published are marked as the sandbox's own choice.

/// An answer to one request.
struct SandboxAnswer: Sendable {
    var status: Int
    var fields: [(name: String, value: String)] = []
    var body: Bytes

    init(_ status: Int, _ json: WireJSON, fields: [(name: String, value: String)] = []) {
        self.status = status
        self.fields = fields
        body = json.bytes
    }

    /// Kong's own refusals.
    static func kong(_ status: Int, _ message: String) -> SandboxAnswer {
        SandboxAnswer(status, ["message": .text(message)])
    }

    /// Kong's refusal of a signature.
    static func unauthorized(_ cause: RefusalCause) -> SandboxAnswer {
        SandboxAnswer(401, ["message": .text(cause.message)], fields: [("WWW-Authenticate", "hmac")])
    }

    static func reason(_ status: Int) -> String {
        let reasons = [
            100: "Continue", 103: "Early Hints", 200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
            404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict",
            411: "Length Required", 413: "Content Too Large", 429: "Too Many Requests",
            431: "Request Header Fields Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
            503: "Service Unavailable", 504: "Gateway Timeout",
        ]
        return reasons[status] ?? "Unknown"
    }
}

/// A request that Banking refuses: a code of one of its families and a sentence.
struct BankingRefusal: Error {
    var code: Int
    var message: String

    static func missing(_ field: String) -> BankingRefusal { .init(code: 1020, message: "\(field) is required") }
    static func form(_ field: String) -> BankingRefusal { .init(code: 1021, message: "\(field) is not valid") }
    static func unknown(_ what: String) -> BankingRefusal { .init(code: 1000, message: "\(what) not found") }
    static func state(_ message: String) -> BankingRefusal { .init(code: 1010, message: message) }

    /// The family's name (OpenAPI description of the Banking API, error codes).
    var family: String {
        switch code {
        case 1000...1005: "NOT_FOUND"
        case 1010...1014: "INVALID_STATE"
        case 1020...1026: "VALIDATION"
        case 1030...1034: "SYSTEM_ERROR"
        case 1040...1042: "SECURITY"
        default: "PROCESSING"
        }
    }

    /// Banking's error envelope. 400 for whatever the caller can mend, 401 for the key, as the API's document has it.
    func answer(status: Int? = nil) -> SandboxAnswer {
        let usual = family == "SECURITY" ? 401 : family == "SYSTEM_ERROR" ? 500 : 400
        return SandboxAnswer(
            status ?? usual,
            [
                "status": "error", "message": .text(message), "data": [:],
                "status_code": [
                    "status_code": .int(code), "error_type": .text(family), "message": .text(message),
                    "description": .text(message),
                ],
            ])
    }
}

/// A request that IngoPay refuses: a body code and a sentence.
struct IngoPayRefusal: Error {
    var code: Int
    var message: String

    static func missing(_ field: String) -> IngoPayRefusal {
        .init(code: 400, message: "Parameter missing or null: \(field)")
    }
    static func incorrect(_ field: String) -> IngoPayRefusal {
        .init(code: 401, message: "Parameter incorrect: \(field)")
    }

    /// The form of v11 or, for debit, of v12, whose status is a string. Which HTTP status goes with a body code is not
    /// published; the sandbox sends 400 unless told otherwise.
    func answer(nested: Bool, status: Int = 400) -> SandboxAnswer {
        if nested {
            return SandboxAnswer(
                status,
                [
                    "request": [:],
                    "response": ["status": .text("\(code)"), "message": .text(message), "duration": "0.001"],
                ]
            )
        }
        return SandboxAnswer(
            status, ["status": .int(code), "client_message": .text(message), "data": [:], "time": "0.0010"])
    }
}
