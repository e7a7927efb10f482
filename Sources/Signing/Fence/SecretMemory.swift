// Where secrets lie: OpenSSL's secure heap, which is locked into memory, left out of core files and fenced by pages
// that nobody may touch; and OpenSSL's other memory, which is wiped when it is freed.
// Relies on OpenSSL 3. Refuses secrets more than half of that heap, since each TLS handshake takes some of it, too: the
// rest goes to memory that is wiped and not locked, and that is told.

internal import COpenSSL
internal import Synchronization

/// The process's memory for secrets.
package enum SecretMemory {
    /// What the system gave.
    package enum State: Equatable, Sendable {
        /// Never written to swap space; `bytes` in all.
        case locked(bytes: Int)
        /// RLIMIT_MEMLOCK is less than `lockedMinimum`: it may be written to swap space.
        case unlocked(bytes: Int)
        /// There is none: secrets are wiped, and that is all.
        case absent
    }

    /// The least memory that is locked, in bytes: enough for 16,000 TLS connections.
    package static let lockedMinimum = 1 << 20

    /// Opens the heap, once. The command does so before all else: what OpenSSL has already taken, it does not wipe.
    @discardableResult
    package static func open() -> State { state }

    /// What the first `open` came to.
    package static let state: State = {
        _ = cs_wipe_freed_memory()
        var bytes = 0
        // SAFETY: the size lives for the length of the call.
        switch unsafe cs_secure_heap_open(&bytes) {
        case 1: return .locked(bytes: bytes)
        case 0: return .unlocked(bytes: bytes)
        default: return .absent
        }
    }()

    /// Secrets that found no room in the heap, since the process began.
    package static var overflows: Int { overflowCount.load(ordering: .relaxed) }

    private static let overflowCount = Atomic<Int>(0)

    /// `count` bytes for one secret; `give` takes them back.
    static func take(_ count: Int) -> UnsafeMutableRawPointer {
        // SAFETY: OpenSSL gives storage of `count` bytes or nil. Without an open heap the first is its ordinary memory.
        if isRoomy(count), let block = unsafe CRYPTO_secure_malloc(count, #fileID, Int32(#line)) { return unsafe block }
        overflowCount.add(1, ordering: .relaxed)
        guard let block = unsafe CRYPTO_malloc(count, #fileID, Int32(#line)) else {
            preconditionFailure("out of memory")
        }
        return unsafe block
    }

    /// Wipes and frees what `take` gave.
    static func give(_ block: UnsafeMutableRawPointer, _ count: Int) {
        // SAFETY: the caller owns the block, of either kind, and does not use it again.
        unsafe CRYPTO_secure_clear_free(block, count, #fileID, Int32(#line))
    }

    private static func isRoomy(_ count: Int) -> Bool {
        guard CRYPTO_secure_malloc_initialized() == 1 else { return true }
        switch state {
        case .locked(let bytes), .unlocked(let bytes): return Int(CRYPTO_secure_used()) + count <= bytes / 2
        case .absent: return true
        }
    }
}
