// Counts that one thread writes and another reads, without a lock and without a shared cache line.
// Relies on Synchronization.Atomic for loads and stores that are never torn. Refuses a second writer by its contract
// only: a count is a plain load and a plain store, a few times cheaper than an atomic addition.

internal import Synchronization

/// A row of 64-bit cells of one writer.
///
/// Each block lies on cache lines of its own (pairs of lines: processors fetch them two at a time), so that a writer
/// never waits for another one's writes; a reader costs it a miss per line read.
@safe
package final class CounterBlock: @unchecked Sendable {
    // @unchecked Sendable: the cells are atomic, and the pointer to them never changes.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    /// The number of cells, at least 1.
    package let count: Int
    /// Keeps this object's count of references, which its worker writes, off the line of another worker's block.
    private let padding: [14 of UInt64] = InlineArray(repeating: 0)

    /// Two lines of 64 bytes.
    private static let alignment = 128

    /// All cells are 0.
    package init(count: Int) {
        precondition(count > 0, "a block counts something")
        self.count = count
        let size = MemoryLayout<Atomic<UInt64>>.stride * count
        let padded = (size + Self.alignment - 1) / Self.alignment * Self.alignment
        // SAFETY: fresh storage of at least `count` cells, aligned for them, each initialised before anything reads it.
        let raw = UnsafeMutableRawPointer.allocate(byteCount: padded, alignment: Self.alignment)
        unsafe cells = raw.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { unsafe (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        // SAFETY: initialised whole in init; nobody has the block any more.
        unsafe cells.deinitialize(count: count)
        unsafe UnsafeMutableRawPointer(cells).deallocate()
    }

    /// Adds to a cell, wrapping. The block's writer alone calls it.
    @inline(__always)
    package func add(_ cell: Int, _ amount: UInt64 = 1) {
        precondition(cell >= 0 && cell < count, "a cell of the block")
        // SAFETY: the cell lies within the block, which lives as long as self.
        let value = unsafe cells[cell].load(ordering: .relaxed)
        unsafe cells[cell].store(value &+ amount, ordering: .relaxed)
    }

    /// Sets a cell. The block's writer alone calls it.
    @inline(__always)
    package func set(_ cell: Int, _ value: UInt64) {
        precondition(cell >= 0 && cell < count, "a cell of the block")
        // SAFETY: as in `add`.
        unsafe cells[cell].store(value, ordering: .relaxed)
    }

    /// A cell's value, not older than a moment. Any thread may call it.
    package func load(_ cell: Int) -> UInt64 {
        precondition(cell >= 0 && cell < count, "a cell of the block")
        // SAFETY: as in `add`.
        return unsafe cells[cell].load(ordering: .relaxed)
    }
}
