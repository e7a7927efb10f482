// Where secrets lie, in the two words that the operator can do something about.

internal import Signing

enum SecretPlace {
    case locked(bytes: Int)
    /// So many bytes would have to be lockable.
    case unlocked(wanted: Int)

    static var now: SecretPlace {
        switch SecretMemory.state {
        case .locked(let bytes): .locked(bytes: bytes)
        case .unlocked, .absent: .unlocked(wanted: SecretMemory.lockedMinimum)
        }
    }
}
