// Names for requests: one for the log and for answers of the gateway's own, so that a caller's report and the gateway's
// record can be brought together, and one for the trace. They say nothing: random at the start, then counted or mixed.

package import HTTP

/// Makes request ids: 16 hexadecimal digits of randomness, a dash, and a count.
package struct RequestIDs {
    private let prefix: [UInt8]
    private var count: UInt64 = 0
    /// The state of xoshiro256++ (Blackman and Vigna 2019): ids of traces need to differ, not to be secret, and the
    /// system's randomness costs a call.
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// Ids of one worker: their beginning is 64 random bits.
    package init(worker: Int) {
        var random = SystemRandomNumberGenerator()
        let number = random.next() as UInt64 ^ UInt64(truncatingIfNeeded: worker)
        let hex = String(number, radix: 16)
        prefix = Array((String(repeating: "0", count: 16 - hex.count) + hex + "-").utf8)
        state = (random.next(), random.next(), random.next(), random.next() | 1)
    }

    /// The next request's number, from 1.
    package mutating func next() -> UInt64 {
        count += 1
        return count
    }

    /// The id of a number that was given, in ASCII.
    package func text(_ number: UInt64) -> [UInt8] { prefix + Array(String(number).utf8) }

    /// Appends the id of a number.
    package func append(_ number: UInt64, to buffer: inout ByteBuffer) {
        buffer.append(prefix.span)
        buffer.appendDecimal(Int(truncatingIfNeeded: number))
    }

    /// A trace that begins here, not sampled: the gateway sends no spans to anybody (W3C Trace Context level 1, section
    /// 3.2.2.5.1).
    package mutating func beginTrace() -> TraceParent {
        TraceParent(traceHigh: random(), traceLow: random(), parent: random(), isSampled: false)
    }

    /// 64 random bits, not all zero.
    package mutating func random() -> UInt64 {
        while true {
            let sum = state.0 &+ state.3
            let result = (sum << 23 | sum >> 41) &+ state.0
            let shifted = state.1 << 17
            state.2 ^= state.0
            state.3 ^= state.1
            state.1 ^= state.2
            state.0 ^= state.3
            state.2 ^= shifted
            state.3 = state.3 << 45 | state.3 >> 19
            if result != 0 { return result }
        }
    }
}
