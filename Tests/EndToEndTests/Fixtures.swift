// The JSON of the documents that Ingo prints, as callers send it: five calls, each with its path and product.
// Relies on nothing. The bytes matter: line breaks and blanks are kept as printed.

/// One documented call.
struct DocumentedCall: Sendable, CustomStringConvertible {
    let name: String
    /// Path at the upstream, its base path included.
    let path: String
    let body: String
    /// The document shows an `api_key` in the body.
    let carriesKey: Bool
    var description: String { name }

    /// What the upstream must receive where the key's place is the body.
    var bodyWithKey: String { body.replacing("\"YOUR_API_KEY\"", with: "\"demo-api-key\"") }
}

let documentedCalls = [saveAccount, createUser, topUp, verifyAccount, saveProgramAccount]

private let saveAccount = DocumentedCall(
    name: "save a bank account", path: "/api/v4/users/bank-accounts/save",
    body: """
        {
          "api_key": "YOUR_API_KEY",
          "user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef",
          "idempotent_key": "idp-9f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8",
          "first_name": "Alex",
          "last_name": "Rivera",
          "account_number": "8001234567",
          "routing_number": "123456789"
        }

        """, carriesKey: true)

private let createUser = DocumentedCall(
    name: "create a user", path: "/api/v4/user/create",
    body: """
        {
          "api_key": "YOUR_API_KEY",
          "first_name": "Jane",
          "last_name": "Doe",
          "email": "jane.doe@example.com",
          "phone_number": "5555550100",
          "address_one": "100 Main Street",
          "city": "Anytown",
          "state": "TX",
          "postal_code": "75001",
          "country": "US"
        }
        """, carriesKey: true)

private let topUp = DocumentedCall(
    name: "top up", path: "/api/v4/user/charge-bank-account-fund-business-routable-bank-account",
    body: """
        {
          "api_key": "YOUR_API_KEY",
          "user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef",
          "amount": "100.00",
          "account_id": "bbac-9abc1234-5678-90ef-klmn-opqrstuv5678",
          "receiver_business_id": "example_receiver_business_id",
          "routable_bank_account_id": "rbac-2b1c0e44-4f2d-9a11-7b23-cc90d1ef8f3a"
        }

        """, carriesKey: true)

private let verifyAccount = DocumentedCall(
    name: "verify an account", path: "/gateway/verify",
    body: """
        {
          "participant_id": 12345,
          "account_type": "AC",
          "version": 11,
          "timestamp": 1576100326,
          "participant_unique_id1": "5bf1e2c3-2169-406f-bf1b-f7bc5c2303b3",
          "account": "22222222",
          "routing_number": "011000015",
          "recipient_first_name": "Alex",
          "recipient_last_name": "Rivera",
          "recipient_address1": "100 Innovation Way",
          "recipient_address2": "Apt 2",
          "recipient_city": "Anytown",
          "recipient_state": "GA",
          "recipient_zip": "00000",
          "recipient_phone": 1231231234,
          "amount": 1010.5,
          "fi_account_type": "1",
          "fi_account_classification": "1",
          "recipient_business_name": "Skywalker Enterprises",
          "participant_unique_id2": "80525360-dae4-4d0f-9f5c-e09f3fdcf7c8"
        }

        """, carriesKey: false)

private let saveProgramAccount = DocumentedCall(
    name: "save a program's bank account", path: "/api/v4/program/bank-accounts/save",
    body: """
        {"api_key": "YOUR_API_KEY", "user_id": "user-8f3a2b1c-0e44-4f2d-9a11-7b23cc90d1ef",
        "idempotent_key": "idp-1f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8",
        "first_name": "Alex", "last_name": "Rivera", "account_number": "8001234567", "routing_number": "123456789"}
        """, carriesKey: true)
