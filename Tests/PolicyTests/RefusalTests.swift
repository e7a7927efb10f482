// The gateway's own answers: each refusal in each product's envelope, read back with our own parsers; what callers are
// told about sending; statuses.
// Relies on AnswerReading.swift.

import HTTP
import Policy
import Testing

private let statuses: [String: Int] = [
    "noRoute": 404, "methodNotAllowed": 405, "unsupportedMediaType": 415, "unsupportedContentEncoding": 415,
    "bodyMissing": 400, "fieldDiffers": 400, "fieldHasNoParent": 400, "apiKeyNotExpected": 400,
    "signedHeaderRepeated": 400, "bodyTimeout": 408, "headTimeout": 408, "draining": 503,
    "poolFull": 503, "connectTimeout": 504, "connectRefused": 502, "nameUnknown": 502, "certificateRefused": 502,
    "tlsFailed": 502, "connectionLost": 502, "writeTimeout": 504, "answerTimeout": 504, "answerUnusable": 502,
    "answerIncomplete": 502, "stoppedAfterSending": 502, "keyMissing": 400, "keyMalformed": 400, "keyReused": 422,
    "keyInFlight": 409, "keyBusy": 409, "keyUnknown": 409, "keyUnknownLater": 409, "keyDone": 409,
]

/// Seconds to wait where a refusal names them.
private let waits: [String: String] = ["keyInFlight": "2", "keyBusy": "2", "keyUnknownLater": "2"]

/// Error types of RFC 9209 section 2.3 that the gateway may use.
private let errorTypes: Set<String> = [
    "dns_timeout", "dns_error", "destination_not_found", "destination_unavailable", "connection_refused",
    "connection_terminated", "connection_timeout", "connection_read_timeout", "connection_write_timeout",
    "connection_limit_reached", "tls_protocol_error", "tls_certificate_error", "http_request_error",
    "http_request_denied", "http_response_incomplete", "http_response_timeout", "http_protocol_error",
    "proxy_internal_response", "proxy_internal_error",
]

private let words: [(lost: LostAnswer, word: String)] = [
    (.assumeSuccess, "assume-success"), (.assumeFailure, "assume-failure"), (.unknown, "unknown"),
]

private func words(_ name: String) -> String { "\"" + name + "\"" }

@Suite struct RefusalTests {
    @Test(arguments: Product.allCases)
    func everyRefusalIsAWholeAnswer(_ product: Product) throws {
        for (name, refusal) in allRefusals {
            for close in [false, true] {
                let read = try #require(answer(refusal, product, close: close), "\(name)")
                #expect(read.status == refusal.status && read.keepAlive == !close, "\(name)")
                #expect(!read.reason.isEmpty && read.reason != "Error", "\(name): a status without its reason")
                #expect(read.fields["X-Request-Id"] == "0123456789abcdef-7", "\(name)")
                #expect(read.fields["Proxy-Status"] == "countersign; error=\(refusal.error); sent=?0", "\(name)")
                #expect(errorTypes.contains("\(refusal.error)"), "\(name): \(refusal.error)")
                let type = product == .problem ? "application/problem+json" : "application/json"
                #expect(read.fields["Content-Type"] == type, "\(name)")
                #expect(read.fields["Retry-After"] == (refusal.status == 503 ? "1" : waits[name]), "\(name)")
                #expect((read.fields["Allow"] != nil) == (name == "methodNotAllowed"), "\(name)")
                #expect(read.fieldCount == read.fields.count, "\(name): a field twice")
                let sent = try #require(read.members(["/sent", "/outcome", "/request_id"]), "\(name)")
                #expect(sent == ["false", nil, "\"0123456789abcdef-7\""], "\(name)")
            }
        }
    }

    @Test func theEnvelopesHaveTheirProductsMembers() throws {
        for (name, refusal) in allRefusals {
            let text = "\"\(refusal.message)\""
            let problem = try #require(answer(refusal, .problem))
            #expect(
                problem.members(["/type", "/title", "/status", "/detail", "/error"]) == [
                    "\"about:blank\"", words(problem.reason), "\(refusal.status)", text, words("\(refusal.error)"),
                ], "\(name)")
            let banking = try #require(answer(refusal, .banking))
            #expect(
                banking.members([
                    "/status", "/message", "/status_code/status_code", "/status_code/error_type", "/source",
                ]) == [
                    "\"error\"", text, "\(refusal.family.code)", words("\(refusal.family.name)"), "\"countersign\"",
                ], "\(name)")
            let ingopay = try #require(answer(refusal, .ingopay))
            #expect(
                ingopay.members(["/status", "/client_message", "/source"]) == [
                    "\(refusal.status)", text, "\"countersign\"",
                ], "\(name)")
        }
    }

    @Test(arguments: Product.allCases)
    func whatMayHaveBeenSentSaysSo(_ product: Product) throws {
        for (name, refusal) in allRefusals {
            for (lost, word) in words {
                let read = try #require(answer(refusal.afterSending(lost), product), "\(name)")
                #expect(read.status == refusal.status, "\(name)")
                let status = "countersign; error=\(refusal.error); sent=?1; outcome=\(word)"
                #expect(read.fields["Proxy-Status"] == status, "\(name)")
                #expect(read.members(["/sent", "/outcome"]) == ["true", words(word)], "\(name)")
                #expect(read.fields["Retry-After"] == waits[name], "\(name): an invitation to send again")
            }
        }
    }

    /// The refusals that can follow a sending; what they say before it must not contradict what is said behind it.
    @Test func whatMayHaveBeenSentIsNotSaidToBeUnsent() throws {
        let after: [Refusal] = [
            .connectionLost, .writeTimeout, .answerTimeout, .answerUnusable, .answerIncomplete, .stoppedAfterSending,
        ]
        for refusal in after {
            for (lost, _) in words {
                let read = try #require(answer(refusal.afterSending(lost), .ingopay))
                let message = try #require(read.member("/client_message"))
                #expect(!message.contains("Nothing was sent") && !message.contains("try again"), "\(message)")
                #expect(message.contains("may have been carried out"), "\(message)")
            }
        }
    }

    @Test func statusesAreTheTables() {
        for (name, refusal) in allRefusals where !name.contains(".") {
            #expect(refusal.status == statuses[name], "\(name)")
        }
        let others = HTTPRefusal.allCases.count + JSONProblem.allCases.count + StoreFailure.allCases.count
        #expect(allRefusals.count == statuses.count + others)
        for failure in StoreFailure.allCases { #expect(Refusal.storeFailed(failure).status == 503) }
        for refusal in HTTPRefusal.allCases {
            #expect(Refusal(refusal).status == refusal.status)
            #expect([400, 413, 414, 417, 431, 501, 505].contains(refusal.status), "\(refusal)")
        }
        for problem in JSONProblem.allCases { #expect(Refusal(problem).status == 400) }
        #expect(HTTPRefusal.bodyTooLarge.status == 413 && HTTPRefusal.lineTooLong.status == 414)
        #expect(HTTPRefusal.headTooLarge.status == 431 && HTTPRefusal.tooManyFields.status == 431)
        #expect(HTTPRefusal.unsupportedMethod.status == 501 && HTTPRefusal.unsupportedVersion.status == 505)
        #expect(HTTPRefusal.unsupportedExpectation.status == 417)
    }

    @Test func whatIsSaidOfAnEarlierRequestIsNotSaidOfThisOne() throws {
        for (lost, word) in words {
            let read = try #require(answer(.keyUnknown.aboutEarlier(lost), .banking))
            #expect(read.fields["Proxy-Status"] == "countersign; error=http_request_denied; sent=?1; outcome=\(word)")
            #expect(read.members(["/sent", "/outcome"]) == ["true", words(word)])
            #expect(read.member("/message") == "\"\(Refusal.keyUnknown.message)\"")
        }
    }

    @Test func timesToWaitAreRoundedUp() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (64_000, 64)] {
            #expect(Refusal.keyDone.retry(afterMilliseconds: milliseconds).retryAfter == seconds)
        }
    }

    @Test func allowNamesTheMethodsInOrder() throws {
        let all = MethodSet(Method.allCases.map { MethodSet($0) })
        let read = try #require(answer(.methodNotAllowed(all), .problem))
        #expect(read.fields["Allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
        let one = try #require(answer(.methodNotAllowed(MethodSet(.post)), .banking))
        #expect(one.fields["Allow"] == "POST")
    }

    @Test(arguments: Product.allCases)
    func anAnswerToHeadSaysItsLengthAndHasNoBody(_ product: Product) throws {
        for (name, refusal) in allRefusals {
            let head = try #require(answer(refusal, product, to: .head), "\(name)")
            let whole = try #require(answer(refusal, product, to: .get), "\(name)")
            #expect(head.contentLength == whole.body.count && head.fields == whole.fields, "\(name)")
        }
    }

    @Test func familiesAreBankings() {
        let families: [(ErrorFamily, Int, String)] = [
            (.notFound, 1_000, "NOT_FOUND"), (.invalidState, 1_010, "INVALID_STATE"),
            (.validation, 1_020, "VALIDATION"), (.systemError, 1_030, "SYSTEM_ERROR"), (.security, 1_040, "SECURITY"),
            (.processing, 1_050, "PROCESSING"),
        ]
        for (family, code, name) in families { #expect(family.code == code && "\(family.name)" == name) }
    }
}
