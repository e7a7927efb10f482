// Bodies as a log may show them: what is known to be harmless, and of all else type and length. Fragments go in, one
// JSON text of bounded length comes out at the end. Relies on the rules of the body's route. Refuses to show anything
// of a body that is not one whole JSON text.

package import HTTP

/// Redacts one body after the other; one per worker. Allocates nothing when warm, and holds about 16 KiB and the limit
/// of its output, whatever the bodies.
///
/// Known names are shown as the rules spell them, others as `"<name:LENGTH>"`. Values are shown, or become
/// `"***1234"`, `"<string:LENGTH>"`, `"<number:LENGTH>"`, `"<boolean>"`, `null` or `"<hidden>"`. A string that holds a
/// JSON array or object is shown as that, twice deep. Beyond the limit `"...":"<cut>"` ends the text. The same bytes
/// give the same text, however they are cut.
package struct Redactor: ~Copyable {
    /// Range of the limit of the output, in bytes.
    package static let limits = 512...1_048_576

    private var reading = RedactionReading<RedactionReading<RedactionReading<RedactionFloor>>>()
    private var sheet: RedactionSheet
    private var length = 0
    private var isEncoded = false

    /// `limit`: most bytes of a redacted body, default 4 KiB.
    package init(_ rules: RedactionRules, limit: Int = 4_096) {
        precondition(Self.limits.contains(limit), "the output is bounded")
        sheet = RedactionSheet(rules, limit: limit)
    }

    /// Begins another body. `isEncoded`: it has a content coding, so that only its length can be said.
    package mutating func begin(_ rules: RedactionRules, _ direction: BodyDirection, isEncoded: Bool = false) {
        sheet.begin(rules, direction)
        reading.begin()
        length = 0
        self.isEncoded = isEncoded
    }

    /// Takes the next bytes of the body, any number.
    package mutating func update(_ fragment: Span<UInt8>) {
        length += fragment.count
        if !isEncoded { reading.read(fragment, &sheet) }
    }

    /// The body has ended: appends one JSON value to `output`, without line breaks. `isComplete`: false where bytes of
    /// the body are known to be missing. Wipes what was kept of the body.
    package mutating func finish(isComplete: Bool = true, to output: inout ByteBuffer) {
        let end = reading.finish(&sheet)
        reading.begin()
        switch end {
        case _ where isEncoded: appendKind("encoded", to: &output)
        case .whole:
            if isComplete { output.append(sheet.text.bytes) } else { appendKind("json, cut off", to: &output) }
        case .empty: appendKind(length == 0 ? "empty" : "not json", to: &output)
        case .cut: appendKind("json, cut off", to: &output)
        case .tooDeep: appendKind("json, too deep", to: &output)
        case .invalid: appendKind("not json", to: &output)
        }
    }

    private func appendKind(_ kind: StaticString, to output: inout ByteBuffer) {
        output.append("{\"type\":\"")
        output.append(kind)
        output.append("\",\"length\":")
        output.appendDecimal(length)
        output.append("}")
    }
}

/// One level of strings that hold JSON.
protocol RedactionLevel: ~Copyable {
    init()
    /// Whether strings are read as JSON here.
    static var reads: Bool { get }
    mutating func begin()
    mutating func read(_ bytes: Span<UInt8>, _ sheet: inout RedactionSheet)
    mutating func finish(_ sheet: inout RedactionSheet) -> JSONStream.End
}

/// Below the last level: nothing is read.
struct RedactionFloor: RedactionLevel, ~Copyable {
    static var reads: Bool { false }

    mutating func begin() {}
    mutating func read(_ bytes: Span<UInt8>, _ sheet: inout RedactionSheet) {}
    mutating func finish(_ sheet: inout RedactionSheet) -> JSONStream.End { .invalid }
}

/// Reads a JSON text, and gives the strings in it that could be JSON to the level below.
struct RedactionReading<Inner: RedactionLevel & ~Copyable>: RedactionLevel, ~Copyable {
    private enum StringState {
        /// No string is open.
        case none
        case passing
        case reading(RedactionSheet.Mark)
    }

    static var reads: Bool { true }

    private var stream = JSONStream()
    private var inner = Inner()
    private var state = StringState.none

    mutating func begin() {
        stream.begin()
        inner.begin()
        state = .none
    }

    mutating func read(_ bytes: Span<UInt8>, _ sheet: inout RedactionSheet) {
        var at = 0
        while let event = stream.next(in: bytes, at: &at) { take(event, &sheet) }
    }

    mutating func finish(_ sheet: inout RedactionSheet) -> JSONStream.End {
        if let event = stream.finish() { take(event, &sheet) }
        return stream.ending
    }

    private mutating func take(_ event: JSONStream.Event, _ sheet: inout RedactionSheet) {
        switch event {
        case .beginObject: sheet.open(isObject: true)
        case .beginArray: sheet.open(isObject: false)
        case .endObject, .endArray: sheet.close()
        case .name: sheet.takeName(stream.text, length: stream.length)
        case .number:
            let isWhole = stream.text.count == stream.length
            sheet.takeScalar(stream.text, length: stream.length, isNumber: true, isWhole: isWhole)
        case .true: sheet.takeWord(true)
        case .false: sheet.takeWord(false)
        case .null: sheet.takeWord(nil)
        case .part: takePart(&sheet)
        case .string: takeString(&sheet)
        }
    }

    private static func passOn(_ stream: borrowing JSONStream, _ inner: inout Inner, _ sheet: inout RedactionSheet) {
        inner.read(stream.text, &sheet)
    }

    /// The beginning of a string decides whether it is read.
    private mutating func beginString(_ sheet: inout RedactionSheet) {
        guard Inner.reads, sheet.mayShow, stream.text.beginsJSONContainer else { return }
        inner.begin()
        state = .reading(sheet.mark())
    }

    private mutating func takePart(_ sheet: inout RedactionSheet) {
        if case .none = state { beginString(&sheet) }
        switch state {
        case .none, .passing:
            stream.passRest()
            state = .passing
        case .reading: Self.passOn(stream, &inner, &sheet)
        }
    }

    private mutating func takeString(_ sheet: inout RedactionSheet) {
        var isWhole = false
        if case .none = state {
            beginString(&sheet)
            isWhole = true
        }
        if case .reading(let mark) = state {
            Self.passOn(stream, &inner, &sheet)
            state = .none
            if inner.finish(&sheet) == .whole { return }
            sheet.restore(mark)
            isWhole = false
        }
        state = .none
        sheet.takeScalar(stream.text, length: stream.length, isNumber: false, isWhole: isWhole)
    }
}
