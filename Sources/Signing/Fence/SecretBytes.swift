// Bytes that must never be printed. No description, no copy into a String, wiped when the last owner lets go.
// Relies on SecretMemory for where they lie. Refuses comparisons that tell by their time how much was right.

internal import COpenSSL

/// A secret (HMAC key, API key, token). It has no description on purpose: string interpolation and dumping show only
/// the type's name.
///
/// Immutable after `init`, so sharing between workers is safe.
@safe
package final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    // @unchecked Sendable: the storage is written once in `init` and only read afterwards.
    private let base: UnsafeMutableRawPointer
    /// Whose storage it is; nil where it is our own.
    private let owner: SecretBytes?
    /// Length in bytes, at least 1.
    package let count: Int

    /// Copies `bytes`; the caller wipes its own copy.
    package init(copying bytes: Span<UInt8>) {
        precondition(!bytes.isEmpty, "an empty secret is refused when the configuration is read")
        count = bytes.count
        owner = nil
        // SAFETY: fresh storage of `count` bytes, filled whole before anything reads it.
        unsafe base = SecretMemory.take(bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe base.copyMemory(from: source.baseAddress!, byteCount: source.count)
        }
    }

    /// The same bytes, not a copy of them, with a count of references of its own: for a worker that uses them for each
    /// request, so that no other worker's processor has to give that count up.
    package init(sharing other: SecretBytes) {
        count = other.count
        owner = other.owner ?? other
        // SAFETY: the owner, whose storage it is, lives as long as self.
        unsafe base = other.base
    }

    deinit {
        // SAFETY: the storage is ours until here, unless it has another owner.
        if owner == nil { unsafe SecretMemory.give(base, count) }
    }

    /// The secret's bytes, for the signer and for the splice only.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: the storage lives as long as self and is never written again.
            let span = unsafe Span<UInt8>(_unsafeStart: base.assumingMemoryBound(to: UInt8.self), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Whether these are the secret's bytes. The time depends on the lengths alone.
    package func isEqual(to other: Span<UInt8>) -> Bool {
        guard other.count == count else { return false }
        // SAFETY: both have `count` bytes for the length of the call.
        return unsafe other.withUnsafeBufferPointer { unsafe CRYPTO_memcmp(base, $0.baseAddress, count) == 0 }
    }

    package var description: String { "SecretBytes" }
    package var debugDescription: String { "SecretBytes" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
