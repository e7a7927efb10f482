// Names for requests: one for the log and for answers of the gateway's own, so that a caller's report and the gateway's
// record can be brought together, and one for the trace. They say nothing: random at the start, then counted or mixed.

package import HTTP

/// The name of a request: `00bbe75ec1425e54-703`.
package struct RequestID: Sendable, BitwiseCopyable {
    fileprivate let prefix: UInt64
    fileprivate let number: UInt64

    /// Bytes of the longest, and what its number is given room for.
    private static let longest = 17 + ByteCursor.numberRoom

    /// In ASCII.
    package var text: [UInt8] {
        var text = ByteBuffer(capacity: Self.longest)
        text.write(atMost: Self.longest) { append(to: &$0) }
        return text.copied()
    }

    @inline(__always)
    func append(to text: inout ByteCursor) {
        text.append(hex: prefix)
        text.append("-")
        text.append(decimal: Int(truncatingIfNeeded: number))
    }
}

/// Makes request ids: 16 hexadecimal digits of randomness, a dash, and a count.
package struct RequestIDs {
    private let prefix: UInt64
    private var count: UInt64 = 0
    /// The state of xoshiro256++ (Blackman and Vigna 2019): ids of traces need to differ, not to be secret, and the
    /// system's randomness costs a call.
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// Ids of one worker: their beginning is 64 random bits.
    package init(worker: Int) {
        var random = SystemRandomNumberGenerator()
        prefix = random.next() as UInt64 ^ UInt64(truncatingIfNeeded: worker)
        state = (random.next(), random.next(), random.next(), random.next() | 1)
    }

    /// The next request's number, from 1.
    package mutating func next() -> UInt64 {
        count += 1
        return count
    }

    /// The id of a number that was given.
    @inline(__always)
    package func id(_ number: UInt64) -> RequestID { RequestID(prefix: prefix, number: number) }

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
