// Numbers as bytes, against what the standard library says of them.

import HTTP
import TestSupport
import Testing

@Suite struct NumberTests {
    /// All that have up to four digits, and both sides of every power of ten above.
    @Test func decimals() {
        for number in 0...10_000 { #expect(written { $0.appendDecimal(number) } == String(number)) }
        var power = 10_000
        while true {
            for number in [power - 1, power, power + 1] {
                #expect(written { $0.appendDecimal(number) } == String(number))
            }
            let (next, overflows) = power.multipliedReportingOverflow(by: 10)
            if overflows { break }
            power = next
        }
        #expect(written { $0.appendDecimal(.max) } == "9223372036854775807")
    }

    @Test func threeDigitsHaveZerosInFront() {
        for number in 0...2_100 {
            let last = String(number % 1_000)
            let wanted = String(repeating: "0", count: 3 - last.count) + last
            #expect(written { $0.write(atMost: 6) { $0.append(threeDigitsOf: number) } } == wanted)
        }
    }

    @Test func thousandthsHaveThreeDecimals() {
        for number in Array(0...2_100) + [999_999, 1_000_000, 1_000_001, 61_234_568, Int.max] {
            let last = String(number % 1_000)
            let wanted = "\(number / 1_000)." + String(repeating: "0", count: 3 - last.count) + last
            #expect(written { $0.write(atMost: 26) { $0.append(thousandths: number) } } == wanted)
        }
    }

    @Test func hexadecimalDigits() {
        var seed = Seed.chosen(for: "hexadecimalDigits")
        let edges: [UInt64] = [0, 1, 9, 10, 15, 16, 0xAB, 0x0123_4567_89AB_CDEF, .max]
        for word in edges + (0..<500).map({ _ in seed.next() }) {
            let digits = String(word, radix: 16)
            #expect(written { $0.appendHex(word) } == String(repeating: "0", count: 16 - digits.count) + digits)
        }
    }

    /// What is written beyond the last digit is no part of the bytes, and is wiped with them.
    @Test func nothingIsLeftBehindANumber() {
        var buffer = ByteBuffer(capacity: 64)
        buffer.appendDecimal(7)
        buffer.appendDecimal(42)
        buffer.write(atMost: 26) { $0.append(thousandths: 5) }
        #expect(text(buffer) == "7420.005")
        buffer.wipe()
        let room = buffer.free
        for at in 0..<room.count { #expect(room[at] == 0) }
    }
}
