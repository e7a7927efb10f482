// The key `admin`: where an operator's tools reach the gateway. And what may be shown of a secret: how it was named.
// Relies on the readers of listeners. Refuses an address that others can reach unless `unsafe_bind` says that this is
// meant: whoever reaches it sees the configuration without its secrets, and how the gateway fares.

/// That a secret was given, and by what kind of reference. The path or name that it had is not kept.
package struct SecretNote: Equatable, Sendable {
    /// The kinds of reference, by the word that begins them.
    package enum Kind: String, CaseIterable, Sendable {
        case file
        case environment = "env"
        case credential
    }

    /// The key's path, for example `credentials.acme.secret`.
    package let path: String
    package let kind: Kind
}

extension Field {
    /// The address; nil where it is wrong.
    func admin(besides listeners: [ListenerSettings]) -> ListenAddress? {
        guard let keys = mapping(Vocabulary.admin) else { return nil }
        let remedy = "Write bind: \"127.0.0.1:9901\" or bind: unix:/run/countersign/admin.sock"
        let danger = "others on the network can reach this address and see the configuration and all figures"
        guard let address = keys.address(remedy, danger: danger) else { return nil }
        if let other = listeners.first(where: { $0.address.collides(with: address) }) {
            error("binds the same address as the listener \(other.name)", "Give it its own address")
        }
        return address
    }
}
