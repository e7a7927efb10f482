// The key `credentials`: what a program signs with.
// Relies on Secrets.swift for every value that must not be seen. Refuses algorithms that the upstream refuses, and
// signed lists that leave the request unprotected.

internal import HTTP
internal import Signing

extension Field {
    /// All credentials in the file's order, with the names of those that are wrong too: routes may refer to them.
    func credentials() -> (settings: [CredentialSettings], names: [String]) {
        let named = named(max: 256) ?? []
        let settings = named.compactMap { $0.field.checkName($0.name) ? $0.field.credential($0.name) : nil }
        return (settings, named.map(\.name))
    }

    private func credential(_ name: String) -> CredentialSettings? {
        guard let keys = mapping(Vocabulary.credential) else { return nil }
        let username = keys.required("username", "Write the program's username")?.username()
        let secret = keys.required("secret", "Write secret: \"file:/path\"")?.secret()
        let nextSecret = keys["next_secret"]?.secret()
        let algorithm = keys["algorithm"]?.algorithm() ?? .hmacSHA512
        let signed = keys["signed_headers"]?.signedHeaders() ?? .standard
        let apiKey = keys["api_key"]?.apiKey()
        let fields = keys["fields"]?.productFields(apiKey: apiKey?.place) ?? []
        guard let username, let secret else { return nil }
        return CredentialSettings(
            name: name, username: username, secret: secret, nextSecret: nextSecret, algorithm: algorithm,
            signedHeaders: signed, apiKey: apiKey, fields: fields)
    }

    /// What fits between the quotes of `username="..."` without escapes.
    private func username() -> String? {
        guard let text = scalar(expected: "the program's username") else { return nil }
        let fits = text.utf8.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard fits, text.utf8.count <= 255 else {
            return refuse("is not a username", "Write 1 to 255 printable ASCII characters without \" and \\")
        }
        return text
    }

    private func algorithm() -> SigningAlgorithm? {
        guard let text = scalar(expected: "hmac-sha512") else { return nil }
        let remedy = "Write hmac-sha512, which every program may use"
        switch text {
        case "hmac-sha512": return .hmacSHA512
        case "hmac-sha256":
            warn(
                "hmac-sha256 is for programs that were set up with it", "Ask for hmac-sha512 when the secret is renewed"
            )
            return .hmacSHA256
        default: break
        }
        switch text.lowercased() {
        case "hmac-md5", "md5", "hmac-sha1", "sha1", "hmac-sha-1", "sha-1":
            return refuse("the upstream accepts no MD5 and no SHA-1 signature under any circumstances", remedy)
        default: return refuse("is not a known algorithm", "Write hmac-sha512, or hmac-sha256 for a legacy program")
        }
    }

    private func signedHeaders() -> SignedHeaders? {
        guard let text = text() else { return nil }
        let remedy = "Write \(SignedHeaders.standard.text)"
        do throws(SignedHeaders.Problem) {
            return try SignedHeaders(parsing: text)
        } catch {
            switch error {
            case .empty: return refuse("names nothing", remedy)
            case .badName: return refuse("holds what is not a header's name in lower case", remedy)
            case .twice(let name): return refuse("names \(name) twice", "Remove one of them")
            case .missing(let name): return refuse("leaves out \(name), so that it is not protected", remedy)
            }
        }
    }

    private func apiKey() -> APIKeySettings? {
        guard let keys = mapping(Vocabulary.apiKey) else { return nil }
        let value = keys.required("value", "Write value: \"env:INGO_API_KEY\"")?.headerSecret()
        let place = keys.required("place", "Write place: header, body, both or a JSON pointer")?.apiKeyPlace()
        guard let value, let place else { return nil }
        return APIKeySettings(value: value, place: place)
    }

    /// A secret that can stand in a header: visible ASCII.
    private func headerSecret() -> SecretBytes? {
        guard let secret = secret() else { return nil }
        let bytes = secret.bytes
        for index in 0..<bytes.count where !(0x21...0x7E).contains(bytes[index]) {
            return refuse("the API key has a byte that is not visible ASCII", "Look for spaces and line ends in it")
        }
        return secret
    }

    private func apiKeyPlace() -> APIKeyPlace? {
        guard let text = text() else { return nil }
        switch text {
        case "header": return .header
        case "body": return .body
        case "both": return .both
        default:
            if let pointer = JSONPointer(text) { return .pointer(pointer) }
            return refuse("is no place", "Write header, body, both or a JSON pointer such as /ledger/api_key")
        }
    }
}
