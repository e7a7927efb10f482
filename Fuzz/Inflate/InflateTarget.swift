// Fuzz target: taking gzip and zlib codings off a body. Foreign bytes never give more than the limit and the same at
// every limit that suffices; bytes that are wrapped here come back, and no byte less, more or other is taken for them.
// Relies on RFC 1950 to 1952 for the wrappers, written here with stored blocks and slow checksums.

import FuzzHarness
import HTTP

/// Called for every input.
@c(countersign_fuzz_one)
public func fuzzOne() {
    guard let input = FuzzInput(input()) else { return }
    let coding: ContentCoding = input.options & 1 == 0 ? .gzip : .deflate
    if input.options & 2 == 0 { checkForeign(input.bytes, coding, limit: Int(input.variant) * 16) }
    if input.options & 2 != 0 { checkOwn(input, coding) }
}

/// What the inflater makes of a body, behind bytes that are in the buffer already.
private func inflated(_ coded: [UInt8], _ coding: ContentCoding, limit: Int) -> Result<[UInt8], InflateFailure> {
    var plain = ByteBuffer(capacity: 1)
    plain.append(byte: 0xA5)
    let failure = Inflater.inflate(coded.span, coding, into: &plain, limit: limit)
    expect(plain.count <= limit + 2, "no more than the limit, and the byte that shows it, is inflated")
    let bytes = copy(plain)
    expect(bytes.first == 0xA5, "what is in the buffer stays")
    return failure.map { .failure($0) } ?? .success(Array(bytes.dropFirst()))
}

private func checkForeign(_ coded: [UInt8], _ coding: ContentCoding, limit: Int) {
    let result = inflated(coded, coding, limit: limit)
    expect(result == inflated(coded, coding, limit: limit), "the same bytes give the same result")
    guard case .success(let plain) = result else { return }
    expect(inflated(coded, coding, limit: plain.count) == result, "the limit itself suffices")
    if !plain.isEmpty {
        expect(inflated(coded, coding, limit: plain.count - 1) == .failure(.tooLarge), "one byte less does not")
    }
    expect(inflated(coded, coding, limit: 64 * 1_024 * 1_024) == result, "a larger limit changes nothing")
    checkNeighbours(coded, coding, limit: limit)
}

/// A body that is cut off or followed by anything is broken.
private func checkNeighbours(_ coded: [UInt8], _ coding: ContentCoding, limit: Int) {
    expect(inflated(coded + [0], coding, limit: limit) == .failure(.broken), "a byte behind the end is refused")
    expect(inflated(coded + coded, coding, limit: limit * 2) == .failure(.broken), "a second member is refused")
    expect(inflated(Array(coded.dropLast()), coding, limit: limit) == .failure(.broken), "a missing byte is refused")
    let other: ContentCoding = coding == .gzip ? .deflate : .gzip
    expect(inflated(coded, other, limit: limit) == .failure(.broken), "another format is refused")
}

private func checkOwn(_ input: FuzzInput, _ coding: ContentCoding) {
    let plain = input.bytes
    let coded = coding == .gzip ? gzip(plain, input.cuts) : zlib(plain, input.cuts)
    expect(inflated(coded, coding, limit: plain.count) == .success(plain), "what was wrapped comes back")
    if !plain.isEmpty {
        expect(inflated(coded, coding, limit: plain.count - 1) == .failure(.tooLarge), "not beyond the limit")
    }
    checkNeighbours(coded, coding, limit: plain.count)
    var wrong = coded
    wrong[coded.count - 1 - Int(input.variant & 3)] ^= 1
    expect(inflated(wrong, coding, limit: plain.count) == .failure(.broken), "a wrong checksum or length is refused")
}

/// RFC 1951 section 3.2.4, one block between two cuts.
private func stored(_ plain: [UInt8], _ cuts: [Int]) -> [UInt8] {
    var blocks: [UInt8] = []
    var start = 0
    let ends = cuts + [plain.count]
    for (index, end) in ends.enumerated() {
        let count = UInt16(end - start)
        blocks.append(index == ends.count - 1 ? 1 : 0)
        blocks += [UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)]
        blocks += plain[start..<end]
        start = end
    }
    return blocks
}

/// RFC 1952.
private func gzip(_ plain: [UInt8], _ cuts: [Int]) -> [UInt8] {
    var crc: UInt32 = ~0
    for byte in plain {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB8_8320 }
    }
    let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
    let tail = [~crc, UInt32(plain.count)].flatMap { word in (0..<4).map { UInt8(word >> ($0 * 8) & 255) } }
    return head + stored(plain, cuts) + tail
}

/// RFC 1950.
private func zlib(_ plain: [UInt8], _ cuts: [Int]) -> [UInt8] {
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in plain {
        low = (low + UInt32(byte)) % 65_521
        high = (high + low) % 65_521
    }
    let tail = [high >> 8, high, low >> 8, low].map { UInt8($0 & 255) }
    return [0x78, 0x01] + stored(plain, cuts) + tail
}
