// The answers about callers and limits. They tell nothing to guess from, and when it makes sense to come back.

extension Refusal {
    /// Nobody known calls: no identity, or one that is not configured. The same for both.
    package static var callerUnknown: Refusal {
        Refusal(
            401, "http_request_denied", .security,
            "The caller is not known. Call with the identity that the operator has given you.")
    }

    /// The caller is known, and may not use the route.
    package static var callerNotAllowed: Refusal {
        Refusal(403, "http_request_denied", .security, "The caller may not make this call. Ask the operator.")
    }

    /// A quota of the caller's is used up. `retry(afterMilliseconds:)` says until when.
    package static var quotaExceeded: Refusal {
        Refusal(
            429, "http_request_denied", .processing,
            "A quota is used up. Nothing was sent; try again after the time in Retry-After.")
    }

    /// The request would wait longer for the upstream's pace than it may. `retry(afterMilliseconds:)` says how long.
    package static var paceExceeded: Refusal {
        var refusal = Refusal(
            429, "connection_limit_reached", .processing,
            "The upstream takes no more requests for now. Nothing was sent; try again after the time in Retry-After.")
        refusal.retryAfter = 1
        return refusal
    }
}
