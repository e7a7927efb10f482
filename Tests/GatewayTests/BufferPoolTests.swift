// The bounds of the buffers that go round.

import Gateway
import HTTP
import Testing

@Suite struct BufferPoolTests {
    private func buffer(_ capacity: Int) -> ByteBuffer { ByteBuffer(capacity: capacity) }

    @Test func aBufferComesBackWiped() {
        var pool = BufferPool(capacity: 16)
        var buffer = ByteBuffer()
        pool.lend(to: &buffer)
        #expect(buffer.capacity == 16 && buffer.count == 0)
        buffer.append("account 7305518")
        pool.lend(to: &buffer)
        #expect(buffer.count == 15, "who has storage keeps it")
        pool.takeBack(&buffer)
        #expect(buffer.capacity == 0 && pool.count == 1)
        pool.takeBack(&buffer)
        #expect(pool.count == 1, "who has none gives none back")
        var again = pool.take()
        #expect(again.capacity == 16 && again.count == 0 && pool.count == 0)
        again.commit(16)
        for at in 0..<16 { #expect(again.bytes[at] == 0) }
    }

    @Test func moreThanItsCountIsLetGo() {
        var pool = BufferPool(capacity: 8)
        for _ in 0...BufferPool.maxCount { pool.give(buffer(8)) }
        #expect(pool.count == BufferPool.maxCount)
        for _ in 0..<BufferPool.maxCount { _ = pool.take() }
        #expect(pool.count == 0)
        let fresh = pool.take()
        #expect(fresh.capacity == 8 && pool.count == 0)
    }

    /// After a reload with larger limits a smaller one is of no use.
    @Test func aSmallerOneIsLetGo() {
        var pool = BufferPool(capacity: 8)
        pool.give(buffer(7))
        #expect(pool.count == 0)
    }

    @Test func largerOnesAreKeptUpToTheirBytes() {
        let half = BufferPool.maxOutgrown / 2
        var pool = BufferPool(capacity: 8)
        pool.give(buffer(half + 8))
        pool.give(buffer(half + 9))
        #expect(pool.count == 1, "a byte too many")
        pool.give(buffer(half + 8))
        pool.give(buffer(8))
        #expect(pool.count == 3)
        _ = pool.take()
        let large = pool.take()
        #expect(large.capacity == half + 8 && pool.count == 1)
        pool.give(buffer(half + 8))
        #expect(pool.count == 2, "what was taken counts no more")
    }
}
