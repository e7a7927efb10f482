// The chunked coding read line by line from a whole array, to judge the decoder by. Relies on nothing of it. Says bad
// only of whole lines; a line without its end is unfinished, whatever stands in it.

import FuzzHarness
import HTTP

/// What a slow reader makes of a body.
struct SlowChunked: Equatable {
    enum Verdict: Equatable {
        case complete(consumed: Int)
        /// The bytes end within a line, or within the CR LF behind a chunk.
        case unfinishedLine
        case unfinishedPayload
        case bad, tooLarge
    }

    var verdict = Verdict.unfinishedLine
    var payload: [UInt8] = []

    init(_ bytes: [UInt8], _ limits: HTTPLimits, maxPayload: Int) {
        var reader = SlowLines(bytes: bytes)
        while true {
            switch reader.next() {
            case .unfinished: return
            case .bad(let line):
                // The size is known at the CR, before the byte behind it.
                let isTooLarge = (Self.size(line) ?? Self.sizeBeforeExtension(line)) > maxPayload - payload.count
                verdict = isTooLarge ? .tooLarge : .bad
                return
            case .line(let line):
                guard line.count <= limits.maxChunkLine, let size = Self.size(line) else {
                    verdict = .bad
                    // A size that is known before the line goes wrong is judged first.
                    if Self.sizeBeforeExtension(line) > maxPayload - payload.count { verdict = .tooLarge }
                    return
                }
                guard size <= maxPayload - payload.count else {
                    verdict = .tooLarge
                    return
                }
                if size == 0 {
                    verdict = Self.trailers(&reader, limits)
                    return
                }
                if !takePayload(size, &reader) { return }
            }
        }
    }

    /// False where the bytes end, or the chunk does not end with CR LF.
    private mutating func takePayload(_ size: Int, _ reader: inout SlowLines) -> Bool {
        let data = reader.rest.prefix(size)
        payload += data
        reader.at += data.count
        if data.count < size {
            verdict = .unfinishedPayload
            return false
        }
        let end = Array(reader.rest.prefix(2))
        reader.at += 2
        if end == [13, 10] { return true }
        verdict = end.isEmpty || end == [13] ? .unfinishedLine : .bad
        return false
    }

    private static func trailers(_ reader: inout SlowLines, _ limits: HTTPLimits) -> Verdict {
        var total = 0
        var count = 0
        while true {
            switch reader.next() {
            case .unfinished: return .unfinishedLine
            case .bad: return .bad
            case .line([]): return .complete(consumed: reader.at)
            case .line(let line):
                total += line.count + 2
                count += 1
                guard total <= limits.maxChunkLine, count <= limits.maxFields, isTrailer(line) else { return .bad }
            }
        }
    }

    private static let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    private static func isText(_ byte: UInt8) -> Bool { byte == 9 || (0x20...0x7E).contains(byte) }

    private static func isTrailer(_ line: [UInt8]) -> Bool {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return false }
        let name = SlowField(name: Array(line[..<colon]), value: [])
        return name.name.allSatisfy(token.contains) && line[colon...].allSatisfy(isText)
            && !SlowNames.notInTrailer.contains(name.folded)
    }

    /// The size of a whole line; nil where it is malformed.
    private static func size(_ line: [UInt8]) -> Int? {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        let text = String(decoding: digits, as: UTF8.self)
        guard (1...15).contains(digits.count), digits.count == 1 || text.first != "0" else { return nil }
        guard digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else { return nil }
        return areExtensions(Array(line[digits.count...])) ? Int(text, radix: 16) : nil
    }

    private static func sizeBeforeExtension(_ line: [UInt8]) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        return digits.count < line.count ? size(Array(digits)) ?? 0 : 0
    }

    /// `*( ";" token [ "=" ( token / quoted-string ) ] )`
    private static func areExtensions(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func takeToken() -> Bool {
            let word = rest.prefix(while: token.contains)
            rest = rest.dropFirst(word.count)
            return !word.isEmpty
        }
        func takeQuoted() -> Bool {
            rest = rest.dropFirst()
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return true }
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = rest.popFirst(), isText(escaped) else { return false }
                } else if !isText(byte) {
                    return false
                }
            }
            return false
        }
        while rest.first == UInt8(ascii: ";") {
            rest = rest.dropFirst()
            guard takeToken() else { return false }
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest = rest.dropFirst()
            guard rest.first == UInt8(ascii: "\"") ? takeQuoted() : takeToken() else { return false }
        }
        return rest.isEmpty
    }
}

/// Lines that end with CR LF.
struct SlowLines {
    enum Line: Equatable {
        case line([UInt8])
        case unfinished
        /// What stands before a CR without LF.
        case bad([UInt8])
    }

    let bytes: [UInt8]
    var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var rest: ArraySlice<UInt8> { bytes[min(at, bytes.count)...] }

    mutating func next() -> Line {
        guard let end = rest.firstIndex(of: 13), end + 1 < bytes.count else { return .unfinished }
        let line = Array(bytes[at..<end])
        guard bytes[end + 1] == 10 else { return .bad(line) }
        at = end + 2
        return .line(line)
    }
}
