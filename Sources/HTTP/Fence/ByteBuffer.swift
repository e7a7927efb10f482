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

    deinit {
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
        // SAFETY: `dirty` and `end` never exceed the capacity.
        unsafe explicit_bzero(base, max(dirty, end))
        start = 0
        end = 0
        dirty = 0
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
        var wanted = capacity * 2
        while wanted - end < additional { wanted *= 2 }
        // SAFETY: fresh storage, initialised whole; the old storage is wiped and freed once and not used again.
        let fresh = unsafe Self.zeroed(wanted)
        unsafe fresh.update(from: base, count: end)
        unsafe explicit_bzero(base, max(dirty, end))
        unsafe Self.giveBack(base, capacity)
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

    /// Appends `number` (not negative) in decimal.
    package mutating func appendDecimal(_ number: Int) {
        precondition(number >= 0, "lengths are not negative")
        guard number >= 1_000 else { return appendSmall(number) }
        let digits = Self.digits(of: UInt(number))
        reserve(digits)
        put(UInt(number), digits, behind: 0)
        end &+= digits
    }

    /// As `appendDecimal` below 1,000: most numbers are. Three digits are there at once, of which the last are kept.
    @inline(__always)
    private mutating func appendSmall(_ number: Int) {
        let digits = number < 10 ? 1 : number < 100 ? 2 : 3
        put(Self.threeDigits(number) &>> UInt32(truncatingIfNeeded: 24 &- 8 &* digits), count: digits)
    }

    /// The three digits of a number below 1,000, the first of them lowest.
    @inline(__always)
    private static func threeDigits(_ number: Int) -> UInt32 {
        let number = UInt32(truncatingIfNeeded: number)
        // Division by 100 and by 10, right for all numbers below 1,000 and below 100.
        let hundreds = (number &* 41) &>> 12
        let rest = number &- hundreds &* 100
        let tens = (rest &* 103) &>> 10
        let ones = rest &- tens &* 10
        return 0x30_3030 &+ (hundreds | tens &<< 8 | ones &<< 16)
    }

    /// Writes the lowest `count` (at most 4) bytes of a word, the lowest first.
    @inline(__always)
    private mutating func put(_ word: UInt32, count: Int) {
        reserve(4)
        // SAFETY: `reserve` made room for 4 bytes; what is behind the end is written over.
        unsafe UnsafeMutableRawPointer(base + end).storeBytes(of: word.littleEndian, as: UInt32.self)
        dirty = max(dirty, end &+ 4)
        end &+= count
    }

    /// Appends thousandths, which are not negative, with three decimals: 1234 as `1.234`.
    package mutating func appendThousandths(_ number: Int) {
        let whole = number / 1_000
        appendDecimal(whole)
        put(Self.threeDigits(number &- whole &* 1_000) &<< 8 | UInt32(UInt8(ascii: ".")), count: 4)
    }

    /// Appends the last 3 decimal digits of `number` (not negative), with zeros in front.
    package mutating func appendThreeDigits(_ number: Int) {
        precondition(number >= 0, "a number that is not negative")
        put(Self.threeDigits(number % 1_000), count: 3)
    }

    @inline(__always)
    private static func digits(of number: UInt) -> Int {
        // An Int has 19 digits at most, and ten to the 19th is still a UInt.
        var count = 1
        var bound: UInt = 10
        while number >= bound && count < 19 {
            count &+= 1
            bound &*= 10
        }
        return count
    }

    /// Writes the last `count` digits of a number into room that was made, `offset` bytes behind the end.
    @inline(__always)
    private mutating func put(_ number: UInt, _ count: Int, behind offset: Int) {
        precondition(end &+ offset &+ count <= capacity, "digits are written into room")
        var rest = number
        var at = end &+ offset &+ count
        while at > end &+ offset {
            at &-= 1
            // SAFETY: within the capacity, as was tested.
            unsafe base[at] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Appends 16 lower-case hexadecimal digits.
    package mutating func appendHex(_ word: UInt64) {
        reserve(16)
        // SAFETY: both are 8 bytes of plain bits.
        let high = unsafe unsafeBitCast(Self.hexDigits(word.bigEndian &>> 4), to: SIMD8<UInt8>.self)
        let low = unsafe unsafeBitCast(Self.hexDigits(word.bigEndian), to: SIMD8<UInt8>.self)
        // One instruction, once it is compiled.
        let text = SIMD16<UInt8>(
            high[0], low[0], high[1], low[1], high[2], low[2], high[3], low[3],
            high[4], low[4], high[5], low[5], high[6], low[6], high[7], low[7])
        // SAFETY: `reserve` made room for 16 bytes; an unaligned store is what storeBytes is for.
        unsafe UnsafeMutableRawPointer(base + end).storeBytes(of: text, as: SIMD16<UInt8>.self)
        end &+= 16
    }

    /// The digits of the low halves of eight bytes. Those from 10 on are moved up to the letters.
    @inline(__always)
    private static func hexDigits(_ word: UInt64) -> UInt64 {
        let values = word & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((values &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return values &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

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
