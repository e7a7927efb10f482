// The fields of the products' bodies and their treatment. Relies on the products' published pages for names. Refuses
// nothing: a name that stands in no list here is not shown, and its value neither.

internal import HTTP

extension RedactionDraft {
    /// The fields of one product, and those that all have in common.
    mutating func add(_ preset: RedactionPreset) {
        for name in Self.hiddenEverywhere { add(name, .hidden, nil) }
        for name in Self.lastFourEverywhere { add(name, .lastFour, nil) }
        for name in Self.namesOnly { add(name, .length, nil) }
        for (name, forms) in Self.shownEverywhere { add(name, .shown(forms), nil) }
        for (name, forms) in Self.shownInAnswers { add(name, .shown(forms), .length) }
        let own: [(String, ShownForms)] =
            switch preset {
            case .banking: Self.banking
            case .ingopay: Self.ingopay
            case .notify: Self.notify
            case .iframe: Self.iframe
            case .problem: Self.problem
            }
        for (name, forms) in own { add(name, .shown(forms), nil) }
    }

    /// Secrets, bearer tokens and links, what a card proves itself with, Social Security numbers, birth dates, names.
    private static let hiddenEverywhere = [
        "api_key", "apikey", "secret", "client_secret", "hmac_secret", "password", "passphrase", "token",
        "access_token",
        "refresh_token", "id_token", "customer_account_token", "third_party_token", "risk_assessment_token",
        "account_token", "authorization", "signature", "authorized_url", "session_identifier", "session_token",
        "mobus_customer_id", "fingerprint", "account_fingerprint", "cvv", "cvv2", "cvc", "cvc2", "track1", "track2",
        "track_1", "track_2", "pin", "pin_block", "expiration_date", "expiry", "exp_date", "ssn", "ssn_last_4",
        "ssn_last4", "social_security_number", "itin", "ein", "tin", "tax_id", "tax_identification_number",
        "business_ein", "business_rep_ssn", "passport_number", "driver_license_number", "date_of_birth", "dob",
        "birth_date", "birthdate", "business_rep_dob", "name", "first_name", "middle_name", "last_name", "full_name",
        "legal_name", "business_name", "display_name", "account_holder_name", "cardholder_name", "card_holder_name",
        "name_on_card", "name_personal", "name_business", "recipient_name", "recipient_first_name",
        "recipient_last_name", "recipient_business_name", "sender_name", "sender_first_name", "sender_last_name",
        "sender_business_name", "business_rep_name", "business_rep_first_name", "business_rep_last_name",
        "owner_first_name", "owner_last_name", "client_provided_value",
    ]

    private static let lastFourEverywhere = [
        "account_number", "bank_account_number", "card_number", "pan", "account", "sender_account",
        "recipient_account", "account_number_last_4", "account_number_last4", "last_4", "last4", "last_four",
    ]

    /// Names that may be shown, of fields whose values become type and length: objects, lists, texts, addresses.
    private static let namesOnly = [
        "data", "items", "request", "response", "transaction", "transactions", "open_banking", "open_banking_response",
        "participant_unique_ids", "recipient", "recipient_information", "sender", "transaction_parties",
        "authentication", "notification", "ledger", "user", "business", "business_owners", "bank_account", "card",
        "merchant", "program", "metadata", "meta_data", "value", "key", "pagination", "sort", "search", "errors",
        "message", "client_message", "description", "event_description", "detail", "title", "instance", "reason",
        "routing_number", "email", "phone_number", "recipient_email", "recipient_phone", "sender_email",
        "sender_phone", "address", "address_1", "address_2", "address_line_1", "address_line_2", "city", "state", "zip",
        "postal_code", "recipient_address1", "recipient_address2", "recipient_city", "recipient_state",
        "recipient_zip", "sender_address1", "sender_address2", "sender_city", "sender_state", "sender_zip",
        "contact_email", "contact_phone", "customer_id", "ownership_percent", "balance", "available_balance", "memo",
        "session_duration", "options", "limits", "status_description", "network_response",
    ]

    private static let shownEverywhere: [(String, ShownForms)] = [
        ("participant_id", .code), ("participant_unique_id1", .identifier), ("participant_unique_id2", .identifier),
        ("idempotent_key", .identifier), ("idempotency_key", .identifier), ("transaction_id", .identifier),
        ("tracer_id", .identifier), ("user_id", .identifier), ("business_id", .identifier),
        ("entity_id", .identifier), ("entity_type", .word), ("timestamp", .time), ("version", .code),
        ("amount", [.amount, .code]), ("currency", .word), ("currency_code", .word), ("type", .word),
        ("transaction_type", .word), ("account_type", .word),
    ]

    private static let shownInAnswers: [(String, ShownForms)] = [
        ("status", [.code, .word]), ("status_code", [.code, .word]), ("code", [.code, .word]),
        ("error_code", [.code, .word]), ("error_type", .word), ("error", .word), ("source", .word), ("sent", .word),
        ("outcome", .word), ("request_id", .identifier), ("id", .identifier), ("time", [.time, .amount, .code]),
        ("duration", [.amount, .code]), ("created_at", .time), ("updated_at", .time),
        ("transaction_status", [.code, .word]), ("response_code", [.code, .word]), ("network", .word),
        ("event", .word), ("event_type", .word), ("event_id", .identifier), ("fee", [.amount, .code]),
    ]

    private static let banking: [(String, ShownForms)] = [
        ("page", .code), ("per_page", .code), ("total", .code), ("routable_bank_account_id", .identifier),
        ("from_routable_bank_account_id", .identifier), ("to_routable_bank_account_id", .identifier),
        ("bank_account_id", .identifier), ("linked_bank_account_id", .identifier),
        ("program_bank_account_id", .identifier), ("business_owner_id", .identifier),
        ("routable_card_id", .identifier), ("transfer_id", .identifier), ("program_id", .identifier),
        ("bank_account_type", .word), ("account_status", .word), ("verification_status", .word),
        ("business_type", .word), ("direction", .word), ("start_date", .time), ("end_date", .time),
    ]

    private static let ingopay: [(String, ShownForms)] = [
        ("notification_id", .identifier), ("transaction_type_id", .code), ("account_type_code", .word),
        ("card_network", .word), ("card_type", .word), ("network_id", .code), ("issuer_response_code", [.code, .word]),
        ("avs_result", .word), ("cvv_result", .word), ("is_idempotent", .word), ("biller_id", .code),
    ]

    private static let notify: [(String, ShownForms)] = [
        ("notification_id", .identifier), ("notification_type", .word), ("authentication_type", .word),
        ("party_type", .word), ("party_role", .word), ("topic", .word), ("expiration_in_days", .code),
        ("language", .word), ("transaction_type_id", .code),
    ]

    private static let iframe: [(String, ShownForms)] = [
        ("session_status", .word), ("plugin_type", .word), ("language", .word), ("topic", .word),
        ("allowed_account_types", .word), ("is_idempotent", .word),
    ]

    private static let problem: [(String, ShownForms)] = [
        ("cause", .word), ("phase", .word), ("retry_after", .code), ("trace_id", .identifier),
    ]
}
