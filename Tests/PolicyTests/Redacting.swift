// What tests of redaction share: bodies in fragments through a redactor, and what must never be in its output.
// Relies on Foundation's JSON reader as a second opinion. Refuses, by finding them, more than four digits of a marked
// number in a row, with separators or without, and the usual encodings of the numbers.

import Foundation
import HTTP
import Policy
import Testing

/// The numbers that must not get out.
let markedNumbers = ["8001234567", "4111111111111111", "123-45-6789"]

struct Redacting {
    private let rules: RedactionRules
    private let direction: BodyDirection
    private let limit: Int
    private let isEncoded: Bool
    private let isComplete: Bool

    init(
        preset: RedactionPreset = .banking, direction: BodyDirection = .answer,
        settings: RedactionSettings = RedactionSettings(), limit: Int = 4_096, isEncoded: Bool = false,
        isComplete: Bool = true
    ) {
        rules = RedactionRules(preset, settings)
        self.direction = direction
        self.limit = limit
        self.isEncoded = isEncoded
        self.isComplete = isComplete
    }

    /// The redacted form of `body`, which comes in fragments that end at `cuts`.
    func text(_ body: [UInt8], cuts: [Int] = []) -> String {
        var redactor = Redactor(rules, limit: limit)
        redactor.begin(rules, direction, isEncoded: isEncoded)
        var start = 0
        for cut in cuts + [body.count] {
            redactor.update(body.span.extracting(start..<cut))
            start = cut
        }
        var output = ByteBuffer(capacity: 64)
        redactor.finish(isComplete: isComplete, to: &output)
        return String(decoding: bytes(output), as: UTF8.self)
    }

    func text(_ body: String) -> String { text(Array(body.utf8)) }
}

func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    var copy: [UInt8] = []
    for index in 0..<buffer.count { copy.append(buffer.bytes[index]) }
    return copy
}

/// `text` as a JSON string.
func quoted(_ text: String) -> String { String(decoding: jsonString(from: Array(text.utf8).span) ?? [], as: UTF8.self) }

/// Pieces of five digits of the marked numbers, as numbers, and encodings of the whole.
private let pieces: Set<Int> = {
    var pieces: Set<Int> = []
    for number in markedNumbers {
        let digits = number.compactMap(\.wholeNumberValue)
        for start in 0...digits.count - 5 { pieces.insert(digits[start..<start + 5].reduce(0) { $0 * 10 + $1 }) }
    }
    return pieces
}()
private let encoded = markedNumbers.flatMap { encodings(of: $0) }

/// What of the marked numbers is in a text: five digits in a row, also with separators between them, or an encoding.
func leaks(in text: String) -> [String] {
    var found: [String] = []
    for skipsSeparators in [false, true] {
        var digits: [Int] = []
        for byte in text.utf8 {
            if byte &- UInt8(ascii: "0") < 10 {
                digits.append(Int(byte - UInt8(ascii: "0")))
                let piece = digits.suffix(5).reduce(0) { $0 * 10 + $1 }
                if digits.count >= 5 && pieces.contains(piece) { found.append("\(piece)") }
            } else if !skipsSeparators || !" -./,:_\"\\".utf8.contains(byte) {
                digits = []
            }
        }
    }
    return found + encoded.filter { text.contains($0) }
}

/// Base64, hexadecimal and reversed forms.
func encodings(of number: String) -> [String] {
    let base64 = Data(number.utf8).base64EncodedString()
    return [
        base64, base64.replacingOccurrences(of: "=", with: ""), number.utf8.map { String($0, radix: 16) }.joined(),
        String(number.reversed()),
    ]
}

/// Fails unless `text` is one JSON value of at most `limit` bytes in one line of ASCII without a marked number.
func expectSafe(_ text: String, limit: Int = 4_096, _ comment: Comment) {
    #expect(leaks(in: text).isEmpty, comment)
    #expect(text.utf8.count <= limit, comment)
    #expect(text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, comment)
    let value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    #expect(value != nil, comment)
}
