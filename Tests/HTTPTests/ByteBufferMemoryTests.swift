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

    /// Until it is wiped, wherever the end was meanwhile.
    @Test func whatLiesBehindTheEndIsCounted() {
        var buffer = ByteBuffer(capacity: 64)
        buffer.append("0123456789")
        #expect(buffer.leftover == 0)
        buffer.truncate(to: 8)
        #expect(buffer.leftover == 2)
        buffer.consume(3)
        buffer.compact()
        #expect(buffer.count == 5 && buffer.leftover == 5)
        buffer.clear()
        buffer.append("abc")
        #expect(buffer.leftover == 7)
        buffer.wipeRest()
        #expect(buffer.leftover == 0 && buffer.count == 3)
        for count in [0, 2, 3, 64] {
            buffer.clear()
            buffer.append("abcde")
            buffer.consume(5)
            buffer.wipeFront(count)
            // What was overwritten is zero; the rest is as it was, and counts as written.
            #expect(buffer.leftover == 5)
            buffer.commit(5)
            for index in 0..<5 { #expect((buffer.bytes[index] == 0) == (index < count)) }
        }
        buffer.truncate(to: 3)
        buffer.wipeRest()
        buffer.clear()
        #expect(buffer.leftover == 3)
        buffer.wipe()
        #expect(buffer.leftover == 0)
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
