// Says what our parser makes of requests, for Fuzz/differential.py to compare with another parser. Relies on the pipe's
// protocol. One answer per input: `refused REASON`, `partial`, or the parts in hexadecimal, separated by spaces.

import HTTP

/// `accepted METHOD TARGET FRAMING HEAD-LENGTH CONSUMED BODY NAME=VALUE...`
func reading(_ bytes: [UInt8]) -> String {
    var parser = RequestHeadParser()
    var head = RequestHead()
    let limits = HTTPLimits()
    switch parser.feed(bytes.span, limits: limits, into: &head) {
    case .needMore: return "partial"
    case .refused(let refusal): return "refused \(refusal)"
    case .complete: break
    }
    let rest = Array(bytes[head.length...])
    var words = ["accepted", "\(head.method.name)", hex(bytes[head.target.range])]
    switch head.framing {
    case .none, .untilClose: words += ["none", "\(head.length)", "\(head.length)", ""]
    case .length(let length):
        guard rest.count >= length else { return "partial" }
        words += ["length", "\(head.length)", "\(head.length + length)", hex(rest[..<length])]
    case .chunked:
        var body = rest
        var span = body.mutableSpan
        var decoder = ChunkedDecoder()
        let step = decoder.decode(&span, from: 0, writeAt: 0, limits: limits, maxPayload: limits.maxBody)
        if case .refused(let refusal) = step.progress { return "refused \(refusal)" }
        guard step.progress == .complete else { return "partial" }
        words += ["chunked", "\(head.length)", "\(head.length + step.consumed)", hex(body[..<step.produced])]
    }
    words += head.fields.array.map { "\(hex(bytes[$0.name.range]))=\(hex(bytes[$0.value.range]))" }
    return words.joined(separator: " ")
}

private func hex(_ bytes: ArraySlice<UInt8>) -> String {
    var text = ""
    for byte in bytes { text += (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return text
}
