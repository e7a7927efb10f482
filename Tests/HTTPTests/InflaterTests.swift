// Compressed bodies: taken apart exactly, or refused. The coded forms are made by Python's zlib and gzip modules, an
// implementation's own output, and written here as Base64.

import Foundation
import HTTP
import Testing

/// `{"user_id":"u1"}` in both codings.
private let gzipped = "H4sIAAAAAAAC/6tWKi1OLYrPTFGyUio1VKoFAH/B+mwQAAAA"
private let deflated = "eJyrViotTi2Kz0xRslIqNVSqBQAwQAVM"
private let plain = #"{"user_id":"u1"}"#

private func decoded(_ text: String) -> [UInt8] { Array(Data(base64Encoded: text)!) }

private func inflate(
    _ coded: [UInt8], _ coding: ContentCoding, limit: Int = 1_024
) -> (text: String, failure: InflateFailure?) {
    var buffer = ByteBuffer(capacity: 8)
    let failure = Inflater.inflate(coded.span, coding, into: &buffer, limit: limit)
    var bytes: [UInt8] = []
    for index in buffer.bytes.indices { bytes.append(buffer.bytes[index]) }
    return (String(decoding: bytes, as: UTF8.self), failure)
}

@Suite struct InflaterTests {
    @Test func bothCodingsGiveThePlainBody() {
        #expect(inflate(decoded(gzipped), .gzip) == (plain, nil))
        #expect(inflate(decoded(deflated), .deflate) == (plain, nil))
    }

    @Test func theLimitIsExact() {
        let count = plain.utf8.count
        #expect(inflate(decoded(gzipped), .gzip, limit: count).failure == nil)
        #expect(inflate(decoded(gzipped), .gzip, limit: count + 1).failure == nil)
        #expect(inflate(decoded(gzipped), .gzip, limit: count - 1).failure == .tooLarge)
    }

    @Test func anEarlyEndIsBrokenAtEveryByte() {
        for (text, coding) in [(gzipped, ContentCoding.gzip), (deflated, .deflate)] {
            let coded = decoded(text)
            for end in 0..<coded.count {
                #expect(inflate(Array(coded[..<end]), coding).failure == .broken, "\(coding) cut at \(end)")
            }
        }
    }

    @Test func everyFlippedBitOfTheChecksumAndLengthIsNoticed() {
        let coded = decoded(gzipped)
        for bit in 0..<64 {
            var wrong = coded
            wrong[coded.count - 8 + bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(inflate(wrong, .gzip).failure == .broken)
        }
    }

    @Test func bytesBehindTheEndAndSecondMembersAreRefused() {
        #expect(inflate(decoded(gzipped) + [0], .gzip).failure == .broken)
        #expect(inflate(decoded(gzipped) + decoded(gzipped), .gzip).failure == .broken)
        #expect(inflate(decoded(deflated) + [0x7D], .deflate).failure == .broken)
    }

    @Test func oneCodingIsNotTakenForTheOther() {
        #expect(inflate(decoded(gzipped), .deflate).failure == .broken)
        #expect(inflate(decoded(deflated), .gzip).failure == .broken)
        #expect(inflate(Array(plain.utf8), .gzip).failure == .broken)
        // Bare DEFLATE: the zlib form without its two bytes in front and its checksum.
        #expect(inflate(Array(decoded(deflated).dropFirst(2).dropLast(4)), .deflate).failure == .broken)
    }

    @Test func namesOfCodings() {
        func coding(_ name: String) -> ContentCoding? { ContentCoding(Array(name.utf8).span) }
        #expect(coding("gzip") == .gzip && coding("GZip") == .gzip && coding("deflate") == .deflate)
        for name in ["", "x-gzip", "br", "identity", "gzip, gzip", "gzip,", "gzip;q=1", "deflate ", "zstd"] {
            #expect(coding(name) == nil, "\(name)")
        }
    }

    /// A megabyte of zeros in about a kilobyte: it ends at the limit, not after it.
    @Test func aBombEndsAtTheLimit() {
        var bomb = ByteBuffer(capacity: 64)
        bomb.append(deflateZeros(1 << 20).span)
        var buffer = ByteBuffer(capacity: 8)
        let failure = Inflater.inflate(bomb.bytes, .deflate, into: &buffer, limit: 10_000)
        #expect(failure == .tooLarge)
        #expect(buffer.count == 10_001 && buffer.capacity < 64 * 1_024)
    }

    /// Stored blocks would not make a bomb; fixed-Huffman matches of length 258 do: each costs about 13 bits.
    private func deflateZeros(_ count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.write(0b011, 3)
        bits.writeReversed(0x30, 8)
        var left = count - 1
        while left >= 258 {
            bits.writeReversed(0b1100_0101, 8)
            bits.writeReversed(0, 5)
            left -= 258
        }
        for _ in 0..<left { bits.writeReversed(0x30, 8) }
        bits.writeReversed(0, 7)
        var bytes: [UInt8] = [0x78, 0x9C] + bits.bytes
        // Adler-32 of zeros: a stays 1, b is the count.
        let check = UInt32(count % 65_521) << 16 | 1
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: check >> UInt32(shift))) }
        return bytes
    }
}

/// Writes DEFLATE's bit order: numbers from the lowest bit, codes from the highest.
private struct BitWriter {
    var bytes: [UInt8] = []
    private var used = 8

    mutating func write(_ value: Int, _ count: Int) {
        for bit in 0..<count { put(value >> bit & 1) }
    }

    mutating func writeReversed(_ code: Int, _ count: Int) {
        for bit in (0..<count).reversed() { put(code >> bit & 1) }
    }

    private mutating func put(_ bit: Int) {
        if used == 8 {
            bytes.append(0)
            used = 0
        }
        bytes[bytes.count - 1] |= UInt8(bit << used)
        used += 1
    }
}
