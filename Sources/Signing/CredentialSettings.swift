// What the operator says of one program's credentials. Config fills these; Signing and Exchange read them.

package import HTTP

/// The MAC of a scheme. MD5 and SHA-1 are refused by name when the configuration is read: the upstream always rejects
/// them (Ingo, Authentication: "not accepted under any circumstances").
package enum SigningAlgorithm: Equatable, Sendable {
    case hmacSHA512
    /// Legacy programs only; a warning is logged at start.
    case hmacSHA256

    /// The word in the `algorithm` parameter of `Authorization`.
    package var name: StaticString {
        switch self {
        case .hmacSHA512: "hmac-sha512"
        case .hmacSHA256: "hmac-sha256"
        }
    }
}

/// Where the program's API key goes.
package enum APIKeyPlace: Equatable, Sendable {
    /// The header `api_key`.
    case header
    /// The field `/api_key` of the JSON body.
    case body
    /// Both of the above.
    case both
    /// A nested field such as `/ledger/api_key`. Where the parent object is absent, nothing is inserted.
    case pointer(JSONPointer)
}

/// The program's API key and its place.
package struct APIKeySettings: Sendable {
    package var value: SecretBytes
    package var place: APIKeyPlace

    package init(value: SecretBytes, place: APIKeyPlace) {
        self.value = value
        self.place = place
    }
}

/// A product field that is spliced into the body where it is absent; a caller's differing value is refused (400).
package struct FieldSettings: Sendable {
    package var pointer: JSONPointer
    /// The value as JSON text, for example `12345` or `"12345"`.
    package var json: [UInt8]

    package init(pointer: JSONPointer, json: [UInt8]) {
        self.pointer = pointer
        self.json = json
    }
}

/// One credential of the key `credentials`.
package struct CredentialSettings: Sendable {
    /// The operator's name for it; safe to log.
    package var name: String
    /// The `username` parameter of `Authorization`: printable ASCII without `"` and `\`.
    package var username: String
    package var secret: SecretBytes
    /// Tried when the upstream refuses the first (used by a later issue; read and checked here).
    package var nextSecret: SecretBytes?
    package var algorithm: SigningAlgorithm
    package var signedHeaders: SignedHeaders
    package var apiKey: APIKeySettings?
    package var fields: [FieldSettings]

    package init(
        name: String, username: String, secret: SecretBytes, nextSecret: SecretBytes? = nil,
        algorithm: SigningAlgorithm = .hmacSHA512, signedHeaders: SignedHeaders = .standard,
        apiKey: APIKeySettings? = nil, fields: [FieldSettings] = []
    ) {
        self.name = name
        self.username = username
        self.secret = secret
        self.nextSecret = nextSecret
        self.algorithm = algorithm
        self.signedHeaders = signedHeaders
        self.apiKey = apiKey
        self.fields = fields
    }
}
