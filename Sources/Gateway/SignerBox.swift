// One credential's signers: by its secret and, while that is being changed, by the next one.
// Relies on the upstream's 401 for which of them holds. Refuses to try both for every request where neither does.

internal import Signing

/// A worker's signers of one credential. A class: they are noncopyable, and several routes share them.
final class SignerBox {
    /// For how long only one secret is tried after both were refused, in milliseconds.
    static let restMilliseconds: UInt64 = 10_000

    private let first: Owned<Signer>
    private var second: Signer?
    /// 0 or 1: by which requests are sealed first.
    private(set) var current = 0
    private var bothRefusedUntil: UInt64 = 0
    /// Monotonic milliseconds until which nothing more is said of a refusal.
    var denialToldUntil: UInt64 = 0

    init(_ settings: CredentialSettings) {
        first = Owned(Signer(settings))
        guard let next = settings.nextSecret else { return }
        var other = settings
        other.secret = next
        other.nextSecret = nil
        second = Signer(other)
    }

    /// Whether another secret may be tried at this time (monotonic milliseconds) after one was refused.
    func hasOther(at now: UInt64) -> Bool { second != nil && now >= bothRefusedUntil }

    /// Both were refused: it is not the secret.
    func bothWereRefused(at now: UInt64) { bothRefusedUntil = now &+ Self.restMilliseconds }

    /// This one was accepted where the other was not: it is the first from now on. True where it was not before.
    func accepted(_ index: Int) -> Bool {
        defer { current = index }
        return current != index
    }

    func repeatsSignedHeader(_ draft: borrowing Draft) -> Bool { first.state.repeatsSignedHeader(draft) }

    /// Seals with secret `index`, which is `current` or, where there is another, that.
    func seal(
        _ draft: consuming Draft, digest: BodyDigest, bodyLength: Int, date: HTTPDate, by index: Int
    ) -> SealedRequest {
        guard index == 1, second != nil else {
            return first.state.seal(draft, digest: digest, bodyLength: bodyLength, date: date)
        }
        swap()
        defer { swap() }
        return first.state.seal(draft, digest: digest, bodyLength: bodyLength, date: date)
    }

    /// A noncopyable signer within an optional cannot be used in place.
    private func swap() {
        guard var other = second.take() else { return }
        Swift.swap(&first.state, &other)
        second = consume other
    }
}
