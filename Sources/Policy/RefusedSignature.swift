// Why an upstream answers 401, as far as its message tells: four texts of Kong's hmac-auth plugin, which checks the
// presence of credentials, then the date, then the header and its list, then the signature.
// Relies on the clock's skew where the message says nothing. Refuses to guess beyond that.

/// The likely cause of a 401.
package enum RefusedSignature: String, CaseIterable, Sendable {
    case credentialsMissing = "no credentials header arrived"
    case clock = "the date was refused: compare the clocks"
    case headerList = "username, algorithm or the list of signed headers was refused"
    case secret = "the signature does not match: the secret is another one, or the request was changed on its way"
    case unknown = "the upstream does not say why"

    /// `message`: the text of the field `message` in the answer's body, empty where there is none. `skew`: our time
    /// less the upstream's in seconds.
    package init(message: String, skew: Int64) {
        let cannot = "HMAC signature cannot be verified"
        if message == "Unauthorized" {
            self = .credentialsMissing
        } else if message.hasPrefix(cannot + ", a valid date") {
            self = .clock
        } else if message.hasPrefix(cannot) {
            self = .headerList
        } else if message.hasPrefix("HMAC signature does not match") {
            self = .secret
        } else {
            self = skew.magnitude >= ClockSkew.refused.magnitude ? .clock : .unknown
        }
    }
}
