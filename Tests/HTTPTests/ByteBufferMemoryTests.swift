// What a buffer holds of the machine's memory: pages that were written, not the room that was asked for.
// Relies on the kernel's count of this process's resident pages. Other tests run beside it: bounds are wide.

import Foundation
import HTTP
import Testing

@Suite struct ByteBufferMemoryTests {
    /// Resident memory of this process in KiB.
    private func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    /// One in so many is kept, so that what lies between cannot go back as a whole.
    private final class Kept {
        let buffer: ByteBuffer
        init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }
    }

    /// The readable bytes, and the next `count` that the storage has.
    private func stored(_ buffer: inout ByteBuffer, _ count: Int) -> [UInt8] {
        buffer.commit(count)
        return (0..<buffer.count).map { buffer.bytes[$0] }
    }

    /// What is wiped is zero; the others are there until the next wipe, whatever came over them.
    @Test func aBufferIsForgottenAndWipedInPart() {
        for (consumed, wiped) in [(0, 0), (0, 3), (0, 8), (2, 0), (2, 3), (2, 6)] {
            var buffer = ByteBuffer(capacity: 64)
            buffer.append("abcdefgh")
            buffer.consume(consumed)
            buffer.clear(wiping: wiped)
            #expect(buffer.count == 0)
            let zeros = consumed + wiped
            #expect(stored(&buffer, 8) == Array(repeating: 0, count: zeros) + Array("abcdefgh".utf8)[zeros...])
            buffer.clear()
            buffer.append("xy")
            buffer.wipeRest()
            #expect(stored(&buffer, 6) == Array("xy".utf8) + Array(repeating: 0, count: 6))
        }
    }

    /// A buffer without storage has no bytes and no room, and gets storage by being written to.
    @Test func aBufferMayHaveNoStorage() {
        var buffer = ByteBuffer()
        buffer.wipe()
        buffer.consume(0)
        buffer.compact()
        buffer.wipeRest()
        #expect(buffer.count == 0 && buffer.capacity == 0 && buffer.room == 0 && buffer.free.count == 0)
        buffer.append("abc")
        var taken = buffer.take()
        #expect(buffer.capacity == 0 && buffer.count == 0 && taken.count == 3)
        #expect(stored(&taken, 0) == Array("abc".utf8))
        let empty = buffer.take()
        #expect(empty.capacity == 0)
    }

    /// Room that was full once costs nothing when it is given back and asked for again.
    @Test func roomThatIsNotWrittenIsNotHeld() throws {
        let (count, size) = (2_000, 64 * 1_024)
        let before = try residentKiB()
        var small: [Kept] = []
        var large: [Kept] = []
        for _ in 0..<count {
            var buffer = ByteBuffer(capacity: size)
            for _ in 0..<size / 32 { buffer.append("0123456789abcdef0123456789abcdef") }
            large.append(Kept(buffer))
            small.append(Kept(ByteBuffer(capacity: 64)))
        }
        #expect(try residentKiB() - before > count * size / 1_024 / 2, "what was written is resident")
        large.removeAll()
        for _ in 0..<count { large.append(Kept(ByteBuffer(capacity: size))) }
        #expect(try residentKiB() - before < count * size / 1_024 / 2, "what was not written is not")
        #expect(large.count == small.count && large.allSatisfy { $0.buffer.count == 0 })
    }
}
