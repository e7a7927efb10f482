// Short texts, written one behind another into room that a buffer has made for all of them at once. The position stays
// in a register, where each append to a buffer reads and stores the buffer's, and tests its room.
// Relies on ByteBuffer for the room. Refuses, by precondition, to write behind it.

/// A place to write to; see `ByteBuffer.write(atMost:_:)`.
@safe
package struct ByteCursor: ~Copyable {
    private let base: UnsafeMutablePointer<UInt8>
    private let room: Int
    /// Bytes that were written so far.
    package private(set) var count = 0
    /// Bytes that a word may be written behind `count`.
    static let overhang = 3

    /// SAFETY: `room` bytes from `base` on are the caller's, who uses them for nothing else meanwhile.
    @inline(__always)
    init(_ base: UnsafeMutablePointer<UInt8>, room: Int) {
        unsafe self.base = base
        self.room = room
    }

    @inline(__always)
    private func need(_ bytes: Int) {
        precondition(room &- count >= bytes, "no more is written than was said")
    }

    /// The UTF-8 of a literal: its length is known where this is inlined, and the copy a few stores.
    @inline(__always)
    package mutating func append(_ literal: StaticString) {
        precondition(literal.hasPointerRepresentation, "a literal has its bytes in memory")
        let length = literal.utf8CodeUnitCount
        need(length)
        // SAFETY: there is room for them, and the literal's bytes live as long as the program.
        unsafe (base + count).update(from: literal.utf8Start, count: length)
        count &+= length
    }

    /// 20 bytes.
    @inline(__always)
    package mutating func append(_ text: [20 of UInt8]) {
        need(20)
        // SAFETY: there is room for 20 bytes, and storeBytes takes any address.
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: text, as: [20 of UInt8].self)
        count &+= 20
    }

    /// 16 lower-case hexadecimal digits.
    @inline(__always)
    package mutating func append(hex word: UInt64) {
        need(16)
        // SAFETY: both are 8 bytes of plain bits.
        let high = unsafe unsafeBitCast(Self.hexDigits(word.bigEndian &>> 4), to: SIMD8<UInt8>.self)
        let low = unsafe unsafeBitCast(Self.hexDigits(word.bigEndian), to: SIMD8<UInt8>.self)
        // One instruction, once it is compiled.
        let text = SIMD16<UInt8>(
            high[0], low[0], high[1], low[1], high[2], low[2], high[3], low[3],
            high[4], low[4], high[5], low[5], high[6], low[6], high[7], low[7])
        // SAFETY: there is room for 16 bytes, and storeBytes takes any address.
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: text, as: SIMD16<UInt8>.self)
        count &+= 16
    }

    /// The digits of the low halves of eight bytes. Those from 10 on are moved up to the letters.
    @inline(__always)
    private static func hexDigits(_ word: UInt64) -> UInt64 {
        let values = word & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((values &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return values &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

    // MARK: - Numbers

    /// Bytes that a number is given room for: the 19 digits of the longest, and a word's overhang.
    package static let numberRoom = 22

    /// A number that is not negative, in decimal.
    @inline(__always)
    package mutating func append(decimal number: Int) {
        precondition(number >= 0, "lengths are not negative")
        need(Self.numberRoom)
        // SAFETY: there is room for every number.
        unsafe count &+= number < 1_000 ? Self.small(number, base + count) : Self.large(number, base + count)
    }

    /// Thousandths, which are not negative, with three decimals: 1234 as `1.234`.
    @inline(__always)
    package mutating func append(thousandths number: Int) {
        let whole = number / 1_000
        append(decimal: whole)
        need(4)
        // SAFETY: there is room for a word.
        unsafe Self.store(Self.threeDigits(number &- whole &* 1_000) &<< 8 | UInt32(UInt8(ascii: ".")), base + count)
        count &+= 4
    }

    /// The last 3 decimal digits of a number that is not negative, with zeros in front.
    @inline(__always)
    package mutating func append(threeDigitsOf number: Int) {
        precondition(number >= 0, "a number that is not negative")
        need(3 + Self.overhang)
        // SAFETY: there is room for a word.
        unsafe Self.store(Self.threeDigits(number % 1_000), base + count)
        count &+= 3
    }

    /// A number below 1,000, as most are: three digits are there at once, of which the last are kept. Gives their
    /// count.
    @inline(__always)
    private static func small(_ number: Int, _ place: UnsafeMutablePointer<UInt8>) -> Int {
        let count = 1 &+ (number >= 10 ? 1 : 0) &+ (number >= 100 ? 1 : 0)
        // SAFETY: as in `store`.
        unsafe store(threeDigits(number) &>> UInt32(truncatingIfNeeded: 24 &- 8 &* count), place)
        return count
    }

    /// Any other: its last three digits behind the rest.
    @inline(never)
    private static func large(_ number: Int, _ place: UnsafeMutablePointer<UInt8>) -> Int {
        let rest = number / 1_000
        // SAFETY: the caller has room for every number and a word's overhang.
        let count = unsafe rest < 1_000 ? small(rest, place) : large(rest, place)
        unsafe store(threeDigits(number &- rest &* 1_000), place + count)
        return count &+ 3
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

    /// SAFETY: the caller has room for 4 bytes at the place; those that are too many are written over by the next.
    @inline(__always)
    private static func store(_ word: UInt32, _ place: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(place).storeBytes(of: word.littleEndian, as: UInt32.self)
    }
}
