// The field traceparent, byte for byte.
// Relies on W3C Trace Context level 1, sections 3.2 and 4.3.

import HTTP
import TestSupport
import Testing

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
}
