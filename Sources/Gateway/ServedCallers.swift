// Who calls: the configured callers in the form in which each request is looked up.
// Relies on the connection for what the kernel and TLS know of its other end. Refuses whoever is not configured, in the
// same words whether a token is absent or wrong, and compares every token to its end.

internal import Config
internal import HTTP
internal import Net
internal import Policy
internal import Signing

/// Who made a request. A class: requests refer to it.
final class RequestCaller: Sendable {
    /// Names the caller to the pace, where callers have turns.
    let id: UInt64
    let quotaName: ServedQuotas.Name
    /// What each log line of its requests says of it.
    let logFields: ConfiguredFields
    /// Routes that it may use, by index; nil for all.
    private let routes: [Bool]?

    init(id: UInt64, name: String, routes: [Bool]?) {
        self.id = id
        quotaName = ServedQuotas.Name("caller " + name)
        logFields = name.isEmpty ? .none : ConfiguredFields([("caller", name)])
        self.routes = routes
    }

    func mayUse(_ route: Int) -> Bool { routes?[route] ?? true }
}

/// The key `callers`. Immutable.
final class ServedCallers: Sendable {
    private let callers: [RequestCaller]
    private let identities: [CallerIdentity]
    private let hasTokens: Bool

    /// For a configuration of so many routes.
    init(_ settings: [CallerSettings], routes: Int) {
        callers = settings.enumerated().map { index, caller in
            let allowed = caller.routes.map { indexes in (0..<routes).map { indexes.contains($0) } }
            return RequestCaller(id: UInt64(index) + 1, name: caller.name, routes: allowed)
        }
        identities = settings.map(\.identity)
        hasTokens = identities.contains { if case .token = $0 { true } else { false } }
    }

    /// The caller of a request; nil for none that is configured. A token that is shown decides: it must be right,
    /// whatever the connection says. `authorization` is the value of that header, empty where there is none.
    func find(_ authorization: Span<UInt8>, _ peer: InboundPeer, _ hasher: inout BodyHasher) -> RequestCaller? {
        if hasTokens, let token = Self.token(in: authorization) {
            return find(hasher.digest(authorization.extracting(token)))
        }
        switch peer {
        case .none: return nil
        case .unix(let credentials): return find(credentials)
        case .certificate(let identity): return find(identity)
        }
    }

    /// Where the token stands in `Bearer TOKEN` (RFC 6750 section 2.1); nil for another scheme.
    private static func token(in value: Span<UInt8>) -> Range<Int>? {
        let scheme = StaticString("bearer ")
        guard value.count > scheme.utf8CodeUnitCount else { return nil }
        for (index, byte) in "bearer".utf8.enumerated() where value[index] | 0x20 != byte { return nil }
        guard value[6] == UInt8(ascii: " ") else { return nil }
        var start = 7
        while start < value.count && value[start] == UInt8(ascii: " ") { start += 1 }
        return start < value.count ? start..<value.count : nil
    }

    private func find(_ digest: BodyDigest) -> RequestCaller? {
        var found: RequestCaller?
        for index in identities.indices {
            if case .token(let own) = identities[index], own == digest { found = callers[index] }
        }
        return found
    }

    private func find(_ credentials: PeerCredentials) -> RequestCaller? {
        for index in identities.indices {
            guard case .peer(let uid, let gid) = identities[index] else { continue }
            if (uid ?? credentials.uid) == credentials.uid && (gid ?? credentials.gid) == credentials.gid {
                return callers[index]
            }
        }
        return nil
    }

    private func find(_ identity: TLSPeerIdentity) -> RequestCaller? {
        for index in identities.indices {
            guard case .certificate(let name) = identities[index] else { continue }
            switch name {
            case .commonName(let own): if Self.isSame(own, identity.commonName) { return callers[index] }
            case .publicKey(let own): if own == identity.publicKeySHA256 { return callers[index] }
            }
        }
        return nil
    }

    /// Byte by byte: Swift's own comparison takes canonically equivalent texts for the same.
    private static func isSame(_ own: String, _ shown: String?) -> Bool {
        guard let shown else { return false }
        return own.utf8.elementsEqual(shown.utf8)
    }
}
