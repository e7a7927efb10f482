// Compressed bodies as tests need them, made without zlib: stored blocks, and one long run for bombs.
// Relies on RFC 1950 to 1952. Refuses nothing: breaking them is done by the tables.

/// Makes DEFLATE data and its two wrappers.
enum Deflated {
    /// A gzip member with one stored block.
    static func gzip(_ plain: [UInt8]) -> [UInt8] { gzip(stored(plain), of: plain) }

    /// A gzip member around DEFLATE data.
    static func gzip(_ data: [UInt8], of plain: [UInt8]) -> [UInt8] {
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + data + little(crc32(plain)) + little(UInt32(plain.count))
    }

    /// A zlib stream with one stored block.
    static func zlib(_ plain: [UInt8]) -> [UInt8] { zlib(stored(plain), of: plain) }

    /// A zlib stream around DEFLATE data.
    static func zlib(_ data: [UInt8], of plain: [UInt8]) -> [UInt8] {
        [0x78, 0x01] + data + little(adler32(plain)).reversed()
    }

    /// One final block without compression; 65,535 bytes at most.
    static func stored(_ plain: [UInt8]) -> [UInt8] {
        let count = UInt16(plain.count)
        return [1, UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8)] + plain
    }

    /// `{"a":"xxx..."}` with `runs` times 258 bytes after the first x, in one block of the fixed code.
    static func run(_ runs: Int) -> (data: [UInt8], plain: [UInt8]) {
        var bits = Bits()
        bits.add(0b011, 3)
        for byte in "{\"a\":\"x".utf8 { bits.addCode(0x30 + UInt32(byte), 8) }
        for _ in 0..<runs {
            bits.addCode(0b1100_0101, 8)
            bits.addCode(0, 5)
        }
        for byte in "\"}".utf8 { bits.addCode(0x30 + UInt32(byte), 8) }
        bits.addCode(0, 7)
        let plain = Array("{\"a\":\"x".utf8) + [UInt8](repeating: 0x78, count: runs * 258) + Array("\"}".utf8)
        return (bits.bytes, plain)
    }

    private struct Bits {
        var bytes: [UInt8] = []
        private var free = 0

        /// The lowest bit first, as numbers are written.
        mutating func add(_ value: UInt32, _ count: Int) {
            for bit in 0..<count {
                if free == 0 {
                    bytes.append(0)
                    free = 8
                }
                bytes[bytes.count - 1] |= UInt8((value >> UInt32(bit)) & 1) << UInt8(8 - free)
                free -= 1
            }
        }

        /// The highest bit first, as codes are written.
        mutating func addCode(_ code: UInt32, _ count: Int) {
            for bit in (0..<count).reversed() { add((code >> UInt32(bit)) & 1, 1) }
        }
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }
}
