// How an input is read: a preface of six bytes that chooses variants and cuts, then the bytes for the parser. Fixed
// places keep corpora readable: a seed is `000000` and the message. Refuses nothing; an input without preface is passed
// over.

package import HTTP

/// One input, taken apart.
package struct FuzzInput {
    /// Chooses limits.
    package var options: UInt8
    /// Chooses whatever else the target varies.
    package var variant: UInt8
    /// Two places between 0 and the count of `bytes`, in order.
    package var cuts: [Int]
    package var bytes: [UInt8]

    /// Nil for fewer than six bytes.
    package init?(_ input: [UInt8]) {
        guard input.count >= 6 else { return nil }
        options = input[0]
        variant = input[1]
        bytes = Array(input[6...])
        let count = bytes.count
        cuts = [2, 4].map { (Int(input[$0]) << 8 | Int(input[$0 + 1])) % (count + 1) }.sorted()
    }

    /// The default limits, or small ones whose edges short inputs reach.
    package var limits: HTTPLimits {
        var limits = HTTPLimits()
        switch options & 3 {
        case 0: break
        case 1:
            limits.maxHead = 256
            limits.maxLine = 64
            limits.maxFields = 8
            limits.maxBody = 1_024
            limits.maxChunkLine = 16
        case 2:
            limits.maxHead = 128
            limits.maxLine = 128
            limits.maxFields = 3
            limits.maxBody = 9
            limits.maxChunkLine = 40
        default:
            limits.maxHead = 1_024
            limits.maxLine = 256
            limits.maxBody = 64
        }
        return limits
    }

    /// Limits that nothing within libFuzzer's length of an input exceeds.
    package static var wideLimits: HTTPLimits {
        var limits = HTTPLimits()
        limits.maxHead = 256 * 1_024
        limits.maxLine = limits.maxHead
        limits.maxFields = 1_000
        limits.maxBody = 64 * 1_024 * 1_024
        return limits
    }
}

/// The readable bytes of a buffer.
package func copy(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    var copy: [UInt8] = []
    for index in 0..<buffer.count { copy.append(buffer.bytes[index]) }
    return copy
}
