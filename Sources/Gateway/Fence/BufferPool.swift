// Buffers that a request needs for a moment only, kept for reuse: the same few go round, so that the caches have them,
// and a request that waits for its upstream holds none.
// Relies on ByteBuffer, which wipes. Refuses more than its bounds: what is beyond them is let go.

package import HTTP

/// Spare buffers of one kind. All are empty and wiped. Last in, first out.
@safe
package struct BufferPool: ~Copyable {
    /// Buffers that are kept: as many as a turn has events.
    package static let maxCount = 256
    /// Bytes by which they have outgrown their first size, together.
    package static let maxOutgrown = 8 * 1_024 * 1_024

    /// Bytes of a new buffer.
    package let capacity: Int
    private let buffers: UnsafeMutablePointer<ByteBuffer>
    package private(set) var count = 0
    private var outgrown = 0

    /// `capacity` is at least 1.
    package init(capacity: Int) {
        precondition(capacity > 0, "a buffer needs room")
        self.capacity = capacity
        // SAFETY: room for `maxCount` buffers, of which the first `count` are there.
        unsafe buffers = .allocate(capacity: Self.maxCount)
    }

    deinit {
        // SAFETY: the first `count` are there, and nobody uses the room any more.
        unsafe buffers.deinitialize(count: count)
        unsafe buffers.deallocate()
    }

    /// An empty buffer with at least `capacity` bytes.
    package mutating func take() -> ByteBuffer {
        guard count > 0 else { return ByteBuffer(capacity: capacity) }
        count -= 1
        // SAFETY: it is there, and is not once `count` is less.
        let buffer = unsafe (buffers + count).move()
        outgrown -= buffer.capacity - capacity
        return buffer
    }

    /// Gives a buffer storage, where it has none.
    @inline(__always)
    package mutating func lend(to buffer: inout ByteBuffer) {
        if buffer.capacity == 0 { buffer = take() }
    }

    /// Takes a buffer's storage back, wiped, where it has some.
    @inline(__always)
    package mutating func takeBack(_ buffer: inout ByteBuffer) {
        if buffer.capacity > 0 { give(buffer.take()) }
    }

    /// Takes a buffer back, wiped.
    package mutating func give(_ buffer: consuming ByteBuffer) {
        var buffer = buffer
        buffer.wipe()
        let more = buffer.capacity - capacity
        guard count < Self.maxCount && more >= 0 && outgrown + more <= Self.maxOutgrown else { return }
        // SAFETY: there is room, with nothing in it.
        unsafe (buffers + count).initialize(to: buffer)
        count += 1
        outgrown += more
    }
}
