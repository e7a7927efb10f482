// An answer as it is held back and kept: status, reason, the fields that may go to the caller, body. No framing, which
// is written afresh for each caller.
// Relies on the answer's parser for what the fields may hold. Refuses, as a value, bytes that are not of this form:
// they come out of a file.

package import HTTP

/// Where the parts of a kept answer stand.
///
///     version (1)  status (2)  length of reason (2)  length of fields (4)  reason  fields  body      big endian
package struct KeptAnswer: Equatable {
    static let version: UInt8 = 1
    private static let prefix = 9

    /// HTTP status, 200 ... 599.
    package let status: Int
    let reason: ByteRange
    /// `Name: value CRLF` for each.
    let fields: ByteRange
    /// Where the body begins; it ends with the bytes.
    let bodyStart: Int

    /// Finds the parts; nil where the bytes are not of this form.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= Self.prefix, bytes[0] == Self.version else { return nil }
        status = Int(bytes[1]) << 8 | Int(bytes[2])
        let reasonEnd = Self.prefix + (Int(bytes[3]) << 8 | Int(bytes[4]))
        var length = 0
        for index in 5..<Self.prefix { length = length << 8 | Int(bytes[index]) }
        let fieldsEnd = reasonEnd + length
        guard (200...599).contains(status), fieldsEnd <= bytes.count else { return nil }
        reason = ByteRange(Self.prefix, reasonEnd)
        fields = ByteRange(reasonEnd, fieldsEnd)
        bodyStart = fieldsEnd
    }

    /// Begins a kept answer in an empty buffer; the body's bytes follow.
    package static func begin(_ head: borrowing ResponseHead, from received: Span<UInt8>, in buffer: inout ByteBuffer) {
        buffer.append(byte: version)
        append(head.status, bytes: 2, to: &buffer)
        append(head.reason.count, bytes: 2, to: &buffer)
        append(0, bytes: 4, to: &buffer)
        buffer.append(received.slice(head.reason))
        let start = buffer.count
        buffer.appendForwardedFields(of: head, from: received)
        let length = buffer.count - start
        var bytes = buffer.mutableBytes
        for index in 0..<4 { bytes[5 + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
    }

    /// Whether a field of it is Content-Encoding.
    func namesCoding(in kept: Span<UInt8>) -> Bool {
        var start = Int(fields.start)
        while start < Int(fields.end) {
            let line = kept.extracting(start..<Int(fields.end))
            if spanHasPrefix(line, ignoringCase: "content-encoding:") { return true }
            var end = start
            while end < Int(fields.end) && kept[end] != UInt8(ascii: "\n") { end += 1 }
            start = end + 1
        }
        return false
    }

    private static func append(_ number: Int, bytes: Int, to buffer: inout ByteBuffer) {
        for index in stride(from: bytes - 1, through: 0, by: -1) {
            buffer.append(byte: UInt8(truncatingIfNeeded: number >> (8 * index)))
        }
    }

    /// Status line and fields, as far as they are the same for every caller, and then `own`: lines of this one's.
    func writeHead(of kept: Span<UInt8>, own: Span<UInt8>, to output: inout ByteBuffer) {
        output.append("HTTP/1.1 ")
        output.appendDecimal(status)
        output.append(" ")
        output.append(kept.slice(reason))
        output.append("\r\n")
        output.append(kept.slice(fields))
        output.append(own)
    }

    /// The whole answer for one caller, with `own` lines of fields, each with its end.
    package func write(
        of kept: Span<UInt8>, own: Span<UInt8>, to method: Method, isReplay: Bool, closes: Bool,
        to output: inout ByteBuffer
    ) {
        writeHead(of: kept, own: own, to: &output)
        if isReplay { output.append("Idempotent-Replayed: true\r\n") }
        let hasBody = method != .head && status != 204 && status != 304
        if hasBody {
            output.append("Content-Length: ")
            output.appendDecimal(kept.count - bodyStart)
            output.append("\r\n")
        }
        output.append(closes ? "Connection: close\r\n\r\n" : "\r\n")
        if hasBody { output.append(kept.extracting(bodyStart..<kept.count)) }
    }
}
