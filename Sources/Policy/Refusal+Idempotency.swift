// The answers about idempotency keys: one row each. Where an earlier request with the same key was sent, they say what
// is known of it (`Refusal.aboutEarlier`).

extension Refusal {
    package static var keyMissing: Refusal {
        Refusal(
            400, "http_request_error", .validation,
            "The request has no idempotency key, and this route needs one. Send the same key with each repeat.")
    }

    package static var keyMalformed: Refusal {
        Refusal(
            400, "http_request_error", .validation,
            "The idempotency key is not a text of 1 to 255 bytes without control characters. Send such a one.")
    }

    package static var keyReused: Refusal {
        Refusal(
            422, "http_request_denied", .validation,
            "The idempotency key belongs to another request: this one differs from it. Send it with a key of its own.")
    }

    /// The first request with the key is still on its way.
    package static var keyInFlight: Refusal {
        var refusal = Refusal(
            409, "http_request_denied", .invalidState,
            "A request with this idempotency key is still on its way. Ask again for its answer with the same key.")
        refusal.retryAfter = 2
        return refusal
    }

    /// More equal requests wait than may.
    package static var keyBusy: Refusal {
        var refusal = Refusal(
            409, "http_request_denied", .invalidState,
            "Too many requests wait for an answer that is on its way. Ask again for it with the same key.")
        refusal.retryAfter = 2
        return refusal
    }

    /// The outcome of the first request is unknown, and this one is not sent.
    package static var keyUnknown: Refusal {
        Refusal(
            409, "http_request_denied", .invalidState,
            """
            The outcome of the first request with this idempotency key is unknown: it may have been carried out, and \
            is not sent again. Find out, and have the operator settle the key.
            """)
    }

    /// The outcome of the first request is unknown; it is asked for again later.
    package static func keyUnknown(againAfterMilliseconds milliseconds: Int) -> Refusal {
        Refusal(
            409, "http_request_denied", .invalidState,
            "The outcome of the first request with this key is not known yet. Ask again later, with the same key."
        ).retry(afterMilliseconds: milliseconds)
    }

    /// It was carried out, and its answer is not there.
    package static var keyDone: Refusal {
        Refusal(
            409, "http_request_denied", .invalidState,
            "The request with this idempotency key was carried out; its answer was not kept. Read the result elsewhere."
        )
    }

    /// The store cannot be asked. Nothing was sent.
    package static func storeFailed(_ failure: StoreFailure) -> Refusal {
        switch failure {
        case .timeout, .overloaded, .tooManyKeys:
            Refusal(
                503, "proxy_internal_response", .systemError,
                "The store of idempotency keys has no room or time for another. Nothing was sent; try again shortly.")
        case .cannotOpen, .locked, .readOnly, .full, .corrupt, .newer, .inputOutput:
            Refusal(
                503, "proxy_internal_response", .systemError,
                "The store of idempotency keys cannot be written. Nothing was sent; tell the operator, then try again.")
        }
    }
}
