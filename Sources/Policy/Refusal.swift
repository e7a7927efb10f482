// Every answer that the gateway makes itself: one row each, with status, RFC 9209 error type, the product's error
// family and what the caller should do next. The texts never quote input, hosts or secrets.

package import HTTP

/// The family of Banking's structured error codes that fits a refusal (Ingo Banking API, Error codes).
package enum ErrorFamily: Sendable {
    case notFound, invalidState, validation, systemError, security, processing

    /// The first number of the family.
    package var code: Int {
        switch self {
        case .notFound: 1_000
        case .invalidState: 1_010
        case .validation: 1_020
        case .systemError: 1_030
        case .security: 1_040
        case .processing: 1_050
        }
    }

    /// The family's word in `error_type`.
    package var name: StaticString {
        switch self {
        case .notFound: "NOT_FOUND"
        case .invalidState: "INVALID_STATE"
        case .validation: "VALIDATION"
        case .systemError: "SYSTEM_ERROR"
        case .security: "SECURITY"
        case .processing: "PROCESSING"
        }
    }
}

/// Whether bytes of the request may have reached the upstream.
package enum Sent: Equatable, Sendable {
    /// No byte was taken: repeating the request is safe.
    case nothing
    /// The outcome is not known; the route says what to assume.
    case maybe(LostAnswer)
    /// Not this request, but an earlier one with the same idempotency key was sent; what to assume of that one.
    case earlier(LostAnswer)
}

/// One answer of the gateway's own.
package struct Refusal: Sendable {
    /// HTTP status, 400 ... 599.
    package let status: Int
    /// Error type of `Proxy-Status` (RFC 9209 section 2.3).
    package let error: StaticString
    package let family: ErrorFamily
    /// What happened and what to do next, one or two sentences.
    package let message: StaticString
    package var sent: Sent
    /// For 405.
    package var allowed: MethodSet
    /// Seconds after which it makes sense to ask again, 1 or more; nil where no time can be told.
    package var retryAfter: Int?

    package init(
        _ status: Int, _ error: StaticString, _ family: ErrorFamily, _ message: StaticString, sent: Sent = .nothing,
        allowed: MethodSet = MethodSet()
    ) {
        self.status = status
        self.error = error
        self.family = family
        self.message = message
        self.sent = sent
        self.allowed = allowed
    }

    /// The same answer for a request of which bytes may have been taken.
    package func afterSending(_ lost: LostAnswer) -> Refusal {
        var copy = self
        copy.sent = .maybe(lost)
        return copy
    }

    /// The same answer about an earlier request with the same idempotency key.
    package func aboutEarlier(_ lost: LostAnswer) -> Refusal {
        var copy = self
        copy.sent = .earlier(lost)
        return copy
    }

    /// The same answer with the time after which it makes sense to ask again, rounded up to whole seconds.
    package func retry(afterMilliseconds milliseconds: Int) -> Refusal {
        var copy = self
        copy.retryAfter = max(1, (milliseconds + 999) / 1_000)
        return copy
    }
}

// MARK: - Before anything was sent

extension Refusal {
    /// The request's bytes cannot be read in exactly one way.
    package init(_ refusal: HTTPRefusal) {
        self.init(refusal.status, "http_request_error", .validation, refusal.explanation)
    }

    /// The body is not one JSON object that every reader reads alike.
    package init(_ problem: JSONProblem) {
        self.init(400, "http_request_error", .validation, problem.explanation)
    }

    package static var noRoute: Refusal {
        Refusal(404, "destination_not_found", .notFound, "No route takes this path. Check the path and the routes.")
    }

    package static func methodNotAllowed(_ allowed: MethodSet) -> Refusal {
        Refusal(
            405, "http_request_denied", .validation, "The route does not take this method. See the Allow header.",
            allowed: allowed)
    }

    package static var unsupportedMediaType: Refusal {
        Refusal(
            415, "http_request_error", .validation,
            "The body must be JSON. Send Content-Type: application/json, in UTF-8.")
    }

    package static var unsupportedContentEncoding: Refusal {
        Refusal(
            415, "http_request_error", .validation,
            "The body's Content-Encoding is not one of gzip and deflate. Send it as it is, or with one of these.")
    }

    package static var compressedBodyBroken: Refusal {
        Refusal(
            400, "http_request_error", .validation,
            "The compressed body is broken: not one whole stream of the announced coding. Send it again.")
    }

    package static var bodyMissing: Refusal {
        Refusal(400, "http_request_error", .validation, "A JSON object is expected as the body, and none was sent.")
    }

    /// The connection ends: what stands behind such a head may be meant as its body.
    package static var lengthRequired: Refusal {
        Refusal(
            411, "http_request_error", .validation,
            "The request says neither how long its body is nor that it is chunked. Send Content-Length.")
    }

    package static var fieldDiffers: Refusal {
        Refusal(
            400, "http_request_denied", .validation,
            "A field that the gateway sets for this program has another value. Leave it out or send the program's own.")
    }

    package static var fieldHasNoParent: Refusal {
        Refusal(
            400, "http_request_error", .validation,
            "The object that holds a field which the gateway sets is absent or not an object. Send it, if only as {}.")
    }

    package static var apiKeyNotExpected: Refusal {
        Refusal(
            400, "http_request_denied", .security,
            "The body names an API key, and this route's credential has none. Leave it out: callers hold no keys.")
    }

    package static var signedHeaderRepeated: Refusal {
        Refusal(
            400, "http_request_error", .validation, "A header that is signed stands more than once. Send it once.")
    }

    package static var bodyTimeout: Refusal {
        Refusal(
            408, "http_request_error", .validation,
            "The body did not arrive in time. Nothing was sent; send the request again, whole.")
    }

    package static var headTimeout: Refusal {
        Refusal(408, "http_request_error", .validation, "The request's head did not arrive in time. Send it again.")
    }

    package static var memoryFull: Refusal {
        Refusal(
            503, "proxy_internal_response", .systemError,
            "The gateway holds as many bytes of bodies as it may. Nothing was sent; try again shortly.")
    }

    package static var draining: Refusal {
        Refusal(
            503, "proxy_internal_response", .systemError,
            "The gateway is stopping. Nothing was sent; try again with the next one.")
    }
}

// MARK: - Towards the upstream

extension Refusal {
    package static var poolFull: Refusal {
        Refusal(
            503, "connection_limit_reached", .systemError,
            "Too many requests wait for the upstream. Nothing was sent; try again shortly.")
    }

    package static var circuitOpen: Refusal {
        Refusal(
            503, "destination_unavailable", .systemError,
            "The upstream failed again and again and is not asked for now. Nothing was sent; try again shortly.")
    }

    package static var connectTimeout: Refusal {
        Refusal(
            504, "connection_timeout", .systemError,
            "The upstream could not be reached in time. Nothing was sent; try again.")
    }

    package static var connectRefused: Refusal {
        Refusal(
            502, "connection_refused", .systemError, "The upstream refused the connection. Nothing was sent; try again."
        )
    }

    package static var nameUnknown: Refusal {
        Refusal(
            502, "dns_error", .systemError,
            "The upstream's name could not be resolved. Nothing was sent; check the name service, then try again.")
    }

    package static var certificateRefused: Refusal {
        Refusal(
            502, "tls_certificate_error", .security,
            "The upstream's certificate is not trusted. Nothing was sent; check the CA file, the name and the dates.")
    }

    package static var tlsFailed: Refusal {
        Refusal(
            502, "tls_protocol_error", .systemError,
            "No TLS session could be made with the upstream. Nothing was sent; try again.")
    }

    package static var connectionLost: Refusal {
        Refusal(
            502, "connection_terminated", .systemError, "The upstream closed the connection before it answered.")
    }

    package static var writeTimeout: Refusal {
        Refusal(504, "connection_write_timeout", .systemError, "The upstream did not take the request in time.")
    }

    package static var answerTimeout: Refusal {
        Refusal(504, "http_response_timeout", .systemError, "The upstream did not answer in time.")
    }

    /// The gateway stopped while the upstream had the request; not 503, which would invite to send again.
    package static var stoppedAfterSending: Refusal {
        Refusal(502, "connection_terminated", .systemError, "The gateway stopped before the upstream answered.")
    }

    /// The answer's bytes cannot be read in exactly one way, or it ended early.
    package static var answerUnusable: Refusal {
        Refusal(502, "http_protocol_error", .systemError, "The upstream's answer cannot be used.")
    }

    package static var answerIncomplete: Refusal {
        Refusal(502, "http_response_incomplete", .systemError, "The upstream's answer ended before it was whole.")
    }
}
