// The key `callers`: who may call, how each is recognised, and which routes each may use.
// Relies on the names of routes, read before, and on Secrets.swift for tokens. Refuses callers that could be taken for
// one another; a token becomes a digest here and is let go.

internal import Signing

/// A caller with the places that later findings are about.
struct ReadCaller {
    var settings: CallerSettings
    /// The caller's mapping.
    let field: Field
}

extension Field {
    /// A token of fewer bytes may be guessed: 96 bits, if they are random base64.
    static let shortToken = 16

    /// All callers in the file's order; those that are wrong are missing in it.
    func callers(routes: [String]) -> [ReadCaller] {
        var callers: [ReadCaller] = []
        for (name, field) in named(max: CallerSettings.maxCallers) ?? [] where field.checkName(name) {
            guard let settings = field.caller(name, routes) else { continue }
            field.compare(settings, with: callers)
            callers.append(ReadCaller(settings: settings, field: field))
        }
        return callers
    }

    private func caller(_ name: String, _ routes: [String]) -> CallerSettings? {
        guard let keys = mapping(Vocabulary.caller) else { return nil }
        let identity = identity(keys)
        let allowed = keys["routes"].map { $0.allowedRoutes(routes) }
        return identity.map { CallerSettings(name: name, identity: $0, routes: allowed) }
    }

    private func identity(_ keys: Mapping) -> CallerIdentity? {
        let ids = 0...Int(UInt32.max) - 1  // The highest means "no one" to the system.
        let uid = keys["uid"]?.integer(ids).map { UInt32($0) }
        let gid = keys["gid"]?.integer(ids).map { UInt32($0) }
        let token = keys["token"]?.token()
        let certificate = keys["certificate"]?.certificateName()
        switch (keys["uid"] != nil || keys["gid"] != nil, keys["token"] != nil, keys["certificate"] != nil) {
        case (true, false, false):
            // Without the number that is wrong it would be taken for other callers.
            let isWhole = (keys["uid"] == nil) == (uid == nil) && (keys["gid"] == nil) == (gid == nil)
            return isWhole ? .peer(uid: uid, gid: gid) : nil
        case (false, true, false): return token.map { .token($0) }
        case (false, false, true): return certificate.map { .certificate($0) }
        case (false, false, false):
            return refuse("has nothing to be known by", "Write uid or gid, token, or certificate")
        case (true, true, _), (true, _, true), (_, true, true):
            return refuse("is known by more than one kind of identity", "Keep uid and gid, or token, or certificate")
        }
    }

    /// The digest of a token in the characters of RFC 6750's `b64token`.
    private func token() -> BodyDigest? {
        guard let secret = secret() else { return nil }
        if secret.count < Self.shortToken {
            warn(
                "the token is shorter than \(Self.shortToken) bytes and may be guessed",
                "Make one with: openssl rand -base64 32")
        }
        guard isToken(secret.bytes) else {
            return refuse(
                "the token has a byte that no bearer token has",
                "Write letters, digits and -._~+/, and = at the end only")
        }
        return BodyDigest(of: secret.bytes)
    }

    /// `spki:` and the Base64 of a digest, `cn:` and a common name, or the common name alone.
    private func certificateName() -> CertificateName? {
        guard let text = text() else { return nil }
        if text.hasPrefix("spki:") {
            let encoded = Array(text.utf8.dropFirst(5))
            guard let digest = Base64.decode(encoded.span), digest.count == 32 else {
                return refuse("is not the SHA-256 of a public key", "Write spki: and the Base64 of 32 bytes")
            }
            return .publicKey(digest)
        }
        let isMarked = text.hasPrefix("cn:")
        let name = isMarked ? String(text.dropFirst(3)) : text
        guard isMarked || !name.contains(":") else {
            return refuse("has a prefix that is not known", "Write spki:DIGEST or cn:NAME")
        }
        // X.520's upper bound: 64 characters.
        guard (1...64).contains(name.unicodeScalars.count) else {
            return refuse("is not a common name", "Write 1 to 64 characters")
        }
        return .commonName(name)
    }

    private func allowedRoutes(_ names: [String]) -> [Int] {
        var indexes: Set<Int> = []
        for element in elements(max: Self.maxRoutes) ?? [] {
            guard let index = element.reference(to: names, kind: "route") else { continue }
            if !indexes.insert(index).inserted { element.error("is there twice", "Remove one of them") }
        }
        return indexes.sorted()
    }

    /// Reports a caller that an earlier one is taken for.
    private func compare(_ caller: CallerSettings, with earlier: [ReadCaller]) {
        for other in earlier {
            let name = other.settings.name
            if other.settings.identity == caller.identity {
                error("has the same \(caller.identity.word) as the caller \(name)", "Give each caller its own")
            } else if other.settings.identity.covers(caller.identity) {
                warn("can never call: it is taken for the caller \(name)", "Move it before \(name)")
            }
        }
    }
}

extension CallerIdentity {
    fileprivate var word: String {
        switch self {
        case .peer: "uid and gid"
        case .token: "token"
        case .certificate: "certificate"
        }
    }

    /// Whether every process that fits `other` fits this, which asks for less.
    fileprivate func covers(_ other: CallerIdentity) -> Bool {
        switch (self, other) {
        case (.peer(let uid, let gid), .peer(let otherUID, let otherGID)):
            (uid == nil || uid == otherUID) && (gid == nil || gid == otherGID)
        case (.peer, _), (.token, _), (.certificate, _): false
        }
    }
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 6750 section 2.1).
private func isToken(_ bytes: Span<UInt8>) -> Bool {
    var end = bytes.count
    while end > 0 && bytes[end - 1] == UInt8(ascii: "=") { end -= 1 }
    guard end > 0 else { return false }
    return (0..<end).allSatisfy { index in
        switch bytes[index] {
        case UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"): true
        default: isNameByte(bytes[index])
        }
    }
}
