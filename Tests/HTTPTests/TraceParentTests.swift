// The field traceparent and the members of log lines, byte for byte.
// Relies on W3C Trace Context level 1, sections 3.2 and 4.3.

import HTTP
import TestSupport
import Testing

private func written(_ write: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer(capacity: 8)
    write(&buffer)
    var bytes: [UInt8] = []
    for index in 0..<buffer.count { bytes.append(buffer.bytes[index]) }
    return String(decoding: bytes, as: UTF8.self)
}

@Suite struct TraceParentTests {
    private static let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private func read(_ text: String) -> TraceParent? {
        let bytes = Array(text.utf8)
        return TraceParent(bytes.span)
    }

    @Test func aValueIsReadAndWrittenAgain() throws {
        let trace = try #require(read(Self.valid))
        #expect(trace.traceHigh == 0x4bf9_2f35_77b3_4da6 && trace.traceLow == 0xa3ce_929d_0e0e_4736)
        #expect(trace.parent == 0x00f0_67aa_0ba9_02b7 && trace.isSampled)
        #expect(written { trace.append(to: &$0) } == Self.valid)
        #expect(Self.valid.utf8.count == TraceParent.length)
    }

    @Test(arguments: [
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-anything",
        "00-00000000000000000000000000000001-0000000000000001-00",
    ]) func isValid(_ text: String) { #expect(read(text) != nil) }

    @Test(arguments: [
        "", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    ]) func isNotValid(_ text: String) { #expect(read(text) == nil) }

    /// No other byte may stand where one stands, but another digit of the ids and flags.
    @Test func everyByteCounts() {
        let bytes = Array(Self.valid.utf8)
        for at in bytes.indices {
            for byte in UInt8.min...UInt8.max where byte != bytes[at] {
                var other = bytes
                other[at] = byte
                let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
                let isVersion = at < 2 && other[0] == 0x66 && other[1] == 0x66
                let isFine = isDigit && bytes[at] != 0x2D && !isVersion
                #expect((TraceParent(other.span) != nil) == isFine, "\(at): \(byte)")
            }
            #expect(TraceParent(Array(bytes.prefix(at)).span) == nil)
        }
    }

    @Test func membersAreJSON() {
        #expect(written { $0.appendMember("a.b", 0) } == ",\"a.b\":0")
        #expect(written { $0.appendMember("n", Int.max) } == ",\"n\":9223372036854775807")
        #expect(
            written { $0.appendMember("f", true) } + written { $0.appendMember("f", false) }
                == ",\"f\":true,\"f\":false")
        #expect(written { $0.appendMember("w", word: "refused") } == ",\"w\":\"refused\"")
        #expect(written { $0.appendMember("h", hex: 0xAB) } == ",\"h\":\"00000000000000ab\"")
        #expect(written { $0.appendHex(0x0123_4567_89AB_CDEF) } == "0123456789abcdef")
        #expect(written { $0.appendThreeDigits(7) } + written { $0.appendThreeDigits(1_234) } == "007234")
        #expect(written { $0.appendMember("h", hex: .max, 1) } == ",\"h\":\"ffffffffffffffff0000000000000001\"")
    }

    @Test(
        arguments: [
            (0, "0.000"), (499, "0.000"), (500, "0.001"), (999_499, "0.999"), (999_500, "1.000"), (1_000_000, "1.000"),
            (61_234_567_890, "61234.568"), (UInt64.max, "0.000"),
        ] as [(UInt64, String)])
    func timesHaveThreeDecimals(_ nanoseconds: UInt64, _ text: String) {
        #expect(written { $0.appendMember("t", milliseconds: nanoseconds) } == ",\"t\":" + text)
    }
}
