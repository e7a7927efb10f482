// A growable run of bytes with a read end and a write end: the one place where the program's byte storage is allocated.
// Relies on nothing but the allocator. Refuses, by precondition, reading outside of what was written.

internal import Glibc

/// Contiguous byte storage: readable bytes are `start..<end`, free room is `end..<capacity`.
///
/// Noncopyable: a buffer has one owner, who gives it to a pool or lets it go. What was written is wiped before the
/// storage is freed, since bodies hold account numbers.
@safe
package struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    /// Size of the storage in bytes.
    package private(set) var capacity: Int
    /// Offset of the first readable byte.
    package private(set) var start: Int
    /// Offset behind the last readable byte.
    package private(set) var end: Int
    /// Highest offset that was ever written since the last wipe.
    private var dirty: Int

    /// Allocates `capacity` bytes (at least 1).
    package init(capacity: Int) {
        precondition(capacity > 0, "a buffer needs room")
        unsafe base = Self.zeroed(capacity)
        self.capacity = capacity
        start = 0
        end = 0
        dirty = 0
    }

    /// No storage, until it grows.
    package init() {
        // SAFETY: of no bytes, none is ever read or written there.
        unsafe base = UnsafeMutablePointer(bitPattern: 1).unsafelyUnwrapped
        capacity = 0
        start = 0
        end = 0
        dirty = 0
    }

    deinit {
        guard capacity > 0 else { return }
        // SAFETY: `base` owns `capacity` initialised bytes until here, and `dirty` never exceeds it. explicit_bzero,
        // since the compiler may leave out plain stores before `free`.
        unsafe explicit_bzero(base, max(dirty, end))
        unsafe Self.giveBack(base, capacity)
    }

    /// Bytes from which on storage has pages of its own.
    private static let ownPages = 16 * 1_024

    /// Zeroed storage. Large storage is fresh pages, which cost nothing until a byte arrives in them: a caller that
    /// announces a large body and sends none holds no memory, and neither does the room of a request that is short.
    /// `calloc` would write zeros to what it takes from its heap.
    private static func zeroed(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        guard count >= ownPages else {
            guard let raw = unsafe calloc(count, 1) else { preconditionFailure("out of memory") }
            // SAFETY: `count` zeroed bytes, owned by the caller until `giveBack`.
            return unsafe raw.bindMemory(to: UInt8.self, capacity: count)
        }
        let pages = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { preconditionFailure("out of memory") }
        // SAFETY: as above.
        return unsafe pages.bindMemory(to: UInt8.self, capacity: count)
    }

    /// Ends the ownership of what `zeroed` gave.
    private static func giveBack(_ storage: UnsafeMutablePointer<UInt8>, _ count: Int) {
        // SAFETY: the callers own `count` bytes at `storage`, and do not use them again.
        if count < ownPages { unsafe Glibc.free(storage) } else { unsafe munmap(storage, count) }
    }

    /// Number of readable bytes.
    package var count: Int { end - start }

    /// Number of bytes that can be committed without growing.
    package var room: Int { capacity - end }

    /// The readable bytes.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: start...end lies within the storage; the span cannot outlive the borrow of self.
            let span = unsafe Span(_unsafeStart: base + start, count: end - start)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The readable bytes as an array, which is allocated.
    package func copied() -> [UInt8] {
        let bytes = bytes
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for index in bytes.indices { copy.append(bytes[index]) }
        return copy
    }

    /// The readable bytes, writable in place (chunked decoding compacts a body where it lies).
    package var mutableBytes: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            // SAFETY: start...end lies within the storage, and self is borrowed exclusively.
            let span = unsafe MutableSpan(_unsafeStart: base + start, count: end - start)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// The free room behind the readable bytes; `commit` says how many of them were filled.
    package var free: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get { free(upTo: .max) }
    }

    /// As `free`, but at most `limit` bytes (not negative) of it.
    @_lifetime(&self)
    package mutating func free(upTo limit: Int) -> MutableSpan<UInt8> {
        precondition(limit >= 0, "room is not negative")
        // SAFETY: end...capacity lies within the initialised storage, and self is borrowed exclusively.
        let span = unsafe MutableSpan(_unsafeStart: base + end, count: min(limit, capacity - end))
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Makes the first `count` bytes of the free room readable.
    package mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - end, "more bytes committed than there is room for")
        end += count
    }

    /// Drops `count` bytes from the front.
    package mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= end - start, "more bytes consumed than are readable")
        start += count
        if start == end {
            dirty = max(dirty, end)
            start = 0
            end = 0
        }
    }

    /// Drops readable bytes from the back until `count` are left.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= end - start, "a buffer is not truncated to more than it holds")
        dirty = max(dirty, end)
        end = start + count
    }

    /// Forgets all bytes; the storage keeps them until `wipe`, the next write or the end.
    package mutating func clear() {
        dirty = max(dirty, end)
        start = 0
        end = 0
    }

    /// Forgets all bytes and overwrites every byte that was written since the last wipe.
    package mutating func wipe() {
        let used = max(dirty, end)
        if used == 0 { return }
        // SAFETY: `dirty` and `end` never exceed the capacity.
        unsafe explicit_bzero(base, used)
        start = 0
        end = 0
        dirty = 0
    }

    /// The storage with all that is in it; none is left.
    package mutating func take() -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&self, &taken)
        return taken
    }

    /// Forgets all bytes and overwrites the first `count` of them, and what was before these; the storage keeps the
    /// others as after `clear`.
    package mutating func clear(wiping count: Int) {
        precondition(count >= 0 && count <= end - start, "no more is wiped than is readable")
        // SAFETY: what is readable lies within the capacity.
        unsafe explicit_bzero(base, start + count)
        clear()
    }

    /// Moves the readable bytes to the beginning of the storage and overwrites every other byte that was written since
    /// the last wipe.
    package mutating func wipeRest() {
        compact()
        guard dirty > end else { return }
        // SAFETY: `dirty` never exceeds the capacity, and only bytes behind the readable ones are written.
        unsafe explicit_bzero(base + end, dirty - end)
        dirty = end
    }

    /// Moves the readable bytes to the beginning of the storage.
    package mutating func compact() {
        guard start > 0 else { return }
        let count = end - start
        dirty = max(dirty, end)
        // SAFETY: both ranges lie within the storage; `update` from an overlapping source moves as memmove does.
        unsafe base.update(from: base + start, count: count)
        start = 0
        end = count
    }

    /// Makes sure that `additional` bytes can be committed: compacts first, else moves into storage of the next
    /// doubling. Wipes the old storage.
    @inline(__always)
    package mutating func reserve(_ additional: Int) {
        if capacity - end < additional { makeRoom(additional) }
    }

    @inline(never)
    private mutating func makeRoom(_ additional: Int) {
        compact()
        if capacity - end >= additional { return }
        var wanted = max(capacity * 2, 64)
        while wanted - end < additional { wanted *= 2 }
        // SAFETY: fresh storage, initialised whole; the old storage is wiped and freed once and not used again.
        let fresh = unsafe Self.zeroed(wanted)
        unsafe fresh.update(from: base, count: end)
        unsafe explicit_bzero(base, max(dirty, end))
        if capacity > 0 { unsafe Self.giveBack(base, capacity) }
        unsafe base = fresh
        capacity = wanted
        dirty = end
    }

    /// Appends a copy of `bytes`, growing where needed.
    package mutating func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        reserve(count)
        // SAFETY: `reserve` made room for `count` bytes, and a span over another owner's bytes cannot overlap it.
        unsafe bytes.withUnsafeBufferPointer { source in
            if let from = source.baseAddress { unsafe (base + end).update(from: from, count: count) }
        }
        end += count
    }

    /// Appends the UTF-8 of a literal, growing where needed. Inlined: its length is known there, and the copy a few
    /// stores.
    @inline(__always)
    package mutating func append(_ literal: StaticString) {
        let count = literal.utf8CodeUnitCount
        precondition(literal.hasPointerRepresentation, "a literal of one scalar is written as a byte")
        reserve(count)
        // SAFETY: the literal's bytes live as long as the program.
        unsafe (base + end).update(from: literal.utf8Start, count: count)
        end += count
    }

    /// Appends one byte, growing where needed.
    package mutating func append(byte: UInt8) {
        reserve(1)
        // SAFETY: `reserve` made room for one byte.
        unsafe base[end] = byte
        end += 1
    }

    /// Appends what `write` puts into a run of at most `count` bytes, growing once where needed.
    @inline(__always)
    package mutating func write(atMost count: Int, _ write: (inout ByteCursor) -> Void) {
        reserve(count)
        // SAFETY: `reserve` made room for `count` bytes, and the cursor, which nobody can keep, is all that writes.
        var cursor = unsafe ByteCursor(base + end, room: count)
        write(&cursor)
        end &+= cursor.count
        dirty = max(dirty, min(end &+ ByteCursor.overhang, capacity))
    }

    /// Appends `number` (not negative) in decimal.
    package mutating func appendDecimal(_ number: Int) {
        write(atMost: ByteCursor.numberRoom) { $0.append(decimal: number) }
    }

    /// Appends 16 lower-case hexadecimal digits.
    package mutating func appendHex(_ word: UInt64) { write(atMost: 16) { $0.append(hex: word) } }

    /// Replaces the readable bytes in `range` (offsets from the first readable byte) by `replacement` and keeps all
    /// others.
    package mutating func replace(_ range: Range<Int>, with replacement: Span<UInt8>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a replaced range lies within the bytes")
        let growth = replacement.count - range.count
        if growth > 0 { reserve(growth) }
        let at = start + range.lowerBound
        let tail = end - (start + range.upperBound)
        // SAFETY: room was reserved above; source and target of the move lie within the storage and may overlap, as
        // `update` allows; the replacement belongs to another owner.
        unsafe (base + at + replacement.count).update(from: base + start + range.upperBound, count: tail)
        unsafe replacement.withUnsafeBufferPointer { source in
            if let from = source.baseAddress { unsafe (base + at).update(from: from, count: replacement.count) }
        }
        dirty = max(dirty, end)
        end += growth
    }
}
