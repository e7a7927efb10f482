// A request as somebody recorded it: request line, header lines, body. Offline only.
// Relies on the bytes being one HTTP/1.1 message without transfer coding. Refuses a head without its empty line and
// lines that are not header lines, and says which.

internal import HTTP

/// A recorded request in pieces.
package struct CapturedRequest: Sendable {
    /// One header line as it was recorded.
    package struct Field: Sendable {
        package var name: [UInt8]
        package var value: [UInt8]
    }

    /// Why a recording cannot be read. Lines are counted from 1.
    package enum Problem: Error, Equatable {
        case noEmptyLine
        case badRequestLine
        case badHeaderLine(Int)
    }

    /// Without its line end.
    package let requestLine: [UInt8]
    package let fields: [Field]
    package let body: [UInt8]
    /// The recording's lines end with LF alone; HTTP's end with CRLF.
    package let hasBareLineEnds: Bool

    /// Reads a recording.
    package init(_ bytes: [UInt8]) throws(Problem) {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var at = 0
        var isComplete = false
        var isBare = false
        while at < bytes.count && !isComplete {
            let byte = bytes[at]
            at += 1
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() } else { isBare = true }
            if line.isEmpty { isComplete = true } else { lines.append(line) }
            line = []
        }
        guard isComplete else { throw .noEmptyLine }
        guard let first = lines.first, first.split(separator: UInt8(ascii: " ")).count == 3 else {
            throw .badRequestLine
        }
        requestLine = first
        hasBareLineEnds = isBare
        body = Array(bytes[at...])
        fields = try Self.fields(lines.dropFirst())
    }

    private static func fields(_ lines: ArraySlice<[UInt8]>) throws(Problem) -> [Field] {
        var fields: [Field] = []
        for (index, line) in zip(lines.indices, lines) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { throw .badHeaderLine(index + 1) }
            fields.append(Field(name: Array(line[..<colon]), value: line[(colon + 1)...].trimmed()))
        }
        return fields
    }

    /// The values of all headers called `name` (lower case).
    package func values(_ name: String) -> [[UInt8]] {
        fields.filter { $0.name.lowercased() == Array(name.utf8) }.map(\.value)
    }
}

extension Collection where Element == UInt8 {
    /// Without spaces and tabs at the ends.
    func trimmed() -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = Array(drop(while: isSpace))
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }

    /// With ASCII letters in lower case.
    func lowercased() -> [UInt8] {
        map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
    }

    /// With `%41` and its like read as the bytes that they stand for; nil where there is none or one is cut off.
    func percentDecoded() -> [UInt8]? {
        var decoded: [UInt8] = []
        var isChanged = false
        var iterator = makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(hexValue), let low = iterator.next().flatMap(hexValue) else {
                return nil
            }
            decoded.append(high << 4 | low)
            isChanged = true
        }
        return isChanged ? decoded : nil
    }

    /// The bytes that pairs of hexadecimal digits stand for; nil where there is anything else.
    func hexDecoded() -> [UInt8]? {
        guard count % 2 == 0, count > 0 else { return nil }
        var decoded: [UInt8] = []
        var iterator = makeIterator()
        while let first = iterator.next() {
            guard let high = hexValue(first), let low = iterator.next().flatMap(hexValue) else { return nil }
            decoded.append(high << 4 | low)
        }
        return decoded
    }

    /// Lower-case hexadecimal digits.
    func hexEncoded() -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

extension Base64 {
    /// The encoding as an array, for offline use.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer(capacity: max(4, encodedCount(bytes.count)))
        append(bytes.span, to: &buffer)
        return buffer.copied()
    }
}
